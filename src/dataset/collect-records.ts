/** From the SELECT's result to rows that are counted: places in dimensions, units, numbers. DuckDB child only. */
import { createHmac } from 'node:crypto';
import type { DuckDBResult } from '@duckdb/node-api';
import type { RecordTerms } from './child-messages.ts';
import { type Cell, cellOf } from './column-numbers.ts';
import { datasetErrors } from './errors.ts';
import { Growing } from './growing.ts';
import { isValue } from './judge.ts';
import { datasetLimits } from './limits.ts';
import type { DatasetProblem, ProblemCode, QualityReport } from './report.ts';

/** A number, or 0 and 1 for false and true; undefined for everything else. */
function numberOf(cell: Cell): number | undefined {
  return typeof cell === 'number' ? cell : typeof cell === 'boolean' ? Number(cell) : undefined;
}

/** Rows that were judged good, and the counts of all others. */
export interface CollectedRecords {
  readonly positions: Int32Array;
  readonly units: Int32Array;
  readonly unitKeys: BigUint64Array;
  readonly values: Float64Array;
  readonly report: Omit<QualityReport, 'files'>;
}

/** An outcome without rows: nothing but these problems. */
export function onlyRecordProblems(problems: readonly DatasetProblem[]): CollectedRecords {
  const none = new Int32Array(0);
  return {
    positions: none,
    units: none,
    unitKeys: new BigUint64Array(0),
    values: new Float64Array(0),
    report: { problems, rows: 0, classes: [], dropped: [] },
  };
}

/** Judges rows one by one and keeps the good ones. */
class RecordCollector {
  readonly #terms: RecordTerms;
  readonly #positions = new Growing((length) => new Int32Array(length));
  readonly #units = new Growing((length) => new Int32Array(length));
  readonly #values = new Growing((length) => new Float64Array(length));
  readonly #unitNumbers = new Map<string, number>();
  readonly #places: readonly ReadonlyMap<string, number>[];
  readonly #problems = new Map<string, DatasetProblem>();
  #rows = 0;
  #withoutUnit = 0;

  constructor(terms: RecordTerms) {
    this.#terms = terms;
    this.#places = terms.dimension.map(({ values }) => new Map(values.map((value, at) => [String(value), at])));
  }

  /** `cells` holds the unit, the dimensions, then the variables. */
  take(cells: readonly Cell[]): void {
    const [unit] = cells;
    if (unit === undefined) {
      this.#withoutUnit++;
      return;
    }
    const { dimension, variable } = this.#terms;
    const values = variable.map((_, at) => this.#number(cells[1 + dimension.length + at], at));
    if (values.includes(undefined)) return;
    if (++this.#rows > datasetLimits.rows || this.#rows * Math.max(1, variable.length) > datasetLimits.values / 2)
      throw datasetErrors.DATASET_TOO_LARGE({ what: 'rows', found: this.#rows, limit: Math.min(datasetLimits.rows, this.#rows - 1) });
    this.#keep(cells, values);
  }

  /** Puts a good row behind the others. */
  #keep([unit, ...rest]: readonly Cell[], values: readonly (number | undefined)[]): void {
    const { dimension } = this.#terms;
    const row = this.#rows - 1;
    const positions = this.#positions.withRoom(this.#rows * dimension.length);
    for (const [at, { values: allowed }] of dimension.entries()) positions[row * dimension.length + at] = this.#place(rest[at], at, allowed);
    const key = `${typeof unit} ${String(unit)}`;
    const number = this.#unitNumbers.get(key) ?? this.#unitNumbers.size;
    this.#unitNumbers.set(key, number);
    this.#units.withRoom(this.#rows)[row] = number;
    const numbers = this.#values.withRoom(this.#rows * values.length);
    for (const [at, value] of values.entries()) numbers[row * values.length + at] = value ?? Number.NaN;
  }

  #place(cell: Cell, at: number, allowed: readonly (string | number | boolean)[]): number {
    if (cell === undefined) return -1;
    return this.#places[at]?.get(String(cell)) ?? allowed.findIndex((value) => isValue(cell, value));
  }

  /** NaN for a missing value; undefined for one that the study does not allow. */
  #number(cell: Cell, at: number): number | undefined {
    if (cell === undefined) return Number.NaN;
    const { minimum = 0, maximum = 0 } = this.#terms.variable[at] ?? {};
    const value = numberOf(cell);
    if (value === undefined) return this.#problem('DATASET_WRONG_TYPE', at, 'values that are no number', 'numbers');
    if (!Number.isFinite(value)) return this.#problem('DATASET_NOT_FINITE', at, 'values that are NaN or infinite', 'finite numbers, or none');
    if (value < minimum || value > maximum) return this.#problem('DATASET_OUT_OF_RANGE', at, 'values out of range', `${minimum} to ${maximum}`);
    return value;
  }

  #problem(code: ProblemCode, at: number, says: string, allowed: string): undefined {
    const column = this.#terms.variable[at]?.name ?? '';
    const count = (this.#problems.get(`${code} ${at}`)?.count ?? 0) + 1;
    this.#problems.set(`${code} ${at}`, { code, place: 'features.sql', column, found: `${count} ${says}`, allowed, count });
  }

  whole(): CollectedRecords {
    const dropped = this.#withoutUnit > 0 ? [{ reason: `no value in "${this.#terms.unit}"`, count: this.#withoutUnit }] : [];
    return {
      positions: this.#positions.withRoom(0).slice(0, this.#rows * this.#terms.dimension.length),
      units: this.#units.withRoom(0).slice(0, this.#rows),
      unitKeys: keysOf([...this.#unitNumbers.keys()], this.#terms.unitSecret),
      values: this.#values.withRoom(0).slice(0, this.#rows * this.#terms.variable.length),
      report: { problems: [...this.#problems.values()], rows: this.#rows, classes: [], dropped },
    };
  }
}

/** The first eight bytes of HMAC-SHA-256 (RFC 2104) over each unit: nobody without the secret can tell which unit a key is of. */
function keysOf(units: readonly string[], secret: string): BigUint64Array {
  return BigUint64Array.from(units, (unit) => createHmac('sha256', secret).update(unit).digest().readBigUInt64LE(0));
}

/** Reads the whole result. Throws DATASET_TOO_LARGE; every other fault is a problem in the report. */
export async function collectRecords(result: DuckDBResult, terms: RecordTerms): Promise<CollectedRecords> {
  const names = result.columnNames().map((name) => name.toLowerCase());
  const wanted = [terms.unit, ...terms.dimension.map(({ name }) => name), ...terms.variable.map(({ name }) => name)];
  const places = wanted.map((name) => ({ name, at: names.indexOf(name.toLowerCase()) }));
  const missing = places.filter(({ at }) => at < 0);
  if (missing.length > 0) {
    return onlyRecordProblems(
      missing.map(({ name }) => ({
        code: 'DATASET_MISSING_COLUMN',
        place: 'features.sql',
        column: name,
        found: 'no such column in the result',
        allowed: 'the unit, every dimension and every variable',
        count: 1,
      })),
    );
  }
  const collector = new RecordCollector(terms);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const columns = places.map(({ at }) => chunk?.getColumnValues(at) ?? []);
    for (let row = 0; row < chunk.rowCount; row++) collector.take(columns.map((values) => cellOf(values[row] ?? null)));
  }
  return collector.whole();
}
