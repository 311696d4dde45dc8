/** Plans and states of a study that counts: which words a sum has, and where each number of it comes to lie. */
import { describe, expect, test } from 'vitest';
import {
  contribution,
  countPlan,
  countSlots,
  countStateBytes,
  countStateFrom,
  countStateSizeBytes,
  encodeContribution,
  firstCountState,
  isCountState,
  planSlots,
  slotOf,
} from '../../src/aggregation/index.ts';
import { decodeSum } from '../../src/aggregation/plan.ts';
import { countPhase } from '../../src/aggregation/tables/count-plan.ts';
import { utf8 } from '../../src/common/index.ts';
import { countedBy, openedBy, type PlainRow, recordsOf, termsOf } from '../support/counting.ts';
import { sumVectors } from '../support/custodians.ts';

const score = { minimum: 0, maximum: 50, decimals: 0, table: true, quantiles: [0.25, 0.5], bins: 4 };
const weight = { minimum: 0, maximum: 10, decimals: 1, table: true, quantiles: [], bins: 0 };
const age = { minimum: 0, maximum: 90, decimals: 0, table: true, quantiles: [0.5], bins: 3 };

/** Three cells, three variables of which the first and the last have quantiles, models of two and of three columns, two steps. */
const terms = termsOf({
  widths: [2],
  variables: [score, weight, age],
  models: [
    { kind: 'logistic', outcome: 1, predictors: [2] },
    { kind: 'poisson', outcome: 0, predictors: [1, 2] },
  ],
  steps: 2,
  dominance: 0.8,
});

const range = (from: number, length: number): number[] => Array.from({ length }, (_, at) => from + at);

/** What the first sum opens where three sites have rows everywhere. */
const everywhere = { sites: [3, 3, 3], withheld: [0, 0, 0], modelSites: [3, 3], modelWithheld: [0, 0] };

/** What the second sum opens: numbers that are all different and large enough to be told. */
const tables = {
  units: [5000, 2000, 3000],
  rows: [5010, 2020, 2990],
  counts: [5001, 2001, 3001, 4001, 1501, 2501, 4501, 1701, 2801],
  sums: [50_001, 20_001, 30_001, 200_001, 75_001, 125_001, 202_001, 70_001, 132_001],
  squares: range(900_001, 9),
  // the quantiles of `score` fall into parts 1 and 2, 2 and 3, 3 and 4; those of `age` into parts 3, 1 and 2
  bins: [40, 40, 10, 10, 10, 30, 50, 10, 10, 10, 20, 60, 10, 10, 80, 80, 10, 10, 10, 80, 10],
  modelUnits: [4100, 4200],
  modelRows: [4300, 4400],
  modelOutcome: [1234, 5678],
  modelExposure: [4300, 9100],
  modelSides: range(600, 10),
};

const votes = { dominated: [0, 0, 0], modelDominated: [0, 0] };

const step = (base: number) => ({
  'gradient 0': range(base, 2),
  'hessian 0': range(base + 2, 3),
  'likelihood 0': [base + 5],
  'gradient 1': range(base + 6, 3),
  'hessian 1': range(base + 9, 6),
  'likelihood 1': [base + 15],
});

describe('places in the state', () => {
  test('follow each other without a gap, for several variables, models and steps', () => {
    expect(countSlots(terms)).toEqual({
      presence: { from: 0, length: 3 + 2 },
      units: { from: 5, length: 3 },
      rows: { from: 8, length: 3 },
      counts: { from: 11, length: 3 * 3 },
      sums: { from: 20, length: 9 },
      squares: { from: 29, length: 9 },
      quantiles: { from: 38, length: 3 * (2 + 1) },
      models: { from: 47, length: 4 * 2 },
      dominated: { from: 55, length: 3 + 2 },
      steps: [
        { from: 60, length: 2 + 3 + 1 + 3 + 6 + 1 },
        { from: 76, length: 16 },
      ],
      words: 92,
    });
  });

  test('are none for steps where a study has no model', () => {
    expect(countSlots(termsOf({ widths: [2], steps: 7 }))).toMatchObject({ steps: [], words: 3 + 3 + 3 + 3 });
  });

  test('take every number of every sum: each comes back where it belongs, and stays there', () => {
    const state = openedBy(terms, [everywhere, tables, votes, step(100), step(200)]);
    const slots = countSlots(terms);
    const at = (name: 'presence' | 'units' | 'rows' | 'counts' | 'sums' | 'squares' | 'quantiles' | 'models' | 'dominated') => [...slotOf(state, slots[name])];
    expect(state.ordinal).toBe(5);
    expect(at('presence')).toEqual([3, 3, 3, 3, 3]);
    for (const name of ['units', 'rows', 'counts', 'sums', 'squares'] as const) expect(at(name), name).toEqual(tables[name]);
    expect(at('quantiles')).toEqual([1, 2, 2, 3, 3, 4, 3, 1, 2]);
    expect(at('models')).toEqual([4100, 4300, 1234, 4300, 4200, 4400, 5678, 9100]);
    expect(at('dominated')).toEqual([0, 0, 0, 0, 0]);
    expect(slots.steps.map((slot) => [...slotOf(state, slot)])).toEqual([range(100, 16), range(200, 16)]);
  });

  test('are zero for what is ahead', () => {
    expect(firstCountState(terms)).toEqual({ ordinal: 0, opened: new Float64Array(92) });
    const [first, second] = countSlots(terms).steps;
    const state = openedBy(terms, [everywhere, tables, votes, step(100)]);
    expect([first, second].map((slot) => (slot ? slotOf(state, slot).some((word) => word !== 0) : undefined))).toEqual([true, false]);
  });

  test('are none for a step more than the study has', () => {
    expect(() => openedBy(terms, [everywhere, tables, votes, step(1), step(2), step(3)])).toThrow('a run has as many steps as its study says');
  });
});

describe('sums of a run', () => {
  test('come in order, and votes only where a share is asked about', () => {
    const kinds = (dominance: number) => range(0, 5).map((ordinal) => countPhase({ dominance }, ordinal));
    expect(kinds(0.9)).toEqual([{ kind: 'presence' }, { kind: 'tables' }, { kind: 'votes' }, { kind: 'step', step: 0 }, { kind: 'step', step: 1 }]);
    expect(kinds(1)).toEqual([{ kind: 'presence' }, { kind: 'tables' }, ...range(0, 3).map((step) => ({ kind: 'step', step }))]);
  });

  test('have the segments, ranges and scales of section 15 of the protocol', () => {
    const plans = [[], [everywhere], [everywhere, tables], [everywhere, tables, votes]].map((sums) => countPlan(terms, openedBy(terms, sums)));
    const segments = plans.map((plan) => plan.segments.map(({ name, length, wordBits, range: most, scale }) => [name, length, wordBits, most, scale]));
    // 2^53 over three members and the range, down to a power of two: 2^53 / (3 · 50 · 2^32) is 13,981; 2^53 / (3 · 2^40) is 2,730
    expect(segments).toEqual([
      [
        ['sites', 3, 32, 1, 1],
        ['withheld', 3, 32, 1, 1],
        ['modelSites', 2, 32, 1, 1],
        ['modelWithheld', 2, 32, 1, 1],
      ],
      [
        ['units', 3, 64, 2 ** 32, 1],
        ['rows', 3, 64, 2 ** 32, 1],
        ['counts', 9, 64, 2 ** 32, 1],
        ['sums', 9, 64, 2 ** 53, 1],
        ['squares', 9, 64, 2 ** 53, 1],
        ['bins', 3 * 7, 64, 2 ** 32, 1],
        ['modelUnits', 2, 64, 2 ** 32, 1],
        ['modelRows', 2, 64, 2 ** 32, 1],
        ['modelOutcome', 2, 64, 50 * 2 ** 32, 8192],
        ['modelExposure', 2, 64, 2 ** 40, 2048],
        ['modelSides', 10, 64, 2 ** 32, 1],
      ],
      [
        ['dominated', 3, 32, 1, 1],
        ['modelDominated', 2, 32, 1, 1],
      ],
      [
        // 4 · 4,300 rows for outcomes of at most 1; 4 · 4,400 · 50 for those of at most 50
        ['gradient 0', 2, 64, 17_200, 2 ** 37],
        ['hessian 0', 3, 64, 17_200, 2 ** 37],
        ['likelihood 0', 1, 64, 32 * 17_200, 2 ** 32],
        ['gradient 1', 3, 64, 880_000, 2 ** 31],
        ['hessian 1', 6, 64, 880_000, 2 ** 31],
        ['likelihood 1', 1, 64, 32 * 880_000, 2 ** 26],
      ],
    ]);
    expect(plans.map(({ purpose, ordinal }) => [purpose, ordinal])).toEqual([
      ['presence', 0],
      ['tables', 1],
      ['votes', 2],
      ['step', 3],
    ]);
  });

  test('leave out what would be empty, and have a range for a model without rows', () => {
    const plain = termsOf({ widths: [2] });
    expect(countPlan(plain, firstCountState(plain)).segments.map(({ name }) => name)).toEqual(['sites', 'withheld']);
    expect(countPlan(plain, { ...firstCountState(plain), ordinal: 1 }).segments.map(({ name }) => name)).toEqual(['units', 'rows']);
    const step = countPlan(terms, { ...firstCountState(terms), ordinal: 3 }).segments;
    expect(step.map(({ range: most }) => most)).toEqual([4, 4, 128, 200, 200, 6400]);
  });

  test('of outcomes that are never above 1 have the range of one', () => {
    const small = { ...terms, variables: [{ ...score, maximum: 0.5 }, weight, age] };
    const outcome = countPlan(small, { ...firstCountState(small), ordinal: 1 }).segments.find(({ name }) => name === 'modelOutcome');
    expect(outcome?.range).toBe(2 ** 32);
    expect(countPlan(small, { ...firstCountState(small), ordinal: 3 }).segments.map(({ range: most }) => most)).toEqual([4, 4, 128, 4, 4, 128]);
  });
});

describe('ranges', () => {
  const model = termsOf({
    variables: [
      { ...score, table: false },
      { ...age, table: false },
    ],
    models: [
      { kind: 'poisson', outcome: 0, predictors: [1] },
      { kind: 'linear', outcome: 1, predictors: [0] },
    ],
    steps: 1,
  });
  /** The most extreme rows that their declared ranges permit: half at one corner, half at the other. */
  const corners = recordsOf(range(0, 60).map((at): PlainRow => [at, [], at % 2 === 0 ? [50, 90] : [0, 0]]));

  test('hold every step over values at the very ends of what was declared: nothing is cut', () => {
    const state = countedBy(model, [corners, corners, corners], 2);
    expect(encodeContribution(countPlan(model, state), contribution(model, state, corners)).saturated).toBe(0);
  });

  test('cut what lies outside, and sums of cut words are right in both directions for all members together', () => {
    const state = countedBy(model, [corners, corners, corners], 2);
    const plan = countPlan(model, state);
    const outside = Object.fromEntries(
      plan.segments.map(({ name, length, range: most }) => [name, range(0, length).map((at) => (at % 2 === 0 ? 7 : -7) * most)]),
    );
    const { words, saturated } = encodeContribution(plan, outside);
    expect(saturated).toBe(2 * (2 + 3 + 1));
    const opened = decodeSum(plan, sumVectors([words, words, words], planSlots(plan)));
    for (const { name, length, range: most } of plan.segments)
      expect([...(opened[name] ?? [])], name).toEqual(range(0, length).map((at) => (at % 2 === 0 ? 3 : -3) * most));
  });
});

describe('bytes of a state', () => {
  const state = { ordinal: 258, opened: Float64Array.from([1, -2.5]) };
  const mark = utf8('schwarm/counts/1\n');
  // 1 is 3ff0… and −2.5 is c004… in IEEE 754, the least byte first
  const bytes = Uint8Array.from([...mark, 2, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 4, 0xc0]);

  test('are the mark, the ordinal, the number of words and the words, the least byte first', () => {
    expect([...countStateBytes(state)]).toEqual([...bytes]);
    expect(countStateSizeBytes(terms)).toBe(17 + 4 + 4 + 8 * 92);
    expect(countStateBytes(firstCountState(terms)).length).toBe(countStateSizeBytes(terms));
  });

  test('of a state whose words lie in the middle of larger memory are its own words alone', () => {
    const view = { ordinal: 258, opened: Float64Array.from([9, 1, -2.5, 9]).subarray(1, 3) };
    expect([...countStateBytes(view)]).toEqual([...bytes]);
  });

  test('are read wherever they lie in memory, into memory of their own', () => {
    const larger = Uint8Array.from([7, 7, 7, ...bytes, 7]);
    const read = countStateFrom(larger.subarray(3, 3 + bytes.length));
    larger.fill(0);
    expect(read).toEqual(state);
  });

  test('are known by their mark', () => {
    expect([bytes, mark, mark.subarray(0, 16), Uint8Array.from([...mark.subarray(0, 16), 11]), new Uint8Array(0)].map(isCountState)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ['the mark alone', bytes.subarray(0, 17)],
    ['a byte less than a head', bytes.subarray(0, 24)],
    ['a byte less', bytes.subarray(0, -1)],
    ['a byte more', Uint8Array.from([...bytes, 0])],
    ['another mark', Uint8Array.from([...utf8('schwarm/counts/2\n'), ...bytes.subarray(17)])],
  ])('are refused: %s', (_, bad) => {
    expect(() => countStateFrom(bad)).toThrow(/not a round state/);
  });

  test('of no words are a state', () => {
    expect(countStateFrom(Uint8Array.from([...mark, 1, 0, 0, 0, 0, 0, 0, 0]))).toEqual({ ordinal: 1, opened: new Float64Array(0) });
  });
});
