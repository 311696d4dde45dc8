/** What one member puts into each sum, from rows that can be counted by eye. */
import { describe, expect, test } from 'vitest';
import { CellTree, type CountState, cellResults, contribution, countSlots, firstCountState, slotOf, type TableTerms } from '../../src/aggregation/index.ts';
import { cellSums, partOf } from '../../src/aggregation/tables/cell-sums.ts';
import { countedBy, type PlainRow, recordsOf, termsOf } from '../support/counting.ts';

const none = Number.NaN;
const age = { minimum: 0, maximum: 100, decimals: 0, table: true, quantiles: [0.5], bins: 2 };
const height = { minimum: 1, maximum: 2.5, decimals: 1, table: true, quantiles: [], bins: 0 };
const hidden = { minimum: 0, maximum: 1, decimals: 0, table: false, quantiles: [], bins: 0 };
const score = { minimum: 0, maximum: 30, decimals: 0, table: true, quantiles: [0.25, 0.5], bins: 3 };

/** Persons 7 and 8 in the first cell, 9 in the second, 8 also in none: age, height, what only models use, score. */
const rows: readonly PlainRow[] = [
  [7, [0], [20, 1.56, 1, 5]],
  [9, [1], [100, none, 0, 30]],
  [8, [0], [60, 1.74, 1, none]],
  [7, [0], [none, 1.54, 0, 10]],
  [8, [-1], [49, 2, 1, 29]],
];
const terms = termsOf({ widths: [2], variables: [age, height, hidden, score] });

/** A state after as many sums in which presence and units of everything are these. */
function known(own: TableTerms, ordinal: number, presence: readonly number[], units: readonly number[] = []): CountState {
  const state = firstCountState(own);
  const slots = countSlots(own);
  slotOf(state, slots.presence).set(presence);
  slotOf(state, slots.units).set(units);
  return { ...state, ordinal };
}

const plain = (values: Readonly<Record<string, ArrayLike<number>>>) => Object.fromEntries(Object.entries(values).map(([name, of]) => [name, Array.from(of)]));

describe('the part of a range', () => {
  test('is equal to the others, has its lower end in it, and the last one the upper end as well', () => {
    const ten = { ...age, minimum: 10, maximum: 20, bins: 5 };
    expect([10, 11.9, 12, 15, 19.9, 20].map((value) => partOf(ten, value))).toEqual([0, 0, 1, 2, 4, 4]);
  });

  test('of values outside the range is the one at that end', () => {
    expect([-1, 101].map((value) => partOf(age, value))).toEqual([0, 1]);
  });
});

describe('sums of one member', () => {
  const sums = cellSums(terms, new CellTree([2]), recordsOf(rows));

  test('count rows in their deepest cell and all above it, and each person once in a cell', () => {
    expect([...sums.rows]).toEqual([5, 3, 1]);
    expect([...sums.units]).toEqual([3, 2, 1]);
  });

  test('count and add up the values of each variable in the tables, without their decimal point', () => {
    // ages 20, 60, 100, 49; heights 15.6, 17.4, 15.4 and 20 decimetres, rounded; scores 5, 30, 10, 29
    expect([...sums.counts]).toEqual([4, 2, 1, 4, 3, 0, 0, 0, 0, 4, 2, 1]);
    expect([...sums.sums]).toEqual([229, 80, 100, 16 + 17 + 15 + 20, 48, 0, 0, 0, 0, 74, 15, 30]);
    expect([...sums.squares]).toEqual([400 + 3600 + 10_000 + 2401, 4000, 10_000, 256 + 289 + 225 + 400, 770, 0, 0, 0, 0, 25 + 900 + 100 + 841, 125, 900]);
  });

  test('count values in parts of the range, of each variable with quantiles, of each cell in turn', () => {
    const [ages, scores] = [
      [2, 2, 1, 1, 0, 1],
      [1, 1, 2, 1, 1, 0, 0, 0, 1],
    ];
    expect([...sums.bins]).toEqual([...ages, ...scores]);
  });
});

describe('a member says', () => {
  const model = { kind: 'logistic' as const, outcome: 2, predictors: [] };
  const own = { ...terms, models: [model, { ...model, predictors: [3] }] };
  const first = (records: readonly PlainRow[], withheld?: ReadonlySet<number>) => plain(contribution(own, firstCountState(own), recordsOf(records), withheld));

  test('in which cells and models it has rows, as 1 or 0, whatever their number', () => {
    expect(first(rows)).toEqual({ sites: [1, 1, 1], withheld: [0, 0, 0], modelSites: [1, 1], modelWithheld: [0, 0] });
    const second: readonly PlainRow[] = [[1, [1], [none, none, 1, none]]];
    expect(first(second)).toEqual({ sites: [1, 0, 1], withheld: [0, 0, 0], modelSites: [1, 0], modelWithheld: [0, 0] });
  });

  test('what it withholds instead of that it contributes, and of an empty cell neither', () => {
    expect(first(rows, new Set([1]))).toEqual({ sites: [1, 0, 1], withheld: [0, 1, 0], modelSites: [1, 1], modelWithheld: [0, 0] });
    const second: readonly PlainRow[] = [[1, [1], [none, none, 1, none]]];
    expect(first(second, new Set([1]))).toEqual({ sites: [1, 0, 1], withheld: [0, 0, 0], modelSites: [1, 0], modelWithheld: [0, 0] });
  });

  test('that it withholds the models it has rows of, where it withholds everything', () => {
    const second: readonly PlainRow[] = [[1, [1], [none, none, 1, none]]];
    expect(first(rows, new Set([0]))).toEqual({ sites: [0, 1, 1], withheld: [1, 0, 0], modelSites: [0, 0], modelWithheld: [1, 1] });
    expect(first(second, new Set([0]))).toMatchObject({ modelSites: [0, 0], modelWithheld: [1, 0] });
  });
});

describe('a member gives to the tables', () => {
  const models = [
    { kind: 'poisson' as const, outcome: 3, predictors: [0], offset: 1 },
    { kind: 'linear' as const, outcome: 0, predictors: [] },
  ];
  const own = { ...terms, models };
  const given = (presence: readonly number[]) => plain(contribution(own, known(own, 1, presence), recordsOf(rows)));
  const all = given([3, 3, 3, 3, 3]);

  test('all its sums where enough sites contribute, and of each model units, rows, outcome, exposure and sides', () => {
    expect(all).toMatchObject({ units: [3, 2, 1], rows: [5, 3, 1], bins: [2, 2, 1, 1, 0, 1, 1, 1, 2, 1, 1, 0, 0, 0, 1] });
    // rows with score, age and height: (5, 20, 1.56) and (29, 49, 2); ages 20, 60, 100, 49 between 0 and 100 are −0.6, 0.2, 1, −0.02
    expect(all).toMatchObject({ modelUnits: [2, 3], modelRows: [2, 4], modelSides: [2, 2, 2, 2, 4, 3] });
    expect(all['modelOutcome']?.[0]).toBe(34);
    expect(all['modelOutcome']?.[1]).toBeCloseTo(0.58, 12);
    expect(all['modelExposure']?.[0]).toBeCloseTo(Math.exp(1.56) + Math.exp(2), 10);
    expect(all['modelExposure']?.[1]).toBe(4);
  });

  test.each([0, 1, 2])('nothing of a cell of too few sites: in no list of no variable, nor in parts of ranges, presence %d', (code) => {
    const open = [3, code, 3];
    const kept = (values: readonly number[] = [], parts = 1) => values.map((value, at) => (open[Math.floor(at / parts) % 3] === 3 ? value : 0));
    const told = given([...open, 3, 3]);
    for (const name of ['units', 'rows', 'counts', 'sums', 'squares']) expect(told[name], name).toEqual(kept(all[name]));
    expect(told['bins']).toEqual([...kept(all['bins']?.slice(0, 6), 2), ...kept(all['bins']?.slice(6), 3)]);
  });

  test.each([0, 1, 2])('nothing of a model of too few sites, presence %d', (code) => {
    const told = given([3, 3, 3, code, 3]);
    for (const name of ['modelUnits', 'modelRows', 'modelOutcome', 'modelExposure']) expect(told[name], name).toEqual([0, all[name]?.[1]]);
    expect(told['modelSides']).toEqual([0, 0, 0, 0, 4, 3]);
    expect(told).toMatchObject({ units: all['units'], bins: all['bins'] });
    expect(given([3, 3, 3, 3, code])['modelSides']).toEqual([2, 2, 2, 2, 0, 0]);
  });
});

describe('a member votes', () => {
  const own = { ...terms, models: [{ kind: 'logistic' as const, outcome: 2, predictors: [] }], dominance: 0.75 };
  const voted = (units: readonly number[], modelUnits: number) => {
    const state = known(own, 2, [3, 3, 3, 3], units);
    slotOf(state, countSlots(own).models).set([modelUnits, 9, 9, 9]);
    return plain(contribution(own, state, recordsOf(rows)));
  };

  test('where its own persons are more than the largest share, not where they are exactly that', () => {
    // it has 3 persons in all, 2 and 1 in the cells, 3 in the model
    expect(voted([4, 3, 1], 4)).toEqual({ dominated: [0, 0, 1], modelDominated: [0] });
    expect(voted([3, 2, 2], 3)).toEqual({ dominated: [1, 1, 0], modelDominated: [1] });
  });

  test('nowhere where nothing is told', () => {
    expect(voted([0, 0, 0], 0)).toEqual({ dominated: [0, 0, 0], modelDominated: [0] });
  });
});

test('a member’s step of a model that is not told is zero, and of another one its own sums', () => {
  const models = [
    { kind: 'logistic' as const, outcome: 2, predictors: [0] },
    { kind: 'logistic' as const, outcome: 2, predictors: [] },
  ];
  const own = { ...terms, models, steps: 1 };
  const state = known(own, 2, [3, 3, 3, 3, 3]);
  slotOf(state, countSlots(own).models).set([0, 0, 0, 0, 30, 30, 9, 30]);
  // three rows of five with the outcome, each at a chance of one half
  expect(plain(contribution(own, state, recordsOf(rows)))).toEqual({
    'gradient 0': [0, 0],
    'hessian 0': [0, 0, 0],
    'likelihood 0': [0],
    'gradient 1': [0.5],
    'hessian 1': [1.25],
    'likelihood 1': [expect.closeTo(-5 * Math.LN2, 12)],
  });
});

describe('a told cell', () => {
  /** Four districts of 100 rows, a share of each with the first of two findings. */
  const own = termsOf({ widths: [4, 2], variables: [] });
  const told = (first: readonly number[], hide: readonly number[] = [], code = 1) => {
    const slots = countSlots(own);
    const state = known(own, 2, new Array<number>(13).fill(3));
    const counts = [400, 100, 100, 100, 100, ...first.flatMap((count) => [count, 100 - count])];
    for (const slot of [slots.units, slots.rows]) slotOf(state, slot).set(counts);
    for (const cell of hide) {
      slotOf(state, slots.presence)[cell] = code;
      for (const slot of [slots.units, slots.rows]) slotOf(state, slot)[cell] = 0;
    }
    return cellResults(own, state).map((result) => ('hidden' in result ? result.hidden : result));
  };
  const percentiles = (results: ReturnType<typeof told>, cells: readonly number[]) =>
    cells.map((cell) => {
      const result = results[cell];
      return typeof result === 'object' ? result.percentile : result;
    });

  test('stands above all smaller shares of the same finding, and half of those that are equal', () => {
    expect(percentiles(told([20, 50, 20, 30]), [5, 7, 9, 11])).toEqual([25, 87.5, 25, 62.5]);
    expect(percentiles(told([20, 50, 20, 30]), [6, 8, 10, 12]), 'the other finding').toEqual([75, 12.5, 75, 37.5]);
    expect(percentiles(told([20, 50, 20, 30]), [1, 2, 3, 4]), 'districts are not set side by side').toEqual(new Array(4).fill(undefined));
  });

  test('stands among told ones only: a hidden one is not counted, nor what lies below a hidden one', () => {
    const results = told([20, 50, 20, 30], [5, 2]);
    expect(percentiles(results, [5, 7, 9, 11])).toEqual(['too few sites', undefined, 25, 75]);
    expect(percentiles(results, [6, 8, 10, 12])).toEqual([
      expect.closeTo((100 * 2) / 3, 10),
      undefined,
      expect.closeTo((100 * 2) / 3, 10),
      expect.closeTo(50 / 3, 10),
    ]);
    expect([results[7], results[8]]).toMatchObject([
      { rows: 50, share: undefined },
      { rows: 50, share: undefined },
    ]);
  });

  test('stands nowhere where it is the only one', () => {
    expect(percentiles(told([20, 50, 20, 30], [5, 7, 9]), [11])).toEqual([undefined]);
  });

  test('has its rows over those of the cell above as its share, and the whole has none', () => {
    const results = told([20, 50, 20, 30]);
    expect([results[0], results[3], results[7]]).toMatchObject([
      { rows: 400, units: 400, share: undefined },
      { rows: 100, units: 100, share: { of: 0.25 } },
      { rows: 50, units: 50, share: { of: 0.5 } },
    ]);
  });

  test('that is none says why: too few sites, withheld, or what the tables left out', () => {
    expect(told([20, 50, 20, 30], [5], 1)[5]).toBe('too few sites');
    expect(told([20, 50, 20, 30], [5], 2)[5]).toBe('withheld');
    expect(told([20, 50, 20, 30], [5], 3)[5]).toBe('too few units, or protects another');
    expect(told([20, 50, 20, 30], [5], 0)[5]).toMatchObject({ units: 0, rows: 0, share: { of: 0 } });
  });
});

describe('told variables', () => {
  const own = { ...terms, widths: [] };
  /** What is told of everything, from numbers of each variable in the state. */
  const figures = (counts: readonly number[], sums: readonly number[], squares: readonly number[], quantiles: readonly number[]) => {
    const slots = countSlots(own);
    const state = known(own, 2, [3], [50]);
    for (const [slot, values] of [
      [slots.counts, counts],
      [slots.sums, sums],
      [slots.squares, squares],
      [slots.quantiles, quantiles],
    ] as const)
      slotOf(state, slot).set(values);
    const [whole] = cellResults(own, state);
    return whole && 'variables' in whole ? whole.variables : [];
  };

  test('have mean and standard deviation with the decimal point put back, and quantiles as ends of their part', () => {
    // ages 20, 40, 60; heights 1.5, 1.5, 1.6, 1.8; scores 10, 20
    expect(figures([3, 4, 0, 2], [120, 64, 0, 30], [5600, 225 + 225 + 256 + 324, 0, 500], [2, 0, 3])).toEqual([
      { rows: 3, mean: 40, sd: 20, quantiles: [{ from: 50, to: 100 }] },
      { rows: 4, mean: expect.closeTo(1.6, 12), sd: expect.closeTo(Math.sqrt(0.06 / 3), 12), quantiles: [] },
      undefined,
      { rows: 2, mean: 15, sd: expect.closeTo(Math.sqrt(50), 12), quantiles: [undefined, { from: 20, to: 30 }] },
    ]);
  });

  test('of a range that does not begin at zero have quantiles in it', () => {
    const late = termsOf({ variables: [{ ...age, minimum: 40, bins: 3 }] });
    const state = known(late, 2, [3], [50]);
    slotOf(state, countSlots(late).counts).set([9]);
    slotOf(state, countSlots(late).quantiles).set([2]);
    expect(cellResults(late, state)[0]).toMatchObject({ variables: [{ quantiles: [{ from: 60, to: 80 }] }] });
  });

  test('of one row have no standard deviation, of equal rows zero, and none that models alone use', () => {
    expect(figures([1, 3, 5, 0], [20, 3, 5, 0], [400, 2, 5, 0], [0, 0, 0])).toMatchObject([
      { rows: 1, mean: 20, sd: none },
      { rows: 3, sd: 0 },
      undefined,
      undefined,
    ]);
  });
});

test('quantiles of several variables are told to within one part of each one’s range, in every cell', () => {
  const own = termsOf({
    widths: [2],
    variables: [age, height, { ...score, quantiles: [0.25, 0.75] }, { ...age, minimum: 18, quantiles: [0.1, 0.9], bins: 41 }],
    minCount: 3,
  });
  const members = [0, 1, 2].map((member) =>
    Array.from({ length: 40 }, (_, at): PlainRow => {
      const draw = (times: number, below: number) => ((at + 40 * member) * times) % below;
      return [100 * member + at, [at % 2], [draw(37, 101), 1 + draw(7, 16) / 10, draw(11, 31), 18 + draw(53, 83)]];
    }),
  );
  const state = countedBy(own, members.map(recordsOf), 2);
  cellResults(own, state).forEach((result, cell) => {
    own.variables.forEach(({ quantiles, minimum, maximum, bins }, variable) => {
      const values = members.flat().flatMap(([, [place], of]) => (cell === 0 || place === cell - 1 ? [of[variable] ?? none] : []));
      values.sort((a, b) => a - b);
      const told = 'variables' in result ? result.variables[variable]?.quantiles : undefined;
      expect(told).toHaveLength(quantiles.length);
      quantiles.forEach((quantile, at) => {
        const exact = values[Math.ceil(quantile * values.length) - 1] ?? none;
        const { from = none, to = none } = told?.[at] ?? {};
        expect(exact, `cell ${cell}, variable ${variable}`).toBeGreaterThanOrEqual(from);
        expect(exact).toBeLessThanOrEqual(to);
        expect(to - from).toBeCloseTo((maximum - minimum) / bins, 10);
      });
    });
  });
});
