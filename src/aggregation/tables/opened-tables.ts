/** What of the opened tables is kept: cells, variables, quantiles and models that may be told, rounded; and what votes on dominance take away again. */
import { CellTree, cellCount } from './cells.ts';
import { type CountSlots, type CountState, modelFacts, slotOf } from './count-state.ts';
import { presence, protectedCells, quantilePart, roundedTo } from './disclosure.ts';
import { columnsOf, type TableTerms, type TableVariable } from './terms.ts';

/** Rows that a model needs for each of its columns: below that its coefficients are about single rows. */
const rowsPerColumn = 10;

/** What a sum opened, by segment. */
type Opened = Readonly<Record<string, Float64Array>>;

/** Puts what the tables may show, rounded; of everything else zeros. */
export function putTables(terms: TableTerms, slots: CountSlots, next: CountState, opened: Opened): void {
  const { widths, minCount } = terms;
  const { parents } = new CellTree(widths);
  const codes = slotOf(next, slots.presence);
  const units = opened['units'] ?? new Float64Array(0);
  const shown = protectedCells(parents, units, (cell) => codes[cell] !== presence.none && (codes[cell] !== presence.enough || (units[cell] ?? 0) < minCount));
  slotOf(next, slots.units).set(masked(units, shown));
  slotOf(next, slots.rows).set(masked(opened['rows'], shown));
  putVariables(terms, slots, next, opened, shown);
  putModels(terms, slots, next, opened);
  for (const slot of [slots.units, slots.rows]) round(slotOf(next, slot), terms.rounding);
  roundVariables(slots, next, terms.rounding);
}

function masked(values: Float64Array = new Float64Array(0), shown: Uint8Array): Float64Array {
  return values.map((value, at) => (shown[at] === 1 ? value : 0));
}

function round(values: Float64Array, base: number): void {
  values.set(values.map((value) => roundedTo(value, base)));
}

/** Sums and squares go with the count that they belong to, so that the mean of a rounded count is the mean. */
function roundVariables(slots: CountSlots, next: CountState, base: number): void {
  const [counts, sums, squares] = [slotOf(next, slots.counts), slotOf(next, slots.sums), slotOf(next, slots.squares)];
  counts.forEach((rows, at) => {
    const rounded = roundedTo(rows, base);
    if (rounded === rows) return;
    counts[at] = rounded;
    for (const values of [sums, squares]) values[at] = ((values[at] ?? 0) * rounded) / rows;
  });
}

/** Of each variable the cells in which enough rows have a value, protected among themselves. */
function putVariables({ widths, variables, minCount }: TableTerms, slots: CountSlots, next: CountState, opened: Opened, shown: Uint8Array): void {
  const { parents } = new CellTree(widths);
  const cells = parents.length;
  let [binAt, quantileAt] = [0, 0];
  variables.forEach((one, variable) => {
    const { quantiles, bins } = one;
    const part = (name: string): Float64Array => (opened[name] ?? new Float64Array(0)).subarray(variable * cells, (variable + 1) * cells);
    const own = variableCells(one, parents, { counts: part('counts'), sums: part('sums') }, (cell) => shown[cell] === 0, minCount);
    for (const name of ['counts', 'sums', 'squares'] as const) slotOf(next, slots[name]).set(masked(part(name), own), variable * cells);
    const told = slotOf(next, slots.quantiles);
    for (let cell = 0; cell < cells; cell++) {
      const histogram = (opened['bins'] ?? new Float64Array(0)).subarray(binAt, binAt + bins);
      quantiles.forEach((quantile, at) => {
        told[quantileAt + at] = own[cell] === 1 ? quantilePart(histogram, quantile, minCount) : 0;
      });
      binAt += bins;
      quantileAt += quantiles.length;
    }
  });
}

/** In which cells a variable may be told; `counts` and `sums` by cell. Who protects another must have enough on both ends of the range itself. */
function variableCells(
  variable: TableVariable,
  parents: Int32Array,
  { counts, sums }: { readonly counts: Float64Array; readonly sums: Float64Array },
  isHidden: (cell: number) => boolean,
  minCount: number,
): Uint8Array {
  const cells = Array.from(counts, (rows, cell) => behind(variable, rows, sums[cell] ?? 0));
  const weights = cells.map(({ rows, above, below }) => Math.min(rows, above, below));
  const tooLittle = cells.map((one) => isTooLittle(one, minCount));
  return protectedCells(parents, weights, (cell) => isHidden(cell) || tooLittle[cell] === true);
}

/** What stands behind the numbers of a variable in one cell: rows, and how far their sum is from the least and from the most that it could be. */
interface Behind {
  readonly rows: number;
  readonly above: number;
  readonly below: number;
}

function behind({ minimum, maximum, decimals }: TableVariable, rows: number, sum: number): Behind {
  const unit = 10 ** decimals;
  return { rows, above: sum - rows * minimum * unit, below: rows * maximum * unit - sum };
}

/** Near the ends of its range a sum is a count of few persons: two of ninety have the disease, or all but two. That nobody has it tells of nobody. */
function isTooLittle({ rows, above, below }: Behind, minCount: number): boolean {
  return rows > 0 && (rows < minCount || below < minCount || (above > 0 && above < minCount));
}

/** Of each model its facts, where enough sites and rows are behind it and no column tells few rows from all others. */
function putModels({ models, widths, minCount }: TableTerms, slots: CountSlots, next: CountState, opened: Opened): void {
  const cells = cellCount(widths);
  const codes = slotOf(next, slots.presence);
  let side = 0;
  models.forEach((model, at) => {
    const columns = columnsOf(model);
    const sides = (opened['modelSides'] ?? new Float64Array(0)).subarray(side, side + 2 * columns);
    side += 2 * columns;
    const facts = ['modelUnits', 'modelRows', 'modelOutcome', 'modelExposure'].map((name) => opened[name]?.[at] ?? 0);
    const [units = 0] = facts;
    const isShown = codes[cells + at] === presence.enough && units >= Math.max(minCount, rowsPerColumn * columns) && sides.every((rows) => rows >= minCount);
    if (isShown) slotOf(next, slots.models).set(facts, modelFacts * at);
  });
}

/** Takes away what a site's own share is too large in, and what would give that away. */
export function hideDominated({ widths, variables, models }: TableTerms, slots: CountSlots, next: CountState): void {
  const { parents } = new CellTree(widths);
  const cells = parents.length;
  const dominated = slotOf(next, slots.dominated);
  const codes = slotOf(next, slots.presence);
  const units = slotOf(next, slots.units);
  const shown = protectedCells(parents, units, (cell) => dominated[cell] === 1 || (codes[cell] !== presence.none && units[cell] === 0));
  for (const slot of [slots.units, slots.rows]) slotOf(next, slot).set(masked(slotOf(next, slot), shown));
  let quantileAt = 0;
  variables.forEach((one, variable) => {
    const { quantiles } = one;
    const part = (name: 'counts' | 'sums' | 'squares') => slotOf(next, slots[name]).subarray(variable * cells, (variable + 1) * cells);
    // what the tables told was enough
    const own = variableCells(one, parents, { counts: part('counts'), sums: part('sums') }, (cell) => shown[cell] === 0, 0);
    for (const name of ['counts', 'sums', 'squares'] as const) part(name).set(masked(part(name), own));
    const told = slotOf(next, slots.quantiles).subarray(quantileAt, quantileAt + cells * quantiles.length);
    told.set(told.map((place, at) => (own[Math.floor(at / quantiles.length)] === 1 ? place : 0)));
    quantileAt += told.length;
  });
  models.forEach((_, at) => {
    if (dominated[cells + at] === 1) slotOf(next, slots.models).fill(0, modelFacts * at, modelFacts * (at + 1));
  });
}
