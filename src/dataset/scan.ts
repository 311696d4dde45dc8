/** A bound file as something that SQL can read from: its columns with their types, the place of each row, and what its faults are called. Child only. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { readCsvHeader } from './csv-header.ts';
import { datasetErrors } from './errors.ts';
import { type CsvForm, type FileForm, type ParquetForm, placeColumn } from './file-form.ts';
import { quotedName, quotedText } from './sql.ts';

/** Columns with their DuckDB types. */
export interface Scan {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** What follows FROM. */
  readonly from: string;
  /** The line of the file, or the row, as an expression over `from`. */
  readonly place: string;
  readonly places: 'line' | 'row';
}

/** What DuckDB says about a CSV file, without the line's content. */
function csvReason(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const line = /Line: (\d+)/.exec(message)?.[1];
  const what =
    /(unterminated quote|Invalid unicode|Maximum line size)/i.exec(message)?.[1] ??
    (/Expected Number of Columns/.test(message) ? 'another number of fields than the header' : undefined);
  return `${what?.toLowerCase() ?? 'it is not a table'}${line === undefined ? '' : ` in line ${line}`}`;
}

/** What DuckDB says about a Parquet file, which may quote its bytes. */
function parquetReason(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (/No magic bytes|too small to be a Parquet/i.test(message)) return 'it is no Parquet file, or it is cut short';
  return 'it is a damaged Parquet file, or one of a kind that DuckDB does not read';
}

/** What DuckDB says while it reads the file at `path`, without its content. */
export function fileFault(path: string, form: FileForm, error: unknown): Error {
  const message = error instanceof Error ? error.message : '';
  if (/^Out of Memory Error|No space left|Could not write/.test(message)) return datasetErrors.DATASET_PROCESS_LOST({ reason: 'its rows do not fit' }, error);
  return datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: form.kind === 'csv' ? csvReason(error) : parquetReason(error) }, error);
}

/** Does `work` on the rows of a file; errors that are `ours` are left alone, all others are its faults. */
export async function whileFileIsRead<T>(path: string, form: FileForm, work: () => Promise<T>, isOurs: (error: unknown) => boolean = () => false): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isOurs(error) ? error : fileFault(path, form, error);
  }
}

/** Every record has as many fields as the header. Cells are text, but for columns to which `types` gives another type, by their names in lower case. */
async function scanCsv(path: string, form: CsvForm, types: ReadonlyMap<string, string>): Promise<Scan> {
  const { separator, names } = await readCsvHeader(path, form.separator);
  const typed = names.map((name) => ({ name, type: types.get(name.toLowerCase()) ?? 'VARCHAR' }));
  const columns = typed.map(({ name, type }) => `${quotedText(name)}: '${type}'`).join(', ');
  const dialect = `auto_detect = false, header = true, delim = ${quotedText(separator)}, quote = '"', escape = '"', nullstr = '', strict_mode = true`;
  return {
    columns: typed,
    from: `read_csv(${quotedText(path)}, columns = {${columns}}, ${dialect})`,
    place: 'row_number() OVER () + 1',
    places: 'line',
  };
}

async function scanParquet(connection: DuckDBConnection, path: string, form: ParquetForm): Promise<Scan> {
  const from = `read_parquet(${quotedText(path)}, file_row_number = true, binary_as_string = true)`;
  const described = await whileFileIsRead(path, form, () => connection.runAndReadAll(`DESCRIBE SELECT * EXCLUDE (file_row_number) FROM ${from}`));
  const columns = described.getRowObjects().map(({ column_name, column_type }) => ({ name: String(column_name), type: String(column_type) }));
  const place = form.places === undefined ? 'file_row_number + 1' : quotedName(placeColumn);
  return { columns: columns.filter(({ name }) => name !== placeColumn), from, place, places: form.places ?? 'row' };
}

const noTypes: ReadonlyMap<string, string> = new Map();

/** Opens the file at `path`; `types` are for columns of a CSV file that DuckDB shall type while it reads. Throws DATASET_UNREADABLE_FILE or DATASET_TOO_LARGE. */
export async function scanFile(connection: DuckDBConnection, path: string, form: FileForm, types = noTypes): Promise<Scan> {
  return form.kind === 'csv' ? await scanCsv(path, form, types) : await scanParquet(connection, path, form);
}
