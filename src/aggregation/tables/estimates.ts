/** What was counted and fitted, in the study's own units. */
import { CellTree, cellCount } from './cells.ts';
import { type CountState, countSlots, slotOf } from './count-state.ts';
import { presence } from './disclosure.ts';
import { type Fit, fitsOf } from './fits.ts';
import { columnsOf, spanOf, type TableModel, type TableTerms } from './terms.ts';

/** Why the numbers of a cell are not told. */
export type Hidden = 'too few sites' | 'withheld' | 'dominated' | 'too few units, or protects another';

/** One variable in one cell; quantiles as the ends of the part of the range that they lie in. */
export interface CellFigures {
  readonly rows: number;
  readonly mean: number;
  /** With n − 1 in the denominator. */
  readonly sd: number;
  readonly quantiles: readonly ({ readonly from: number; readonly to: number } | undefined)[];
}

/** A proportion, and the interval in which it would lie in 95 of 100 such samples. */
export interface Share {
  readonly of: number;
  readonly low: number;
  readonly high: number;
}

/** One cell: its numbers, or why there are none. */
export type CellResult =
  | { readonly hidden: Hidden }
  | {
      readonly units: number;
      readonly rows: number;
      /** Rows over those of the cell above, with Wilson's 95 % interval; undefined where that is not told. */
      readonly share: Share | undefined;
      /** Where the share stands among those of the same value elsewhere, 0 … 100: below count whole, equal ones half. */
      readonly percentile: number | undefined;
      /** By the place of the variable; undefined where it is not told. */
      readonly variables: readonly (CellFigures | undefined)[];
    };

/** One coefficient, the constant first. */
export interface Estimate {
  readonly estimate: number;
  readonly standardError: number;
}

/** One regression: its coefficients, or why there are none. */
export type ModelResult =
  | { readonly hidden: 'too few sites or rows, or a column that tells few rows from all others' | 'columns that follow from each other' | 'no step was summed' }
  | {
      readonly units: number;
      readonly rows: number;
      readonly estimates: readonly Estimate[];
      readonly logLikelihood: number;
      /** Whether the last step moved no coefficient by more than a millionth of its standard error. */
      readonly converged: boolean;
    };

/** All cells in order. */
export function cellResults(terms: TableTerms, state: CountState): readonly CellResult[] {
  const slots = countSlots(terms);
  const cells = new CellTree(terms.widths);
  const [codes, units, rows, dominated] = [
    slotOf(state, slots.presence),
    slotOf(state, slots.units),
    slotOf(state, slots.rows),
    slotOf(state, slots.dominated),
  ];
  const plain = Array.from({ length: cells.size }, (_, cell): CellResult => {
    const hidden = hiddenBecause(codes[cell] ?? 0, units[cell] ?? 0, dominated[cell] === 1);
    if (hidden) return { hidden };
    const above = rows[cells.parents[cell] ?? -1] ?? 0;
    const own = rows[cell] ?? 0;
    const share = above > 0 ? wilson(own, above) : undefined;
    return {
      units: units[cell] ?? 0,
      rows: own,
      share,
      percentile: undefined,
      variables: terms.variables.map((_v, at) => figuresOf(terms, state, at, cell)),
    };
  });
  return withPercentiles(cells, plain);
}

/** 97.5 % point of the normal distribution. */
const z = 1.959963984540054;

/** Wilson's score interval (Newcombe, Statistics in Medicine 17, 1998, method 3). */
function wilson(count: number, rows: number): Share {
  const middle = 2 * count + z * z;
  const reach = z * Math.sqrt(z * z + (4 * count * (rows - count)) / rows);
  const whole = 2 * (rows + z * z);
  return { of: count / rows, low: Math.max(0, (middle - reach) / whole), high: Math.min(1, (middle + reach) / whole) };
}

function hiddenBecause(code: number, units: number, isDominated: boolean): Hidden | undefined {
  if (code === presence.few) return 'too few sites';
  if (code === presence.withheld) return 'withheld';
  if (isDominated) return 'dominated';
  return code === presence.enough && units === 0 ? 'too few units, or protects another' : undefined;
}

function figuresOf(terms: TableTerms, state: CountState, variable: number, cell: number): CellFigures | undefined {
  const { variables, widths } = terms;
  const one = variables[variable];
  const cells = cellCount(widths);
  const slots = countSlots(terms);
  const [rows = 0, sum = 0, squares = 0] = [slots.counts, slots.sums, slots.squares].map((slot) => slotOf(state, slot)[variable * cells + cell] ?? 0);
  if (!one?.table || rows === 0) return undefined;
  const unit = 10 ** one.decimals;
  const variance = Math.max(0, (squares - (sum * sum) / rows) / (rows - 1));
  const before = variables.slice(0, variable).reduce((total, { quantiles }) => total + quantiles.length, 0) * cells;
  const told = slotOf(state, slots.quantiles).subarray(before + cell * one.quantiles.length);
  const width = (one.maximum - one.minimum) / one.bins;
  const quantiles = one.quantiles.map((_, at) => {
    const part = told[at] ?? 0;
    return part > 0 ? { from: one.minimum + (part - 1) * width, to: one.minimum + part * width } : undefined;
  });
  return { rows, mean: sum / rows / unit, sd: Math.sqrt(variance) / unit, quantiles };
}

const shareOf = (result: CellResult): number | undefined => ('share' in result ? result.share?.of : undefined);

/** Cells of one level whose last value is the same are set side by side: one diagnosis over all districts. */
function withPercentiles(cells: CellTree, results: readonly CellResult[]): readonly CellResult[] {
  const groupOf = (cell: number): string => `${cells.levelOf(cell)} ${cells.pathOf(cell).at(-1)}`;
  const groups = new Map<string, number[]>();
  results.forEach((result, cell) => {
    const share = shareOf(result);
    const group = groups.get(groupOf(cell)) ?? [];
    if (share !== undefined) group.push(share);
    groups.set(groupOf(cell), group);
  });
  return results.map((result, cell) => {
    const share = shareOf(result);
    const shares = groups.get(groupOf(cell)) ?? [];
    if (share === undefined || shares.length < 2) return result;
    const below = shares.filter((other) => other < share).length + shares.filter((other) => other === share).length / 2;
    return { ...result, percentile: (100 * below) / shares.length };
  });
}

/** All regressions, from the steps that were summed. */
export function modelResults(terms: TableTerms, state: CountState): readonly ModelResult[] {
  const done = Math.max(0, state.ordinal - (terms.dominance < 1 ? 3 : 2));
  return fitsOf(terms, countSlots(terms), state, done).map((fit, at) => modelResult(terms, terms.models[at], fit));
}

function modelResult(terms: TableTerms, model: TableModel | undefined, fit: Fit): ModelResult {
  if (fit.kind === 'hidden' || !model) return { hidden: 'too few sites or rows, or a column that tells few rows from all others' };
  if (fit.kind === 'singular') return { hidden: 'columns that follow from each other' };
  const { coefficients, covariance, logLikelihood, lastChange, rows, units } = fit;
  if (!covariance) return { hidden: 'no step was summed' };
  // for linear models the log-likelihood is minus half the residual sum of squares
  const noise = model.kind === 'linear' ? (-2 * logLikelihood) / (rows - columnsOf(model)) : 1;
  return { units, rows, estimates: ownUnits(terms, model, coefficients, covariance, noise), logLikelihood, converged: lastChange < 1e-6 };
}

/** From columns scaled to -1 … 1 back to the variables' units: a linear map of coefficients, and of their covariance. */
function ownUnits(terms: TableTerms, model: TableModel, coefficients: Float64Array, covariance: Float64Array, noise: number): readonly Estimate[] {
  const size = columnsOf(model);
  const whole = { minimum: -1, maximum: 1 };
  const spans = [model.outcome, ...model.predictors].map((place) => spanOf(terms.variables[place] ?? whole));
  const outcome = model.kind === 'linear' ? (spans[0] ?? { middle: 0, half: 1 }) : { middle: 0, half: 1 };
  // the first row of the map gives the constant, each other one the coefficient of its column
  const constant = Float64Array.from(spans, ({ middle, half }, column) => (column === 0 ? outcome.half : (-outcome.half * middle) / half));
  const slope = (k: number): Float64Array => Float64Array.from(spans, ({ half }, column) => (column === k ? outcome.half / half : 0));
  return Array.from({ length: size }, (_, k) => {
    const row = k === 0 ? constant : slope(k);
    const estimate = row.reduce((sum, part, at) => sum + part * (coefficients[at] ?? 0), k === 0 ? outcome.middle : 0);
    let variance = 0;
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) variance += (row[i] ?? 0) * (row[j] ?? 0) * (covariance[i * size + j] ?? 0);
    return { estimate, standardError: Math.sqrt(noise * variance) };
  });
}
