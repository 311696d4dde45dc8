/** From the SELECT's result to features, labels and sides of the split; every cell is judged. DuckDB child only. */
import type { DuckDBResult } from '@duckdb/node-api';
import { hashFields } from '../common/index.ts';
import { type Cell, cellOf, isValue, numberOf } from './cells.ts';
import type { FeatureTerms } from './child-messages.ts';
import { datasetErrors } from './errors.ts';
import { Growing } from './growing.ts';
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

/** 0 for training, 1 for test, by the study's rule; undefined for a value that the rule does not name. */
function sideOf(cell: Cell, rule: Terms['split']): 0 | 1 | undefined {
  if (rule.by === 'column') {
    if (rule.train.some((value) => isValue(cell, value))) return 0;
    return rule.test.some((value) => isValue(cell, value)) ? 1 : undefined;
  }
  const [a = 0, b = 0, c = 0, d = 0] = hashFields('split', rule.seed, String(cell));
  return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32 < rule.testFraction ? 1 : 0;
}

/** Judges rows one by one and keeps the good ones. */
class Collector {
  readonly #terms: Terms;
  readonly #features = new Growing((length) => new Float32Array(length));
  readonly #labels = new Growing((length) => new Float32Array(length));
  readonly #split = new Growing((length) => new Uint8Array(length));
  readonly #problems = new Map<string, DatasetProblem>();
  readonly #dropped = new Map<string, number>();
  readonly #classes: { readonly value: string; train: number; test: number }[];
  #rows = 0;

  constructor(terms: Terms) {
    this.#terms = terms;
    this.#classes = terms.label.classes.map((value) => ({ value: String(value), train: 0, test: 0 }));
  }

  /** `cells` holds the features, then the label, then the split column or key. */
  take(cells: readonly Cell[]): void {
    const judged = this.#judge(cells);
    if (judged !== undefined && this.#goodFeatures(cells)) this.#keep(cells, judged.own, judged.side);
  }

  /** Class and side of a row; undefined where it was dropped or is a problem. */
  #judge(cells: readonly Cell[]): { readonly own: number; readonly side: 0 | 1 } | undefined {
    const { features, label, missing, split } = this.#terms;
    const width = features.column.length;
    const key = cells[width + 1];
    if (key === undefined) return this.#drop('no value in the split column');
    const side = sideOf(key, split);
    if (side === undefined) return this.#problem('DATASET_BAD_SPLIT', width + 1, 'rows with another value', 'the values that the study names, or empty');
    const empty = cells.findIndex((cell, at) => at <= width && cell === undefined);
    if (empty >= 0 && missing === 'drop-row') return this.#drop(empty < width ? 'a feature is missing' : 'the label is missing');
    if (empty >= 0) return this.#problem('DATASET_EMPTY_CELLS', empty, 'missing values', 'a value in each row, since the study refuses missing ones');
    const own = label.classes.findIndex((value) => isValue(cells[width], value));
    return own >= 0 ? { own, side } : this.#problem('DATASET_BAD_LABEL', width, 'rows with another value', `the classes ${label.classes.join(', ')}`);
  }

  #goodFeatures(cells: readonly Cell[]): boolean {
    return this.#terms.features.column.every(({ min, max }, at) => {
      const value = numberOf(cells[at]);
      if (value === undefined) this.#problem('DATASET_WRONG_TYPE', at, 'values that are no number', 'numbers');
      else if (!Number.isFinite(value) || !Number.isFinite(Math.fround(value)))
        this.#problem('DATASET_NOT_FINITE', at, 'values that are NaN or infinite', 'finite numbers');
      else if (value < min || value > max) this.#problem('DATASET_OUT_OF_RANGE', at, 'values out of range', `${min} to ${max}`);
      else return true;
      return false;
    });
  }

  #keep(cells: readonly Cell[], own: number, side: 0 | 1): void {
    const width = this.#terms.features.column.length;
    if (++this.#rows > datasetLimits.rows || this.#rows * width > datasetLimits.values) {
      throw datasetErrors.DATASET_TOO_LARGE({ what: 'rows', found: this.#rows, limit: Math.min(datasetLimits.rows, Math.floor(datasetLimits.values / width)) });
    }
    for (let at = 0; at < width; at++) this.#features.push(numberOf(cells[at]) ?? 0);
    this.#labels.push(own);
    this.#split.push(side);
    const counts = this.#classes[own];
    if (counts !== undefined) counts[side === 0 ? 'train' : 'test']++;
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
    const problems = this.#rows === 0 && this.#problems.size === 0 ? [none] : [...this.#problems.values()];
    const dropped = [...this.#dropped].map(([reason, count]) => ({ reason, count }));
    return {
      features: this.#features.whole(),
      labels: this.#labels.whole(),
      split: this.#split.whole(),
      report: { problems, rows: this.#rows, classes: this.#classes, dropped },
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
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const columns = places.map(({ at }) => chunk?.getColumnValues(at) ?? []);
    for (let row = 0; row < chunk.rowCount; row++) collector.take(columns.map((values) => cellOf(values[row] ?? null)));
  }
  return collector.whole();
}
