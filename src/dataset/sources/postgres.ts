/** A table or a SELECT of a PostgreSQL database, in one transaction that cannot write, by a cursor. Binding child only. */
import { open } from 'node:fs/promises';
import { Client, type ClientConfig } from 'pg';
import Cursor from 'pg-cursor';
import { isSwarmError } from '../../common/index.ts';
import { postgresPlace } from '../binding/postgres-url.ts';
import type { SourceOf } from '../binding/schema.ts';
import { datasetLimits } from '../limits.ts';
import { fileText } from '../regular-file.ts';
import { quotedName } from '../sql.ts';
import type { TextForm } from '../text-form.ts';
import { type Cell, CellTable } from './cell-table.ts';
import { type OpenSource, readSource, type SourceContext, sourceFailed } from './source.ts';

type Kind = NonNullable<Cell>['kind'];

/** Types by their object identifiers, fixed in PostgreSQL's `pg_type.dat`; all others are taken as text. */
const kinds: Readonly<Record<number, Kind>> = {
  16: 'boolean',
  20: 'integer',
  21: 'integer',
  23: 'integer',
  700: 'number',
  701: 'number',
  1082: 'date',
  1114: 'moment',
  1184: 'moment',
  1700: 'number',
};
const binaryType = 17;

function cellOf(kind: Kind, text: string | null | undefined): Cell {
  if (text === null || text === undefined) return undefined;
  if (kind === 'boolean') return { kind, text: text === 't' ? 'true' : 'false' };
  // A moment with a zone comes as the server's clock shows it; the zone itself is dropped.
  if (kind === 'moment') return { kind, text: text.replace(/[+-]\d\d(:?\d\d)*$/, '') };
  return { kind, text };
}

/** The first line of a file that nobody else may read. */
async function passwordFrom(path: string, fail: (reason: string) => Error): Promise<string> {
  await using file = await open(path).catch(() => undefined);
  const found = await file?.stat();
  if (found?.isFile() && (found.mode & 0o077) !== 0) throw fail(`others may read the password file ${path}; take that from them (chmod 600)`);
  return (await fileText(path, datasetLimits.passwordSizeBytes)).split(/\r?\n/)[0] ?? '';
}

async function clientConfig(source: SourceOf<'postgres'>, fail: (reason: string) => Error): Promise<ClientConfig> {
  const place = postgresPlace(source.url);
  if ('problem' in place) throw fail(place.problem.found);
  const { host, port, user, database, local } = place;
  const verified = source.tls === 'verify' || (source.tls === undefined && (!local || source.certificate !== undefined));
  const ca = source.certificate === undefined ? undefined : await fileText(source.certificate, datasetLimits.certificateSizeBytes);
  const password = source.passwordFile === undefined ? undefined : await passwordFrom(source.passwordFile, fail);
  return {
    host,
    port,
    user,
    database,
    password: password ?? '',
    ssl: verified ? { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) } : false,
    connectionTimeoutMillis: datasetLimits.connectTimeoutMs,
    application_name: 'schwarm',
    keepAlive: true,
  };
}

const classes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the host is not known',
  EAI_AGAIN: 'the host is not known',
  ENOENT: 'there is no socket of PostgreSQL',
  ETIMEDOUT: 'it does not answer',
  ECONNRESET: 'the connection was broken',
  EPIPE: 'the connection was broken',
};

/** What the server or the connection says, without what could be a value: messages on names and permissions are whole, of all others the code is told. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = classes[code];
  if (known !== undefined) return known;
  if (/^(08|28|3D|3F|42|57P)/.test(code)) return message.slice(0, datasetLimits.messageCharacters);
  if (code === '25006') return 'the query writes; only reading is allowed';
  if (/certificate|altname|self.signed|SSL/i.test(`${code} ${message}`)) return `TLS: ${message.slice(0, datasetLimits.messageCharacters)}`;
  if (/terminated|ended|closed|timeout/i.test(message)) return 'the connection was broken, or the server did not answer in time';
  return code === '' ? 'the connection failed' : `PostgreSQL error ${code}`;
}

interface Batch {
  readonly rows: readonly (readonly (string | null)[])[];
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** Reads the cursor's rows in batches. */
async function readAll(client: Client, sql: string, form: TextForm, context: SourceContext, fail: (reason: string) => Error): Promise<CellTable> {
  // All values as the server writes them.
  const types = { getTypeParser: () => (text: string) => text };
  const cursor = client.query(new Cursor<readonly (string | null)[]>(sql, [], { rowMode: 'array', types }));
  // After its last row the cursor gives no description of them.
  const batch = (): Promise<Batch> =>
    new Promise((resolve, reject) => {
      cursor.read(datasetLimits.cursorRows, (error, rows, result: { readonly fields: Batch['fields'] } | undefined) => {
        if (error) reject(error);
        else resolve({ rows, fields: result?.fields ?? [] });
      });
    });
  let { rows, fields } = await batch();
  if (fields.length === 0) throw fail('the query returns no columns; one SELECT is allowed');
  const bytes = fields.find(({ dataTypeID }) => dataTypeID === binaryType);
  if (bytes !== undefined) throw fail(`the column "${bytes.name}" holds binary data`);
  const of = fields.map(({ dataTypeID }) => kinds[dataTypeID] ?? 'text');
  const names = fields.map(({ name }) => name);
  const table = await CellTable.create(context.connection, context.scratch, names, form);
  while (rows.length > 0) {
    for (const row of rows) table.append((at) => cellOf(of[at] ?? 'text', row[at]));
    ({ rows } = await batch());
  }
  await cursor.close();
  return table;
}

/** Reads the table or the query into a table of its own. Throws DATASET_SOURCE_FAILED. */
export async function openPostgres(source: SourceOf<'postgres'>, form: TextForm, context: SourceContext): Promise<OpenSource> {
  const fail = (reason: string, cause?: unknown) => sourceFailed(context, source.url, reason, cause);
  const client = new Client(await clientConfig(source, fail));
  // Without a listener a broken connection would end the process; whoever waits for an answer is told.
  const broken = new Promise<never>((_, reject) => client.on('error', reject));
  broken.catch(() => undefined);
  const sql = source.query ?? `SELECT * FROM ${quotedName(source.schema)}.${quotedName(source.table ?? '')}`;
  try {
    await client.connect();
    const work = async () => {
      await client.query("SET DateStyle = 'ISO'");
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return await readAll(client, sql, form, context, fail);
    };
    return readSource((await Promise.race([work(), broken])).finish());
  } catch (error) {
    if (isSwarmError(error)) throw error;
    throw fail(reasonOf(error), error);
  } finally {
    await Promise.race([client.end().catch(() => undefined), broken.catch(() => undefined)]);
  }
}
