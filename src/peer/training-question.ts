/** From a study that trains and the state of its run to the next sum plan, and from a sum back to the next state: the same at every member. */
import {
  broadcastLimitBytes,
  decodeMoments,
  type Exchange,
  type GroupTree,
  leavesOfTree,
  type MergeRule,
  type MergeTerms,
  planDigest,
  planSizeBytes,
  type RoundState,
  type StatisticsTerms,
  type SumPlan,
  stateBytes,
  stateDigest,
  stateSizeBytes,
  statisticsPlan,
  type UpdateTerms,
  updatePlan,
} from '../aggregation/index.ts';
import { assert, type Digest } from '../common/index.ts';
import { hasStatisticsRound, type TrainingStudy } from '../study/index.ts';
import { standardisationOf } from '../training/index.ts';
import type { Bulk, StoredState } from './bulk/bulk.ts';
import type { NextState, RoundFigures, RunState } from './next-state.ts';

/** Largest loss of one row that is reported; above it the report is cut. */
const maxLossPerRow = 64;

/** One study that trains over a fixed number of members: what has no vectors in it is pure. */
export class TrainingQuestion {
  readonly kind = 'training';
  readonly study: TrainingStudy;
  readonly #members: number;
  readonly #parameters: number;

  constructor(study: TrainingStudy, members: number, parameters: number) {
    this.study = study;
    this.#members = members;
    this.#parameters = parameters;
  }

  /** The plan of the sum that follows `state`. */
  plan(state: Pick<RoundState, 'ordinal'>): SumPlan {
    return this.#isStatistics(state.ordinal) ? statisticsPlan(state.ordinal, this.#statisticsTerms()) : updatePlan(state.ordinal, this.updateTerms());
  }

  /** How masked vectors of this plan meet: shard by shard where the study says so, or where a member would receive more than the limit. */
  exchange(plan: SumPlan): Exchange {
    const sizeBytes = planSizeBytes(plan);
    const { exchange, mode, groups } = this.study.manifest.terms;
    if (mode === 'open' || groups) return { kind: 'broadcast' };
    const scatters = exchange === 'auto' ? (this.#members - 1) * sizeBytes > broadcastLimitBytes : exchange === 'reduce-scatter';
    return scatters && plan.purpose === 'update' ? { kind: 'reduce-scatter', sizeBytes } : { kind: 'broadcast' };
  }

  /** The first version of the protocol that has what this study's rounds say to each other: shards and groups came with the second. */
  version(): number {
    const scatters = this.exchange(updatePlan(1, this.updateTerms())).kind === 'reduce-scatter';
    return scatters || this.study.manifest.terms.groups ? 2 : 1;
  }

  /** The state that a run starts from: the model's own weights. */
  genesis(parameters: Float32Array): { readonly bytes: Uint8Array<ArrayBuffer>; readonly hash: Digest; readonly plan: Digest } {
    const state = { ordinal: 0, parameters };
    const bytes = stateBytes(state);
    return { bytes, hash: stateDigest(bytes), plan: planDigest(this.plan(state)) };
  }

  /** Bytes of the state after `ordinal` sums. */
  stateSizeBytes(ordinal: number): number {
    const features = hasStatisticsRound(this.study) && ordinal > 0 ? this.study.manifest.features.column.length : 0;
    return stateSizeBytes(this.#parameters, features, { withLast: ordinal > 0 && this.#withLast });
  }

  /** How vectors of this study are merged after `state`. */
  mergeTerms(state: RunState): MergeTerms {
    const { weightCap } = this.study.manifest.training;
    return { rule: this.#rule(), weightCap, last: 'parameters' in state ? state.last : undefined };
  }

  /** What the opened sums of groups, by the leaves of their tree, give together by the rule of the study. */
  async mergeGroups(state: RunState, tree: GroupTree, sums: readonly Uint8Array[], bulk: Bulk, options: { readonly signal: AbortSignal }): Promise<Uint8Array> {
    assert(sums.length === leavesOfTree(tree).length, 'every group is opened before they are merged');
    return await bulk.run('mergeTree', { plan: this.plan(state), terms: this.mergeTerms(state), tree, sums }, options);
  }

  /** Reads the plain sum, or the merged vector, that followed `state` (stored under `base`) and stores what comes of it; undefined where `base` is not here. */
  async next(state: RunState, base: Digest, sum: Uint8Array, bulk: Bulk, options: { readonly signal: AbortSignal }): Promise<NextState | undefined> {
    const plan = this.plan(state);
    const ordinal = state.ordinal + 1;
    if (plan.purpose === 'statistics') {
      const { rows, moments } = decodeMoments(plan, sum);
      const standardisation = { rows, ...standardisationOf(rows, moments, this.study.manifest.features.column) };
      const stored = await bulk.run('nextState', { base, ordinal, standardisation, withLast: this.#withLast }, options);
      return stored && this.#next(stored, { purpose: plan.purpose, rows, meanLoss: undefined, saturated: 0 });
    }
    const stored = await bulk.run('nextState', { base, ordinal, update: { plan, terms: this.updateTerms(), sum }, withLast: this.#withLast }, options);
    return stored?.update && this.#next(stored, { purpose: plan.purpose, ...stored.update });
  }

  /** What the update plan needs to know. */
  updateTerms(): UpdateTerms {
    const { clipNorm, weightCap } = this.study.manifest.training;
    return { parameters: this.#parameters, members: this.#members, clipNorm, weightCap, maxLoss: maxLossPerRow };
  }

  #rule(): MergeRule {
    return this.study.manifest.terms.rule ?? { kind: 'mean' };
  }

  get #withLast(): boolean {
    return this.#rule().kind === 'centred-clipping';
  }

  /** This member's share of all training rows, where it is larger than the study permits for the update that follows `state`; else undefined. */
  dominantShare(state: RunState, ownRows: number): number | undefined {
    const { dominance } = this.study.manifest.terms;
    if (dominance === undefined || !('parameters' in state) || state.standardisation === undefined || this.#isStatistics(state.ordinal)) return undefined;
    const share = ownRows / Math.max(ownRows, state.standardisation.rows);
    return share > dominance ? share : undefined;
  }

  /** Whether each site is asked if its own rows agree to the model that follows `state`. */
  isValidated(state: RunState): boolean {
    return this.study.manifest.validation !== undefined && !this.#isStatistics(state.ordinal);
  }

  /** Whether a site with these mean losses on its own test rows agrees; one without test rows does, and nobody agrees to a loss that is no number. */
  agrees(before: number | undefined, after: number | undefined): boolean {
    if (before === undefined || after === undefined) return true;
    return after <= (1 + (this.study.manifest.validation?.worsening ?? 0)) * before;
  }

  #statisticsTerms(): StatisticsTerms {
    return { features: this.study.manifest.features.column.length, members: this.#members };
  }

  #isStatistics(ordinal: number): boolean {
    return ordinal === 0 && hasStatisticsRound(this.study);
  }

  #next({ state, hash, model }: StoredState, figures: RoundFigures): NextState {
    return { state, hash, model, nextPlan: planDigest(this.plan(state)), figures };
  }
}
