/**
 * Robust merge rules on the integers of a sum plan. Oracles: each rule's published definition, computed anew here with BigInt or plain float64 over whole
 * vectors; values worked out by hand; the plain sum; and breakdown: f arbitrary vectors move the result only as far as the others lie apart.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeMoments,
  decodeUpdate,
  encodeMoments,
  fewestVectors,
  levelledUpdate,
  type MergeRule,
  mergeVectors,
  planSlots,
  statisticsPlan,
  updatePlan,
  wholeSource,
} from '../../src/aggregation/index.ts';
import { Distances } from '../../src/aggregation/robust/distances.ts';
import { clippingWeights, geometricWeights } from '../../src/aggregation/robust/weights.ts';
import { codeOf } from '../support/codes.ts';
import { sumVectors } from '../support/custodians.ts';

const cap = 8;
const clipNorm = 4;
const termsFor = (parameters: number, members = 16) => ({ parameters, members, clipNorm, weightCap: cap, maxLoss: 4 });

/** One member's words as they are: rows, cut coordinates, loss, then the update's integers (already weighed). */
function vectorOf(plan: ReturnType<typeof updatePlan>, rows: number, words: readonly number[], [saturated, loss] = [0, 0]): Uint8Array {
  const bytes = new Uint8Array(24 + 4 * words.length);
  const view = new DataView(bytes.buffer);
  [rows, saturated, loss * (plan.segments[2]?.scale ?? 1)].forEach((value, at) => {
    view.setBigInt64(8 * at, BigInt(value), true);
  });
  words.forEach((value, at) => {
    view.setInt32(24 + 4 * at, value, true);
  });
  return bytes;
}

const wordsOf = (bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: (bytes.length - 24) / 4 }, (_, at) => view.getInt32(24 + 4 * at, true));
};

/** Merges vectors of full weight (rows = cap) and gives the merged update of weight one: words / members. */
function merged(rule: MergeRule, vectors: readonly (readonly number[])[], last?: readonly number[]): number[] {
  const plan = updatePlan(1, termsFor(vectors[0]!.length));
  const sources = vectors.map((words) => wholeSource(vectorOf(plan, cap, words)));
  const reference = last && new Uint8Array(Int32Array.from(last).buffer);
  return wordsOf(mergeVectors(plan, { rule, weightCap: cap, last: reference }, sources)).map((word) => word / vectors.length);
}

const vectors = (count: number, length: number, most = 2 ** 26) =>
  fc.array(fc.array(fc.integer({ min: -most, max: most }), { minLength: length, maxLength: length }), { minLength: count, maxLength: count });

describe('rules worked out by hand', () => {
  it('median: of an odd number the middle, of an even number the lower middle', () => {
    expect(
      merged({ kind: 'coordinate-median', f: 1 }, [
        [1, 50],
        [900, 10],
        [3, 30],
      ]),
    ).toEqual([3, 30]);
    expect(merged({ kind: 'coordinate-median', f: 1 }, [[4], [-2], [8], [6]])).toEqual([4]);
    expect(merged({ kind: 'coordinate-median', f: 1 }, [[-4], [-2], [-8], [-6]])).toEqual([-6]);
  });

  it('trimmed mean: without the smallest and the largest of each coordinate', () => {
    expect(
      merged({ kind: 'trimmed-mean', f: 1 }, [
        [100, 1],
        [2, -9],
        [4, 2],
        [-500, 3],
        [6, 1000],
      ]),
    ).toEqual([4, 2]);
  });

  it('Krum and multi-Krum: five points on a line, one far away', () => {
    // Squared distances; n - f - 2 = 2 nearest: 0 -> 1 + 9 = 10, 1 -> 1 + 4 = 5, 3 -> 4 + 1 = 5, 4 -> 1 + 9 = 10, 100 far. The first of equals is 1.
    const line = [[0], [1], [3], [4], [100]];
    expect(merged({ kind: 'krum', f: 1 }, line)).toEqual([1]);
    expect(merged({ kind: 'multi-krum', f: 1 }, line)).toEqual([2]);
  });

  it('centred clipping: each difference to the last aggregate is cut to the radius', () => {
    const plan = updatePlan(1, termsFor(2));
    const scale = plan.segments[3]!.scale;
    // From (10, 0) in units of `scale`/16: (3, 4) away is cut from 5 to 2.5 -> half of it; (0, 2) away stays.
    const unit = scale / 16;
    const got = merged(
      { kind: 'centred-clipping', f: 1, radius: 2.5 / 16 },
      [
        [13, 4],
        [10, 2],
        [10, 0],
      ].map((v) => v.map((x) => x * unit)),
      [10 * unit, 0],
    );
    expect(got.map((x) => x / unit)).toEqual([expect.closeTo(10 + 1.5 / 3, 6), expect.closeTo(4 / 3, 6)]);
  });

  it('geometric median: the corner of an obtuse triangle, and the centre of a square', () => {
    // An angle of 120 degrees or more: its corner is the Fermat point (Torricelli 1640).
    const [x, y] = merged({ kind: 'geometric-median', f: 1 }, [
      [0, 0],
      [1e6, 1e5],
      [-1e6, 1e5],
    ]);
    expect(Math.hypot(x!, y!)).toBeLessThan(1e3);
    expect(
      merged({ kind: 'geometric-median', f: 1 }, [
        [1e6, 1e6],
        [-1e6, 1e6],
        [-1e6, -1e6],
        [1e6, -1e6],
      ]),
    ).toEqual([0, 0]);
  });
});

describe('rules against their definitions', () => {
  it('median and trimmed mean sort each coordinate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 1, max: 6 }), (n, length) => {
        fc.assert(
          fc.property(vectors(n, length), (given) => {
            const f = Math.floor((n - 1) / 2);
            const sorted = given[0]!.map((_, at) => given.map((vector) => vector[at]!).sort((a, b) => a - b));
            expect(merged({ kind: 'coordinate-median', f }, given)).toEqual(sorted.map((column) => column[Math.ceil(n / 2) - 1]! + 0));
            const trimmed = merged({ kind: 'trimmed-mean', f: 1 }, given);
            sorted.forEach((column, at) => {
              const kept = column.slice(1, -1);
              expect(Math.abs(trimmed[at]! - kept.reduce((a, b) => a + b, 0) / kept.length)).toBeLessThanOrEqual(0.5);
            });
          }),
          { numRuns: 10 },
        );
      }),
      { numRuns: 20 },
    );
  });

  it('distances are the exact integers, also beyond 2^53', () => {
    fc.assert(
      fc.property(vectors(3, 40, 2 ** 31 - 1), (given) => {
        const distances = new Distances(3);
        const typed = given.map((vector) => Int32Array.from(vector));
        distances.add(typed.map((vector) => vector.subarray(0, 17)));
        distances.add(typed.map((vector) => vector.subarray(17)));
        for (const [a, b] of [
          [0, 1],
          [1, 2],
          [2, 0],
        ] as const) {
          const exact = given[a]!.reduce((sum, word, at) => sum + (BigInt(word) - BigInt(given[b]![at]!)) ** 2n, 0n);
          expect(distances.squared(a, b)).toBe(exact);
        }
      }),
    );
  });

  it('Krum and multi-Krum by BigInt', () => {
    fc.assert(
      fc.property(vectors(7, 5), fc.integer({ min: 0, max: 2 }), (given, f) => {
        const square = (a: readonly number[], b: readonly number[]) => a.reduce((sum, word, at) => sum + (BigInt(word) - BigInt(b[at]!)) ** 2n, 0n);
        const ascending = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
        const scores = given.map((one, i) =>
          given
            .flatMap((other, j) => (i === j ? [] : [square(one, other)]))
            .sort(ascending)
            .slice(0, 7 - f - 2)
            .reduce((a, b) => a + b, 0n),
        );
        const order = scores.map((score, at) => ({ score, at })).sort((a, b) => ascending(a.score, b.score) || a.at - b.at);
        expect(merged({ kind: 'krum', f }, given)).toEqual(given[order[0]!.at]!.map((word) => word + 0));
        const best = order.slice(0, 7 - f - 2).map(({ at }) => given[at]!);
        merged({ kind: 'multi-krum', f }, given).forEach((word, at) => {
          expect(Math.abs(word - best.reduce((sum, vector) => sum + vector[at]!, 0) / best.length)).toBeLessThanOrEqual(0.5 / 7 + 1e-6);
        });
      }),
    );
  });

  it('geometric median by Weiszfeld over whole vectors', () => {
    fc.assert(
      fc.property(vectors(5, 4), (given) => {
        let point = given[0]!.map((_, at) => given.reduce((sum, vector) => sum + vector[at]!, 0) / 5);
        for (let step = 0; step < 32; step++) {
          const weights = given.map((vector) => 1 / Math.max(1, Math.hypot(...vector.map((word, at) => word - point[at]!))));
          const total = weights.reduce((a, b) => a + b, 0);
          point = point.map((_, at) => given.reduce((sum, vector, one) => sum + (weights[one]! * vector[at]!) / total, 0));
        }
        const far = Math.max(...given.flat().map(Math.abs), 1);
        merged({ kind: 'geometric-median', f: 2 }, given).forEach((word, at) => {
          expect(Math.abs(word - point[at]!)).toBeLessThan(far * 1e-4 + 1);
        });
      }),
    );
  });

  it('weights of rules that measure do not depend on the order of the vectors', () => {
    fc.assert(
      fc.property(vectors(6, 3), (given) => {
        const gathered = (list: readonly (readonly number[])[]) => {
          const distances = new Distances(list.length);
          distances.add(list.map((vector) => Int32Array.from(vector)));
          return distances;
        };
        const forth = geometricWeights(gathered(given), 6);
        const back = geometricWeights(gathered([...given].reverse()), 6);
        forth.weights.forEach((weight, at) => {
          expect(weight / forth.divisor).toBeCloseTo(back.weights[5 - at]! / back.divisor, 6);
        });
        expect(clippingWeights(gathered(given), 5, 1e9).weights.slice(0, 5)).toEqual([1, 1, 1, 1, 1]);
      }),
    );
  });
});

describe('the mean', () => {
  it('is the secure sum of the same words, by every byte', () => {
    fc.assert(
      fc.property(vectors(5, 7, 2 ** 31 - 1), fc.array(fc.integer({ min: 0, max: cap }), { minLength: 5, maxLength: 5 }), (given, rows) => {
        const plan = updatePlan(1, termsFor(7));
        const all = given.map((words, at) => vectorOf(plan, rows[at]!, words, [at, at]));
        const sum = sumVectors(all, planSlots(plan));
        expect(
          mergeVectors(
            plan,
            { rule: { kind: 'mean' }, weightCap: cap },
            all.map((one) => wholeSource(one)),
          ),
        ).toEqual(sum);
      }),
    );
  });

  it('of equal vectors is what every rule gives', () => {
    const rules: readonly MergeRule[] = [
      { kind: 'mean' },
      { kind: 'coordinate-median', f: 2 },
      { kind: 'trimmed-mean', f: 2 },
      { kind: 'geometric-median', f: 2 },
      { kind: 'krum', f: 1 },
      { kind: 'multi-krum', f: 1 },
      { kind: 'centred-clipping', f: 2, radius: 1e6 },
    ];
    for (const rule of rules)
      expect(
        merged(
          rule,
          Array.from({ length: 5 }, () => [7, -3, 0]),
        ),
      ).toEqual([7, -3, 0]);
  });
});

describe('weights and headers', () => {
  const plan = updatePlan(1, termsFor(1, 3));

  it('levels members of unequal rows before the rule, and weighs the result with all rows', () => {
    // Updates of weight one: 800 (1 row: 100), 800 (8 rows: 800), 160 (4 rows: 80). Median 800, over 13 rows of 8: 1300.
    const sources = [vectorOf(plan, 1, [100], [1, 2]), vectorOf(plan, 8, [800], [0, 3]), vectorOf(plan, 4, [80], [1, 4])].map((one) => wholeSource(one));
    const result = mergeVectors(plan, { rule: { kind: 'coordinate-median', f: 1 }, weightCap: cap }, sources);
    expect(wordsOf(result)).toEqual([1300]);
    expect(new Int32Array(levelledUpdate(plan, result, cap).buffer)).toEqual(Int32Array.of(800));
    const decoded = decodeUpdate(plan, termsFor(1, 3), result, new Float32Array([1]));
    expect(decoded).toMatchObject({ rows: 13, saturated: 2, meanLoss: 9 / 13 });
    expect(decoded.parameters[0]).toBe(Math.fround(1 + 800 / plan.segments[3]!.scale));
  });

  it('cuts what no honest member says: rows, loss, and coordinates beyond the range', () => {
    const liar = vectorOf(plan, 2 ** 40, [2 ** 31 - 1], [0, 2 ** 30]);
    const less = vectorOf(plan, -5, [-(2 ** 31)], [0, -7]);
    const sources = [liar, less, vectorOf(plan, 8, [0])].map((one) => wholeSource(one));
    const decoded = decodeUpdate(
      plan,
      termsFor(1, 3),
      mergeVectors(plan, { rule: { kind: 'trimmed-mean', f: 0 }, weightCap: cap }, sources),
      new Float32Array(1),
    );
    expect(decoded.rows).toBe(16);
    expect(decoded.meanLoss).toBe(2);
    expect(Math.abs(decoded.parameters[0]!)).toBeLessThanOrEqual(Math.fround(clipNorm / 3));
  });
});

describe('breakdown', () => {
  const rules: readonly MergeRule[] = [
    { kind: 'coordinate-median', f: 2 },
    { kind: 'trimmed-mean', f: 2 },
    { kind: 'geometric-median', f: 2 },
    { kind: 'krum', f: 2 },
    { kind: 'multi-krum', f: 2 },
    { kind: 'centred-clipping', f: 2, radius: 0.001 },
  ];
  const honest = fc.array(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 3 }), { minLength: 5, maxLength: 5 });

  it('two arbitrary vectors of seven move the result no further than the honest lie apart', () => {
    fc.assert(
      fc.property(honest, vectors(2, 3, 2 ** 31 - 1), (good, bad) => {
        for (const rule of rules) {
          const result = merged(rule, [...bad, ...good]);
          // Honest coordinates lie within 1,000 of 0. The geometric median stays within (2(n-f)/(n-2f)) · radius (Pillutla et al., lemma 2): 10/3 of 1,733; clipping moves 2/7 of its radius.
          const bound =
            { 'geometric-median': 5800, krum: 10_400, 'multi-krum': 10_400, 'centred-clipping': 1000 + Math.ceil((2 / 7) * 0.001 * 2 ** 25) }[
              rule.kind as string
            ] ?? 1000;
          for (const word of result) expect(Math.abs(word)).toBeLessThanOrEqual(bound);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('one vector moves the mean as far as it likes', () => {
    expect(merged({ kind: 'mean' }, [[2 ** 26], [0], [0], [0]])).toEqual([2 ** 24]);
  });

  it('fewer vectors than the rule needs are an error with its numbers', () => {
    for (const rule of rules) {
      const needed = fewestVectors(rule);
      expect(needed).toBe(rule.kind.endsWith('krum') ? 7 : 5);
      const given = Array.from({ length: needed }, () => [1, 1]);
      expect(codeOf(() => merged(rule, given))).toBe('done');
      expect(codeOf(() => merged(rule, given.slice(1)))).toBe('AGGREGATION_TOO_FEW');
    }
  });
});

describe('slices', () => {
  it('a model of several slices is merged as a whole', () => {
    const length = 40_000;
    const plan = updatePlan(2, termsFor(length, 5));
    const given = Array.from({ length: 5 }, (_, one) => Array.from({ length }, (_, at) => ((at * 7919 + one * 104_729) % 2_000_003) - 1_000_001));
    const sources = given.map((words) => wholeSource(vectorOf(plan, cap, words)));
    const median = wordsOf(mergeVectors(plan, { rule: { kind: 'coordinate-median', f: 2 }, weightCap: cap }, sources));
    expect(median).toEqual(given[0]!.map((_, at) => 5 * given.map((vector) => vector[at]!).sort((a, b) => a - b)[2]!));
    const krum = wordsOf(mergeVectors(plan, { rule: { kind: 'krum', f: 1 }, weightCap: cap }, sources)).map((word) => word / 5);
    expect(given.map((vector) => JSON.stringify(vector))).toContain(JSON.stringify(krum));
  });
});

describe('statistics', () => {
  it('one liar of three cannot move mean and variance beyond what the others say', () => {
    const plan = statisticsPlan(0, { features: 1, members: 3 });
    const stated = [
      encodeMoments(plan, 10, Float64Array.of(4, 2)),
      encodeMoments(plan, 20, Float64Array.of(10, 6)),
      encodeMoments(plan, 2 ** 24, Float64Array.of(2 ** 24, 2 ** 24)),
    ].map((bytes) => wholeSource(bytes));
    const { rows, moments } = decodeMoments(plan, mergeVectors(plan, { rule: { kind: 'krum', f: 0 }, weightCap: cap }, stated));
    // Means 0.4, 0.5, 1; variances 0.04, 0.05, 0. Medians 0.5 and 0.04.
    expect(rows).toBe(2 ** 24 + 30);
    expect(moments[0]! / rows).toBeCloseTo(0.5, 6);
    expect(moments[1]! / rows).toBeCloseTo(0.29, 6);
  });
});
