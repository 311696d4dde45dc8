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

/** Appends the file's rows to their typed table; undefined where a cell is not of its type. */
async function append(connection: DuckDBConnection, table: StudyTable, scan: Scan, file: FileToLoad): Promise<boolean> {
  const strict = table.column.map(
    (_, at) => `CASE WHEN ${typedName(at)} IS NULL AND ${presentName(at)} IS NOT NULL THEN error('${noSuchType}') ELSE ${typedName(at)} END`,
  );
  const insert = `INSERT INTO ${quotedName(table.name)} SELECT ${strict.join(', ')} FROM ${cells(table, scan, file, false)}`;
  try {
    await whileFileIsRead(file.path, file.form, () => connection.run(insert), isWrongType);
    return true;
  } catch (error) {
    if (isWrongType(error)) return false;
    throw error;
  }
}

async function figuresOf(connection: DuckDBConnection, sql: string): Promise<readonly number[]> {
  return ((await connection.runAndReadAll(sql)).getRows()[0] ?? []).map(Number);
}

/** The report on the table's rows from `fromRow` on where nothing is wrong with them. */
async function goodReport(connection: DuckDBConnection, table: StudyTable, path: string, fromRow: number): Promise<FileReport | undefined> {
  const wrong = table.column.flatMap((column) => {
    const cell = quotedName(column.name);
    const checks = checksOf(column, { present: cell, typed: cell }).filter(({ code }) => code !== 'DATASET_WRONG_TYPE');
    return checks.length === 0 ? [] : [`count(*) FILTER (WHERE ${checks.map(({ when }) => `(${when})`).join(' OR ')})`];
  });
  const present = table.column.map(({ name }) => `count(${quotedName(name)})`);
  const sql = `SELECT ${['count(*)', ...present, ...wrong].join(', ')} FROM ${quotedName(table.name)} WHERE rowid >= ${fromRow}`;
  const [rows = 0, ...figures] = await figuresOf(connection, sql);
  if (figures.slice(present.length).some((count) => count > 0)) return undefined;
  return { table: table.name, path, rows, empty: table.column.map(({ name }, at) => ({ column: name, count: rows - (figures[at] ?? 0) })) };
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
  const good = (await append(connection, table, scan, file)) ? await goodReport(connection, table, file.path, fromRow) : undefined;
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
