/** A table or a SELECT of an SQLite file, opened for reading only, without extensions, its schema not trusted. Binding child only. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { SourceOf } from '../binding/schema.ts';
import { datasetLimits } from '../limits.ts';
import { quotedName } from '../sql.ts';
import type { TextForm } from '../text-form.ts';
import { type Cell, CellTable } from './cell-table.ts';
import { type OpenSource, readSource, type SourceContext, sourceFailed } from './source.ts';

const binary = 'binary';

function cellOf(value: unknown): Cell | typeof binary {
  if (value === null) return undefined;
  if (typeof value === 'bigint') return { kind: 'integer', text: String(value) };
  if (typeof value === 'number') return { kind: 'number', text: String(value) };
  return typeof value === 'string' ? { kind: 'text', text: value } : binary;
}

function opened(path: string): DatabaseSync {
  const options = { readOnly: true, allowExtension: false, enableDoubleQuotedStringLiterals: false, defensive: true, timeout: 10_000 };
  const database = new DatabaseSync(path, options);
  database.exec('PRAGMA trusted_schema = OFF');
  return database;
}

/** What SQLite says of a statement names tables, columns and words of the statement, never a row; of anything else only the kind is told. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 255 : 0;
  if (code === 1 && error instanceof Error) return error.message.slice(0, 200);
  const kinds: Readonly<Record<number, string>> = {
    5: 'another program holds it locked',
    6: 'another program holds it locked',
    8: 'the query writes; only reading is allowed',
    11: 'the database is damaged',
    14: 'it cannot be opened',
    26: 'it is no SQLite database',
  };
  return kinds[code] ?? `SQLite error ${code}`;
}

/** The one SELECT, prepared. */
function prepared(database: DatabaseSync, sql: string, fail: (reason: string) => Error): StatementSync {
  const statement = database.prepare(sql);
  const rest = sql.slice(sql.indexOf(statement.sourceSQL) + statement.sourceSQL.length);
  if (/[^\s;]/.test(rest.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ''))) throw fail('the query holds several statements; one SELECT is allowed');
  if (statement.columns().length === 0) throw fail('the query returns no columns; one SELECT is allowed');
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return statement;
}

/** Reads the table or the query into a table of its own. Throws DATASET_SOURCE_FAILED. */
export async function openSqlite(source: SourceOf<'sqlite'>, form: TextForm, context: SourceContext): Promise<OpenSource> {
  const { path, table: name, query } = source;
  const fail = (reason: string, cause?: unknown) => sourceFailed(context, path, reason, cause);
  let database: DatabaseSync | undefined;
  try {
    database = opened(path);
    const statement = prepared(database, query ?? `SELECT * FROM ${quotedName(name ?? '')}`, fail);
    const names = statement.columns().map((column) => column.name);
    const table = await CellTable.create(context.connection, context.scratch, names, form);
    let rows = 0;
    for (const row of statement.iterate() as Iterable<unknown>) {
      // SQLite is read synchronously: now and then the end of the parent must be heard.
      if (++rows % datasetLimits.appendRows === 0) await setImmediate();
      // Rows are arrays, by `setReturnArrays`.
      const values = row as readonly unknown[];
      table.append((at) => {
        const cell = cellOf(values[at]);
        if (cell === binary) throw fail(`the column "${names[at]}" holds binary data`);
        return cell;
      });
    }
    return readSource(table.finish());
  } catch (error) {
    if (error instanceof Error && 'blame' in error) throw error;
    throw fail(reasonOf(error), error);
  } finally {
    database?.close();
  }
}
