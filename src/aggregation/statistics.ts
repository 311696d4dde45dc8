/** The statistics plan: first and second moments of every feature over all members' training rows, by one secure sum of 64-bit words. */
import { largestScale } from '../tensor/index.ts';
import { decodeSum, encodeContribution, type SumPlan } from './plan.ts';

/** Training rows that one member may have in shared statistics. */
const maxRows = 2 ** 24;

/** What a statistics plan needs to know of the study. */
export interface StatisticsTerms {
  readonly features: number;
  readonly members: number;
}

/**
 * The plan: the count of rows, then the sum and the sum of squares of each feature. Features are scaled to 0 … 1 by the study's
 * declared ranges before, so that one range holds for all words.
 */
export function statisticsPlan(ordinal: number, { features, members }: StatisticsTerms): SumPlan {
  return {
    purpose: 'statistics',
    ordinal,
    segments: [
      { name: 'rows', length: 1, wordBits: 64, range: maxRows, scale: 1 },
      { name: 'moments', length: 2 * features, wordBits: 64, range: maxRows, scale: largestScale(maxRows, members, 64) },
    ],
  };
}

/** A member's moments, float64 `[2 · features]` (all sums first), as words. */
export function encodeMoments(plan: SumPlan, rows: number, moments: Float64Array): Uint8Array {
  return encodeContribution(plan, { rows: [rows], moments }).words;
}

/** Rows and moments of all members together. */
export function decodeMoments(plan: SumPlan, sum: Uint8Array): { readonly rows: number; readonly moments: Float64Array } {
  const { rows, moments } = decodeSum(plan, sum);
  return { rows: rows?.[0] ?? 0, moments: moments ?? new Float64Array(0) };
}

/** Mean and standard deviation of each feature over all members, float64 `[features]`, as a round state carries them. */
export interface SharedStatistics {
  readonly rows: number;
  readonly mean: Float64Array<ArrayBuffer>;
  readonly sd: Float64Array<ArrayBuffer>;
}
