/** One member's numbers of every cell of a study that counts. */
import type { CellTree } from './cells.ts';
import type { CountedRows, TableTerms, TableVariable } from './terms.ts';

/** Numbers by cell; of variables, one after the other. */
export interface CellSums {
  /** Different units. float64 `[cells]` */
  readonly units: Float64Array<ArrayBuffer>;
  readonly rows: Float64Array<ArrayBuffer>;
  /** Rows with a value, float64 `[variables, cells]`; zero for variables that are not in the tables. */
  readonly counts: Float64Array<ArrayBuffer>;
  /** Sums of the values without their decimal point: integers. */
  readonly sums: Float64Array<ArrayBuffer>;
  readonly squares: Float64Array<ArrayBuffer>;
  /** Rows in each part of the range: for each variable with quantiles, for each cell. */
  readonly bins: Float64Array<ArrayBuffer>;
}

/** The part of a variable's range that a value lies in, from 0. */
export function partOf({ minimum, maximum, bins }: TableVariable, value: number): number {
  return Math.min(bins - 1, Math.max(0, Math.floor(((value - minimum) / (maximum - minimum)) * bins)));
}

function add(values: Float64Array, at: number, amount: number): void {
  values[at] = (values[at] ?? 0) + amount;
}

/** Every row counts in its deepest cell and in all above it. */
export function cellSums({ variables, widths }: Pick<TableTerms, 'variables' | 'widths'>, cells: CellTree, records: CountedRows): CellSums {
  const sums = emptySums(variables, cells.size);
  const starts = binStarts(variables, cells.size);
  const lastUnit = new Int32Array(cells.size).fill(-1);
  for (const row of orderByUnit(records)) {
    const unit = records.units[row] ?? 0;
    const deepest = cells.cellAt(records.positions.subarray(row * widths.length, (row + 1) * widths.length));
    for (let cell = deepest; cell >= 0; cell = cells.parents[cell] ?? -1) {
      add(sums.rows, cell, 1);
      if (lastUnit[cell] !== unit) add(sums.units, cell, 1);
      lastUnit[cell] = unit;
      variables.forEach((one, at) => {
        const value = records.values[row * variables.length + at] ?? Number.NaN;
        if (!one.table || Number.isNaN(value)) return;
        const integer = Math.round(value * 10 ** one.decimals);
        const place = at * cells.size + cell;
        add(sums.counts, place, 1);
        add(sums.sums, place, integer);
        add(sums.squares, place, integer * integer);
        if (one.bins > 0) add(sums.bins, (starts[at] ?? 0) + cell * one.bins + partOf(one, value), 1);
      });
    }
  }
  return sums;
}

function emptySums(variables: readonly TableVariable[], cells: number): CellSums {
  const of = (length: number) => new Float64Array(length);
  const each = variables.length * cells;
  const bins = variables.reduce((sum, { bins: parts }) => sum + parts, 0);
  return { units: of(cells), rows: of(cells), counts: of(each), sums: of(each), squares: of(each), bins: of(bins * cells) };
}

function binStarts(variables: readonly TableVariable[], cells: number): readonly number[] {
  let at = 0;
  return variables.map(({ bins }) => {
    const start = at;
    at += bins * cells;
    return start;
  });
}

/** Rows in the order of their units (a counting sort): then a cell has seen a unit before exactly where it was the last that it saw. int32 `[rows]` */
function orderByUnit({ rows, units, unitCount }: CountedRows): Int32Array {
  const starts = new Int32Array(unitCount + 1);
  for (const unit of units) starts[unit + 1] = (starts[unit + 1] ?? 0) + 1;
  for (let unit = 0; unit < unitCount; unit++) starts[unit + 1] = (starts[unit + 1] ?? 0) + (starts[unit] ?? 0);
  const order = new Int32Array(rows);
  units.forEach((unit, row) => {
    order[starts[unit] ?? 0] = row;
    starts[unit] = (starts[unit] ?? 0) + 1;
  });
  return order;
}
