/** The states of the round machine: each phase carries only its own values. Plain data, so that a journal or a vector can hold it. */
import type { Exchange, GroupTree } from '../aggregation/index.ts';
import type { Digest } from '../common/index.ts';
import type { Item, MemberSet, VoidReason } from '../wire/index.ts';

/** Why a member only watches a round. */
export type Watching = 'abandoned' | 'not-expected' | 'catching-up' | 'other-base' | 'other-plan';

/** What stays with a member through all phases of a round. */
export interface Ground {
  /** Newest ledger time seen, in seconds. */
  readonly timeS: number;
  readonly base: Digest | undefined;
  readonly plan: Digest | undefined;
  /** How masked vectors meet in this round: follows from the plan. */
  readonly exchange: Exchange;
  /** Groups of the whole run where the study names them. */
  readonly groups?: GroupTree;
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
  /** R3: the attempt that all consented to open: from then on something that unmasks may have left any member. */
  readonly released: { readonly attempt: number; readonly set: MemberSet; readonly groups?: readonly MemberSet[] } | undefined;
  /** The ledger holds a transaction of this member that its journal does not know: the disk is older than what it did (R9). */
  readonly abandoned: boolean;
  /** Members that left the run or were revoked, and since when. */
  readonly gone: { readonly members: MemberSet; readonly sinceS: number };
  /** Requests that could not be answered yet; bounded. */
  readonly asked: readonly { readonly by: number; readonly item: Item }[];
}

/** One attempt over one set. */
export interface Attempt {
  readonly attempt: number;
  readonly set: MemberSet;
  readonly sinceS: number;
  readonly deadlineS: number;
  /** Roots on the ledger by member. */
  readonly roots: Readonly<Record<number, Digest>>;
  /** Root of this member's own masked vector, `'lost'` after a crash in the middle of masking. */
  readonly masked: Digest | 'lost' | undefined;
}

/** One shard in reduce-scatter, as this member sees it. */
export interface ShardState {
  /** Members whose part is stored here. */
  readonly parts: MemberSet;
  /** Root of this member's own sum of it. */
  readonly summed: Digest | undefined;
  /** Root that the aggregator of the open generation announced. */
  readonly announced: Digest | undefined;
  readonly claims: readonly { readonly by: number; readonly root: Digest }[];
  /** Root of the sum that stands. */
  readonly verified: Digest | undefined;
  /** This generation's aggregator was silent or wrong. */
  readonly failed: boolean;
}

/** Phase READY in reduce-scatter. */
export interface Gather {
  readonly openedS: number;
  /** Members of the set in the order in which they sum shards. */
  readonly order: MemberSet;
  readonly generation: number;
  readonly shards: readonly ShardState[];
  /** Others whose point secret is held, by generation. */
  readonly points: readonly MemberSet[];
  /** Generations in which this member's own fingerprints are taken. */
  readonly printed: readonly number[];
  /** Others whose fingerprints are held, by generation. */
  readonly prints: readonly MemberSet[];
  readonly audit: { readonly shard: number; readonly right: boolean | undefined } | undefined;
  /** Members caught at a wrong sum or wrong fingerprints. */
  readonly blamed: MemberSet;
}

/** READY signatures on the ledger by member. */
export type ReadyFacts = Readonly<Record<number, { readonly context: Digest; readonly sum: Digest }>>;

/** What is known of groups in an attempt. */
export interface Grouped {
  /** Roots of their groups' masked sums, by member that stated one. */
  readonly stated: Readonly<Record<number, Digest>>;
  /** Groups, by their place, whose masked sum is stored here. */
  readonly held: readonly number[];
  /** What members said on the ledger that they hold, by member. */
  readonly said: Readonly<Record<number, MemberSet>>;
}

/** The phases of a round. */
export type RoundState =
  | { readonly phase: 'waiting'; readonly ground: Ground }
  | { readonly phase: 'join'; readonly ground: Ground; readonly sinceS: number; readonly deadlineS: number }
  | {
      readonly phase: 'share';
      readonly ground: Ground;
      readonly sinceS: number;
      readonly deadlineS: number;
      readonly joined: MemberSet;
      readonly vouched: MemberSet;
      /** What this member vouched for last. */
      readonly holds: MemberSet;
    }
  | ({ readonly phase: 'commit'; readonly ground: Ground } & Attempt)
  | ({
      readonly phase: 'ready';
      readonly ground: Ground;
      readonly vectors: MemberSet;
      readonly sum: Digest | undefined;
      readonly gather: Gather | undefined;
      readonly ready: ReadyFacts;
      readonly haves: MemberSet;
      readonly groups?: Grouped;
    } & Attempt)
  | ({
      readonly phase: 'reveal';
      readonly ground: Ground;
      readonly sum: Digest | undefined;
      readonly gather: Gather | undefined;
      readonly ready: ReadyFacts;
      readonly seeds: MemberSet;
      readonly groups?: Grouped;
      readonly unmasked: { readonly accept: boolean; readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest } | undefined;
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
