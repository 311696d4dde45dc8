/**
 * Dummy data from a record alone: rows that fit what it publishes, and nothing that it does not. Everything is drawn with integers from one seed, so that
 * the same record and seed give the same bytes on every machine. Columns are independent of each other but where the record says that two go together.
 */
import { type Chance, seededChance } from '../../common/index.ts';
import { dateOf, dayOf } from './days.ts';
import type { DatasetRecord, RecordedColumn, RecordedTable } from './schema.ts';

/** How much, and which. */
export interface DummyOptions {
  /** From 0 to 2^32-1. */
  readonly seed: number;
  /** Rows of every table. */
  readonly rows: number;
}

/** One table: names and rows of texts; undefined where a value is missing. */
export interface DummyTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | undefined)[])[];
}

const range = 2 ** 32;

/** ⌊width · word / 2^32⌋, exactly. */
function part(width: bigint, word: number): bigint {
  return (width * BigInt(word)) >> 32n;
}

/** A whole number from `low` to `high`, both included. */
function between(low: bigint, high: bigint, word: number): bigint {
  return low + part(high - low + 1n, word);
}

/** A number as an integer without its decimal point. */
function scaled(value: number, decimals: number): bigint {
  return BigInt(Math.round(value * 10 ** decimals));
}

/** The decimal text of an integer whose last `decimals` digits stand behind the point. */
function decimalText(value: bigint, decimals: number): string {
  if (decimals === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(decimals + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Between two neighbouring deciles, each with the same chance; without them anywhere in the range. */
function numberText({ deciles, minimum = 0, maximum = 0, decimals, datatype }: RecordedColumn, word: number): string {
  const digits = datatype === 'integer' ? 0 : decimals;
  if (!deciles) return decimalText(between(scaled(minimum, digits), scaled(maximum, digits), word), digits);
  const wide = BigInt(word) * 10n;
  const [low = 0, high = 0] = deciles.slice(Number(wide >> 32n), Number(wide >> 32n) + 2);
  return decimalText(between(scaled(low, digits), scaled(high, digits), Number(wide & 0xffff_ffffn)), digits);
}

/** A listed value by its share; what the shares leave over is dealt out evenly among those without one, or among all. */
function listedText(values: NonNullable<RecordedColumn['values']>, word: number): string {
  const given = values.reduce((sum, { share = 0 }) => sum + share, 0);
  const without = values.filter(({ share }) => share === undefined).length;
  const rest = Math.max(0, 1 - given);
  let edge = 0;
  for (const { value, share } of values) {
    edge += share === undefined ? rest / without : share + (without === 0 ? rest / values.length : 0);
    if (word < Math.round(edge * range)) return String(value);
  }
  return String(values.at(-1)?.value ?? '');
}

function keyText({ datatype }: RecordedColumn, table: string, row: number): string {
  return datatype === 'integer' ? String(row + 1) : `${table}-${String(row + 1).padStart(6, '0')}`;
}

function dateText({ from = '1970-01-01', to = '1970-01-01' }: RecordedColumn, earlier: string | undefined, word: number): string {
  const first = earlier === undefined || earlier < from ? from : earlier;
  return dateOf(Number(between(BigInt(dayOf(first)), BigInt(Math.max(dayOf(first), dayOf(to))), word)));
}

/** The draws of one column: whether a value is missing, which one it is, and whether it follows another column. */
class Draws {
  readonly #chance: Chance;

  constructor(record: DatasetRecord, seed: number, table: string, column: string) {
    this.#chance = seededChance('schwarm/dummy/1', seed, record.name, table, column);
  }

  /** Three words for each row, whatever the column is: another kind of one column changes no other. */
  next(): { readonly missing: number; readonly word: number; readonly follows: number } {
    return { missing: this.#chance.word(), word: this.#chance.word(), follows: this.#chance.word() };
  }
}

/** What is known of the tables before and of the row so far. */
interface Known {
  readonly tables: ReadonlyMap<string, DummyTable>;
  readonly row: number;
  /** Texts and draws of the row's columns so far. */
  readonly texts: ReadonlyMap<string, string | undefined>;
  readonly words: ReadonlyMap<string, number>;
}

/** The draw of a column that goes together with one before it: the same, or its mirror, as often as the rank says. */
function wordOf(table: RecordedTable, column: RecordedColumn, own: { readonly word: number; readonly follows: number }, known: Known): number {
  const pair = table.together.find(({ columns: [, second] }) => second === column.name);
  const other = pair && known.words.get(pair.columns[0]);
  if (!pair || other === undefined || own.follows >= Math.round(Math.abs(pair.rank) * range)) return own.word;
  return pair.rank > 0 ? other : range - 1 - other;
}

function textOf(table: RecordedTable, column: RecordedColumn, word: number, known: Known): string {
  if (column.references !== undefined) return referencedText(column.references, word, known);
  if (column.key) return keyText(column, table.name, known.row);
  if (column.values) return listedText(column.values, word);
  switch (column.datatype) {
    case 'integer':
    case 'number':
      return numberText(column, word);
    case 'boolean':
      return word < range / 2 ? 'false' : 'true';
    case 'date':
      return dateText(column, column.notBefore === undefined ? undefined : known.texts.get(column.notBefore), word);
    case 'string':
      return `text ${between(1n, 1000n, word)}`;
  }
}

function referencedText(references: string, word: number, { tables }: Known): string {
  const [name = '', column = ''] = references.split('.');
  const target = tables.get(name);
  const row = target?.rows[Number(part(BigInt(target.rows.length), word))];
  return row?.[target?.columns.indexOf(column) ?? 0] ?? '';
}

function tableOf(record: DatasetRecord, table: RecordedTable, tables: ReadonlyMap<string, DummyTable>, { seed, rows }: DummyOptions): DummyTable {
  const draws = table.column.map(({ name }) => new Draws(record, seed, table.name, name));
  const made = Array.from({ length: rows }, (_, row) => {
    const texts = new Map<string, string | undefined>();
    const words = new Map<string, number>();
    table.column.forEach((column, at) => {
      const own = draws[at]?.next() ?? { missing: 0, word: 0, follows: 0 };
      const known: Known = { tables, row, texts, words };
      const word = wordOf(table, column, own, known);
      const isMissing = !column.required && !column.key && own.missing < Math.round(column.missing * range);
      words.set(column.name, word);
      texts.set(column.name, isMissing ? undefined : textOf(table, column, word, known));
    });
    return [...texts.values()];
  });
  return { name: table.name, columns: table.column.map(({ name }) => name), rows: made };
}

/** Rows of every table of a record, in its order; keys of tables above are those that references name. */
export function dummyTables(record: DatasetRecord, options: DummyOptions): readonly DummyTable[] {
  const tables = new Map<string, DummyTable>();
  for (const table of record.table) tables.set(table.name, tableOf(record, table, tables, options));
  return [...tables.values()];
}

function csvCell(text: string | undefined): string {
  if (text === undefined) return '';
  return /[",\r\n]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A table as CSV (RFC 4180, with line feeds). */
export function dummyCsv({ columns, rows }: DummyTable): string {
  return `${[columns, ...rows].map((row) => row.map(csvCell).join(',')).join('\n')}\n`;
}
