/**
 * What a masked vector says: p-values of chi-square and serial tests over many rounds, and the distinguishing game. Keys are real ones (X25519, ML-KEM-768,
 * HKDF, AES-256-CTR) made from seeded bytes, so that the same figures come out every time.
 */
import { expect, test } from 'vitest';
import { planSlots, type SumPlan } from '../../src/aggregation/index.ts';
import { addMasks } from '../../src/aggregation/secagg/masking.ts';
import { seededChance } from '../../src/common/index.ts';
import { acquainted, masked, sumVectors } from '../support/custodians.ts';

const attempts = 8;
const roster = [0, 1, 2];

function planOf(words: number): SumPlan {
  return { purpose: 'update', ordinal: 1, segments: [{ name: 'words', length: words, wordBits: 32, range: 1, scale: 1 }] };
}

/** Upper tail of the standard normal distribution (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z >= 0 ? tail : 1 - tail;
}

/** p-value of a chi-square statistic by the cube-root approximation of Wilson and Hilferty 1931; good for many degrees of freedom. */
function pValue(statistic: number, degrees: number): number {
  const spread = 2 / (9 * degrees);
  return upperTail((Math.cbrt(statistic / degrees) - (1 - spread)) / Math.sqrt(spread));
}

/** Pearson's statistic of counts against equal shares. */
function pearson(counts: Float64Array): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** p-values of one vector: single bytes (255 degrees of freedom), and pairs of neighbouring half-bytes that do not overlap (serial test, 255 too). */
function pValues(bytes: Uint8Array): readonly number[] {
  const [single, serial] = [new Float64Array(256), new Float64Array(256)];
  for (let at = 0; at < bytes.length; at++) single[bytes[at] ?? 0] = (single[bytes[at] ?? 0] ?? 0) + 1;
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const pair = ((bytes[at] ?? 0) & 15) | (((bytes[at + 1] ?? 0) & 15) << 4);
    serial[pair] = (serial[pair] ?? 0) + 1;
  }
  return [pValue(pearson(single), 255), pValue(pearson(serial), 255)];
}

/** Largest distance of p-values from the uniform distribution (Kolmogorov and Smirnov), times the root of their number. */
function distance(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const gaps = sorted.map((value, at) => Math.max((at + 1) / sorted.length - value, value - at / sorted.length));
  return Math.max(...gaps) * Math.sqrt(sorted.length);
}

test('masked chunks of 240 attempts are uniform: p-values of both tests are uniform themselves, and plain words are not', { timeout: 120_000 }, () => {
  const slots = planSlots(planOf(16_384));
  const words = new Uint8Array(Int32Array.from({ length: 16_384 }, (_, at) => Math.round(4_000 * Math.sin(at))).buffer);
  const found = Array.from({ length: 30 }, (_, round) => {
    const group = acquainted(roster, { seed: round, attempts });
    return Array.from({ length: attempts }, (_, attempt) => pValues(masked(group[0], words, { slots, attempt, set: roster })));
  }).flat();
  for (const kind of [0, 1]) {
    const values = found.map((each) => each[kind] ?? 0);
    expect(Math.min(...values), 'the smallest of 240').toBeGreaterThan(1e-5);
    expect(distance(values), 'passed once in a thousand by chance').toBeLessThan(1.95);
  }
  expect(Math.max(...pValues(words))).toBeLessThan(1e-9);
});

/** Logistic regression over the bits of the words, by stochastic gradient steps: what a best effort without knowledge of keys can learn. */
class Distinguisher {
  readonly #weights: Float64Array;
  constructor(bits: number) {
    this.#weights = new Float64Array(bits + 1);
  }

  guess(view: Uint8Array): number {
    let sum = this.#weights.at(-1) ?? 0;
    for (let bit = 0; bit < 8 * view.length; bit++) if (((view[bit >> 3] ?? 0) >> (bit & 7)) & 1) sum += this.#weights[bit] ?? 0;
    return 1 / (1 + Math.exp(-sum));
  }

  learn(view: Uint8Array, side: number, rate = 0.05): void {
    const step = rate * (side - this.guess(view));
    for (let bit = 0; bit < 8 * view.length; bit++) if (((view[bit >> 3] ?? 0) >> (bit & 7)) & 1) this.#weights[bit] = (this.#weights[bit] ?? 0) + step;
    this.#weights[8 * view.length] = (this.#weights[8 * view.length] ?? 0) + step;
  }
}

const inputs = [Int32Array.of(0, 0, 0, 0), Int32Array.of(1_000_000, -7, 123_456_789, -2_000_000_000)].map((words) => new Uint8Array(words.buffer));

/**
 * One game in one attempt: the honest members 0 and 1 hold the two inputs in the order that `side` says; member 2 is the attacker's. It sees both masked
 * vectors, takes away the masks that it shares and, once seeds are revealed, the self masks. The sum is the same on both sides.
 */
function play(group: ReturnType<typeof acquainted>, attempt: number, side: number, broken: boolean): Uint8Array {
  const slots = planSlots(planOf(4));
  const [first, second, spy] = group;
  const [own, other] = [inputs[side], inputs[1 - side]];
  if (!first || !second || !spy || !own || !other) throw new Error('three members and two inputs');
  const [own0, own1] = [masked(first, own, { slots, attempt, set: roster }), masked(second, other, { slots, attempt, set: roster })];
  const [pair0, self0] = [first.masks(attempt, roster)[1], first.masks(attempt, roster).at(-1)];
  if (!pair0 || !self0) throw new Error('a pair mask and a self mask');
  addMasks(
    own0,
    [pair0, self0].map(({ key, sign }) => ({ key, sign: sign === 1 ? -1 : 1 })),
    slots,
  );
  if (broken)
    addMasks(
      own0,
      first
        .masks(attempt, roster)
        .slice(0, 1)
        .map(({ key, sign }) => ({ key, sign: sign === 1 ? -1 : 1 })),
      slots,
    );
  expect(own1.length).toBe(own0.length);
  return own0;
}

/** Share of right guesses minus share of wrong ones over `games`, after 2,000 or as many games to learn from. */
function advantage(games: number, broken: boolean): number {
  const sides = seededChance('sides');
  const distinguisher = new Distinguisher(128);
  let right = 0;
  let group = acquainted(roster, { seed: 1_000, attempts });
  const lessons = Math.min(games, 2_000);
  for (let game = 0; game < lessons + games; game++) {
    if (game % attempts === 0) group = acquainted(roster, { seed: 1_000 + game, attempts });
    const side = sides.below(2);
    const view = play(group, game % attempts, side, broken);
    if (game >= lessons && distinguisher.guess(view) > 0.5 === (side === 1)) right++;
    if (game < lessons) distinguisher.learn(view, side);
  }
  return Math.abs((2 * right) / games - 1);
}

test('two inputs cannot be told apart by who knows all but one pair secret: advantage below 0.02 in 10,000 runs; without that mask it is 1', {
  timeout: 300_000,
}, () => {
  expect(advantage(400, true), 'the distinguisher learns where there is something to learn').toBeGreaterThan(0.95);
  expect(advantage(10_000, false)).toBeLessThan(0.02);
});

test('the sum says nothing of the order either: both sides give the same bytes', () => {
  const slots = planSlots(planOf(4));
  const group = acquainted(roster, { seed: 5, attempts });
  const sums = [0, 1].map((side) => {
    const zero = new Uint8Array(16);
    const vectors = group.map((member, at) =>
      masked(member, (at === 2 ? zero : inputs[at === 0 ? side : 1 - side]) ?? zero, { slots, attempt: 0, set: roster }),
    );
    return Buffer.from(sumVectors(vectors, slots)).toString('hex');
  });
  expect(sums[0]).toBe(sums[1]);
});
