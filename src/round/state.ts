/** The states of the round machine: each phase carries only its own values. Plain data, so that a journal or a vector can hold it. */
import type { Digest } from '../common/index.ts';
import type { Item, MemberSet, VoidReason } from '../wire/index.ts';

/** Why a member only watches a round. */
export type Watching = 'not-expected' | 'catching-up' | 'other-base' | 'other-plan';

/** What stays with a member through all phases of a round. */
export interface Ground {
  /** Newest ledger time seen, in seconds. */
  readonly timeS: number;
  readonly base: Digest | undefined;
  readonly plan: Digest | undefined;
  /** Members of this round by index; empty before it opens. */
  readonly roster: MemberSet;
  /** What the ledger opened the round with. */
  readonly opened: { readonly base: Digest; readonly plan: Digest } | undefined;
  readonly context: Digest | undefined;
  readonly threshold: number;
  readonly bundle: Digest | undefined;
  /** Bundle hashes on the ledger by member. */
  readonly joined: Readonly<Record<number, Digest>>;
  readonly bundles: MemberSet;
  readonly refused: MemberSet;
  readonly shares: MemberSet;
  readonly inputReady: boolean;
  readonly erasedBelow: number;
  /** R3: the attempt for which something that unmasks has left this member. */
  readonly released: { readonly attempt: number; readonly set: MemberSet } | undefined;
  /** Requests that could not be answered yet; bounded. */
  readonly asked: readonly { readonly by: number; readonly item: Item }[];
}

/** One attempt over one set. */
export interface Attempt {
  readonly attempt: number;
  readonly set: MemberSet;
  readonly deadlineS: number;
  /** Roots on the ledger by member. */
  readonly roots: Readonly<Record<number, Digest>>;
  /** Root of this member's own masked vector, `'lost'` after a crash in the middle of masking. */
  readonly masked: Digest | 'lost' | undefined;
}

/** READY signatures on the ledger by member. */
export type ReadyFacts = Readonly<Record<number, { readonly context: Digest; readonly sum: Digest }>>;

/** The phases of a round. */
export type RoundState =
  | { readonly phase: 'waiting'; readonly ground: Ground }
  | { readonly phase: 'join'; readonly ground: Ground; readonly deadlineS: number }
  | { readonly phase: 'share'; readonly ground: Ground; readonly deadlineS: number; readonly joined: MemberSet; readonly vouched: MemberSet }
  | ({ readonly phase: 'commit'; readonly ground: Ground } & Attempt)
  | ({
      readonly phase: 'ready';
      readonly ground: Ground;
      readonly vectors: MemberSet;
      readonly sum: Digest | undefined;
      readonly ready: ReadyFacts;
      readonly haves: MemberSet;
    } & Attempt)
  | ({
      readonly phase: 'reveal';
      readonly ground: Ground;
      readonly sum: Digest | undefined;
      readonly ready: ReadyFacts;
      readonly seeds: MemberSet;
      readonly unmasked: { readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest } | undefined;
      readonly votes: MemberSet;
    } & Attempt)
  | {
      readonly phase: 'final';
      readonly ground: Ground;
      readonly attempt: number;
      readonly set: MemberSet;
      readonly state: Digest;
      readonly model: Digest;
      readonly nextPlan: Digest;
      /** The state is stored here: computed, or fetched by hash. */
      readonly held: boolean;
      /** This member computed another state than the one that was voted: it stops and says so. */
      readonly differs: boolean;
    }
  | { readonly phase: 'void'; readonly ground: Ground; readonly attempt: number; readonly reason: VoidReason };

/** Phases in the order in which people see them. */
export type Phase = RoundState['phase'];
