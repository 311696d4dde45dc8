// What `npm start -- heart-counts` must find: the same numbers from all rows in one place, by other means. Prints JSON.
// Usage: node deploy/studies/heart-counts/expected.mjs
import { readFileSync } from 'node:fs';

const sites = ['cleveland', 'budapest', 'zurich', 'long-beach'];
const rows = sites.flatMap((site) => {
  const [head, ...lines] = readFileSync(new URL(`../heart-disease/data/${site}.csv`, import.meta.url), 'utf8')
    .trim()
    .split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at], cell === '' ? Number.NaN : Number(cell)])));
});

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function described(column, cell) {
  const values = cell
    .map((row) => row[column])
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
  const quantiles = [0.25, 0.5, 0.75].map((share) => values[Math.ceil(share * values.length) - 1]);
  return { rows: values.length, mean: mean(values), sd, quantiles };
}

function cell(sex, cp) {
  const own = rows.filter((row) => (sex === undefined || row.sex === sex) && (cp === undefined || row.cp === cp));
  return { sex, cp, rows: own.length, age: described('age', own), heart_rate: described('thalach', own), disease: described('target', own) };
}

/** Solves a symmetric system by Gauss-Jordan; gives the solution and the inverse. */
function solved(matrix, right) {
  const size = right.length;
  const work = matrix.map((line, i) => [...line, right[i], ...line.map((_, k) => Number(k === i))]);
  for (let column = 0; column < size; column++) {
    const pivot = work[column][column];
    work[column] = work[column].map((value) => value / pivot);
    for (let i = 0; i < size; i++) {
      if (i === column) continue;
      const factor = work[i][column];
      work[i] = work[i].map((value, k) => value - factor * work[column][k]);
    }
  }
  return { solution: work.map((line) => line[size]), inverse: work.map((line) => line.slice(size + 1)) };
}

/** Least squares with weights; columns are [1, ...names]. */
function weighted(cases, names, weight, target) {
  const columns = ['1', ...names];
  const x = (row) => [1, ...names.map((name) => row[name])];
  const matrix = columns.map((_, i) => columns.map((__, k) => cases.reduce((sum, row) => sum + weight(row) * x(row)[i] * x(row)[k], 0)));
  return solved(
    matrix,
    columns.map((_, i) => cases.reduce((sum, row) => sum + weight(row) * x(row)[i] * target(row), 0)),
  );
}

function linear(outcome, names) {
  const cases = rows.filter((row) => [outcome, ...names].every((name) => !Number.isNaN(row[name])));
  const { solution, inverse } = weighted(
    cases,
    names,
    () => 1,
    (row) => row[outcome],
  );
  const fitted = (row) => names.reduce((sum, name, k) => sum + solution[k + 1] * row[name], solution[0]);
  const variance = cases.reduce((sum, row) => sum + (row[outcome] - fitted(row)) ** 2, 0) / (cases.length - names.length - 1);
  return solution.map((estimate, k) => ({ estimate, standardError: Math.sqrt(variance * inverse[k][k]) }));
}

/** Iteratively reweighted least squares. */
function logistic(outcome, names) {
  const cases = rows.filter((row) => [outcome, ...names].every((name) => !Number.isNaN(row[name])));
  let found = { solution: [0, ...names.map(() => 0)], inverse: [] };
  for (let step = 0; step < 30; step++) {
    const { solution } = found;
    const eta = (row) => names.reduce((sum, name, k) => sum + solution[k + 1] * row[name], solution[0]);
    const chance = (row) => 1 / (1 + Math.exp(-eta(row)));
    const weight = (row) => chance(row) * (1 - chance(row));
    found = weighted(cases, names, weight, (row) => eta(row) + (row[outcome] - chance(row)) / weight(row));
  }
  return found.solution.map((estimate, k) => ({ estimate, standardError: Math.sqrt(found.inverse[k][k]) }));
}

const cells = [cell(), ...[0, 1].map((sex) => cell(sex)), ...[0, 1].flatMap((sex) => [1, 2, 3, 4].map((cp) => cell(sex, cp)))];
const models = { disease: logistic('target', ['age', 'sex', 'thalach']), heart_rate: linear('thalach', ['age', 'sex']) };
process.stdout.write(`${JSON.stringify({ cells, models }, null, 2)}\n`);
