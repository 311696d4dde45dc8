/** Made-up rows for training tests: two overlapping clouds, the same for the same seed. */
import { digest, seededChance } from '../../src/common/index.ts';
import type { FeatureTable } from '../../src/dataset/index.ts';

/** `rows` rows of `features` features; every fourth row is a test row; labels 0 … classes-1. */
export function cloudTable(rows: number, features: number, classes = 2, seed = 1): FeatureTable {
  const chance = seededChance('cloud', seed);
  const labels = Float32Array.from({ length: rows }, () => chance.below(classes));
  const values = Float32Array.from({ length: rows * features }, (_, at) => {
    const label = labels[Math.floor(at / features)] ?? 0;
    return chance.real() + chance.real() - 1 + ((at % features) % classes === label ? 0.7 : 0);
  });
  return {
    featureNames: Array.from({ length: features }, (_, at) => `f${at}`),
    rows,
    features: values,
    labels,
    split: Uint8Array.from({ length: rows }, (_, at) => (at % 4 === 3 ? 1 : 0)),
    dataVersion: digest('0'.repeat(64)),
    dropped: [],
  };
}
