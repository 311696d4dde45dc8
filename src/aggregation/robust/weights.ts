/** Rules that look at whole vectors: from exact distances to one weight for each vector. Float64 in a fixed order, only + - * / and sqrt. */
import type { Distances } from './distances.ts';

/** The merged vector is Σ weight · vector / divisor. */
export interface Weights {
  readonly weights: readonly number[];
  readonly divisor: number;
}

/** Steps of Weiszfeld's algorithm: a fixed number, so that everybody stops at the same bits. */
const weiszfeldSteps = 32;

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** Krum's score of each vector: the sum of the squared distances to its n - f - 2 nearest others. */
function krumScores(distances: Distances, count: number, f: number): readonly bigint[] {
  const everybody = Array.from({ length: count }, (_, at) => at);
  return everybody.map((one) => {
    const squares = everybody.filter((other) => other !== one).map((other) => distances.squared(one, other));
    return squares
      .sort(ascending)
      .slice(0, count - f - 2)
      .reduce((sum, square) => sum + square, 0n);
  });
}

/** One for each of the `chosen` vectors with the best scores; of equal scores the first in order. */
export function krumWeights(distances: Distances, count: number, f: number, chosen: number): Weights {
  const scores = krumScores(distances, count, f);
  const order = scores.map((_, at) => at).sort((a, b) => ascending(scores[a] ?? 0n, scores[b] ?? 0n) || a - b);
  const best = new Set(order.slice(0, chosen));
  return { weights: scores.map((_, at) => (best.has(at) ? 1 : 0)), divisor: chosen };
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/**
 * Smoothed Weiszfeld (Pillutla et al. 2022, algorithm 2) without touching the vectors: the point is Σ λ_i x_i, and
 * ‖x_j - Σ λ_i x_i‖² = Σ_i λ_i D_ij - ½ Σ_i Σ_k λ_i λ_k D_ik. Distances below one unit of the words count as one.
 */
export function geometricWeights(distances: Distances, count: number): Weights {
  const everybody = Array.from({ length: count }, (_, at) => at);
  const squares = everybody.map((a) => everybody.map((b) => Number(distances.squared(a, b))));
  let weights: readonly number[] = everybody.map(() => 1);
  for (let step = 0; step < weiszfeldSteps; step++) {
    const total = sumOf(weights);
    const shares = weights.map((weight) => weight / total);
    const means = squares.map((row) => sumOf(row.map((square, at) => square * (shares[at] ?? 0))));
    const spread = sumOf(means.map((mean, at) => mean * (shares[at] ?? 0))) / 2;
    weights = means.map((mean) => 1 / Math.sqrt(Math.max(1, mean - spread)));
  }
  return { weights, divisor: sumOf(weights) };
}

/** Centred clipping around the vector after the last of `count`: each difference is cut to `radius` units, then their mean is added. */
export function clippingWeights(distances: Distances, count: number, radius: number): Weights {
  const factors = Array.from({ length: count }, (_, at) => {
    const apart = Math.sqrt(Number(distances.squared(at, count)));
    return apart <= radius ? 1 : radius / apart;
  });
  return { weights: [...factors, count - sumOf(factors)], divisor: count };
}

/** Σ weight · vector / divisor, float64 `[words]`; vectors with weight 0 are not read. */
export function weighted(vectors: readonly Int32Array[], { weights, divisor }: Weights): Float64Array {
  const result = new Float64Array(vectors[0]?.length ?? 0);
  vectors.forEach((vector, one) => {
    const weight = weights[one] ?? 0;
    if (weight === 0) return;
    for (let at = 0; at < result.length; at++) result[at] = (result[at] ?? 0) + weight * (vector[at] ?? 0);
  });
  return result.map((value) => value / divisor);
}
