/** Regressions by secure sums: published results, and an independent fit over all rows in one place, to a millionth. */
import { describe, expect, test } from 'vitest';
import { type ModelResult, modelResults, type TableTerms } from '../../src/aggregation/index.ts';
import { seededChance } from '../../src/common/index.ts';
import { countedBy, type PlainRow, recordsOf, termsOf } from '../support/counting.ts';

/** NIST Statistical Reference Datasets, linear regression "Norris" (lower difficulty, 36 observations): y, x. */
const norris = [
  [0.1, 0.2],
  [338.8, 337.4],
  [118.1, 118.2],
  [888, 884.6],
  [9.2, 10.1],
  [228.1, 226.5],
  [668.5, 666.3],
  [998.5, 996.3],
  [449.1, 448.6],
  [778.9, 777],
  [559.2, 558.2],
  [0.3, 0.4],
  [0.1, 0.6],
  [778.1, 775.5],
  [668.8, 666.9],
  [339.3, 338],
  [448.9, 447.5],
  [10.8, 11.6],
  [557.7, 556],
  [228.3, 228.1],
  [998, 995.8],
  [888.8, 887.6],
  [119.6, 120.2],
  [0.3, 0.3],
  [0.6, 0.3],
  [557.6, 556.8],
  [339.3, 339.1],
  [888, 887.2],
  [998.5, 999],
  [778.9, 779],
  [10.2, 11.1],
  [117.6, 118.3],
  [228.9, 229.2],
  [668.4, 669.1],
  [449.2, 448.9],
  [0.2, 0.5],
] as const;

const variable = (minimum: number, maximum: number) => ({ minimum, maximum, decimals: 0, table: false, quantiles: [], bins: 0 });

/** Rows dealt out to three members in turn, each about another person. */
function dealt(rows: readonly (readonly number[])[]) {
  const hands: PlainRow[][] = [[], [], []];
  rows.forEach((values, at) => {
    hands[at % 3]?.push([at, [], values]);
  });
  return hands.map(recordsOf);
}

function fitted(terms: TableTerms, rows: readonly (readonly number[])[]): Extract<ModelResult, { estimates: unknown }> {
  const [result] = modelResults(terms, countedBy(terms, dealt(rows), 2 + terms.steps));
  if (!result || 'hidden' in result) throw new Error(`not fitted: ${JSON.stringify(result)}`);
  return result;
}

/** Relative distance. */
const apart = (a: number, b: number): number => Math.abs(a - b) / Math.abs(b);

describe('published results', () => {
  test('NIST "Norris": certified coefficients and standard errors to a millionth', () => {
    const terms = termsOf({ variables: [variable(0, 1000), variable(0, 1000)], models: [{ kind: 'linear', outcome: 0, predictors: [1] }], steps: 3 });
    const { estimates, converged, rows } = fitted(terms, norris);
    const certified = [-0.262323073774029, 0.232818234301152, 1.00211681802045, 0.000429796848199937];
    estimates
      .flatMap(({ estimate, standardError }) => [estimate, standardError])
      .forEach((value, at) => {
        expect(apart(value, certified[at] ?? 0)).toBeLessThan(1e-6);
      });
    expect([converged, rows]).toEqual([true, 36]);
  });

  test('the randomised trial of Dobson (1990), page 93, as R’s glm has it: counts by outcome and treatment', () => {
    const counts = [18, 17, 15, 20, 10, 20, 25, 13, 12];
    // nine rows are too few to be shown: ten hospitals see the same, which leaves the coefficients and shrinks each standard error by the root of ten
    const rows = Array.from({ length: 10 }, () =>
      counts.map((count, at) => [count, ...[1, 2].map((level) => Number(at % 3 === level)), ...[1, 2].map((level) => Number(Math.floor(at / 3) === level))]),
    ).flat();
    const binary = variable(0, 1);
    const terms = termsOf({
      variables: [variable(0, 30), binary, binary, binary, binary],
      models: [{ kind: 'poisson', outcome: 0, predictors: [1, 2, 3, 4] }],
    });
    const { estimates } = fitted(terms, rows);
    const published = [3.045, -0.4543, -0.293, 0, 0];
    const errors = [0.1709, 0.2022, 0.1927, 0.2, 0.2];
    estimates.forEach(({ estimate, standardError }, at) => {
      expect(estimate).toBeCloseTo(published[at] ?? 0, 3);
      expect(standardError * Math.sqrt(10)).toBeCloseTo(errors[at] ?? 0, 3);
    });
  });
});

/** Iteratively reweighted least squares over all rows, in the variables' own units, by Gauss elimination: another way to the same maximum. */
function pooledFit(kind: 'logistic' | 'poisson', rows: readonly (readonly number[])[], offset: boolean) {
  const width = (rows[0]?.length ?? 0) - (offset ? 1 : 0);
  let beta = new Array<number>(width).fill(0);
  if (kind === 'poisson')
    beta[0] = Math.log(rows.reduce((sum, [y = 0]) => sum + y, 0) / rows.reduce((sum, row) => sum + (offset ? Math.exp(row.at(-1) ?? 0) : 1), 0));
  let inverse: number[][] = [];
  for (let step = 0; step < 40; step++) {
    const normal = Array.from({ length: width }, () => new Array<number>(2 * width + 1).fill(0));
    for (const row of rows) {
      const x = [1, ...row.slice(1, width)];
      const plain = x.reduce((sum, value, k) => sum + value * (beta[k] ?? 0), 0);
      const eta = plain + (offset ? (row.at(-1) ?? 0) : 0);
      const mean = kind === 'poisson' ? Math.exp(eta) : 1 / (1 + Math.exp(-eta));
      const weight = kind === 'poisson' ? mean : mean * (1 - mean);
      const working = plain + ((row[0] ?? 0) - mean) / weight;
      x.forEach((a, i) => {
        const line = normal[i] ?? [];
        x.forEach((b, j) => {
          line[j] = (line[j] ?? 0) + weight * a * b;
        });
        line[2 * width] = (line[2 * width] ?? 0) + weight * a * working;
      });
    }
    normal.forEach((line, i) => {
      line[width + i] = 1;
    });
    for (let column = 0; column < width; column++) {
      const pivot = normal[column]?.[column] ?? 1;
      normal[column] = (normal[column] ?? []).map((value) => value / pivot);
      normal.forEach((line, i) => {
        if (i === column) return;
        const factor = line[column] ?? 0;
        normal[i] = line.map((value, k) => value - factor * (normal[column]?.[k] ?? 0));
      });
    }
    beta = normal.map((line) => line[2 * width] ?? 0);
    inverse = normal.map((line) => line.slice(width, 2 * width));
  }
  return beta.map((estimate, k) => ({ estimate, standardError: Math.sqrt(inverse[k]?.[k] ?? 0) }));
}

/** Patients: outcome, age, sex, fine dust, and days at risk as a logarithm. */
function patients(kind: 'logistic' | 'poisson', count: number): readonly (readonly number[])[] {
  const chance = seededChance('patients', kind);
  return Array.from({ length: count }, () => {
    const [years, sex, dust, days] = [20 + chance.below(70), chance.below(2), chance.real() * 30, Math.log(30 + chance.below(300))];
    const eta = -4 + 0.05 * years + 0.4 * sex - 0.03 * dust;
    const outcome =
      kind === 'logistic' ? Number(chance.real() < 1 / (1 + Math.exp(-eta))) : Math.floor(-Math.log(1 - chance.real()) * Math.exp(eta - 3 + days));
    return kind === 'logistic' ? [outcome, years, sex, dust] : [Math.min(50, outcome), years, sex, dust, days];
  });
}

describe('a fit over members is the fit in one place', () => {
  const [years, binary, dust, days] = [variable(0, 120), variable(0, 1), variable(0, 50), variable(0, 8)];

  test.each([
    {
      kind: 'logistic' as const,
      terms: termsOf({ variables: [binary, years, binary, dust], models: [{ kind: 'logistic', outcome: 0, predictors: [1, 2, 3] }] }),
    },
    {
      kind: 'poisson' as const,
      terms: termsOf({ variables: [variable(0, 50), years, binary, dust, days], models: [{ kind: 'poisson', outcome: 0, predictors: [1, 2, 3], offset: 4 }] }),
    },
  ])('$kind: coefficients and standard errors to a millionth', ({ kind, terms }) => {
    const rows = patients(kind, 1_500);
    const { estimates, converged } = fitted(terms, rows);
    expect(converged).toBe(true);
    pooledFit(kind, rows, kind === 'poisson').forEach(({ estimate, standardError }, at) => {
      expect(apart(estimates[at]?.estimate ?? 0, estimate), `coefficient ${at}`).toBeLessThan(1e-6);
      expect(apart(estimates[at]?.standardError ?? 0, standardError), `standard error ${at}`).toBeLessThan(1e-6);
    });
  });

  test('rows without a value in one of its columns are left out of a model', () => {
    const rows = patients('logistic', 600);
    const terms = termsOf({ variables: [binary, years, binary, dust], models: [{ kind: 'logistic', outcome: 0, predictors: [1] }] });
    const holes = rows.map((row, at) => (at % 4 === 0 ? [row[0] ?? 0, Number.NaN, row[2] ?? 0, row[3] ?? 0] : row));
    const kept = rows.filter((_, at) => at % 4 !== 0);
    fitted(terms, holes).estimates.forEach(({ estimate }, at) => {
      expect(apart(estimate, fitted(terms, kept).estimates[at]?.estimate ?? 0)).toBeLessThan(1e-9);
    });
    expect(fitted(terms, holes).rows).toBe(450);
  });
});

describe('a regression is not told', () => {
  const binary = variable(0, 1);
  const years = variable(0, 120);
  const terms = termsOf({ variables: [binary, years, binary], models: [{ kind: 'logistic', outcome: 0, predictors: [1, 2] }], minCount: 5 });
  const told = (own: TableTerms, rows: readonly (readonly number[])[]) => modelResults(own, countedBy(own, dealt(rows), 2 + own.steps))[0];
  const rows = patients('logistic', 300).map((row) => row.slice(0, 3));

  test('over too few rows for its columns', () => {
    expect(told(terms, rows.slice(0, 29))).toEqual({ hidden: expect.stringMatching(/too few/) });
    expect(told(terms, rows.slice(0, 60))).toHaveProperty('estimates');
  });

  test('where a column tells four persons from all others: it would be about them', () => {
    expect(
      told(
        terms,
        rows.map(([outcome = 0, age = 0], at) => [outcome, age, at < 4 ? 1 : 0]),
      ),
    ).toEqual({ hidden: expect.stringMatching(/tells few rows/) });
    expect(
      told(
        terms,
        rows.map(([outcome = 0, age = 0], at) => [outcome, age, at < 5 ? 1 : 0]),
      ),
    ).toHaveProperty('estimates');
  });

  test('where columns follow from each other', () => {
    const twice = termsOf({ ...terms, variables: [binary, years, binary, binary], models: [{ kind: 'logistic', outcome: 0, predictors: [2, 3] }] });
    expect(
      told(
        twice,
        rows.map(([outcome = 0, age = 0, sex = 0]) => [outcome, age, sex, 1 - sex]),
      ),
    ).toEqual({ hidden: 'columns that follow from each other' });
  });

  test('before a step was summed', () => {
    expect(modelResults(terms, countedBy(terms, dealt(rows), 2))[0]).toEqual({ hidden: 'no step was summed' });
  });

  test('where one site has most of its rows', () => {
    const own = { ...terms, dominance: 0.8 };
    const hands = [rows.slice(0, 280), rows.slice(280, 290), rows.slice(290)].map((hand, member) =>
      recordsOf(hand.map((values, at): PlainRow => [1000 * member + at, [], values])),
    );
    expect(modelResults(own, countedBy(own, hands, 3 + own.steps))[0]).toEqual({ hidden: expect.stringMatching(/too few/) });
  });
});
