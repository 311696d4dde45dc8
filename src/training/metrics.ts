/** How good scores are: AUC with a 95 % interval, accuracy, ROC points. Pure arithmetic over one member's (or the launcher's pooled) scores. */
import { trainingLimits } from './limits.ts';

/** Area under the ROC curve with its 95 % interval by DeLong, DeLong and Clarke-Pearson 1988, cut to 0 … 1. */
export interface Auc {
  readonly auc: number;
  readonly low: number;
  readonly high: number;
}

/** One point of the ROC curve: shares of negatives and positives that score at least `threshold`. */
export interface RocPoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
  readonly threshold: number;
}

const normal95 = 1.959963984540054;

/** Ranks from 1, ties sharing their mean (midranks). */
function midranks(values: readonly number[]): Float64Array {
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++;
    for (const index of order.slice(from, to)) ranks[index] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

/**
 * Mann-Whitney AUC of `scores` for the class 1 in `labels`, ties counting one half; the variance is DeLong's, by the midranks of Sun and Xu 2014.
 * Undefined below `trainingLimits.rowsPerClass` rows of either class.
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): Auc | undefined {
  const all = Array.from(scores);
  const positives = all.filter((_, at) => labels[at] === 1);
  const negatives = all.filter((_, at) => labels[at] !== 1);
  if (Math.min(positives.length, negatives.length) < trainingLimits.rowsPerClass) return undefined;
  const ranks = midranks([...positives, ...negatives]);
  const [among, amongNegatives] = [midranks(positives), midranks(negatives)];
  const placed = positives.map((_, at) => ((ranks[at] ?? 0) - (among[at] ?? 0)) / negatives.length);
  const placedNegatives = negatives.map((_, at) => 1 - ((ranks[positives.length + at] ?? 0) - (amongNegatives[at] ?? 0)) / positives.length);
  const area = mean(placed);
  const error = Math.sqrt(variance(placed) / positives.length + variance(placedNegatives) / negatives.length);
  return { auc: area, low: Math.max(0, area - normal95 * error), high: Math.min(1, area + normal95 * error) };
}

/** Share of rows whose probability of class 1 is over `threshold` exactly where the label is 1; undefined without rows. */
export function accuracy(scores: ArrayLike<number>, labels: ArrayLike<number>, threshold = 0.5): number | undefined {
  if (labels.length === 0) return undefined;
  return mean(Array.from(labels, (label, at) => ((scores[at] ?? 0) > threshold === (label === 1) ? 1 : 0)));
}

/** Share of rows whose largest of `classes` probabilities (`scores` `[rows, classes]`) is the label's; the first wins a tie. Undefined without rows. */
export function multiclassAccuracy(scores: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number | undefined {
  if (labels.length === 0) return undefined;
  const best = (row: number) => {
    const own = Array.from({ length: classes }, (_, at) => scores[row * classes + at] ?? 0);
    return own.indexOf(Math.max(...own));
  };
  return mean(Array.from(labels, (label, row) => (best(row) === label ? 1 : 0)));
}

/** The ROC curve from (0, 0) to (1, 1), one point for each distinct score, thresholds falling. */
export function rocPoints(scores: ArrayLike<number>, labels: ArrayLike<number>): readonly RocPoint[] {
  const order = Array.from(scores, (score, at) => ({ score, positive: labels[at] === 1 })).sort((a, b) => b.score - a.score);
  const positives = order.filter(({ positive }) => positive).length;
  const negatives = order.length - positives;
  const points: RocPoint[] = [{ falsePositiveRate: 0, truePositiveRate: 0, threshold: Number.POSITIVE_INFINITY }];
  let [hits, alarms] = [0, 0];
  order.forEach(({ score, positive }, at) => {
    if (positive) hits++;
    else alarms++;
    if (order[at + 1]?.score !== score)
      points.push({ falsePositiveRate: alarms / Math.max(1, negatives), truePositiveRate: hits / Math.max(1, positives), threshold: score });
  });
  return points;
}

/** Smallest probability that a loss is taken of: 1e-7, about float32's precision near 1. */
const smallestProbability = 1e-7;

/**
 * Mean cross entropy of `scores` (`[rows]` of class 1 where `classes` is 2 and there is one score a row, else `[rows, classes]`) against class
 * indexes; NaN where a score is none, undefined without rows.
 */
export function meanLoss(scores: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number | undefined {
  if (labels.length === 0) return undefined;
  const isSingle = scores.length === labels.length;
  const ofLabel = (label: number, row: number): number => {
    const score = scores[isSingle ? row : row * classes + label] ?? 0;
    return isSingle && label === 0 ? 1 - score : score;
  };
  return mean(Array.from(labels, (label, row) => -Math.log(Math.max(smallestProbability, ofLabel(label, row)))));
}
