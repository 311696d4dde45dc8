/**
 * Cells of any kind, row by row, as a table of DuckDB: what a workbook, SQLite or PostgreSQL gives, in batches, so that memory is bounded.
 * Cells are appended as text. A column that held only numbers, dates or booleans becomes one of their type; in a mixed one all cells are text, in the form
 * that the site declared. Binding child only.
 */
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import { datasetErrors } from '../errors.ts';
import { datasetLimits } from '../limits.ts';
import { quotedName, quotedText } from '../sql.ts';
import { strptimeFormat, type TextForm } from '../text-form.ts';
import { distinctNames } from './names.ts';

/** One cell as its source knows it. `text` of a number has a decimal point, that of a date or moment is ISO 8601 without a zone. */
export type Cell = { readonly kind: 'text' | 'integer' | 'number' | 'boolean' | 'date' | 'moment'; readonly text: string } | undefined;

const bits = { text: 1, integer: 2, number: 4, boolean: 8, date: 16, moment: 32 } as const;

/** An ISO date as the site writes dates; as it is where that would lose the century. */
function writtenDate(iso: string, dateFormat: string | undefined): string {
  if (!dateFormat?.includes('yyyy')) return iso.slice(0, 10);
  const [year = '', month = '', day = ''] = iso.slice(0, 10).split('-');
  const parts: Readonly<Record<string, string>> = {
    yyyy: year,
    mm: month,
    dd: day,
    m: String(Number(month)),
    d: String(Number(day)),
  };
  return dateFormat.replace(/yyyy|mm|m|dd|d/g, (part) => parts[part] ?? part);
}

/** Appends rows; `finish` says how the columns are to be read. */
export class CellTable {
  readonly #table: string;
  readonly #names: readonly string[];
  readonly #form: TextForm;
  readonly #kinds: Uint8Array;
  readonly #appender: DuckDBAppender;
  #rows = 0;
  #characters = 0;

  private constructor(table: string, names: readonly string[], form: TextForm, appender: DuckDBAppender) {
    this.#table = table;
    this.#names = names;
    this.#form = form;
    this.#kinds = new Uint8Array(names.length);
    this.#appender = appender;
  }

  /** A new table of text columns; names that repeat or are empty are replaced by their place. */
  static async create(connection: DuckDBConnection, table: string, names: readonly string[], form: TextForm): Promise<CellTable> {
    if (names.length > datasetLimits.columns)
      throw datasetErrors.DATASET_TOO_LARGE({ what: `columns in ${table}`, found: names.length, limit: datasetLimits.columns });
    const distinct = distinctNames(names);
    await connection.run(`CREATE TABLE ${quotedName(table)} (${distinct.map((name) => `${quotedName(name)} VARCHAR`).join(', ')})`);
    return new CellTable(table, distinct, form, await connection.createAppender(table));
  }

  /** Appends a row; cells that it lacks are missing. */
  append(cellOf: (at: number) => Cell): void {
    for (let at = 0; at < this.#names.length; at++) {
      const cell = cellOf(at);
      if (cell === undefined) {
        this.#appender.appendNull();
        continue;
      }
      this.#kinds[at] = (this.#kinds[at] ?? 0) | bits[cell.kind];
      const text = this.#written(cell);
      this.#characters += text.length;
      this.#appender.appendVarchar(text);
    }
    this.#appender.endRow();
    if (++this.#rows % datasetLimits.appendRows === 0 || this.#characters > datasetLimits.appendCharacters) this.#flush();
  }

  #flush(): void {
    this.#appender.flushSync();
    this.#characters = 0;
  }

  #written({ kind, text }: NonNullable<Cell>): string {
    const { decimal = '.', dateFormat, trueWords, falseWords } = this.#form;
    if (kind === 'number') return decimal === '.' ? text : text.replace('.', decimal);
    if (kind === 'date') return writtenDate(text, dateFormat);
    if (kind === 'boolean') return (text === 'true' ? trueWords : falseWords)?.[0] ?? text;
    return text;
  }

  /** Writes what is left, and gives the SELECT over the table with its columns typed. */
  finish(): string {
    this.#appender.flushSync();
    this.#appender.closeSync();
    const columns = this.#names.map((name, at) => `${this.#read(quotedName(name), this.#kinds[at] ?? 0)} AS ${quotedName(name)}`);
    return `SELECT ${columns.join(', ')} FROM ${quotedName(this.#table)}`;
  }

  #read(name: string, kinds: number): string {
    const { decimal = '.', dateFormat, trueWords } = this.#form;
    const only = (...wanted: readonly (keyof typeof bits)[]) => kinds !== 0 && (kinds & ~wanted.reduce((sum, kind) => sum | bits[kind], 0)) === 0;
    if (only('integer')) return `CAST(${name} AS BIGINT)`;
    if (only('integer', 'number')) return `CAST(replace(${name}, ${quotedText(decimal)}, '.') AS DOUBLE)`;
    if (only('boolean')) return `(${name} = ${quotedText(trueWords?.[0] ?? 'true')})`;
    if (only('moment')) return `CAST(${name} AS TIMESTAMP)`;
    const format = dateFormat?.includes('yyyy') ? strptimeFormat(dateFormat) : undefined;
    if (only('date')) return format === undefined ? `CAST(${name} AS DATE)` : `CAST(strptime(${name}, ${quotedText(format)}) AS DATE)`;
    return name;
  }
}
