/**
 * Phase one, the site's own: bound files become typed tables, and every declared column is checked with counts and places. DuckDB child only.
 * A good file is read once. Where anything is wrong with a cell, a second pass counts everything that is.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { StudyColumn, StudyTable } from '../study/index.ts';
import { checksOf } from './cell-checks.ts';
import type { FileToLoad } from './child-messages.ts';
import type { DatasetProblem, FileReport } from './report.ts';
import { type Scan, scanFile, whileFileIsRead } from './scan.ts';
import { quotedName } from './sql.ts';
import { presentValue, sqlTypes, typedValue } from './text-form.ts';

const placeName = quotedName('#row');

interface Loaded {
  readonly report: FileReport;
  readonly problems: readonly DatasetProblem[];
}

function missingProblems({ name, column }: StudyTable, { columns }: Scan, { origin, path }: FileToLoad): DatasetProblem[] {
  const names = new Set(columns.map((found) => found.name.toLowerCase()));
  return column
    .filter((declared) => !names.has(declared.name.toLowerCase()))
    .map((declared) => ({
      code: 'DATASET_MISSING_COLUMN',
      place: origin ?? path,
      column: declared.name,
      found: 'no such column',
      allowed: `a column of this name, as the study's table "${name}" declares`,
      count: 1,
    }));
}

/** A declared column's cell before and after it is typed; `#` because no study can declare such a name. */
const presentName = (at: number): string => quotedName(`#present ${at}`);
const typedName = (at: number): string => quotedName(`#typed ${at}`);

/** Declared columns, present and typed, with the place of each row. */
function cells(table: StudyTable, { columns, from, place }: Scan, { form }: FileToLoad, withPlace: boolean): string {
  const typeOf = ({ name }: StudyColumn) => columns.find((found) => found.name.toLowerCase() === name.toLowerCase())?.type ?? 'VARCHAR';
  const present = table.column.map((column, at) => `${presentValue(form.text, column.name, typeOf(column))} AS ${presentName(at)}`);
  const typed = table.column.map((column, at) => `${typedValue(form.text, column.datatype, presentName(at), typeOf(column))} AS ${typedName(at)}`);
  const inner = [...present, ...(withPlace ? [`${place} AS ${placeName}`] : [])];
  return `(SELECT *, ${typed.join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${from}))`;
}

const noSuchType = 'schwarm: a cell is not of its type';
const isWrongType = (error: unknown): boolean => error instanceof Error && error.message.includes(noSuchType);

function insertInto(table: StudyTable, values: readonly string[], from: string): string {
  return `INSERT INTO ${quotedName(table.name)} SELECT ${values.join(', ')} FROM ${from}`;
}

/** Where every column has its plain form: types that DuckDB reads by itself, so that no cell becomes text in between. */
const readAs = { string: 'VARCHAR', integer: 'DOUBLE', number: 'DOUBLE', boolean: 'BOOLEAN', date: 'DATE' } as const;

/** Appends a plain CSV file by DuckDB's own types; false where anything is wrong with it, which the slower ways then name. */
async function appendPlain(connection: DuckDBConnection, table: StudyTable, { path, form }: FileToLoad): Promise<boolean> {
  if (form.kind !== 'csv' || Object.keys(form.text).length > 0) return false;
  const scan = await scanFile(connection, path, form, new Map(table.column.map(({ name, datatype }) => [name.toLowerCase(), readAs[datatype]])));
  const values = table.column.map(({ name, datatype }) => {
    const cell = quotedName(name);
    return datatype === 'integer' ? `CASE WHEN ${cell} IS NULL OR ${cell} = trunc(${cell}) THEN CAST(${cell} AS BIGINT) ELSE error('${noSuchType}') END` : cell;
  });
  try {
    await connection.run(insertInto(table, values, scan.from));
    return true;
  } catch {
    return false;
  }
}

/** Appends the file's rows to their typed table; false where a cell is not of its type. */
async function append(connection: DuckDBConnection, table: StudyTable, scan: Scan, file: FileToLoad): Promise<boolean> {
  const strict = table.column.map(({ name, datatype }, at) => {
    const isTyped = datatype === 'string' || scan.columns.some((found) => found.name.toLowerCase() === name.toLowerCase() && found.type === sqlTypes[datatype]);
    return isTyped
      ? typedName(at)
      : `CASE WHEN ${typedName(at)} IS NULL AND ${presentName(at)} IS NOT NULL THEN error('${noSuchType}') ELSE ${typedName(at)} END`;
  });
  try {
    await whileFileIsRead(file.path, file.form, () => connection.run(insertInto(table, strict, cells(table, scan, file, false))), isWrongType);
    return true;
  } catch (error) {
    if (isWrongType(error)) return false;
    throw error;
  }
}

async function figuresOf(connection: DuckDBConnection, sql: string): Promise<readonly number[]> {
  return ((await connection.runAndReadAll(sql)).getRows()[0] ?? []).map((figure) => (figure === null ? 0 : Number(figure)));
}

/** What of a typed column shows that nothing is wrong with it: a count of its values, least and greatest, and how many are none of those that are named. */
function summaryOf({ name, datatype, values }: StudyColumn): readonly string[] {
  const cell = quotedName(name);
  const ordered = datatype === 'number' || datatype === 'integer';
  const among =
    values === undefined
      ? undefined
      : checksOf({ name, datatype, required: false, values }, { present: cell, typed: cell }).find(({ says }) => says === 'other values');
  return [
    `count(${cell})`,
    // NaN is the greatest number of all.
    ...(ordered ? [`min(${cell})`, `max(${cell})`] : ['0', '0']),
    among === undefined ? '0' : `count(*) FILTER (WHERE ${among.when})`,
  ];
}

const figuresOfColumn = 4;

/** The report on the table's rows from `fromRow` on where nothing is wrong with them; undefined where something is. */
async function goodReport(connection: DuckDBConnection, table: StudyTable, path: string, fromRow: number): Promise<FileReport | undefined> {
  const sql = `SELECT ${['count(*)', ...table.column.flatMap(summaryOf)].join(', ')} FROM ${quotedName(table.name)} WHERE rowid >= ${fromRow}`;
  const [rows = 0, ...figures] = await figuresOf(connection, sql);
  const empty: { readonly column: string; readonly count: number }[] = [];
  for (const [at, { name, required, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY }] of table.column.entries()) {
    const [present = 0, least = 0, greatest = 0, others = 0] = figures.slice(figuresOfColumn * at, figuresOfColumn * (at + 1));
    const inRange = present === 0 || (Number.isFinite(least) && Number.isFinite(greatest) && least >= minimum && greatest <= maximum);
    if (others > 0 || !inRange || (required && present < rows)) return undefined;
    empty.push({ column: name, count: rows - present });
  }
  return { table: table.name, path, rows, empty };
}

/** Counts all problems of a file, and where the first of each kind is. */
async function fullReport(connection: DuckDBConnection, table: StudyTable, scan: Scan, file: FileToLoad): Promise<Loaded> {
  const checks = table.column.flatMap((column, at) =>
    checksOf(column, { present: presentName(at), typed: typedName(at) }).map((check) => ({ column: column.name, ...check })),
  );
  const counted = checks.flatMap(({ when }) => [`count(*) FILTER (WHERE ${when})`, `min(${placeName}) FILTER (WHERE ${when})`]);
  const empty = table.column.map((_, at) => `count(*) FILTER (WHERE ${presentName(at)} IS NULL)`);
  const sql = `SELECT ${['count(*)', ...empty, ...counted].join(', ')} FROM ${cells(table, scan, file, true)}`;
  const [rows = 0, ...figures] = await whileFileIsRead(file.path, file.form, () => figuresOf(connection, sql));
  const found = checks.map((check, at) => ({ ...check, count: figures[empty.length + 2 * at] ?? 0, first: figures[empty.length + 2 * at + 1] ?? 0 }));
  const problems = found
    .filter(({ count }) => count > 0)
    .map(({ code, column, says, allowed, count, first }) => ({
      code,
      place: file.origin ?? file.path,
      column,
      found: `${count} ${says}`,
      allowed,
      count,
      [scan.places]: first,
    }));
  const report = { table: table.name, path: file.path, rows, empty: table.column.map(({ name }, at) => ({ column: name, count: figures[at] ?? 0 })) };
  return { report, problems };
}

/** Reads one file into its typed table, or says what is wrong with it. Only declared columns are kept. */
async function loadFile(connection: DuckDBConnection, table: StudyTable, file: FileToLoad, fromRow: number): Promise<Loaded> {
  const scan = await scanFile(connection, file.path, file.form);
  const missing = missingProblems(table, scan, file);
  if (missing.length > 0) return { report: { table: table.name, path: file.path, rows: 0, empty: [] }, problems: missing };
  const appended = (await appendPlain(connection, table, file)) || (await append(connection, table, scan, file));
  const good = appended ? await goodReport(connection, table, file.path, fromRow) : undefined;
  return good === undefined ? await fullReport(connection, table, scan, file) : { report: good, problems: [] };
}

/** Loads the files of one table of the study. Throws DATASET_UNREADABLE_FILE. */
export async function loadTable(connection: DuckDBConnection, table: StudyTable, toLoad: readonly FileToLoad[]) {
  const columns = table.column.map(({ name, datatype }) => `${quotedName(name)} ${sqlTypes[datatype]}`);
  await connection.run(`CREATE TABLE ${quotedName(table.name)} (${columns.join(', ')})`);
  const files: FileReport[] = [];
  const problems: DatasetProblem[] = [];
  for (const file of toLoad) {
    const { report, problems: found } = await loadFile(
      connection,
      table,
      file,
      files.reduce((sum, { rows }) => sum + rows, 0),
    );
    files.push(report);
    problems.push(...found);
  }
  return { files, problems };
}
