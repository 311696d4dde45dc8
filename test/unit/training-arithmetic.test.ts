/** Optimisers against their published rules, metrics against published figures and counting, standardisation against plain sums, batches by their promises. */
import { describe, expect, test } from 'vitest';
import { seededChance } from '../../src/common/index.ts';
import { pooledTable } from '../../src/dataset/index.ts';
import { batchChance, drawBatches } from '../../src/training/batches.ts';
import { accuracy, auc, multiclassAccuracy, rocPoints, scaledMoments, standardisationOf } from '../../src/training/index.ts';
import { startOptimiser } from '../../src/training/optimisers/optimiser.ts';
import { createParameterMemory } from '../../src/training/parameter-memory.ts';
import { standardised } from '../../src/training/standardise.ts';
import { cloudTable } from '../support/tables.ts';

function walk(terms: Parameters<typeof startOptimiser>[0], start: number, gradients: readonly number[]): number[] {
  const memory = createParameterMemory(1);
  memory.parameters[0] = start;
  const step = startOptimiser(terms, memory);
  return gradients.map((gradient) => {
    memory.gradients[0] = gradient;
    step();
    return memory.parameters[0] ?? Number.NaN;
  });
}

describe('optimisers', () => {
  test('SGD with momentum: v = 0.9 v + g, p = p - 0.1 v', () => {
    const found = walk({ kind: 'sgd', learningRate: 0.1, momentum: 0.9, weightDecay: 0 }, 1, [1, 1, -2]);
    expect(found).toEqual([0.9, 0.71, 0.739].map((value) => expect.closeTo(value, 6)));
  });

  test('SGD with weight decay adds it to the gradient', () => {
    expect(walk({ kind: 'sgd', learningRate: 0.1, momentum: 0, weightDecay: 0.5 }, 2, [1])[0]).toBeCloseTo(1.8, 6);
  });

  test('AdamW: the first step is the learning rate whatever the gradient, the decay apart from it (Loshchilov and Hutter 2019, algorithm 2)', () => {
    const terms = { kind: 'adamw', learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 } as const;
    const [first = 0, second = 0] = walk(terms, 1, [3, -1]);
    expect(first).toBeCloseTo(1 - 0.1 - 0.1 * 0.01, 6);
    const m = (0.9 * 0.3 - 0.1) / (1 - 0.9 ** 2);
    const v = (0.999 * 0.009 + 0.001) / (1 - 0.999 ** 2);
    expect(second).toBeCloseTo(first - 0.1 * (m / Math.sqrt(v) + 0.01 * first), 6);
  });

  test('a new optimiser forgets the moments of the one before', () => {
    const memory = createParameterMemory(3);
    memory.first.fill(5);
    memory.second.fill(5);
    startOptimiser({ kind: 'sgd', learningRate: 1, momentum: 0.9, weightDecay: 0 }, memory)();
    expect([...memory.parameters]).toEqual([0, 0, 0]);
  });
});

describe('metrics', () => {
  test('AUC and its error for the CT ratings of Hanley and McNeil 1982, table 1: 0.893, standard error 0.032', () => {
    const [normal, abnormal] = [
      [33, 6, 6, 11, 2],
      [3, 2, 2, 11, 33],
    ];
    const ratings = (counts: readonly number[]) => counts.flatMap((count, rating) => Array.from({ length: count }, () => rating));
    const scores = [...ratings(normal), ...ratings(abnormal)];
    const found = auc(
      scores,
      scores.map((_, at) => (at < 58 ? 0 : 1)),
    );
    expect(found?.auc).toBeCloseTo(0.893, 3);
    expect(((found?.high ?? 0) - (found?.low ?? 0)) / 2 / 1.96).toBeCloseTo(0.032, 2);
  });

  test('AUC is the share of pairs in order, ties one half', () => {
    const chance = seededChance('auc', 1);
    const scores = Array.from({ length: 80 }, () => chance.below(12));
    const labels = scores.map((score) => (chance.below(12) < score ? 1 : 0));
    const pairs = scores.flatMap((a, i) => scores.flatMap((b, j) => (labels[i] === 1 && labels[j] === 0 ? [a > b ? 1 : a === b ? 0.5 : 0] : [])));
    expect(auc(scores, labels)?.auc).toBeCloseTo(pairs.reduce<number>((sum, pair) => sum + pair, 0) / pairs.length, 12);
  });

  test('the area under the ROC points is the AUC', () => {
    const chance = seededChance('roc', 2);
    const scores = Array.from({ length: 60 }, () => chance.below(20) / 20);
    const labels = scores.map(() => chance.below(2));
    const points = rocPoints(scores, labels);
    const area = points.slice(1).reduce((sum, point, at) => {
      const before = points[at] ?? point;
      return sum + ((point.falsePositiveRate - before.falsePositiveRate) * (point.truePositiveRate + before.truePositiveRate)) / 2;
    }, 0);
    expect(area).toBeCloseTo(auc(scores, labels)?.auc ?? Number.NaN, 12);
    expect(points.at(-1)).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 });
  });

  test('nothing is stated below five rows of either class', () => {
    expect(auc([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 1, 1, 0, 0, 0, 0, 0])).toBeUndefined();
    expect(auc([], [])).toBeUndefined();
    expect(accuracy([], [])).toBeUndefined();
  });

  test('accuracies count', () => {
    expect(accuracy([0.9, 0.4, 0.6, 0.1], [1, 1, 0, 0])).toBe(0.5);
    expect(multiclassAccuracy([0.1, 0.7, 0.2, 0.5, 0.3, 0.2], [1, 2], 3)).toBe(0.5);
  });
});

describe('standardisation', () => {
  const columns = [0, 1, 2].map((at) => ({ name: `f${at}`, min: -3, max: 5, standardise: at !== 2 }));

  test('moments of two members, added, give the mean and sd of all their training rows', () => {
    const tables = [cloudTable(40, 3, 2, 1), cloudTable(24, 3, 2, 2)];
    const moments = tables.map((table) => scaledMoments(table, columns));
    const summed = Float64Array.from(moments[0]?.sums ?? [], (sum, at) => sum + (moments[1]?.sums[at] ?? 0));
    const { mean, sd } = standardisationOf(48, summed, columns);
    const all = pooledTable(tables);
    const column = (at: number) =>
      Array.from({ length: all.rows }, (_, row) => row)
        .filter((row) => all.split[row] === 0)
        .map((row) => all.features[3 * row + at] ?? 0);
    for (const at of [0, 1]) {
      const values = column(at);
      const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(values.length).toBe(48);
      expect(mean[at]).toBeCloseTo(centre, 9);
      expect(sd[at]).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length), 9);
    }
    expect([mean[2], sd[2]]).toEqual([0, 1]);
    expect(standardised(new Float32Array([2, 2, 2]), { mean, sd })[0]).toBeCloseTo((2 - (mean[0] ?? 0)) / (sd[0] ?? 1), 5);
  });

  test('a constant feature keeps its unit', () => {
    const table = { ...cloudTable(8, 3), features: new Float32Array(24).fill(1.5) };
    const { rows, sums } = scaledMoments(table, columns);
    expect([...standardisationOf(rows, sums, columns).sd]).toEqual([1, 1, 1]);
  });
});

describe('batches', () => {
  test('each pass uses every row once, and the last batch of a pass may be smaller', () => {
    const rows = [3, 5, 7, 9, 11];
    const batches = [...drawBatches(rows, 2, 6, batchChance(1, 'a', 1))];
    expect(batches.map((batch) => batch.length)).toEqual([2, 2, 1, 2, 2, 1]);
    for (const pass of [batches.slice(0, 3), batches.slice(3)]) expect(pass.flat().sort((a, b) => a - b)).toEqual(rows);
  });

  test('depend on seed, member and round alone', () => {
    const draw = (seed: number, member: string, round: number) => [...drawBatches([...Array(20).keys()], 4, 5, batchChance(seed, member, round))].flat().join();
    expect(draw(1, 'a', 1)).toBe(draw(1, 'a', 1));
    expect(new Set([draw(1, 'a', 1), draw(2, 'a', 1), draw(1, 'b', 1), draw(1, 'a', 2)]).size).toBe(4);
  });
});
