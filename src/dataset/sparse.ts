/** Features that are the same in nearly all rows: what a sum says about them, it says about the few rows that differ (sparse-row leakage). */
import { type FeatureTable, trainRow } from './table.ts';

/** A feature, and in how many of the training rows it differs from its most frequent value. */
export interface SparseFeature {
  readonly name: string;
  readonly rows: number;
}

/** Fewer differing rows than this are told to the steward: the smallest cell that official statistics publish. */
export const fewRows = 5;

/** Features of `table` that 1 to `fewRows` - 1 training rows tell apart from all others. */
export function sparseFeatures(table: FeatureTable): readonly SparseFeature[] {
  const width = table.featureNames.length;
  return table.featureNames.flatMap((name, at) => {
    const counts = new Map<number, number>();
    let rows = 0;
    for (let row = 0; row < table.rows; row++) {
      if (table.split[row] !== trainRow) continue;
      const value = table.features[row * width + at] ?? 0;
      counts.set(value, (counts.get(value) ?? 0) + 1);
      rows++;
    }
    const differing = rows - Math.max(0, ...counts.values());
    return differing > 0 && differing < fewRows ? [{ name, rows: differing }] : [];
  });
}
