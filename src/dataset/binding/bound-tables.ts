/** From a checked binding file to bound files: plain ones are hashed where they are, of everything else a snapshot is made. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import canonicalize from 'canonicalize';
import { assert, type Digest, digest, hashFields, toHex } from '../../common/index.ts';
import type { BoundFile } from '../bound-file.ts';
import { datasetErrors } from '../errors.ts';
import type { FileForm } from '../file-form.ts';
import { datasetLimits } from '../limits.ts';
import { checkParquet, fileError, fileText, fileVersion, withRegularFile } from '../regular-file.ts';
import { sourcesOf } from './read.ts';
import type { BindingFile, Source, SourceOf, TableBinding } from './schema.ts';
import { type BindingParts, makeSnapshot } from './snapshots.ts';
import { textFormOf } from './text-form-of.ts';

type Cancellable = { readonly signal: AbortSignal };

/** The files that a source reads, each a regular one. */
async function filesOf(source: Source): Promise<readonly string[]> {
  switch (source.kind) {
    case 'csv':
    case 'parquet':
      return typeof source.path === 'string' ? [source.path] : source.path;
    case 'sqlite':
    case 'excel':
      return [source.path];
    case 'postgres':
      return [];
    case 'fhir':
      return await ndjsonFiles(source.folder);
  }
}

async function ndjsonFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(folder, error);
  });
  const found = names.filter((name) => name.endsWith('.ndjson')).sort();
  if (found.length === 0) throw datasetErrors.DATASET_UNREADABLE_FILE({ path: folder, reason: 'it holds no .ndjson file' });
  if (found.length > datasetLimits.exportFiles)
    throw datasetErrors.DATASET_TOO_LARGE({ what: `files in ${folder}`, found: found.length, limit: datasetLimits.exportFiles });
  return found.map((name) => join(folder, name));
}

/** Whether DuckDB reads the source at every load as it is. */
function isPlain(source: Source): source is SourceOf<'csv' | 'parquet'> {
  return (source.kind === 'csv' && source.encoding === 'utf-8') || source.kind === 'parquet';
}

/** What a person would call the source; never with a password, for there is none in it. */
function originOf(source: Source): string {
  switch (source.kind) {
    case 'csv':
    case 'parquet':
      return typeof source.path === 'string' ? source.path : source.path.join(', ');
    case 'sqlite':
      return `${source.table ?? 'a query'} in ${source.path}`;
    case 'excel':
      return `sheet ${source.sheet} of ${source.path}`;
    case 'postgres':
      return `${source.table === undefined ? 'a query' : `${source.schema}.${source.table}`} in ${source.url}`;
    case 'fhir':
      return `${basename(source.view)} over ${source.folder}`;
  }
}

/** What the site declared about a table, without places: the same meaning at another place is the same. */
async function meaningOf(table: TableBinding): Promise<string> {
  const sources = await Promise.all(
    sourcesOf(table).map(async (source) => {
      const view = source.kind === 'fhir' ? await fileText(source.view, datasetLimits.viewSizeBytes) : undefined;
      const { path: _, folder: __, url: ___, passwordFile: ____, certificate: _____, tls: ______, ...meaning } = { ...source } as Record<string, unknown>;
      return { ...meaning, view };
    }),
  );
  const json = canonicalize({ ...table, source: sources });
  assert(json !== undefined, 'a binding has a canonical form');
  return json;
}

async function plainFiles(table: TableBinding, source: SourceOf<'csv' | 'parquet'>, options: Cancellable): Promise<readonly BoundFile[]> {
  const text = textFormOf(source);
  const form: FileForm = source.kind === 'csv' ? { kind: 'csv', separator: source.separator, text } : { kind: 'parquet', text };
  const bound: BoundFile[] = [];
  for (const path of await filesOf(source)) {
    if (source.kind === 'parquet') await checkParquet(path);
    bound.push({ table: table.name, path, ...(await fileVersion(path, options)), form });
  }
  return bound;
}

async function snapshotOf(table: TableBinding, parts: BindingParts, options: Cancellable): Promise<BoundFile> {
  const sources = await Promise.all(sourcesOf(table).map(async (source) => ({ source, files: await filesOf(source) })));
  for (const path of sources.flatMap(({ files }) => files)) await withRegularFile(path, datasetLimits.fileSizeBytes, async () => undefined);
  const { path, sizeBytes, sha256, leftOut, places } = await makeSnapshot(
    { table: table.name, sources, sql: table.sql, consent: table.consent },
    parts,
    options,
  );
  const [first] = sources;
  // What a SELECT of the site returns is typed; without one, text is kept as it was written.
  const text = table.sql === undefined && first !== undefined ? textFormOf(first.source) : {};
  const origin = sources.map(({ source }) => originOf(source)).join(' and ');
  return { table: table.name, path, sizeBytes, sha256, form: { kind: 'parquet', text, places }, origin, leftOut };
}

/** Binds every table of the file. The version covers what is declared and all contents. */
export async function boundTables(
  { table: tables }: BindingFile,
  parts: BindingParts,
  options: Cancellable,
): Promise<{ readonly files: readonly BoundFile[]; readonly dataVersion: Digest }> {
  const files: BoundFile[] = [];
  const fields: string[] = [];
  for (const table of tables) {
    const [source, ...others] = sourcesOf(table);
    const plain = source !== undefined && others.length === 0 && table.sql === undefined && table.consent === undefined && isPlain(source) ? source : undefined;
    const bound = plain === undefined ? [await snapshotOf(table, parts, options)] : await plainFiles(table, plain, options);
    files.push(...bound);
    fields.push(await meaningOf(table), String(bound.length), ...bound.map(({ sha256 }) => sha256));
  }
  return { files, dataVersion: digest(toHex(hashFields('dataset.binding', ...fields))) };
}
