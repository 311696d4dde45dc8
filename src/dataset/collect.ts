/** From the SELECT's result to features, labels and sides of the split; every cell is judged, column by column. DuckDB child only. */
import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import type { FeatureTerms } from './child-messages.ts';
import { type Cell, type ColumnNumbers, cellOf, isMissing, isNumber, isOther, readNumbers } from './column-numbers.ts';
import { datasetErrors } from './errors.ts';
import { Growing } from './growing.ts';
import { classFinder, sideFinder } from './judge.ts';
import { datasetLimits } from './limits.ts';
import type { DatasetProblem, ProblemCode, QualityReport } from './report.ts';

type Terms = FeatureTerms;

/** Rows that were judged good, and the counts of all others. */
export interface Collected {
  readonly features: Float32Array;
  readonly labels: Float32Array;
  readonly split: Uint8Array;
  readonly report: Omit<QualityReport, 'files'>;
}

/** Rows of one chunk: DuckDB's vectors have this many at most. */
const chunkRows = 2_048;

/** Judges rows chunk by chunk and keeps the good ones. */
class Collector {
  readonly #terms: Terms;
  readonly #width: number;
  readonly #columns: readonly ColumnNumbers[];
  readonly #classOf: (cell: Cell) => number;
  readonly #sideOf: (cell: Cell) => 0 | 1 | undefined;
  readonly #features = new Growing((length) => new Float32Array(length));
  readonly #labels = new Growing((length) => new Float32Array(length));
  readonly #split = new Growing((length) => new Uint8Array(length));
  readonly #problems = new Map<string, DatasetProblem>();
  readonly #dropped = new Map<string, number>();
  readonly #classes: { readonly value: string; train: number; test: number }[];
  /** Of each row of the chunk: its first feature that is missing, its first that is wrong, or -1. */
  readonly #missing = new Int32Array(chunkRows);
  readonly #wrong = new Int32Array(chunkRows);
  /** Rows of the chunk that are good, in order. */
  readonly #good = new Int32Array(chunkRows);
  #rows = 0;

  constructor(terms: Terms) {
    this.#terms = terms;
    this.#width = terms.features.column.length;
    this.#columns = terms.features.column.map(() => ({ numbers: new Float64Array(chunkRows), states: new Uint8Array(chunkRows) }));
    this.#classOf = classFinder(terms);
    this.#sideOf = sideFinder(terms);
    this.#classes = terms.label.classes.map((value) => ({ value: String(value), train: 0, test: 0 }));
  }

  /** `places` are the columns of the features, then of the label, then of the split column or key. */
  take(chunk: DuckDBDataChunk, places: readonly number[], result: DuckDBResult): void {
    const rows = chunk.rowCount;
    this.#missing.fill(-1);
    this.#wrong.fill(-1);
    for (const [at, column] of this.#columns.entries()) {
      const place = places[at] ?? 0;
      readNumbers(chunk, place, result.columnType(place), column);
      this.#look(column, at, rows);
    }
    const cells = [places[this.#width] ?? 0, places[this.#width + 1] ?? 0].map((place) => chunk.getColumnValues(place));
    let good = 0;
    for (let row = 0; row < rows; row++) {
      const judged = this.#judge(row, cellOf(cells[0]?.[row] ?? null), cellOf(cells[1]?.[row] ?? null));
      if (judged === undefined) continue;
      this.#keep(this.#rows + good, judged.own, judged.side);
      this.#good[good++] = row;
    }
    this.#write(good);
  }

  /** Notes the rows in which a feature is missing or wrong, unless another before it is. */
  #look({ numbers, states }: ColumnNumbers, at: number, rows: number): void {
    const { min = 0, max = 0 } = this.#terms.features.column[at] ?? {};
    for (let row = 0; row < rows; row++) {
      const value = numbers[row] ?? 0;
      if (states[row] === isNumber && value >= min && value <= max && Number.isFinite(Math.fround(value))) continue;
      const first = states[row] === isMissing ? this.#missing : this.#wrong;
      if (first[row] === -1) first[row] = at;
    }
  }

  /** Class and side of a row; undefined where it was dropped or is a problem. */
  #judge(row: number, label: Cell, key: Cell): { readonly own: number; readonly side: 0 | 1 } | undefined {
    const width = this.#width;
    if (key === undefined) return this.#drop('no value in the split column');
    const side = this.#sideOf(key);
    if (side === undefined) return this.#problem('DATASET_BAD_SPLIT', width + 1, 'rows with another value', 'the values that the study names, or empty');
    const missing = this.#missing[row] ?? -1;
    const empty = missing >= 0 ? missing : label === undefined ? width : -1;
    if (empty >= 0 && this.#terms.missing === 'drop-row') return this.#drop(empty < width ? 'a feature is missing' : 'the label is missing');
    if (empty >= 0) return this.#problem('DATASET_EMPTY_CELLS', empty, 'missing values', 'a value in each row, since the study refuses missing ones');
    const own = this.#classOf(label);
    if (own < 0) return this.#problem('DATASET_BAD_LABEL', width, 'rows with another value', `the classes ${this.#terms.label.classes.join(', ')}`);
    const wrong = this.#wrong[row] ?? -1;
    return wrong < 0 ? { own, side } : this.#wrongFeature(row, wrong);
  }

  #wrongFeature(row: number, at: number): undefined {
    const { numbers, states } = this.#columns[at] ?? {};
    const { min = 0, max = 0 } = this.#terms.features.column[at] ?? {};
    if (states?.[row] === isOther) return this.#problem('DATASET_WRONG_TYPE', at, 'values that are no number', 'numbers');
    if (!Number.isFinite(Math.fround(numbers?.[row] ?? 0))) return this.#problem('DATASET_NOT_FINITE', at, 'values that are NaN or infinite', 'finite numbers');
    return this.#problem('DATASET_OUT_OF_RANGE', at, 'values out of range', `${min} to ${max}`);
  }

  #keep(at: number, own: number, side: 0 | 1): void {
    const [found, width] = [at + 1, this.#width];
    if (found > datasetLimits.rows || found * width > datasetLimits.values)
      throw datasetErrors.DATASET_TOO_LARGE({ what: 'rows', found, limit: Math.min(datasetLimits.rows, Math.floor(datasetLimits.values / width)) });
    this.#labels.withRoom(found)[at] = own;
    this.#split.withRoom(found)[at] = side;
    const counts = this.#classes[own];
    if (counts !== undefined) counts[side === 0 ? 'train' : 'test']++;
  }

  /** Writes the features of the good rows behind those of the chunks before, row by row. */
  #write(good: number): void {
    const [width, rows] = [this.#width, this.#good];
    const features = this.#features.withRoom((this.#rows + good) * width);
    for (const [at, { numbers }] of this.#columns.entries()) {
      for (let row = 0, to = this.#rows * width + at; row < good; row++, to += width) features[to] = numbers[rows[row] ?? 0] ?? 0;
    }
    this.#rows += good;
  }

  #drop(reason: string): undefined {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  #problem(code: ProblemCode, at: number, says: string, allowed: string): undefined {
    const column = wantedColumns(this.#terms)[at] ?? '';
    const count = (this.#problems.get(`${code} ${at}`)?.count ?? 0) + 1;
    this.#problems.set(`${code} ${at}`, { code, place: 'features.sql', column, found: `${count} ${says}`, allowed, count });
  }

  whole(): Collected {
    const { column } = this.#terms.label;
    const none: DatasetProblem = {
      code: 'DATASET_NO_ROWS',
      place: 'features.sql',
      column,
      found: 'no row that the study can use',
      allowed: 'at least one',
      count: 1,
    };
    const [rows, values] = [this.#rows, this.#rows * this.#width];
    const problems = rows === 0 && this.#problems.size === 0 ? [none] : [...this.#problems.values()];
    const dropped = [...this.#dropped].map(([reason, count]) => ({ reason, count }));
    return {
      features: this.#features.withRoom(values).subarray(0, values),
      labels: this.#labels.withRoom(rows).subarray(0, rows),
      split: this.#split.withRoom(rows).subarray(0, rows),
      report: { problems, rows, classes: this.#classes, dropped },
    };
  }
}

function wantedColumns({ features, label, split }: Terms): readonly string[] {
  return [...features.column.map(({ name }) => name), label.column, split.by === 'column' ? split.column : split.key];
}

/** An outcome without rows: nothing but these problems. */
export function onlyProblems(problems: readonly DatasetProblem[]): Collected {
  return { features: new Float32Array(0), labels: new Float32Array(0), split: new Uint8Array(0), report: { problems, rows: 0, classes: [], dropped: [] } };
}

/** Reads the whole result. Throws DATASET_TOO_LARGE; every other fault is a problem in the report. */
export async function collect(result: DuckDBResult, terms: Terms): Promise<Collected> {
  const names = result.columnNames().map((name) => name.toLowerCase());
  const places = wantedColumns(terms).map((name) => ({ name, at: names.indexOf(name.toLowerCase()) }));
  const missing = places.filter(({ at }) => at < 0);
  if (missing.length > 0) {
    return onlyProblems(
      missing.map(({ name }) => ({
        code: 'DATASET_MISSING_COLUMN',
        place: 'features.sql',
        column: name,
        found: 'no such column in the result',
        allowed: 'every feature, the label and the split column',
        count: 1,
      })),
    );
  }
  const collector = new Collector(terms);
  const at = places.map((place) => place.at);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) collector.take(chunk, at, result);
  return collector.whole();
}
