/** One table from its sources to one Parquet file. All sources are read first; then the doors are locked but for that file, and the site's SELECT runs. Binding child only. */
import { type DuckDBConnection, StatementType } from '@duckdb/node-api';
import type { SnapshotMade, SnapshotOrder, SourceOrder } from '../binding/order.ts';
import { textFormOf } from '../binding/text-form-of.ts';
import { datasetErrors } from '../errors.ts';
import { placeColumn } from '../file-form.ts';
import { toldMessage } from '../select.ts';
import { quotedName, quotedText } from '../sql.ts';
import { presentValue, typedValue } from '../text-form.ts';
import { openFiles } from './csv.ts';
import { openExcel } from './excel.ts';
import { openFhir } from './fhir.ts';
import { openPostgres } from './postgres.ts';
import type { OpenSource, SourceContext } from './source.ts';
import { openSqlite } from './sqlite.ts';

async function openSource({ source, files }: SourceOrder, context: SourceContext): Promise<OpenSource> {
  const form = textFormOf(source);
  switch (source.kind) {
    case 'csv':
    case 'parquet':
      return await openFiles(source, form, files, context);
    case 'sqlite':
      return await openSqlite(source, form, context);
    case 'excel':
      return await openExcel(source, form, context);
    case 'postgres':
      return await openPostgres(source, form, context);
    case 'fhir':
      return await openFhir(source, files);
  }
}

/** Runs `sql` over a source; its faults are told as such. */
async function run(connection: DuckDBConnection, sql: string, { fault }: Pick<OpenSource, 'fault'>, table: string): Promise<void> {
  try {
    await connection.run(sql);
  } catch (error) {
    throw fault(error) ?? outOfRoom(error) ?? datasetErrors.DATASET_SOURCE_FAILED({ table, source: 'its source', reason: toldMessage(error, true) }, error);
  }
}

function outOfRoom(error: unknown): Error | undefined {
  const message = error instanceof Error ? error.message : '';
  return /^Out of Memory Error|No space left|max_temp_directory_size/.test(message)
    ? datasetErrors.DATASET_PROCESS_LOST({ reason: 'the rows do not fit' }, error)
    : undefined;
}

async function columnsOf(connection: DuckDBConnection, select: string, source: Pick<OpenSource, 'fault'>, table: string) {
  try {
    const described = await connection.runAndReadAll(`DESCRIBE ${select}`);
    return described.getRowObjects().map(({ column_name, column_type }) => ({ name: String(column_name), type: String(column_type) }));
  } catch (error) {
    throw source.fault(error) ?? datasetErrors.DATASET_SOURCE_FAILED({ table, source: 'its source', reason: toldMessage(error, false) }, error);
  }
}

const noSuchType = 'schwarm: not of its declared type, column ';

/** A source as the site's SELECT sees it: codes for missing values are NULL, and columns have their declared types. */
async function materialise(connection: DuckDBConnection, { source }: SourceOrder, opened: OpenSource, table: string): Promise<void> {
  const form = textFormOf(source);
  const types = new Map(Object.entries(source.types ?? {}).map(([name, type]) => [name.toLowerCase(), type]));
  const columns = (await columnsOf(connection, opened.select, opened, table)).filter(({ name }) => name !== placeColumn);
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  const unknown = [...types.keys()].find((name) => !names.has(name));
  if (unknown !== undefined)
    throw datasetErrors.DATASET_SOURCE_FAILED({ table, source: source.name, reason: `it has no column "${unknown}", which types names` });
  const cells = columns.map(({ name, type }, at) => {
    const present = presentValue(form, name, type);
    const datatype = types.get(name.toLowerCase());
    if (datatype === undefined) return `${present} AS ${quotedName(name)}`;
    const typed = typedValue(form, datatype, present, type);
    return `CASE WHEN ${typed} IS NULL AND ${present} IS NOT NULL THEN error('${noSuchType}${at}.') ELSE ${typed} END AS ${quotedName(name)}`;
  });
  const fault = (error: unknown): Error | undefined => {
    const at = new RegExp(`${noSuchType}(\\d+)`).exec(error instanceof Error ? error.message : '')?.[1];
    const column = columns[Number(at ?? -1)]?.name ?? '';
    if (at === undefined) return opened.fault(error);
    const reason = `the column "${column}" has values that are no ${types.get(column.toLowerCase())}, as types declares it`;
    return datasetErrors.DATASET_SOURCE_FAILED({ table, source: source.name, reason }, error);
  };
  await run(connection, `CREATE TABLE ${quotedName(source.name)} AS SELECT ${cells.join(', ')} FROM (${opened.select})`, { fault }, table);
}

/** From here on the connection reaches one file, which is to be written. */
async function lockDoorsBut(connection: DuckDBConnection, path: string): Promise<void> {
  await connection.run(`SET allowed_paths = [${quotedText(path)}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

/** The site's SELECT as something to read from. Throws DATASET_SITE_SQL. */
async function siteSelect(connection: DuckDBConnection, sql: string, table: string): Promise<OpenSource> {
  const refuse = (reason: string, cause?: unknown) => datasetErrors.DATASET_SITE_SQL({ table, reason }, cause);
  try {
    const statements = await connection.extractStatements(sql);
    if (statements.count !== 1) throw refuse(`it holds ${statements.count} statements`);
    const { statementType } = await statements.prepare(0);
    if (statementType !== StatementType.SELECT) throw refuse(`it is a ${StatementType[statementType] ?? 'foreign'} statement`);
  } catch (error) {
    throw error instanceof Error && 'blame' in error ? error : refuse(toldMessage(error, false), error);
  }
  return { select: `SELECT * FROM query(${quotedText(sql)})`, fault: (error) => outOfRoom(error) ?? refuse(toldMessage(error, true), error) };
}

/** Whether a row's value is one of the consent's. */
function consents(column: string, values: readonly (string | number | boolean)[]): string {
  const cell = quotedName(column);
  const one = (value: string | number | boolean): string =>
    typeof value === 'string'
      ? `trim(CAST(${cell} AS VARCHAR)) = ${quotedText(value)}`
      : `TRY_CAST(${cell} AS ${typeof value === 'number' ? 'DOUBLE' : 'BOOLEAN'}) = ${value}`;
  return `coalesce(${values.map(one).join(' OR ')}, FALSE)`;
}

async function count(connection: DuckDBConnection, sql: string): Promise<number> {
  return Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0] ?? 0);
}

/** Writes the rows of a source, those without consent left out and counted. */
async function write(connection: DuckDBConnection, opened: OpenSource, { table, consent, target }: SnapshotOrder): Promise<SnapshotMade> {
  const copy = (select: string) => `COPY (${select}) TO ${quotedText(target)} (FORMAT parquet, COMPRESSION zstd)`;
  if (consent === undefined) {
    await run(connection, copy(opened.select), opened, table);
    return { rows: await count(connection, `SELECT count(*) FROM read_parquet(${quotedText(target)})`), leftOut: 0, places: opened.places };
  }
  const columns = await columnsOf(connection, opened.select, opened, table);
  const column = columns.find(({ name }) => name.toLowerCase() === consent.column.toLowerCase())?.name;
  if (column === undefined) throw datasetErrors.DATASET_NO_CONSENT_COLUMN({ table, column: consent.column });
  const rows = quotedName('#rows');
  await run(connection, `CREATE TABLE ${rows} AS ${opened.select}`, opened, table);
  const where = `WHERE ${consents(column, consent.values)}`;
  await run(connection, copy(`SELECT * FROM ${rows} ${where}`), opened, table);
  const kept = await count(connection, `SELECT count(*) FROM ${rows} ${where}`);
  return { rows: kept, leftOut: (await count(connection, `SELECT count(*) FROM ${rows}`)) - kept, places: opened.places };
}

/** Reads the sources and writes the snapshot. Throws what the sources make of it, DATASET_SITE_SQL or DATASET_NO_CONSENT_COLUMN. */
export async function writeSnapshot(connection: DuckDBConnection, order: SnapshotOrder): Promise<SnapshotMade> {
  const { table, sources, sql, target } = order;
  const opened: { readonly order: SourceOrder; readonly open: OpenSource }[] = [];
  for (const [at, source] of sources.entries()) opened.push({ order: source, open: await openSource(source, { connection, scratch: `#source ${at}`, table }) });
  if (sql !== undefined) {
    for (const { order: source, open } of opened) await materialise(connection, source, open, table);
    await lockDoorsBut(connection, target);
    return await write(connection, await siteSelect(connection, sql, table), order);
  }
  const [only] = opened;
  if (only === undefined) throw datasetErrors.DATASET_SOURCE_FAILED({ table, source: 'its source', reason: 'there is none' });
  return await write(connection, only.open, order);
}
