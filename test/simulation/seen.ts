/** What a world saw, as plain values: the oracles judge it, the coverage counts it. */
import type { RoundState as RunState } from '../../src/aggregation/index.ts';
import type { Digest } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import type { Schedule, Span } from './schedule.ts';

/** The opened sum of one group. */
export interface OpenedGroup {
  readonly members: readonly number[];
  readonly sum: Uint8Array;
}

/** A sum that a member opened, with what it made of it. */
export interface OpenedSum {
  readonly member: number;
  readonly round: number;
  readonly set: readonly number[];
  /** In groups, what each of them gave before the merge. */
  readonly groups: readonly OpenedGroup[] | undefined;
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
  /** Places where a member's newest round was not the newest that its stored facts open. */
  readonly behind: { readonly member: number; readonly round: number; readonly newest: number }[];
  /** Members that never crashed with journals of more rounds than are live. */
  readonly journals: { readonly member: number; readonly rounds: number }[];
  /** When a member was down, cut off, silent or late; or, all the time, slow at training and nothing else. */
  readonly impaired: (Span & { readonly member: number; readonly slow?: boolean })[];
  /** Rounds in which the ledger lied. */
  readonly lies: number[];
  /** Members that run at the end, with the state they hold of the last FINAL round. */
  readonly standing: {
    readonly member: number;
    readonly holds: boolean;
    readonly secretsLeft: number;
    /** Words in records for an auditor, by run and round. */
    readonly records: ReadonlyMap<string, Uint8Array | undefined>;
  }[];
  /** Simulated milliseconds until all members were through; undefined where they never were. */
  endedMs: number | undefined;
  /** Byzantine members: nothing that they do or store is held against the product. */
  readonly faulty: ReadonlySet<number>;
  /** Members that a member refused for what they sent. */
  readonly refused: { readonly member: number; readonly round: number; readonly from: number }[];
  /** Messages that a member refused. `givenUp`: shares that left out an attempt which their sender had given up and the member had not yet. */
  readonly dropped: { readonly member: number; readonly from: number; readonly kind: string; readonly code: string; readonly givenUp: boolean }[];
  /** The first words that members took about the roots of other groups, and whether each arrived as it was sent. */
  readonly stated: { readonly member: number; readonly round: number; readonly attempt: number; readonly from: number; readonly isTrue: boolean }[];
  /** How often each request and each answer left a member and arrived at one, by `round/member/other/what`. */
  readonly sent: Map<string, number>;
  readonly arrived: Map<string, number>;
  /** Inputs in a member's journal, by `round/member`. */
  readonly inputs: Map<string, number>;
  /** Most pieces of content that lay on one member's disk. */
  mostContent: number;
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
    behind: [],
    journals: [],
    impaired: [],
    lies: [],
    standing: [],
    endedMs: undefined,
    faulty: new Set(schedule.traitors.map(({ member }) => member)),
    refused: [],
    dropped: [],
    stated: [],
    sent: new Map(),
    arrived: new Map(),
    inputs: new Map(),
    mostContent: 0,
    counts: new Map(),
  };
}

/** One more under a name. */
export function more(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Counts one more of `what`. */
export function count(seen: Seen, what: string, by = 1): void {
  seen.counts.set(what, (seen.counts.get(what) ?? 0) + by);
}
