/** Phase two, the study's: with every door locked, exactly one SELECT runs. DuckDB child only. */
import { type DuckDBConnection, type DuckDBPreparedStatement, type DuckDBResult, StatementType } from '@duckdb/node-api';
import { datasetErrors } from './errors.ts';
import { datasetLimits } from './limits.ts';

/** `allowed_directories` and `allowed_paths` are empty by default and cannot be changed once access is off. */
const locks = ['SET enable_external_access = false', 'SET lock_configuration = true'];

/** From here on the connection reaches no file, no network and no setting. */
export async function lockDoors(connection: DuckDBConnection): Promise<void> {
  for (const lock of locks) await connection.run(lock);
}

/** The text without blanks and comments in front. */
function bareSql(sql: string): string {
  return sql.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '');
}

/** The first word in capitals: enough to name a statement. */
function firstWord(sql: string): string {
  return (/^[A-Za-z]+/.exec(bareSql(sql))?.[0] ?? '').toUpperCase();
}

const selectWords = ['SELECT', 'WITH', 'FROM', 'VALUES', 'TABLE', ''];

/** What went wrong. Once rows are read a message may quote them (`error(column)` makes any), so only its kind is told then. */
function sqlError(error: unknown, sql: string, rowsAreRead = false) {
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  const word = firstWord(sql);
  if (!selectWords.includes(word)) return datasetErrors.DATASET_NOT_SELECT({ found: word }, error);
  if (
    /external access|disabled by configuration|Permission Error|file system operations are disabled|configuration has been locked|HTTPException|autoload|extension/i.test(
      message,
    )
  ) {
    return datasetErrors.DATASET_SQL_OUTSIDE({}, error);
  }
  return datasetErrors.DATASET_SQL_FAILED({ message: toldMessage(error, rowsAreRead) }, error);
}

/** The first line of what DuckDB said, without texts; where rows were read, only its kind. */
export function toldMessage(error: unknown, rowsAreRead: boolean): string {
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  const told = rowsAreRead
    ? `${/^[A-Z][A-Za-z-]*(?: [A-Z][a-z]+)* Error/.exec(message)?.[0] ?? 'error'} while rows were read`
    : message.replace(/'[^']*'/g, "'…'");
  return told.slice(0, datasetLimits.messageCharacters);
}

/** Throws DATASET_NOT_ONE_STATEMENT unless `sql` holds exactly one statement; called before any file is read. */
export async function checkOneStatement(connection: DuckDBConnection, sql: string): Promise<void> {
  if (bareSql(sql) === '') throw datasetErrors.DATASET_NOT_ONE_STATEMENT({ count: 0 });
  const count = await connection.extractStatements(sql).then(
    (statements) => statements.count,
    (error) => {
      throw sqlError(error, sql);
    },
  );
  if (count !== 1) throw datasetErrors.DATASET_NOT_ONE_STATEMENT({ count });
}

async function prepare(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  const statement = await statements.prepare(0);
  if (statement.statementType !== StatementType.SELECT)
    throw datasetErrors.DATASET_NOT_SELECT({ found: StatementType[statement.statementType] ?? firstWord(sql) });
  return statement;
}

/** Does `work` on the rows of the SELECT; what DuckDB says on the way is told without them. */
export async function whileRowsAreRead<T>(sql: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'blame' in error) throw error;
    throw sqlError(error, sql, true);
  }
}

/** The result of the study's SELECT. Throws DATASET_NOT_SELECT, DATASET_SQL_OUTSIDE or DATASET_SQL_FAILED. */
export async function runSelect(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  await checkOneStatement(connection, sql);
  const statement = await prepare(connection, sql).catch((error: unknown) => {
    throw error instanceof Error && 'blame' in error ? error : sqlError(error, sql);
  });
  return await whileRowsAreRead(sql, () => statement.stream());
}
