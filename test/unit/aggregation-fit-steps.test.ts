/** Newton's method over opened steps, and what a step is made of: worked out by hand on models of one or two columns, and held against differences and closed forms. */
import { describe, expect, test } from 'vitest';
import { type CountState, countSlots, firstCountState, modelResults, type TableTerms } from '../../src/aggregation/index.ts';
import { inverseOf, times } from '../../src/aggregation/tables/cholesky.ts';
import { type Design, designOf } from '../../src/aggregation/tables/design.ts';
import { fitsOf } from '../../src/aggregation/tables/fits.ts';
import { likelihoodSums } from '../../src/aggregation/tables/likelihood.ts';
import { countedBy, type PlainRow, recordsOf, termsOf } from '../support/counting.ts';

const variable = (minimum: number, maximum: number) => ({ minimum, maximum, decimals: 0, table: false, quantiles: [], bins: 0 });

describe('the inverse of a matrix', () => {
  test('of two rows is the adjoint over the determinant', () => {
    // 4 · 3 − 2 · 2 is 8
    const inverse = inverseOf([4, 2, 3], 2) ?? [];
    [3 / 8, -2 / 8, -2 / 8, 4 / 8].forEach((value, at) => {
      expect(inverse[at]).toBeCloseTo(value, 14);
    });
  });

  test('of Hilbert’s matrix of three rows is the known one of integers', () => {
    const inverse = inverseOf([1, 1 / 2, 1 / 3, 1 / 3, 1 / 4, 1 / 5], 3) ?? [];
    [9, -36, 30, -36, 192, -180, 30, -180, 180].forEach((value, at) => {
      expect(inverse[at]).toBeCloseTo(value, 9);
    });
  });

  test('is none where a row follows from the others, where a diagonal is not positive, or a number is none', () => {
    for (const half of [
      [1, 1, 1],
      [1, 2, 1],
      [0, 0, 1],
      [1, 0, 0],
      [-1, 0, 1],
      [1, Number.NaN, 1],
    ])
      expect(inverseOf(half, 2)).toBeUndefined();
  });

  test('is none where a row follows from the others but for what rounding leaves', () => {
    expect(inverseOf([1, 1, 1 + 2 ** -40], 2), '9e-13').toBeUndefined();
    expect(inverseOf([1, 1, 1 + 2 ** -30], 2), '9e-10').toBeDefined();
    expect(inverseOf([1e6, 1e6, 1e6 * (1 + 2 ** -40)], 2), 'whatever the unit').toBeUndefined();
    expect(inverseOf([1e-6, 0, 1e-6], 2)).toEqual(Float64Array.from([1e6, 0, 0, 1e6]));
  });

  test('times a vector is each row’s products, summed', () => {
    expect([...times(Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]), Float64Array.from([1, 10, 100]))]).toEqual([321, 654, 987]);
  });
});

describe('the design of a model', () => {
  const variables = [variable(10, 30), variable(-4, 0), variable(0, 8), variable(0, 1)];
  const records = recordsOf([
    [1, [], [10, -4, 2, 1]],
    [1, [], [25, -1, 8, 1]],
    [2, [], [30, 0, 0, Number.NaN]],
    [3, [], [Number.NaN, -1, 4, 1]],
    [4, [], [20, -4, 4, 0]],
  ]);

  test('has the constant and each predictor from −1 at its least to 1 at its most, whatever its range', () => {
    const { rows, width, columns, outcome, offset, units } = designOf({ variables }, { kind: 'poisson', outcome: 2, predictors: [0, 1] }, records);
    expect([rows, width, units]).toEqual([4, 3, 3]);
    expect([...columns]).toEqual([1, -1, -1, 1, 0.5, 0.5, 1, 1, 1, 1, 0, -1]);
    expect([...outcome]).toEqual([2, 8, 0, 4]);
    expect([...offset]).toEqual([0, 0, 0, 0]);
  });

  test('has a linear outcome in −1 … 1, and any other as it is', () => {
    const outcomeOf = (kind: 'linear' | 'logistic') => [...designOf({ variables }, { kind, outcome: 0, predictors: [] }, records).outcome];
    expect(outcomeOf('linear')).toEqual([-1, 0.5, 1, 0]);
    expect(outcomeOf('logistic')).toEqual([10, 25, 30, 20]);
  });

  test('leaves out rows without a value of the outcome, a predictor or the offset, and counts persons among the others', () => {
    const { rows, units, offset, columns } = designOf({ variables }, { kind: 'poisson', outcome: 2, predictors: [0], offset: 3 }, records);
    expect([rows, units]).toEqual([3, 2]);
    expect([...offset]).toEqual([1, 1, 0]);
    expect([...columns]).toEqual([1, -1, 1, 0.5, 1, 0]);
  });

  test('counts rows above the least and below the most of the outcome, then of each predictor', () => {
    const { sides } = designOf({ variables }, { kind: 'linear', outcome: 2, predictors: [1, 0] }, records);
    // outcomes 2, 8, 0, 4; predictors −4, −1, 0, −4 and 10, 25, 30, 20
    expect([...sides]).toEqual([3, 3, 2, 3, 3, 3]);
  });
});

describe('a step over one member’s rows', () => {
  const design: Design = {
    rows: 4,
    width: 2,
    columns: Float64Array.from([1, -1, 1, 0.5, 1, 1, 1, -0.25]),
    outcome: Float64Array.from([0, 1, 1, 0]),
    offset: Float64Array.from([0, 0.5, -0.5, 1]),
    units: 4,
    sides: new Float64Array(4),
  };

  test.each(['linear', 'logistic', 'poisson'] as const)('%s: gradient and Hessian are what differences of the likelihood say', (kind) => {
    const [at, h] = [[0.3, -0.7], 1e-4];
    const value = (a: number, b: number): number => likelihoodSums(kind, design, Float64Array.from([a, b])).logLikelihood;
    const [a = 0, b = 0] = at;
    const { gradient, hessian } = likelihoodSums(kind, design, Float64Array.from(at));
    expect(gradient[0]).toBeCloseTo((value(a + h, b) - value(a - h, b)) / (2 * h), 6);
    expect(gradient[1]).toBeCloseTo((value(a, b + h) - value(a, b - h)) / (2 * h), 6);
    const second = (da: number, db: number): number => (value(a + da, b + db) - 2 * value(a, b) + value(a - da, b - db)) / h ** 2;
    expect(hessian[0]).toBeCloseTo(-second(h, 0), 5);
    expect(hessian[2]).toBeCloseTo(-second(0, h), 5);
    const mixed = value(a + h, b + h) - value(a + h, b - h) - value(a - h, b + h) + value(a - h, b - h);
    expect(hessian[1]).toBeCloseTo(-mixed / (4 * h ** 2), 5);
  });

  /** One row with one column. */
  const one = (kind: 'linear' | 'logistic' | 'poisson', outcome: number, predictor: number) => {
    const row = {
      rows: 1,
      width: 1,
      columns: Float64Array.of(1),
      outcome: Float64Array.of(outcome),
      offset: Float64Array.of(0),
      units: 1,
      sides: design.sides,
    };
    const { gradient, hessian, logLikelihood } = likelihoodSums(kind, row, Float64Array.of(predictor));
    return [gradient[0], hessian[0], logLikelihood];
  };

  test('of a logistic model is exact at zero, and finite however sure the model is', () => {
    expect(one('logistic', 1, 0)).toEqual([0.5, 0.25, -Math.LN2]);
    expect(one('logistic', 1, 800)).toEqual([0, 0, 0]);
    expect(one('logistic', 0, 800)).toEqual([-1, 0, -800]);
    expect(one('logistic', 1, -800)).toEqual([1, 0, -800]);
    expect(one('logistic', 0, -800).map((part) => Math.abs(part ?? 1))).toEqual([0, 0, 0]);
  });

  test('of a linear model has half the squared residual, and of Poisson the rate', () => {
    expect(one('linear', 1, 3)).toEqual([-2, 1, -2]);
    expect(one('poisson', 3, 0)).toEqual([2, 1, -1]);
  });

  test('adds an offset to the linear predictor as it is', () => {
    const shifted = { ...design, offset: Float64Array.of(2, 2, 2, 2) };
    const [with2, without] = [
      likelihoodSums('poisson', shifted, Float64Array.of(-1, 0.5)),
      likelihoodSums('poisson', { ...design, offset: new Float64Array(4) }, Float64Array.of(1, 0.5)),
    ];
    expect(with2.logLikelihood).toBeCloseTo(without.logLikelihood, 12);
    with2.gradient.forEach((part, at) => {
      expect(part).toBeCloseTo(without.gradient[at] ?? 0, 12);
    });
  });

  test('of Poisson takes a rate above e to the 30th for that', () => {
    expect(one('poisson', 2, 29)).not.toEqual(one('poisson', 2, 30));
    expect(one('poisson', 2, 700)).toEqual([2 - Math.exp(30), Math.exp(30), 60 - Math.exp(30)]);
  });
});

/** A model of the constant alone, so that a step is a gradient g, a Hessian h and a log-likelihood; the move is g / h. */
const constant = (kind: 'logistic' | 'poisson' | 'linear') =>
  termsOf({ variables: [variable(0, 4)], models: [{ kind, outcome: 0, predictors: [] }], steps: 6 });

/** A state in which facts of the models and some steps were opened. */
function opened(terms: TableTerms, facts: readonly number[], steps: readonly (readonly number[])[]): CountState {
  const state = firstCountState(terms);
  const slots = countSlots(terms);
  state.opened.set(facts, slots.models.from);
  steps.forEach((words, at) => {
    state.opened.set(words, slots.steps[at]?.from);
  });
  return { ...state, ordinal: 2 + steps.length };
}

function fitOf(terms: TableTerms, steps: readonly (readonly number[])[], facts = [100, 100, 40, 200]) {
  const fit = fitsOf(terms, countSlots(terms), opened(terms, facts, steps), steps.length)[0];
  if (fit?.kind !== 'fitted') throw new Error(`not fitted: ${fit?.kind}`);
  return { ...fit, at: fit.coefficients[0] };
}

describe('a fit', () => {
  const terms = constant('logistic');

  test('begins at zero, and moves by the gradient over the Hessian', () => {
    expect(fitOf(terms, []).at).toBe(0);
    expect(fitOf(terms, [[16, 4, -50]])).toMatchObject({ at: 4, logLikelihood: -50, rows: 100, units: 100 });
    expect(
      fitOf(terms, [
        [16, 4, -50],
        [3, 1, -40],
      ]),
    ).toMatchObject({ at: 7, logLikelihood: -40, covariance: Float64Array.of(1) });
  });

  test('goes back half of a move that made the likelihood smaller, as often as it did', () => {
    const down = [
      [16, 4, -50],
      [9, 9, -70],
      [9, 9, -60],
      [9, 9, -51],
    ];
    expect(fitOf(terms, down.slice(0, 2)).at).toBe(2);
    expect(fitOf(terms, down.slice(0, 3)).at).toBe(1);
    expect(fitOf(terms, down)).toMatchObject({ at: 0.5, logLikelihood: -50, covariance: Float64Array.of(0.25) });
  });

  test('goes on from where a halved move ended, as soon as that is better', () => {
    const found = fitOf(terms, [
      [16, 4, -50],
      [9, 9, -70],
      [6, 4, -45],
    ]);
    // from 0 by 4, back to 2, there the likelihood grew: by 6 / 4
    expect(found).toMatchObject({ at: 3.5, logLikelihood: -45, covariance: Float64Array.of(0.25) });
  });

  test('goes back to where the last good move ended, not to the beginning', () => {
    const found = fitOf(terms, [
      [16, 4, -50],
      [8, 4, -45],
      [9, 9, -46],
    ]);
    expect(found.at).toBe(4 + 1);
  });

  test('does not take rounding for a smaller likelihood: it may differ by a billionth', () => {
    const second = (likelihood: number) =>
      fitOf(terms, [
        [16, 4, -50],
        [4, 4, likelihood],
      ]).at;
    expect(second(-50)).toBe(5);
    expect(second(-50 * (1 + 0.9e-9))).toBe(5);
    expect(second(-50 * (1 + 1.1e-9))).toBe(2);
  });

  test('tells its last move in standard errors, the largest of all coefficients', () => {
    // a standard error is the root of 1 / h
    expect(fitOf(terms, [[8, 4, -50]]).lastChange).toBe(2 / 0.5);
    expect(fitOf(terms, [[-8, 4, -50]]).lastChange).toBe(2 / 0.5);
    expect(fitOf(terms, []).lastChange).toBe(Number.POSITIVE_INFINITY);
    const two = termsOf({ ...terms, variables: [variable(0, 1), variable(0, 1)], models: [{ kind: 'logistic', outcome: 0, predictors: [1] }] });
    expect(fitOf(two, [[4, 9, 4, 0, 9, -50]])).toMatchObject({ coefficients: Float64Array.of(1, 1), lastChange: 3 });
    expect(fitOf(two, [[8, 9, 4, 0, 9, -50]])).toMatchObject({ coefficients: Float64Array.of(2, 1), lastChange: 4 });
  });

  test('of Poisson begins at the logarithm of the mean rate, where there is one', () => {
    const start = (facts: number[], kind: 'poisson' | 'logistic' | 'linear' = 'poisson') => fitOf(constant(kind), [], facts).at;
    expect(start([100, 100, 40, 200])).toBe(Math.log(0.2));
    expect(start([100, 100, 0, 200])).toBe(0);
    expect(start([100, 100, 40, 0])).toBe(0);
    expect([start([100, 100, 40, 200], 'logistic'), start([100, 100, 40, 200], 'linear')]).toEqual([0, 0]);
    // the first move starts there
    expect(fitOf(constant('poisson'), [[16, 4, -50]]).at).toBe(Math.log(0.2) + 4);
    const two = termsOf({ variables: [variable(0, 9), variable(0, 1)], models: [{ kind: 'poisson', outcome: 0, predictors: [1] }] });
    expect(fitOf(two, []).coefficients).toEqual(Float64Array.of(Math.log(0.2), 0));
    expect(
      fitOf(two, [
        [0, 9, 4, 0, 9, -50],
        [0, 0, 4, 0, 9, -60],
      ]).coefficients,
    ).toEqual(Float64Array.of(Math.log(0.2), 0.5));
  });

  test('is none where no units are told, and none where a Hessian has no inverse', () => {
    const fits = (facts: readonly number[], step: readonly number[]) => fitsOf(terms, countSlots(terms), opened(terms, facts, [step]), 1);
    expect(fits([0, 0, 0, 0], [16, 4, -50])).toEqual([{ kind: 'hidden' }]);
    expect(fits([1, 1, 1, 1], [8, 0, -50])).toEqual([{ kind: 'singular' }]);
    const state = opened(terms, [100, 100, 40, 100], [[8, 0, -50]]);
    expect(modelResults(terms, state)).toEqual([{ hidden: 'columns that follow from each other' }]);
  });

  test('of each model is made of its own words of each step, and of no more steps than were summed', () => {
    const models = [
      { kind: 'logistic' as const, outcome: 0, predictors: [1] },
      { kind: 'logistic' as const, outcome: 0, predictors: [] },
      { kind: 'logistic' as const, outcome: 0, predictors: [] },
    ];
    const three = termsOf({ variables: [variable(0, 1), variable(0, 1)], models, steps: 3 });
    const facts = [100, 101, 1, 1, 0, 0, 0, 0, 300, 301, 3, 3];
    const steps = [
      [12, 4, 4, 0, 4, -9, 5, 1, -9, 20, 4, -9],
      [4, 8, 4, 0, 4, -8, 5, 1, -8, 3, 1, -8],
      [1, 1, 1, 0, 1, -7, 7, 1, -7, 9, 9, -7],
    ];
    const at = (done: number) => fitsOf(three, countSlots(three), opened(three, facts, steps), done);
    expect(at(2)).toMatchObject([
      { kind: 'fitted', coefficients: Float64Array.of(3 + 1, 1 + 2), units: 100, rows: 101 },
      { kind: 'hidden' },
      { kind: 'fitted', coefficients: Float64Array.of(5 + 3), units: 300, rows: 301 },
    ]);
    expect(at(0)[2]).toMatchObject({ coefficients: Float64Array.of(0), covariance: undefined });
  });
});

describe('results in the variables’ own units', () => {
  /** A linear model with one predictor; `steps` as they are opened. */
  const linear = (outcome: readonly [number, number], predictor: readonly [number, number]) =>
    termsOf({ variables: [variable(...outcome), variable(...predictor)], models: [{ kind: 'linear', outcome: 0, predictors: [1] }], steps: 1 });

  test('of ranges that are not centred: a slope is scaled, and the constant is where the predictor is zero', () => {
    // scaled: y' = 0.5 + 0.25 x', y = 20 + 10 y', x = −30 + 20 x': y = 20 + 10 (0.5 + 0.25 (x + 30) / 20) = 28.75 + 0.125 x
    const terms = linear([10, 30], [-50, -10]);
    // residual sum of squares 2 · 196, over 100 − 2 degrees of freedom: noise 4
    const [result] = modelResults(terms, opened(terms, [100, 100, 0, 100], [[50, 10, 100, 0, 40, -196]]));
    if (!result || 'hidden' in result) throw new Error('hidden');
    const [constant, slope] = result.estimates;
    expect(constant?.estimate).toBeCloseTo(28.75, 12);
    expect(slope?.estimate).toBeCloseTo(0.125, 12);
    // variances 4 / 100 and 4 / 40 of the scaled ones: slope · 1 / 2, constant · 10 + slope · 15
    expect(slope?.standardError).toBeCloseTo(0.5 * Math.sqrt(4 / 40), 12);
    expect(constant?.standardError).toBeCloseTo(Math.sqrt(100 * (4 / 100) + 225 * (4 / 40)), 12);
  });

  test('of a logistic model leave the outcome as it is, whatever its declared range', () => {
    const terms = termsOf({ variables: [variable(0, 5), variable(20, 60)], models: [{ kind: 'logistic', outcome: 0, predictors: [1] }], steps: 1 });
    // columns that go together: H = [[5, 2], [2, 4]], its inverse [[4, −2], [−2, 5]] / 16
    const [result] = modelResults(terms, opened(terms, [100, 100, 50, 100], [[7, 6, 5, 2, 4, -49]]));
    if (!result || 'hidden' in result) throw new Error('hidden');
    const [constant, slope] = result.estimates;
    // scaled (1, 1), x = 40 + 20 x': constant 1 − 40 / 20, slope 1 / 20
    expect(constant?.estimate).toBeCloseTo(-1, 12);
    expect(slope?.estimate).toBeCloseTo(0.05, 12);
    expect(slope?.standardError).toBeCloseTo(Math.sqrt(5 / 16) / 20, 12);
    expect(constant?.standardError).toBeCloseTo(Math.sqrt((4 + 2 * 2 * 2 + 4 * 5) / 16), 12);
    expect(result).toMatchObject({ units: 100, rows: 100, logLikelihood: -49, converged: false });
  });

  test('are converged where the last move was less than a millionth of a standard error, and not at it', () => {
    const terms = constant('logistic');
    const converged = (move: number) =>
      modelResults(terms, opened(terms, [100, 100, 40, 100], [[move, 1, -50]])).map((result) => 'converged' in result && result.converged);
    expect([converged(0.99e-6), converged(1e-6), converged(-1.01e-6)]).toEqual([[true], [false], [false]]);
  });

  test('count steps after the votes where there are votes', () => {
    const terms = { ...constant('logistic'), dominance: 0.8 };
    const done = (ordinal: number) => modelResults(terms, { ...opened(terms, [100, 100, 40, 100], [[16, 4, -50]]), ordinal })[0];
    expect(done(3)).toEqual({ hidden: 'no step was summed' });
    expect(done(4)).toMatchObject({ estimates: [{ estimate: 4 }] });
    expect(modelResults(terms, { ...firstCountState(terms), ordinal: 1 })[0]).toHaveProperty('hidden');
  });
});

test('two groups whose rates are far apart are fitted by halving: Newton’s first step is a hundred times too long', () => {
  // the maximum is known: each group has its own mean rate, and the standard error of a logarithm of a rate is the root of 1 / events
  const groups = [
    { size: 990, events: 10 },
    { size: 30, events: 600 },
  ];
  const terms = termsOf({ variables: [variable(0, 40), variable(0, 1)], models: [{ kind: 'poisson', outcome: 0, predictors: [1] }], steps: 24 });
  const rows = groups.flatMap(({ size, events }, group) =>
    Array.from(
      { length: size },
      (_, at): PlainRow => [1000 * group + at, [], [Math.floor(((at + 1) * events) / size) - Math.floor((at * events) / size), group]],
    ),
  );
  const dealt = [0, 1, 2].map((member) => recordsOf(rows.filter((_, at) => at % 3 === member)));
  const state = countedBy(terms, dealt, 2 + terms.steps);
  const likelihoods = countSlots(terms).steps.map(({ from, length }) => state.opened[from + length - 1] ?? 0);
  expect(likelihoods.some((value, at) => at > 0 && value < (likelihoods[at - 1] ?? 0))).toBe(true);
  const [result] = modelResults(terms, state);
  if (!result || 'hidden' in result) throw new Error('hidden');
  expect(result.converged).toBe(true);
  expect(result.estimates[0]?.estimate).toBeCloseTo(Math.log(10 / 990), 6);
  expect(result.estimates[1]?.estimate).toBeCloseTo(Math.log(20) - Math.log(10 / 990), 6);
  expect(result.estimates[1]?.standardError).toBeCloseTo(Math.sqrt(1 / 10 + 1 / 600), 6);
});
