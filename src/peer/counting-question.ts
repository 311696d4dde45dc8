/** From a study that counts and what its run has opened so far to the next sum plan, and from a sum back to the next state: the same at every member. */
import {
  countPlan,
  countSlots,
  countStateBytes,
  countStateSizeBytes,
  type Exchange,
  firstCountState,
  planDigest,
  type SumPlan,
  slotOf,
  stateDigest,
  type TableTerms,
} from '../aggregation/index.ts';
import { assert, type Digest } from '../common/index.ts';
import type { StatisticsStudy } from '../study/index.ts';
import type { Bulk } from './bulk/bulk.ts';
import type { NextState, RunState } from './next-state.ts';
import { tableTerms } from './table-terms.ts';

/** One study that counts over a fixed number of members. */
export class CountingQuestion {
  readonly kind = 'statistics';
  readonly study: StatisticsStudy;
  readonly terms: TableTerms;

  constructor(study: StatisticsStudy, members: number) {
    this.study = study;
    this.terms = tableTerms(study.manifest, members);
  }

  /** The plan of the sum that follows `state`; without what was opened, that of the first sum. */
  plan(state: { readonly ordinal: number } | RunState): SumPlan {
    if ('opened' in state) return countPlan(this.terms, state);
    assert(state.ordinal === 0, 'only the first plan needs no state');
    return countPlan(this.terms, firstCountState(this.terms));
  }

  /** Tables are small: everybody gets all vectors. */
  exchange(): Exchange {
    return { kind: 'broadcast' };
  }

  /** The first version of the protocol has all that these rounds say. */
  version(): number {
    return 1;
  }

  /** The state that a run starts from: nothing is opened. */
  genesis(): { readonly bytes: Uint8Array<ArrayBuffer>; readonly hash: Digest; readonly plan: Digest } {
    const bytes = countStateBytes(firstCountState(this.terms));
    return { bytes, hash: stateDigest(bytes), plan: planDigest(this.plan({ ordinal: 0 })) };
  }

  /** Bytes of every state. */
  stateSizeBytes(): number {
    return countStateSizeBytes(this.terms);
  }

  /** Reads the plain sum that followed `state` and stores what may be kept of it; its hash stands where that of a model would. */
  async next(state: RunState, _base: Digest, sum: Uint8Array, bulk: Bulk, options: { readonly signal: AbortSignal }): Promise<NextState> {
    assert('opened' in state, 'the state of a study that counts is what it counted');
    const { purpose } = this.plan(state);
    const { next, hash } = await bulk.run('countState', { terms: this.terms, state, sum }, options);
    const rows = slotOf(next, countSlots(this.terms).rows)[0] ?? 0;
    return { state: next, hash, model: hash, nextPlan: planDigest(this.plan(next)), figures: { purpose, rows, meanLoss: undefined, saturated: 0 } };
  }

  /** A sum that counts is refused by no site's own rows; cells are, one by one. */
  dominantShare(): undefined {
    return undefined;
  }

  /** Nobody is asked whether the result fits its rows: it is what was counted. */
  isValidated(): boolean {
    return false;
  }
}
