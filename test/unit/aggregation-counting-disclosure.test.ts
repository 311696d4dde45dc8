/** What of opened sums is kept: thresholds of variables and models, and what votes on dominance take away again. Numbers are worked out by hand from section 15 of the protocol. */
import { describe, expect, test } from 'vitest';
import { type CountState, cellResults, countSlots, modelResults, slotOf, type TableTerms } from '../../src/aggregation/index.ts';
import { presence, presenceCodes, protectedCells, quantilePart } from '../../src/aggregation/tables/disclosure.ts';
import { openedBy, termsOf } from '../support/counting.ts';

/** What the presence of `cells` cells and `models` models opens where three sites have rows everywhere. */
const everywhere = (cells: number, models = 0) => ({
  sites: new Array<number>(cells).fill(3),
  withheld: new Array<number>(cells).fill(0),
  modelSites: new Array<number>(models).fill(3),
  modelWithheld: new Array<number>(models).fill(0),
});

type Slot = 'presence' | 'units' | 'rows' | 'counts' | 'sums' | 'squares' | 'quantiles' | 'models' | 'dominated';
const numbers = (terms: TableTerms, state: CountState, slot: Slot): readonly number[] => [...slotOf(state, countSlots(terms)[slot])];

describe('presence', () => {
  test('of cells and of models stands in the state one after the other: none, too few, withheld, enough', () => {
    const model = { kind: 'logistic' as const, outcome: 0, predictors: [] };
    const terms = termsOf({ members: 9, widths: [3], variables: [], models: [model, model, model, model], minSites: 3 });
    const state = openedBy(terms, [{ sites: [9, 2, 0, 3], withheld: [0, 0, 0, 1], modelSites: [3, 2, 8, 0], modelWithheld: [0, 0, 1, 0] }]);
    expect(numbers(terms, state, 'presence')).toEqual([3, 1, 0, 2, 3, 1, 2, 0]);
  });

  test('is withheld where nobody else has rows either: that one site has some is all that is said', () => {
    expect([...presenceCodes([0], [2], 3)]).toEqual([presence.withheld]);
  });
});

describe('the smallest child that goes with a hidden one', () => {
  const four = Int32Array.from([-1, 0, 0, 0, 0]);

  test('is the first of several that are equally small', () => {
    expect([...protectedCells(four, [90, 2, 30, 28, 28], (cell) => cell === 1)]).toEqual([1, 0, 1, 0, 1]);
  });

  test('goes also where only the cell above is hidden: its parts would tell it', () => {
    expect([...protectedCells(four, [90, 20, 30, 18, 22], (cell) => cell === 0)]).toEqual([0, 1, 1, 0, 1]);
  });

  test('may be the first or the last, and is never a child of another cell', () => {
    const two = Int32Array.from([-1, 0, 0, 1, 1, 2, 2]);
    expect([...protectedCells(two, [100, 50, 50, 9, 41, 5, 45], (cell) => cell === 4)]).toEqual([1, 1, 1, 0, 0, 1, 1]);
    expect([...protectedCells(two, [100, 50, 50, 41, 9, 5, 45], (cell) => cell === 3)]).toEqual([1, 1, 1, 0, 0, 1, 1]);
    expect([...protectedCells(two, [100, 50, 50, 5, 45, 41, 9], (cell) => cell === 5)]).toEqual([1, 1, 1, 1, 1, 0, 0]);
  });
});

describe('a quantile', () => {
  test('needs as many rows as a cell on either side, and no more', () => {
    expect(quantilePart([4, 4], 0.5, 4)).toBe(1);
    expect(quantilePart([4, 4], 0.5, 5)).toBe(0);
    expect(quantilePart([4, 12], 0.25, 4), 'four below').toBe(1);
    expect(quantilePart([12, 4], 0.75, 4), 'four above').toBe(1);
    expect([quantilePart([4, 12], 0.25, 5), quantilePart([12, 4], 0.75, 5)]).toEqual([0, 0]);
  });
});

describe('a cell', () => {
  const terms = termsOf({ widths: [3], minCount: 5 });
  const units = (sites: readonly number[], opened: readonly number[]) =>
    numbers(
      terms,
      openedBy(terms, [
        { ...everywhere(4), sites },
        { units: opened, rows: opened },
      ]),
      'units',
    );

  test('is told of five persons, and not of four', () => {
    expect(units([3, 3, 3, 3], [95, 5, 40, 50])).toEqual([95, 5, 40, 50]);
    expect(units([3, 3, 3, 3], [94, 4, 40, 50])).toEqual([94, 0, 0, 50]);
  });

  test('of too few sites is not told, though a member that keeps no rule put its persons into the sum', () => {
    expect(units([3, 1, 3, 3], [130, 40, 40, 50])).toEqual([130, 0, 0, 50]);
  });
});

/** One dimension of three values, one variable between 10 and 30 with one decimal, so that 20 rows may sum to 2,000 … 6,000. */
const score = { minimum: 10, maximum: 30, decimals: 1, table: true, quantiles: [], bins: 0 };
const scored = termsOf({ widths: [3], variables: [score], minCount: 5 });

/** Rows that are told of the variable in everything and in each of the three cells, 60 persons each. */
function told(counts: readonly [number, number, number], sums: readonly [number, number, number]): readonly number[] {
  const all = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const tables = {
    units: [180, 60, 60, 60],
    rows: [180, 60, 60, 60],
    counts: [all(counts), ...counts],
    sums: [all(sums), ...sums],
    squares: [9, 9, 9, 9],
  };
  return numbers(scored, openedBy(scored, [everywhere(4), tables]), 'counts');
}

describe('a variable', () => {
  test('is told of five rows, and not of four; then neither of the cell that it would follow from', () => {
    expect(told([20, 5, 30], [4000, 1000, 6000])).toEqual([55, 20, 5, 30]);
    expect(told([20, 4, 30], [4000, 800, 6000])).toEqual([54, 0, 0, 30]);
  });

  test('is told of no rows at all: that nobody has it tells of nobody', () => {
    expect(told([20, 0, 30], [4000, 0, 6000])).toEqual([50, 20, 0, 30]);
  });

  test('is not told where its sum is less than five above the least that it could be, but not at it', () => {
    expect(told([20, 25, 30], [4000, 2500, 6000]), 'at the least').toEqual([75, 20, 25, 30]);
    expect(told([20, 25, 30], [4000, 2501, 6000]), 'one above').toEqual([75, 0, 0, 30]);
    expect(told([20, 25, 30], [4000, 2504, 6000]), 'four above').toEqual([75, 0, 0, 30]);
    expect(told([20, 25, 30], [4000, 2505, 6000]), 'five above').toEqual([75, 20, 25, 30]);
  });

  test('is not told where its sum is less than five below the most that it could be, nor at it', () => {
    expect(told([20, 25, 30], [4000, 7500, 6000]), 'at the most').toEqual([75, 0, 0, 30]);
    expect(told([20, 25, 30], [4000, 7496, 6000]), 'four below').toEqual([75, 0, 0, 30]);
    expect(told([20, 25, 30], [4000, 7495, 6000]), 'five below').toEqual([75, 20, 25, 30]);
  });

  test('is protected by the cell that has least behind it: of rows, of what is above the least and of what is below the most', () => {
    expect(told([4, 21, 20], [800, 4200, 4000]), 'fewer rows').toEqual([45, 0, 21, 0]);
    expect(told([4, 20, 21], [800, 2008, 4200]), 'eight above the least').toEqual([45, 0, 0, 21]);
    expect(told([4, 21, 20], [800, 2108, 2007]), 'seven, and eight above').toEqual([45, 0, 21, 0]);
    expect(told([4, 21, 20], [800, 6293, 5994]), 'seven, and six below the most').toEqual([45, 0, 21, 0]);
    expect(told([4, 21, 20], [800, 6294, 5993]), 'six, and seven below the most').toEqual([45, 0, 0, 20]);
  });

  test('is not told in a hidden cell, nor in the one that would give it away', () => {
    const tables = {
      units: [124, 4, 60, 60],
      rows: [124, 4, 60, 60],
      counts: [90, 20, 40, 30],
      sums: [18_000, 4_000, 8_000, 6_000],
      squares: [1, 2, 3, 4],
    };
    const state = openedBy(scored, [everywhere(4), tables]);
    expect(numbers(scored, state, 'units')).toEqual([124, 0, 0, 60]);
    expect(numbers(scored, state, 'counts'), 'two hidden cells, and the smallest other').toEqual([90, 0, 0, 0]);
    expect([...numbers(scored, state, 'sums'), ...numbers(scored, state, 'squares')]).toEqual([18_000, 0, 0, 0, 1, 0, 0, 0]);
  });
});

describe('rounding', () => {
  const tables = {
    units: [180, 60, 60, 60],
    rows: [182, 61, 60, 61],
    counts: [80, 40, 14, 26],
    sums: [16_000, 8_000, 2_800, 5_200],
    squares: [3_300_000, 1_620_000, 574_000, 1_106_000],
  };
  const rounded = (rounding: number, dominance = 1) => {
    const own = { ...scored, rounding, dominance };
    const state = openedBy(own, [everywhere(4), tables, { dominated: [0, 0, 0, 0] }].slice(0, dominance < 1 ? 3 : 2));
    return { own, state };
  };

  test('of counts takes sums and squares along: the mean of fourteen rows is not told as that of ten', () => {
    const { own, state } = rounded(10);
    expect(numbers(own, state, 'rows')).toEqual([180, 60, 60, 60]);
    expect(numbers(own, state, 'counts')).toEqual([80, 40, 10, 30]);
    expect(numbers(own, state, 'sums')).toEqual([16_000, 8_000, 2_000, 6_000]);
    expect(numbers(own, state, 'squares')).toEqual([3_300_000, 1_620_000, 410_000, (1_106_000 * 30) / 26]);
    for (const result of cellResults(own, state)) expect(result).toMatchObject({ variables: [{ mean: 20 }] });
  });

  test('to none leaves no sums behind', () => {
    const { own, state } = rounded(50);
    expect(numbers(own, state, 'counts')).toEqual([100, 50, 0, 50]);
    expect([numbers(own, state, 'sums')[2], numbers(own, state, 'squares')[2]]).toEqual([0, 0]);
  });

  test('hides nothing at the votes that was enough before it', () => {
    // five below the most of fourteen rows is less than five of ten: it was told, and stays so
    const close = { ...tables, sums: [17_395, 8_000, 4_195, 5_200] };
    const own = { ...scored, rounding: 10, dominance: 0.8 };
    const state = openedBy(own, [everywhere(4), close, { dominated: [0, 0, 0, 0] }]);
    expect(numbers(own, state, 'counts')).toEqual([80, 40, 10, 30]);
  });
});

describe('a model', () => {
  const models = [
    { kind: 'logistic' as const, outcome: 0, predictors: [1] },
    { kind: 'linear' as const, outcome: 0, predictors: [1, 2] },
  ];
  const plain = { minimum: 0, maximum: 1, decimals: 0, table: false, quantiles: [], bins: 0 };
  const terms = termsOf({ variables: [plain, plain, plain], models, minCount: 5, steps: 1 });

  /** The facts that are kept of both models. */
  function facts({ units = [40, 50], sides = [9, 9, 9, 9, 8, 8, 8, 8, 8, 8], own = terms, sites = everywhere(1, 2) } = {}) {
    const variables = { counts: [0, 0, 0], sums: [0, 0, 0], squares: [0, 0, 0] };
    const of = { modelUnits: units, modelRows: [41, 51], modelOutcome: [20, 21], modelExposure: [41, 51], modelSides: sides };
    return numbers(own, openedBy(own, [sites, { units: [90], rows: [90], ...variables, ...of }]), 'models');
  }
  const [first, second, none] = [
    [40, 41, 20, 41],
    [50, 51, 21, 51],
    [0, 0, 0, 0],
  ];

  test('is told with its units, rows, outcome and exposure, each model in its place', () => {
    expect(facts()).toEqual([...first, ...second]);
  });

  test('needs ten units for each of its columns, the constant one of them', () => {
    expect(facts({ units: [20, 30] })).toEqual([20, ...first.slice(1), 30, ...second.slice(1)]);
    expect(facts({ units: [19, 30] })).toEqual([...none, 30, ...second.slice(1)]);
    expect(facts({ units: [20, 29] })).toEqual([20, ...first.slice(1), ...none]);
  });

  test('needs as many units as a cell, where that is more', () => {
    const own = { ...terms, minCount: 41 };
    expect(facts({ own, units: [41, 40], sides: new Array(10).fill(41) })).toEqual([41, ...first.slice(1), ...none]);
  });

  test.each([0, 1, 2, 3])('needs five rows on side %d of the first model, and they are no concern of the second', (side) => {
    const sides = [5, 5, 5, 5, 8, 8, 8, 8, 8, 8];
    expect(facts({ sides })).toEqual([...first, ...second]);
    expect(facts({ sides: sides.with(side, 4) })).toEqual([...none, ...second]);
  });

  test.each([4, 5, 6, 7, 8, 9])('needs five rows on side %d, which is the second model’s', (side) => {
    expect(facts({ sides: [9, 9, 9, 9, 8, 8, 8, 8, 8, 8].with(side, 4) })).toEqual([...first, ...none]);
  });

  test('is not told where too few sites have rows of it, or one withholds them', () => {
    expect(facts({ sites: { ...everywhere(1, 2), modelSites: [1, 3] } })).toEqual([...none, ...second]);
    expect(facts({ sites: { ...everywhere(1, 2), modelWithheld: [0, 1] } })).toEqual([...first, ...none]);
  });

  test('has the same reason for whoever asks, whatever hid it', () => {
    const state = openedBy(terms, [
      { ...everywhere(1, 2), modelSites: [1, 3] },
      {
        units: [90],
        rows: [90],
        counts: [0, 0, 0],
        sums: [0, 0, 0],
        squares: [0, 0, 0],
        modelUnits: [40, 29],
        modelRows: [40, 29],
        modelOutcome: [9, 9],
        modelExposure: [9, 9],
        modelSides: new Array(10).fill(9),
      },
    ]);
    const hidden = 'too few sites or rows, or a column that tells few rows from all others';
    expect(modelResults(terms, state)).toEqual([{ hidden }, { hidden }]);
  });
});

describe('votes on dominance', () => {
  const binned = { minimum: 0, maximum: 100, decimals: 0, table: true, bins: 2 };
  const model = { kind: 'logistic' as const, outcome: 0, predictors: [] };
  const terms = termsOf({
    widths: [4],
    variables: [
      { ...binned, quantiles: [0.4, 0.5] },
      { ...binned, quantiles: [], bins: 0 },
      { ...binned, quantiles: [0.5] },
    ],
    models: [model, model, model],
    steps: 1,
    dominance: 0.8,
    minCount: 5,
  });
  /** The second variable is rarest in the last cell, the third in the third. */
  const tables = {
    units: [190, 40, 45, 50, 55],
    rows: [194, 41, 46, 51, 56],
    counts: [160, 30, 35, 45, 50, 140, 30, 40, 50, 20, 145, 50, 40, 15, 40],
    sums: [8000, 1500, 1750, 2250, 2500, 7000, 1500, 2000, 2500, 1000, 7250, 2500, 2000, 750, 2000],
    squares: Array.from({ length: 15 }, (_, at) => 900_000 + at),
    // both quantiles of the first variable in part 1, 1 and 2, 2, 1, 1 and 2; the one of the third in part 1, 2, 1, 2, 1
    bins: [90, 70, 13, 17, 10, 25, 30, 15, 20, 30, 80, 65, 20, 30, 30, 10, 6, 9, 30, 10],
    modelUnits: [30, 31, 32],
    modelRows: [30, 31, 32],
    modelOutcome: [10, 11, 12],
    modelExposure: [30, 31, 32],
    modelSides: [9, 9, 9, 9, 9, 9],
  };
  const voted = (dominated: readonly number[], modelDominated: readonly number[] = [0, 0, 0]): CountState =>
    openedBy(terms, [everywhere(5, 3), tables, { dominated, modelDominated }]);
  const before = openedBy(terms, [everywhere(5, 3), tables]);
  const all = (state: CountState, slot: Slot) => numbers(terms, state, slot);

  test('that nobody gives leave everything as it was, where nothing was hidden', () => {
    for (const slot of ['units', 'rows', 'counts', 'sums', 'squares', 'quantiles', 'models'] as const)
      expect(all(voted([0, 0, 0, 0, 0]), slot), slot).toEqual(all(before, slot));
    expect(all(before, 'quantiles')).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 1, 2, 1, 2, 1]);
  });

  test('hide a cell, and with it the smallest other one', () => {
    const state = voted([0, 0, 1, 0, 0]);
    expect(all(state, 'units')).toEqual([190, 0, 0, 50, 55]);
    expect(all(state, 'rows')).toEqual([194, 0, 0, 51, 56]);
    expect(cellResults(terms, state).map((result) => ('hidden' in result ? result.hidden : 'told'))).toEqual([
      'told',
      'too few units, or protects another',
      'dominated',
      'told',
      'told',
    ]);
  });

  test('hide every variable in these cells, and with it the one in which least stands behind it', () => {
    const state = voted([0, 0, 1, 0, 0]);
    const kept = [1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1];
    for (const slot of ['counts', 'sums', 'squares'] as const) expect(all(state, slot), slot).toEqual(tables[slot].map((value, at) => value * (kept[at] ?? 0)));
  });

  test('hide the quantiles of each variable where they hide the variable', () => {
    expect(all(voted([0, 0, 1, 0, 0]), 'quantiles')).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 1]);
  });

  test('are no reason to keep a quantile that the tables hid: it is in no state', () => {
    const state = openedBy(terms, [
      { ...everywhere(5, 3), sites: [3, 1, 3, 3, 3] },
      { ...tables, units: [190, 0, 45, 50, 55] },
    ]);
    // cell 1, what protects it, and what protects both in the first variable (45 rows) and in the third (15)
    expect(all(state, 'quantiles')).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 1]);
  });

  test('on everything hide everything, and one cell below it', () => {
    const state = voted([1, 0, 0, 0, 0]);
    expect(all(state, 'units')).toEqual([0, 0, 45, 50, 55]);
    expect(all(state, 'counts').slice(0, 5)).toEqual([0, 0, 0, 45, 50]);
  });

  test('hide a model, and no other', () => {
    expect(all(voted([0, 0, 0, 0, 0], [0, 1, 0]), 'models')).toEqual([30, 30, 10, 30, 0, 0, 0, 0, 32, 32, 12, 32]);
    expect(all(voted([0, 0, 0, 0, 0], [0, 0, 1]), 'models')).toEqual([30, 30, 10, 30, 31, 31, 11, 31, 0, 0, 0, 0]);
  });

  test('are kept as whether anybody gave one: not how many did', () => {
    expect(all(voted([0, 0, 3, 1, 0], [0, 2, 1]), 'dominated')).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
  });

  test('leave hidden what the tables hid, and see what would give both away together', () => {
    const few = openedBy(terms, [
      { ...everywhere(5, 3), sites: [3, 1, 3, 3, 3] },
      { ...tables, units: [190, 0, 45, 50, 55] },
      { dominated: [0, 0, 0, 0, 0], modelDominated: [0, 0, 0] },
    ]);
    expect(all(few, 'units').slice(0, 3)).toEqual([190, 0, 0]);
    expect(cellResults(terms, few)[1]).toEqual({ hidden: 'too few sites' });
  });

  test('do not take an empty cell for a hidden one', () => {
    const empty = openedBy(terms, [
      { ...everywhere(5, 3), sites: [3, 0, 3, 3, 3] },
      { ...tables, units: [150, 0, 45, 50, 55], rows: [150, 0, 45, 50, 55] },
      { dominated: [0, 0, 0, 0, 0], modelDominated: [0, 0, 0] },
    ]);
    expect(all(empty, 'units')).toEqual([150, 0, 45, 50, 55]);
    expect(cellResults(terms, empty)[1]).toMatchObject({ units: 0, rows: 0, share: { of: 0 } });
  });
});
