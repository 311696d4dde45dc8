/**
 * How well somebody who has the model and a row can tell whether the row was trained on: the loss-based membership inference of Yeom et al. 2018
 * (arXiv 1709.01604), as an AUC over this member's own rows. 0.5 is chance; it bounds nothing that a stronger attack could find.
 */
import { type Auc, auc } from '../training/index.ts';

/** The attack's AUC with its 95 % interval; undefined where either side has too few rows. */
export interface Leakage {
  readonly auc: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly train: number;
  readonly test: number;
}

/** Probabilities float32 `[rows]` for two classes, `[rows, classes]` for more, and class indexes `[rows]`. */
export interface Scored {
  readonly scores: Float32Array;
  readonly labels: Float32Array;
}

/** Probability that the model gives the true class: the larger, the smaller the loss. */
function certainty({ scores, labels }: Scored): number[] {
  const classes = labels.length === 0 ? 1 : scores.length / labels.length;
  return Array.from(labels, (label, row) => {
    if (classes === 1) return label === 1 ? (scores[row] ?? 0) : 1 - (scores[row] ?? 0);
    return scores[row * classes + label] ?? 0;
  });
}

/** The attack on one model: `trained` rows were used for it, `held` rows were not. */
export function membershipLeakage(trained: Scored, held: Scored): Leakage {
  const [inside, outside] = [certainty(trained), certainty(held)];
  const isMember = [...inside.map(() => 1), ...outside.map(() => 0)];
  const found: Auc | undefined = auc([...inside, ...outside], isMember);
  return { auc: found?.auc, low: found?.low, high: found?.high, train: inside.length, test: outside.length };
}
