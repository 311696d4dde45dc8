/** A binding ties a name to local data. It is a plain JSON value that the peer stores; plain files stay where they are, of anything else there is a snapshot. */
import { basename, extname, resolve } from 'node:path';
import { assert, type Digest, digest, hashFields, toHex } from '../common/index.ts';
import type { Study, StudyTable } from '../study/index.ts';
import { boundTables } from './binding/bound-tables.ts';
import { readBindingFile } from './binding/read.ts';
import type { BindingParts } from './binding/snapshots.ts';
import type { BoundFile } from './bound-file.ts';
import type { FileToLoad } from './child-messages.ts';
import { datasetErrors } from './errors.ts';
import { formByName } from './file-form.ts';
import { datasetLimits } from './limits.ts';
import { checkParquet, fileStamp, fileVersion } from './regular-file.ts';

/** A name for local data in one version. */
export interface Binding {
  readonly name: string;
  readonly files: readonly BoundFile[];
  /** SHA-256 over names of tables, what the site declared about them, and all contents, in order: equal where nothing has changed. */
  readonly dataVersion: Digest;
}

type Cancellable = { readonly signal: AbortSignal };

function badBinding(name: string, reason: string) {
  return datasetErrors.DATASET_BAD_BINDING({ name: name.slice(0, 80), reason });
}

const named = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/s;

function isBindingFile(path: string): boolean {
  return extname(path).toLowerCase() === '.toml';
}

async function boundFile(name: string, given: string, options: Cancellable): Promise<BoundFile> {
  const [, table, rest] = named.exec(given) ?? [];
  const path = resolve(rest ?? given);
  if (isBindingFile(path)) throw badBinding(name, `${path} is a binding file, which stands alone and names its tables itself`);
  const version = await fileVersion(path, options);
  const form = formByName(path);
  if (form === undefined) throw badBinding(name, `${path} is neither .csv, .tsv or .txt, nor .parquet; other sources need a binding file`);
  if (form.kind === 'parquet') await checkParquet(path);
  return { table, path, ...version, ...(form.kind === 'parquet' ? { form } : {}) };
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name) || name.length > datasetLimits.nameCharacters) throw badBinding(name, 'the name is not allowed');
}

async function boundFiles(name: string, files: readonly string[], options: Cancellable): Promise<Binding> {
  const bound: BoundFile[] = [];
  for (const file of files) bound.push(await boundFile(name, file, options));
  const twice = bound.find(({ path }, at) => bound.findIndex((other) => other.path === path) !== at);
  if (twice !== undefined) throw badBinding(name, `${twice.path} was named twice`);
  const fields = bound.flatMap(({ table, sha256 }) => [table ?? '', sha256]);
  return { name, files: bound, dataVersion: digest(toHex(hashFields('dataset', ...fields))) };
}

/**
 * Binds `files` (each a path to CSV or Parquet, or TABLE=path, or one binding file) to `name`. Sources that are no plain files are read now, by a child.
 * Throws DATASET_BAD_BINDING, DATASET_UNREADABLE_FILE, DATASET_BINDING_INVALID, and what a source makes of it.
 */
export async function bindDataset(name: string, files: readonly string[], options: Cancellable, parts?: BindingParts): Promise<Binding> {
  checkName(name);
  if (files.length < 1 || files.length > datasetLimits.files)
    throw badBinding(name, `${files.length} files were named; 1 to ${datasetLimits.files} are allowed`);
  const [only = '', ...others] = files;
  if (others.length > 0 || named.test(only) || !isBindingFile(only)) return await boundFiles(name, files, options);
  if (parts === undefined) throw badBinding(name, 'a binding file needs a peer, which keeps its snapshots');
  return { name, ...(await boundTables(await readBindingFile(resolve(only)), parts, options)) };
}

/** Throws DATASET_CHANGED where a bound file is no longer what was bound. */
export async function checkUnchanged({ files }: Binding, options: Cancellable): Promise<void> {
  for (const file of files) {
    const { sizeBytes, sha256 } = await fileVersion(file.path, options);
    if (sizeBytes !== file.sizeBytes || sha256 !== file.sha256) throw datasetErrors.DATASET_CHANGED({ path: file.path });
  }
}

/** What tells without reading whether bound files were written to, in their order. */
export async function stampsOf({ files }: Binding): Promise<readonly string[]> {
  return await Promise.all(files.map(({ path }) => fileStamp(path)));
}

/** Throws DATASET_CHANGED where a file was written to since `stamps` were taken: what was read meanwhile is then of no version. */
export async function checkStamps(binding: Binding, stamps: readonly string[]): Promise<void> {
  const now = await stampsOf(binding);
  const changed = binding.files.find((_, at) => now[at] !== stamps[at]);
  if (changed !== undefined) throw datasetErrors.DATASET_CHANGED({ path: changed.path });
}

/** The files of each table of the study: by the given table, by the file's name (upper and lower case being the same), or all of them where the study has one table. Throws DATASET_UNBOUND_TABLE. */
export function filesByTable(study: Study, { name, files }: Binding): readonly { readonly table: StudyTable; readonly files: readonly FileToLoad[] }[] {
  const { table: tables } = study.manifest;
  return tables.map((table) => {
    const belongs = ({ table: given, path }: BoundFile) =>
      (given ?? (tables.length === 1 ? table.name : basename(path, extname(path)))).toLowerCase() === table.name.toLowerCase();
    const own = files.filter(belongs).map(({ path, form, origin }) => ({ path, form: form ?? { kind: 'csv' as const, text: {} }, origin }));
    if (own.length === 0) throw datasetErrors.DATASET_UNBOUND_TABLE({ table: table.name, name });
    assert(own.length <= datasetLimits.files, 'a binding has few files');
    return { table, files: own };
  });
}
