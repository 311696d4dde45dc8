/** Robust merges at their edges: vectors of several slices, sources that say no rows, wide words, several features. Oracles: plain sums and hand-computed values. */
import { describe, expect, it } from 'vitest';
import {
  decodeMoments,
  drawnGroups,
  encodeMoments,
  fewestVectors,
  leavesOfTree,
  levelledUpdate,
  type MergeRule,
  mergeVectors,
  planSizeBytes,
  planSlots,
  type SumPlan,
  statisticsPlan,
  updatePlan,
  wholeSource,
} from '../../src/aggregation/index.ts';
import type { Account } from '../../src/common/index.ts';
import { sumVectors } from '../support/custodians.ts';

const weightCap = 8;
const terms = { members: 8, clipNorm: 4, weightCap, maxLoss: 4 };
const median: MergeRule = { kind: 'coordinate-median', f: 1 };

/** A vector of an update plan: rows, nothing cut, no loss, and the integers of the update. */
function vectorOf(rows: number, words: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(24 + 4 * words.length);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(rows), true);
  for (let at = 0; at < words.length; at++) view.setInt32(24 + 4 * at, words[at] ?? 0, true);
  return bytes;
}

const wordsOf = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.slice(24).buffer);
const sourcesOf = (vectors: readonly Uint8Array[]) => vectors.map((one) => wholeSource(one));

describe('vectors of several slices', () => {
  const parameters = 40_000;
  const plan = updatePlan(1, { ...terms, parameters });
  const spread = (step: number): number[] => Array.from({ length: parameters }, (_, at) => ((at * step) % 2_003) - 1_001);

  it('have the plain sum as their mean, every word counted once', () => {
    const vectors = [7, 11, 13].map((step) => vectorOf(weightCap, spread(step)));
    const merged = mergeVectors(plan, { rule: { kind: 'mean' }, weightCap }, sourcesOf(vectors));
    expect(Buffer.compare(merged, sumVectors(vectors, planSlots(plan)))).toBe(0);
  });

  it('are clipped around the last update as whole vectors: one at distance d moves it by radius / d of the way', () => {
    const scale = planSlots(plan).find(({ name }) => name === 'update')?.scale ?? 0;
    const last = Int32Array.from(spread(7), (word) => 1_000 * word);
    // Two are the last update itself; one differs from it by 400 in every word: its distance is 400 · √40,000 = 80,000 units, eight times the radius.
    const apart = last.map((word) => word + 400);
    const rule: MergeRule = { kind: 'centred-clipping', f: 1, radius: 10_000 / scale };
    const sources = sourcesOf([vectorOf(weightCap, last), vectorOf(weightCap, last), vectorOf(weightCap, apart)]);
    const merged = wordsOf(mergeVectors(plan, { rule, weightCap, last: new Uint8Array(last.buffer) }, sources));
    expect(merged.findIndex((word, at) => word !== 3 * (last[at] ?? 0) + 400 / 8)).toBe(-1);
  });
});

describe('what sources say of themselves', () => {
  const plan = updatePlan(1, { ...terms, parameters: 2 });

  it('a source that says no rows pulls towards no change, however large its words are', () => {
    const vectors = [vectorOf(0, [2 ** 27, -(2 ** 27)]), vectorOf(weightCap, [30, -30]), vectorOf(weightCap, [40, 40])];
    // Levelled: (0, 0), (30, -30), (40, 40). Medians 30 and 0, and all rows are 2 · cap.
    expect([...wordsOf(mergeVectors(plan, { rule: median, weightCap }, sourcesOf(vectors)))]).toEqual([60, 0]);
  });

  it('each word of a wide segment is summed for itself, cut to the range of one member', () => {
    const counts = { name: 'counts', length: 3, wordBits: 64, range: 5, scale: 2 } as const;
    const wide: SumPlan = { ...plan, segments: [...plan.segments.slice(0, 1), counts, ...plan.segments.slice(3)] };
    const vectors = [
      [1n, 2n, 3n],
      [10n, 11n, -1n],
      [0n, 4n, 10n],
    ].map((words) => {
      const bytes = new Uint8Array(planSizeBytes(wide));
      new BigInt64Array(bytes.buffer, 0, 4).set([BigInt(weightCap), ...words]);
      return bytes;
    });
    // As a file is read: what was asked for, in memory of its own.
    const sources = vectors.map((bytes) => ({ members: 1, read: (start: number, end: number) => bytes.slice(start, end) }));
    const merged = mergeVectors(wide, { rule: median, weightCap }, sources);
    expect([...new BigInt64Array(merged.buffer, 0, 4)]).toEqual([24n, 11n, 16n, 13n]);
  });

  it('statistics are no update: there is nothing for the next round to move from', () => {
    const statistics = statisticsPlan(0, { features: 1, members: 3 });
    expect(levelledUpdate(statistics, encodeMoments(statistics, 3, Float64Array.of(1, 1)), weightCap)).toEqual(new Uint8Array(0));
  });

  it('the mean needs one vector', () => {
    expect(fewestVectors({ kind: 'mean' })).toBe(1);
  });
});

describe('merged statistics', () => {
  it('keep features apart, and leave out whoever has no rows or fewer', () => {
    const plan = statisticsPlan(0, { features: 2, members: 5 });
    const stated = (rows: number, [m1, m2]: readonly [number, number], [v1, v2]: readonly [number, number]): Uint8Array =>
      encodeMoments(plan, rows, Float64Array.of(m1 * rows, m2 * rows, (v1 + m1 * m1) * rows, (v2 + m2 * m2) * rows));
    const vectors = [
      stated(10, [0.25, 0.5], [0.125, 0.0625]),
      stated(20, [0.5, 0.75], [0.0625, 0.03125]),
      stated(30, [0.75, 0.625], [0.03125, 0.125]),
      encodeMoments(plan, 0, Float64Array.of(9, 9, 9, 9)),
      encodeMoments(plan, -7, Float64Array.of(9, 9, 9, 9)),
    ];
    const { rows, moments } = decodeMoments(plan, mergeVectors(plan, { rule: median, weightCap }, sourcesOf(vectors)));
    expect(rows).toBe(60);
    // Medians of three: means 0.5 and 0.625, variances 0.0625 and 0.0625.
    const expected = [0.5, 0.625, 0.0625 + 0.25, 0.0625 + 0.390625];
    for (const [at, moment] of moments.entries()) expect(moment / 60).toBeCloseTo(expected[at] ?? 0, 6);
  });
});

describe('drawn groups', () => {
  it('name their members in ascending order, as every list of members is', () => {
    const accounts = Array.from({ length: 30 }, (_, member) => `0x${(member + 1).toString(16).padStart(40, '0')}` as Account);
    for (const leaf of leavesOfTree(drawnGroups(accounts, accounts[0] as Account, 5))) expect(leaf).toEqual([...leaf].sort((a, b) => a - b));
  });
});
