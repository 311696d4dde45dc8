/** Standardisation: from sums over all members' training rows to one mean and standard deviation, and from those to rows. */
import { type FeatureTable, trainRow } from '../dataset/index.ts';
import type { FeatureColumn } from '../study/index.ts';

/** Mean and standard deviation of each feature, in the features' own units. */
export interface Standardisation {
  readonly mean: Float64Array<ArrayBuffer>;
  /** Never zero. */
  readonly sd: Float64Array<ArrayBuffer>;
}

/** Variances below this, of a feature scaled to 0 … 1, are taken for a constant. */
const smallestVariance = 1e-12;
/** No values in 0 … 1 have a larger variance (Popoviciu's inequality): what a dishonest member adds ends here, and the mean in 0 … 1. */
const largestVariance = 1 / 4;

/**
 * Sums of the scaled features u = (x − min) / (max − min), each in 0 … 1, and of their squares, over the training rows: float64 `[2 · features]`,
 * all sums first. Every entry lies in 0 … rows, which is the range that a sum plan declares.
 */
export function scaledMoments(table: FeatureTable, columns: readonly FeatureColumn[]): { readonly rows: number; readonly sums: Float64Array<ArrayBuffer> } {
  const width = columns.length;
  const sums = new Float64Array(2 * width);
  let rows = 0;
  for (let row = 0; row < table.rows; row++) {
    if (table.split[row] !== trainRow) continue;
    rows++;
    columns.forEach(({ min, max }, at) => {
      const scaled = ((table.features[row * width + at] ?? 0) - min) / (max - min);
      sums[at] = (sums[at] ?? 0) + scaled;
      sums[width + at] = (sums[width + at] ?? 0) + scaled * scaled;
    });
  }
  return { rows, sums };
}

/** The standardisation behind summed `scaledMoments` of any number of members (population variance). A constant feature keeps its unit: sd 1. */
export function standardisationOf(rows: number, sums: ArrayLike<number>, columns: readonly FeatureColumn[]): Standardisation {
  const width = columns.length;
  const mean = new Float64Array(width);
  const sd = new Float64Array(width).fill(1);
  columns.forEach(({ min, max, standardise }, at) => {
    if (!standardise || rows <= 0) return;
    const scaledMean = Math.min(1, Math.max(0, (sums[at] ?? 0) / rows));
    const variance = Math.min(largestVariance, (sums[width + at] ?? 0) / rows - scaledMean * scaledMean);
    mean[at] = min + (max - min) * scaledMean;
    if (variance > smallestVariance) sd[at] = (max - min) * Math.sqrt(variance);
  });
  return { mean, sd };
}

/** Rows in standard units, float32 `[rows, features]`. Each step is rounded to float32, so that Sub and Div in an exported graph give the same bits. */
export function standardised(features: Float32Array<ArrayBuffer>, { mean, sd }: Standardisation): Float32Array<ArrayBuffer> {
  const width = mean.length;
  const [centre, unit] = [new Float32Array(mean), new Float32Array(sd)];
  return features.map((value, at) => Math.fround(value - (centre[at % width] ?? 0)) / (unit[at % width] ?? 1));
}
