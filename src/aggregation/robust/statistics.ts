/** Shared statistics where members may lie: each feature's mean and variance by the coordinate median of what the members say. */
import { encodeContribution, type SumPlan } from '../plan.ts';
import { decodeMoments } from '../statistics.ts';

/** Scaled features, their means and their mean squares lie in 0 … 1. */
const within = (value: number): number => Math.min(1, Math.max(0, value));

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}

/** What one member, or one group of several, says. */
export interface StatedMoments {
  readonly members: number;
  readonly bytes: Uint8Array;
}

/**
 * One vector of a statistics plan out of several: rows are summed, each cut to the range; a feature's moments are those of the median mean and the
 * median variance, of an even number the lower of the middle two. Who has no rows has no voice.
 */
export function medianMoments(plan: SumPlan, stated: readonly StatedMoments[]): Uint8Array {
  const [rowsSegment, momentsSegment] = plan.segments;
  const read = stated.map(({ members, bytes }) => ({ most: members * (rowsSegment?.range ?? 0), ...decodeMoments(plan, bytes) }));
  const heard = read.map(({ most, rows, moments }) => ({ rows: Math.min(most, Math.max(0, rows)), moments })).filter(({ rows }) => rows > 0);
  const features = (momentsSegment?.length ?? 0) / 2;
  const rows = heard.reduce((sum, one) => sum + one.rows, 0);
  const moments = new Float64Array(2 * features);
  for (let at = 0; at < features; at++) {
    const means = heard.map((one) => within((one.moments[at] ?? 0) / one.rows));
    const variances = heard.map((one, by) => within((one.moments[features + at] ?? 0) / one.rows) - (means[by] ?? 0) * (means[by] ?? 0));
    const mean = middle(means);
    moments[at] = mean * rows;
    moments[features + at] = (Math.max(0, middle(variances)) + mean * mean) * rows;
  }
  const members = stated.reduce((sum, one) => sum + one.members, 0);
  const segments = plan.segments.map((segment) => ({ ...segment, range: segment.range * members }));
  return encodeContribution({ ...plan, segments }, { rows: [rows], moments }).words;
}
