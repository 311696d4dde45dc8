/** Phase one, the site's own: bound files become typed tables in memory, and every declared column is checked with counts and lines. DuckDB child only. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { StudyColumn, StudyTable } from '../study/index.ts';
import { readCsvHeader } from './csv-header.ts';
import { datasetErrors } from './errors.ts';
import type { DatasetProblem, FileReport, ProblemCode } from './report.ts';
import { quotedName, quotedText } from './sql.ts';

const sqlTypes = { string: 'VARCHAR', integer: 'BIGINT', number: 'DOUBLE', boolean: 'BOOLEAN', date: 'DATE' } as const;

/** The value as its declared type, NULL where it is none. `1.0` is an integer, `1.5` is not. */
function typed({ datatype }: StudyColumn, raw: string): string {
  const real = `TRY_CAST(${raw} AS DOUBLE)`;
  if (datatype === 'integer') return `(CASE WHEN ${real} = trunc(${real}) THEN TRY_CAST(${real} AS BIGINT) END)`;
  return datatype === 'string' ? raw : `TRY_CAST(${raw} AS ${sqlTypes[datatype]})`;
}

/** A condition under which a cell is a problem, and what to say about it. */
interface CellCheck {
  readonly code: ProblemCode;
  readonly when: string;
  readonly says: string;
  readonly allowed: string;
}

function listOf(column: StudyColumn): string {
  return (column.values ?? [])
    .map((value) => (column.datatype === 'string' || typeof value === 'string' ? quotedText(String(value)) : String(value)))
    .join(', ');
}

function checksOf(column: StudyColumn, raw: string): readonly CellCheck[] {
  const value = typed(column, raw);
  const { datatype, minimum, maximum, required, values } = column;
  const checks: CellCheck[] = [];
  if (required) checks.push({ code: 'DATASET_EMPTY_CELLS', when: `${raw} IS NULL`, says: 'empty cells', allowed: 'a value in each row' });
  if (datatype !== 'string')
    checks.push({ code: 'DATASET_WRONG_TYPE', when: `${raw} IS NOT NULL AND ${value} IS NULL`, says: `values that are no ${datatype}`, allowed: datatype });
  if (datatype === 'number')
    checks.push({
      code: 'DATASET_NOT_FINITE',
      when: `NOT isfinite(${value})`,
      says: 'values that are NaN or infinite',
      allowed: 'finite numbers, or an empty cell',
    });
  const bounds = [...(minimum === undefined ? [] : [`${value} < ${minimum}`]), ...(maximum === undefined ? [] : [`${value} > ${maximum}`])];
  if (bounds.length > 0) {
    const finite = datatype === 'number' ? `isfinite(${value}) AND ` : '';
    checks.push({
      code: 'DATASET_OUT_OF_RANGE',
      when: `${finite}(${bounds.join(' OR ')})`,
      says: 'values out of range',
      allowed: `${minimum ?? 'any'} to ${maximum ?? 'any'}`,
    });
  }
  if (values !== undefined)
    checks.push({ code: 'DATASET_OUT_OF_RANGE', when: `${value} NOT IN (${listOf(column)})`, says: 'other values', allowed: values.join(', ') });
  return checks;
}

/** What DuckDB says about a file, without the line's content. */
function csvReason(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const line = /Line: (\d+)/.exec(message)?.[1];
  const what =
    /(unterminated quote|Invalid unicode|Maximum line size)/i.exec(message)?.[1] ??
    (/Expected Number of Columns/.test(message) ? 'another number of fields than the header' : undefined);
  return `${what?.toLowerCase() ?? 'it is not a table'}${line === undefined ? '' : ` in line ${line}`}`;
}

const rawTable = 'schwarm_raw_file';

/** Reads the file as text cells into `rawTable`, strictly: every record has as many fields as the header. Returns the columns' names. */
async function readRaw(connection: DuckDBConnection, path: string): Promise<readonly string[]> {
  const { separator, names } = await readCsvHeader(path);
  const columns = names.map((name) => `${quotedText(name)}: 'VARCHAR'`).join(', ');
  const dialect = `auto_detect = false, header = true, delim = ${quotedText(separator)}, quote = '"', escape = '"', nullstr = '', strict_mode = true`;
  try {
    await connection.run(`CREATE TABLE ${rawTable} AS SELECT * FROM read_csv(${quotedText(path)}, columns = {${columns}}, ${dialect})`);
  } catch (error) {
    throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: csvReason(error) }, error);
  }
  return names;
}

function missingProblems({ name, column }: StudyTable, path: string, names: ReadonlySet<string>): DatasetProblem[] {
  return column
    .filter((declared) => !names.has(declared.name.toLowerCase()))
    .map((declared) => ({
      code: 'DATASET_MISSING_COLUMN',
      place: path,
      column: declared.name,
      found: 'no such column',
      allowed: `a column of this name, as the study's table "${name}" declares`,
      count: 1,
    }));
}

/** Counts all problems of a file in one pass. `rowid + 2` is the line, since the header is line 1. */
async function cellReport(
  connection: DuckDBConnection,
  table: StudyTable,
  path: string,
): Promise<{ readonly report: FileReport; readonly problems: DatasetProblem[] }> {
  const checks = table.column.flatMap((column) => checksOf(column, quotedName(column.name)).map((check) => ({ column: column.name, ...check })));
  const counted = checks.flatMap(({ when }) => [`count(*) FILTER (WHERE ${when})`, `min(rowid) FILTER (WHERE ${when})`]);
  const empty = table.column.map(({ name }) => `count(*) FILTER (WHERE ${quotedName(name)} IS NULL)`);
  const reader = await connection.runAndReadAll(`SELECT ${['count(*)', ...empty, ...counted].join(', ')} FROM ${rawTable}`);
  const [rows = 0, ...figures] = (reader.getRows()[0] ?? []).map(Number);
  const found = checks.map((check, at) => ({ ...check, count: figures[empty.length + 2 * at] ?? 0, row: figures[empty.length + 2 * at + 1] ?? 0 }));
  const problems = found
    .filter(({ count }) => count > 0)
    .map(({ code, column, says, allowed, count, row }) => ({ code, place: path, column, found: `${count} ${says}`, allowed, count, line: row + 2 }));
  return { report: { table: table.name, path, rows, empty: table.column.map(({ name }, at) => ({ column: name, count: figures[at] ?? 0 })) }, problems };
}

/** Reads one file, checks it, and appends it to its typed table where nothing is wrong. Only declared columns are kept. */
async function loadFile(connection: DuckDBConnection, table: StudyTable, path: string) {
  const names = new Set((await readRaw(connection, path)).map((name) => name.toLowerCase()));
  const missing = missingProblems(table, path, names);
  const checked =
    missing.length > 0 ? { report: { table: table.name, path, rows: 0, empty: [] }, problems: missing } : await cellReport(connection, table, path);
  if (checked.problems.length === 0) {
    const columns = table.column.map((column) => typed(column, quotedName(column.name)));
    await connection.run(`INSERT INTO ${quotedName(table.name)} SELECT ${columns.join(', ')} FROM ${rawTable}`);
  }
  await connection.run(`DROP TABLE ${rawTable}`);
  return checked;
}

/** Loads the files of one table of the study. Throws DATASET_UNREADABLE_FILE. */
export async function loadTable(connection: DuckDBConnection, table: StudyTable, paths: readonly string[]) {
  const columns = table.column.map(({ name, datatype }) => `${quotedName(name)} ${sqlTypes[datatype]}`);
  await connection.run(`CREATE TABLE ${quotedName(table.name)} (${columns.join(', ')})`);
  const files: FileReport[] = [];
  const problems: DatasetProblem[] = [];
  for (const path of paths) {
    const { report, problems: found } = await loadFile(connection, table, path);
    files.push(report);
    problems.push(...found);
  }
  return { files, problems };
}
