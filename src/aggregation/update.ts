/**
 * Two plans of the one secure sum: shared statistics before round 1, and model updates.
 * Encode: what a member puts in. Decode: what every member computes from the sum, with the same bits.
 */
import type { Chance } from '../common/index.ts';
import { addScaled, clippedDifference, largestScale } from '../tensor/index.ts';
import { decodeSum, encodeContribution, type SumPlan } from './plan.ts';

/** What an update plan needs to know of the study. */
export interface UpdateTerms {
  readonly parameters: number;
  readonly members: number;
  readonly clipNorm: number;
  /** Rows above this count as this many: a power of two, so that weights are exact. */
  readonly weightCap: number;
  /** Largest loss that a row can report; above it the report is cut. */
  readonly maxLoss: number;
}

/** The plan of a model update: header words (rows, rows with loss, loss) of 64 bits, then one 32-bit word a parameter. */
export function updatePlan(ordinal: number, terms: UpdateTerms): SumPlan {
  const lossRange = terms.weightCap * terms.maxLoss;
  return {
    purpose: 'update',
    ordinal,
    segments: [
      { name: 'rows', length: 1, wordBits: 64, range: terms.weightCap, scale: 1 },
      { name: 'saturated', length: 1, wordBits: 64, range: 2 ** 32, scale: 1 },
      { name: 'lossSum', length: 1, wordBits: 64, range: lossRange, scale: Math.min(2 ** 20, largestScale(lossRange, terms.members, 64)) },
      { name: 'update', length: terms.parameters, wordBits: 32, range: terms.clipNorm, scale: largestScale(terms.clipNorm, terms.members, 32) },
    ],
  };
}

/** One member's result of local training. */
export interface LocalUpdate {
  readonly base: Float32Array;
  readonly trained: Float32Array;
  readonly rows: number;
  /** Training loss at `base`, summed over the rows. */
  readonly lossSum: number;
}

/** Clips, weighs by rows / weightCap and rounds by chance: the words that are masked. */
export function encodeUpdate(plan: SumPlan, terms: UpdateTerms, local: LocalUpdate, rounding: Chance): Uint8Array {
  const rows = Math.min(local.rows, terms.weightCap);
  const weight = rows / terms.weightCap;
  const update = clippedDifference(local.trained, local.base, terms.clipNorm).map((value) => value * weight);
  const contribution = (saturated: number) =>
    encodeContribution(plan, { rows: [rows], saturated: [saturated], lossSum: [local.lossSum * (rows / Math.max(1, local.rows))], update }, rounding);
  const { words, saturated } = contribution(0);
  if (saturated === 0) return words;
  const header = new DataView(words.buffer);
  header.setBigInt64(8, BigInt(saturated), true);
  return words;
}

/** What every member reads from the sum of updates. */
export interface UpdateResult {
  readonly parameters: Float32Array;
  readonly rows: number;
  readonly meanLoss: number;
  readonly saturated: number;
}

/** The weighted mean of the updates applied to `base`: W = fround(base + Σ ω_i Δ_i / Σ ω_i) (protocol 3.2). */
export function decodeUpdate(plan: SumPlan, terms: UpdateTerms, sum: Uint8Array, base: Float32Array): UpdateResult {
  const { rows, saturated, lossSum, update } = decodeSum(plan, sum);
  const total = rows?.[0] ?? 0;
  const mean = (update ?? new Float64Array(0)).map((value) => (total > 0 ? value / (total / terms.weightCap) : 0));
  return { parameters: addScaled(base, mean, 1), rows: total, meanLoss: total > 0 ? (lossSum?.[0] ?? 0) / total : 0, saturated: saturated?.[0] ?? 0 };
}
