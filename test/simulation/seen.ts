/** What a world saw, as plain values: the oracles judge it, the coverage counts it. */
import type { RoundState as RunState } from '../../src/aggregation/index.ts';
import type { Digest } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import type { Schedule, Span } from './schedule.ts';

/** A sum that a member opened, with what it made of it. */
export interface OpenedSum {
  readonly member: number;
  readonly round: number;
  readonly set: readonly number[];
  readonly base: RunState;
  readonly sum: Uint8Array;
  readonly state: Digest;
}

/** Something that unmasks, on its way out of a member. */
export interface ReleasedSecret {
  readonly member: number;
  readonly round: number;
  readonly attempt: number;
  readonly item: 'seed' | 'seedShare';
  /** How many events the ledger had then. */
  readonly eventsBefore: number;
  /** Attempts of which the member still had a seed on its disk. */
  readonly seedsKept: readonly number[];
}

/** A key and a digest of what it was used for. */
export interface KeyUse {
  readonly member: number;
  readonly round: number;
  readonly kind: 'mask' | 'seal';
  readonly key: string;
  readonly vector: string;
}

/** A member's first shares of a round, with the seed that they are of. */
export interface Dealt {
  readonly member: number;
  readonly round: number;
  readonly threshold: number;
  readonly seed: Uint8Array;
  readonly shares: readonly Uint8Array[];
}

/** Everything that one world showed. */
export interface Seen {
  readonly schedule: Schedule;
  /** The ledger's events in order. */
  readonly events: LedgerEvent[];
  /** Each member's words before masking, by `round/member`. */
  readonly words: Map<string, Uint8Array>;
  readonly opened: OpenedSum[];
  readonly released: ReleasedSecret[];
  readonly keyUses: KeyUse[];
  readonly dealt: Dealt[];
  /** Garbled messages after which something else was stored than before. */
  readonly garbledKept: { readonly member: number; readonly kind: string }[];
  /** Errors that ended a member and were no crash. */
  readonly failures: { readonly member: number; readonly error: string }[];
  /** Places where replaying the journal gave another state than the running member had. */
  readonly replayed: { readonly member: number; readonly round: number; readonly same: boolean }[];
  /** Members whose disk, read again after a start, did not say what they had released (rule R6). */
  readonly forgotten: { readonly member: number; readonly round: number }[];
  /** When a member was down, cut off, silent or late. */
  readonly impaired: (Span & { readonly member: number })[];
  /** Rounds in which the ledger lied. */
  readonly lies: number[];
  /** Members that run at the end, with the state they hold of the last FINAL round. */
  readonly standing: { readonly member: number; readonly holds: boolean }[];
  /** Simulated milliseconds until all members were through; undefined where they never were. */
  endedMs: number | undefined;
  readonly counts: Map<string, number>;
}

/** Nothing seen yet. */
export function nothingSeen(schedule: Schedule): Seen {
  return {
    schedule,
    events: [],
    words: new Map(),
    opened: [],
    released: [],
    keyUses: [],
    dealt: [],
    garbledKept: [],
    failures: [],
    replayed: [],
    forgotten: [],
    impaired: [],
    lies: [],
    standing: [],
    endedMs: undefined,
    counts: new Map(),
  };
}

/** Counts one more of `what`. */
export function count(seen: Seen, what: string, by = 1): void {
  seen.counts.set(what, (seen.counts.get(what) ?? 0) + by);
}
