/** What the schema cannot see in a study that counts. */
import type { StudyProblem } from './errors.ts';
import { studyLimits as limits } from './limits.ts';
import type { StatisticsManifest, StudyModel } from './statistics-manifest.ts';
import { repeated, tableProblems } from './table-problems.ts';

const file = 'study.toml';

/** Cells of all levels: 1, then for each dimension the product of the values so far. */
export function cellCount(dimensions: readonly { readonly values: readonly unknown[] }[]): number {
  let width = 1;
  return dimensions.reduce((sum, { values }) => {
    width *= values.length;
    return sum + width;
  }, 1);
}

/** Words of one secure sum of the tables: units, rows, and for each variable its count, sum, squares and parts of the range, in every cell. */
function tableWords({ dimension, variable }: StatisticsManifest): number {
  const words = variable.reduce((sum, { table, quantiles, bins }) => sum + (table ? 3 : 0) + (quantiles ? bins : 0), 2);
  return cellCount(dimension) * words;
}

function dimensionProblems({ dimension }: StatisticsManifest): StudyProblem[] {
  return dimension.flatMap(({ name, values, labels }) => [
    ...repeated(values.map(String), `dimension "${name}"`, 'value'),
    ...(labels && labels.length !== values.length
      ? [{ file, place: `dimension "${name}"`, found: `${labels.length} labels`, allowed: `one for each of its ${values.length} values` }]
      : []),
  ]);
}

/** Squares of a variable, as integers over the most rows that a site can have, stay exact up to 2^53. */
function variableProblems({ variable }: StatisticsManifest): StudyProblem[] {
  return variable.flatMap(({ name, minimum, maximum, decimals, table, quantiles }) => {
    const place = `variable "${name}"`;
    const largest = Math.max(Math.abs(minimum), Math.abs(maximum)) * 10 ** decimals;
    return [
      ...(minimum < maximum ? [] : [{ file, place, found: `minimum ${minimum}, maximum ${maximum}`, allowed: 'the smaller number first' }]),
      ...(table && largest > limits.largestInteger
        ? [{ file, place, found: `values up to ${largest} without their point`, allowed: `at most ${limits.largestInteger}: fewer decimals, or another unit` }]
        : []),
      ...(quantiles && !table ? [{ file, place, found: 'quantiles with table = false', allowed: 'quantiles of variables in the tables' }] : []),
    ];
  });
}

function modelProblems({ variable }: StatisticsManifest, { name, kind, outcome, predictors, offset }: StudyModel): StudyProblem[] {
  const place = `model "${name}"`;
  const known = new Map(variable.map((one) => [one.name, one]));
  const used = [outcome, ...predictors, ...(offset === undefined ? [] : [offset])];
  const out = known.get(outcome);
  const wrongRange =
    out !== undefined && ((kind === 'logistic' && (out.minimum !== 0 || out.maximum !== 1)) || (kind === 'poisson' && out.minimum < 0))
      ? [{ file, place, found: `outcome "${outcome}" from ${out.minimum} to ${out.maximum}`, allowed: kind === 'logistic' ? '0 to 1' : 'no value below 0' }]
      : [];
  return [
    ...used
      .filter((one) => !known.has(one))
      .map((one) => ({ file, place, found: `"${one}"`, allowed: `a variable: ${[...known.keys()].join(', ') || 'none is declared'}` })),
    ...repeated(used, place, 'variable of a model'),
    ...wrongRange,
    ...(offset !== undefined && kind !== 'poisson' ? [{ file, place, found: `an offset in a ${kind} model`, allowed: 'an offset in a poisson model' }] : []),
  ];
}

function sizeProblems(manifest: StatisticsManifest): StudyProblem[] {
  const cells = cellCount(manifest.dimension);
  const words = tableWords(manifest);
  if (cells > limits.cells) return [{ file, place: 'dimension', found: `${cells} cells in all levels`, allowed: `at most ${limits.cells}` }];
  return words > limits.tableWords ? [{ file, place: 'variable', found: `${words} numbers in all cells`, allowed: `at most ${limits.tableWords}` }] : [];
}

/** All problems of a study that counts. */
export function statisticsProblems(manifest: StatisticsManifest): StudyProblem[] {
  const { unit, dimension, variable, model, table, disclosure, terms } = manifest;
  const columns = [unit, ...dimension.map(({ name }) => name), ...variable.map(({ name }) => name)];
  return [
    ...tableProblems(table),
    ...repeated(
      columns.map((name) => name.toLowerCase()),
      'unit, dimension and variable',
      'column',
    ),
    ...repeated(
      model.map(({ name }) => name),
      'model',
      'model',
    ),
    ...dimensionProblems(manifest),
    ...variableProblems(manifest),
    ...model.flatMap((one) => modelProblems(manifest, one)),
    ...sizeProblems(manifest),
    ...(disclosure.minSites > terms.minMembers
      ? [
          {
            file,
            place: 'disclosure.minSites',
            found: String(disclosure.minSites),
            allowed: `at most terms.minMembers (${terms.minMembers}): with fewer members nothing could be shown`,
          },
        ]
      : []),
  ];
}
