/**
 * The bulk port: every step whose work grows with the vector. `worker.ts` does it in one worker thread, `inline.ts` in the calling thread
 * (simulations); both run `steps.ts`. Vectors stay on the disk and are read in slices: a step holds a few vectors, never one a member.
 * One compliance suite (`test/compliance/bulk.test.ts`) holds for both.
 */
import type {
  CountedRows,
  CountState,
  Fingerprint,
  GroupTree,
  MaskStream,
  MergeTerms,
  RoundState,
  Shard,
  SharedStatistics,
  SumPlan,
  TableTerms,
  UpdateTerms,
} from '../../aggregation/index.ts';
import type { Digest } from '../../common/index.ts';
import type { RoundKey } from '../../wire/index.ts';

/** Where a member's words of a round are sealed: the round, and a key of 32 bytes that seals nothing else. */
export interface WordsPlace {
  readonly round: RoundKey;
  readonly key: Uint8Array;
}

/** Local training as words, clipped, weighed and rounded, sealed at `place`. Throws AGGREGATION_NOT_FINITE. */
export interface EncodeUpdate {
  readonly place: WordsPlace;
  readonly plan: SumPlan;
  readonly terms: UpdateTerms;
  /** Hash of the stored state that training started from. */
  readonly base: Digest;
  /** float32 `[parameters]`; given away: the caller cannot read it afterwards. */
  readonly trained: Float32Array;
  readonly rows: number;
  readonly lossSum: number;
  readonly roundingKey: Uint8Array;
}

/** What a member's rows give to the sum that follows `state`, as words sealed at `place`. */
export interface EncodeCounts {
  readonly place: WordsPlace;
  readonly plan: SumPlan;
  readonly terms: TableTerms;
  readonly state: CountState;
  /** Over memory that both threads see. */
  readonly records: CountedRows;
  /** Cells that this member keeps out of the sum. */
  readonly withheld: readonly number[];
}

/** What a sum that followed `state` opens, without what must not be shown. */
export interface CountStep {
  readonly terms: TableTerms;
  readonly state: CountState;
  readonly sum: Uint8Array;
}

/** Masks the words at `place` and stores the vector: its root; undefined where the words are gone. `streams` are overwritten. */
export interface Mask {
  readonly place: WordsPlace;
  readonly plan: SumPlan;
  readonly streams: readonly MaskStream[];
}

/** What a masked sum (or in open mode the merged vector) is made of: whole vectors, which are added up or merged, or the sums of all shards of `members` vectors, which are put together. */
export type SumSource =
  | { readonly kind: 'vectors'; readonly roots: readonly Digest[] }
  /** Open vectors, which a rule merges. */
  | { readonly kind: 'open'; readonly roots: readonly Digest[]; readonly terms: MergeTerms }
  | { readonly kind: 'shards'; readonly parts: readonly { readonly shard: Shard; readonly root: Digest }[]; readonly members: number };

/** The masked sum of one plan. */
export interface Sum {
  readonly plan: SumPlan;
  readonly source: SumSource;
}

/** As `Sum`, and the masks are taken away. `streams` are overwritten. */
export interface Unmask extends Sum {
  readonly streams: readonly MaskStream[];
}

/** The state after a sum, stored: that of `base` with another ordinal, with shared statistics, or with the parameters that a sum of updates gives. */
export interface NextState {
  readonly base: Digest;
  readonly ordinal: number;
  readonly standardisation?: SharedStatistics;
  readonly update?: { readonly plan: SumPlan; readonly terms: UpdateTerms; readonly sum: Uint8Array };
  /** Whether the state carries the last update, for a rule that moves from it. */
  readonly withLast?: boolean;
}

/** Opened sums of groups, in the order of the leaves, to be merged. */
export interface MergeGroups {
  readonly plan: SumPlan;
  readonly terms: MergeTerms;
  readonly tree: GroupTree;
  readonly sums: readonly Uint8Array[];
}

/** What `nextState` made. */
export interface StoredState {
  readonly state: RoundState;
  readonly hash: Digest;
  readonly model: Digest;
  /** What the header of a sum of updates says; undefined where there was none. */
  readonly update: { readonly rows: number; readonly meanLoss: number; readonly saturated: number } | undefined;
}

/** One shard of the vectors under `roots`, in order of their members, summed as integers and stored (protocol 3.6). */
export interface SumShard {
  readonly roots: readonly Digest[];
  readonly shard: Shard;
}

/** Fingerprints of shards of the vector under `root`. */
export interface Prints {
  readonly root: Digest;
  readonly shards: readonly Shard[];
  readonly points: Fingerprint;
}

/** Whether the shard's sum under `root` is that of the parts behind `prints`, one a member. */
export interface CheckSum {
  readonly root: Digest;
  readonly shard: Shard;
  readonly prints: readonly Fingerprint[];
  readonly points: Fingerprint;
}

/** Every step: what it is given, and what comes of it; undefined where content that it needs is not here. */
interface StepTypes {
  readonly encodeUpdate: { readonly request: EncodeUpdate; readonly outcome: true | undefined };
  readonly encodeCounts: { readonly request: EncodeCounts; readonly outcome: true };
  /** The next state of a study that counts, stored. */
  readonly countState: { readonly request: CountStep; readonly outcome: { readonly next: CountState; readonly hash: Digest } };
  /** Seals words that were made elsewhere. */
  readonly storeWords: { readonly request: { readonly place: WordsPlace; readonly words: Uint8Array }; readonly outcome: true };
  readonly mask: { readonly request: Mask; readonly outcome: Digest | undefined };
  /** SHA-256 of the sum. */
  readonly sum: { readonly request: Sum; readonly outcome: Digest | undefined };
  /** The root under which the sum is stored, for other groups to fetch. */
  readonly storeSum: { readonly request: Sum; readonly outcome: Digest | undefined };
  readonly mergeTree: { readonly request: MergeGroups; readonly outcome: Uint8Array };
  /** The sum's words. */
  readonly unmask: { readonly request: Unmask; readonly outcome: Uint8Array | undefined };
  readonly nextState: { readonly request: NextState; readonly outcome: StoredState | undefined };
  /** The root under which the shard's sum is stored. */
  readonly sumShard: { readonly request: SumShard; readonly outcome: Digest | undefined };
  readonly prints: { readonly request: Prints; readonly outcome: readonly Fingerprint[] | undefined };
  readonly checkSum: { readonly request: CheckSum; readonly outcome: boolean | undefined };
}

/** The name of a step. */
export type BulkKind = keyof StepTypes;
/** What a step is given. */
export type BulkRequest<K extends BulkKind> = StepTypes[K]['request'];
/** What comes of a step. */
export type BulkOutcome<K extends BulkKind> = StepTypes[K]['outcome'];
/** All steps, synchronous. */
export type BulkSteps = { readonly [K in BulkKind]: (request: BulkRequest<K>) => BulkOutcome<K> };

/** Does one step after the other, in the order of the calls. */
export interface Bulk extends AsyncDisposable {
  /** Throws what the step throws, PEER_BULK_FAILED where the thread ended or too many steps wait, and COMMON_CANCELLED. */
  run<K extends BulkKind>(kind: K, request: BulkRequest<K>, options: { readonly signal: AbortSignal }): Promise<BulkOutcome<K>>;
}

/** A copy of secret bytes that crosses to the worker by reference: no message holds them, and whoever overwrites them does it for both sides. */
export function secretBytes(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** The streams with keys that cross by reference; the given keys are overwritten. */
export function secretStreams(streams: readonly MaskStream[]): readonly MaskStream[] {
  return streams.map(({ key, sign }) => {
    const secret = secretBytes(key);
    key.fill(0);
    return { key: secret, sign };
  });
}
