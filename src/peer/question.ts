/** From a study and the state of its run to the next sum plan, and from a sum back to the next state: the same at every member. */
import {
  decodeMoments,
  decodeUpdate,
  planDigest,
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
import type { Digest } from '../common/index.ts';
import { hasStatisticsRound, type Study } from '../study/index.ts';
import { standardisationOf } from '../training/index.ts';

/** Largest loss of one row that is reported; above it the report is cut. */
const maxLossPerRow = 64;

/** What a finished sum says to people. */
export interface RoundFigures {
  readonly purpose: SumPlan['purpose'];
  /** Training rows of all members of the sum. */
  readonly rows: number;
  /** Mean loss over these rows at the state that the round started from; undefined for statistics. */
  readonly meanLoss: number | undefined;
  /** Values that had to be cut to the plan's range, over all members. */
  readonly saturated: number;
}

/** The state after a sum, and the plan of the sum after that. */
export interface NextState {
  readonly state: RoundState;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: Digest;
  readonly nextPlan: Digest;
  readonly figures: RoundFigures;
}

/** One study over a fixed number of members: pure. */
export class Question {
  readonly study: Study;
  readonly #members: number;
  readonly #parameters: number;

  constructor(study: Study, members: number, parameters: number) {
    this.study = study;
    this.#members = members;
    this.#parameters = parameters;
  }

  /** The plan of the sum that follows `state`. */
  plan(state: Pick<RoundState, 'ordinal'>): SumPlan {
    return this.#isStatistics(state.ordinal) ? statisticsPlan(state.ordinal, this.#statisticsTerms()) : updatePlan(state.ordinal, this.updateTerms());
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
    return stateSizeBytes(this.#parameters, features);
  }

  /** Reads the plain sum that followed `state`. */
  next(state: RoundState, sum: Uint8Array): NextState {
    const plan = this.plan(state);
    const { next, figures } = plan.purpose === 'statistics' ? this.#afterStatistics(state, plan, sum) : this.#afterUpdate(state, plan, sum);
    const bytes = stateBytes(next);
    return { state: next, bytes, hash: stateDigest(bytes), nextPlan: planDigest(this.plan(next)), figures };
  }

  /** What the update plan needs to know. */
  updateTerms(): UpdateTerms {
    const { clipNorm, weightCap } = this.study.manifest.training;
    return { parameters: this.#parameters, members: this.#members, clipNorm, weightCap, maxLoss: maxLossPerRow };
  }

  #statisticsTerms(): StatisticsTerms {
    return { features: this.study.manifest.features.column.length, members: this.#members };
  }

  #isStatistics(ordinal: number): boolean {
    return ordinal === 0 && hasStatisticsRound(this.study);
  }

  #afterStatistics(state: RoundState, plan: SumPlan, sum: Uint8Array): { readonly next: RoundState; readonly figures: RoundFigures } {
    const { rows, moments } = decodeMoments(plan, sum);
    const standardisation = { rows, ...standardisationOf(rows, moments, this.study.manifest.features.column) };
    const figures = { purpose: plan.purpose, rows, meanLoss: undefined, saturated: 0 };
    return { next: { ordinal: state.ordinal + 1, parameters: state.parameters, standardisation }, figures };
  }

  #afterUpdate(state: RoundState, plan: SumPlan, sum: Uint8Array): { readonly next: RoundState; readonly figures: RoundFigures } {
    const { parameters, rows, meanLoss, saturated } = decodeUpdate(plan, this.updateTerms(), sum, state.parameters);
    return { next: { ...state, ordinal: state.ordinal + 1, parameters }, figures: { purpose: plan.purpose, rows, meanLoss, saturated } };
  }
}
