/** A binding ties a name to local files. It is a plain JSON value that the peer stores; the files stay where they are. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { assert, commonErrors, type Digest, digest, hashFields, toHex } from '../common/index.ts';
import type { Study, StudyTable } from '../study/index.ts';
import { datasetErrors } from './errors.ts';
import { datasetLimits } from './limits.ts';

/** One bound file. `table` is set where it was given, and else found by the file's name. */
interface BoundFile {
  readonly table: string | undefined;
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Digest;
}

/** A name for local files in one version. */
export interface Binding {
  readonly name: string;
  readonly files: readonly BoundFile[];
  /** SHA-256 over names of tables and contents of files, in order: equal where nothing has changed. */
  readonly dataVersion: Digest;
}

type Cancellable = { readonly signal: AbortSignal };

async function fileDigest(path: string, { signal }: Cancellable): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) {
    if (signal.aborted) throw commonErrors.COMMON_CANCELLED({ what: `reading ${path}` });
    hash.update(chunk);
  }
  return digest(hash.digest('hex'));
}

async function boundFile(given: string, options: Cancellable): Promise<BoundFile> {
  const [, table, rest] = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/s.exec(given) ?? [];
  const path = resolve(rest ?? given);
  try {
    const found = await stat(path);
    if (!found.isFile()) throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: 'it is not a regular file' });
    if (found.size > datasetLimits.fileSizeBytes)
      throw datasetErrors.DATASET_TOO_LARGE({ what: `bytes in ${path}`, found: found.size, limit: datasetLimits.fileSizeBytes });
    return { table, path, sizeBytes: found.size, sha256: await fileDigest(path, options) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) {
      throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: error.code === 'ENOENT' ? 'it does not exist' : 'this user may not read it' }, error);
    }
    throw error;
  }
}

/** Binds `files` (each a path, or TABLE=path) to `name`. Throws DATASET_BAD_BINDING or DATASET_UNREADABLE_FILE. */
export async function bindDataset(name: string, files: readonly string[], options: Cancellable): Promise<Binding> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name) || name.length > datasetLimits.nameCharacters)
    throw datasetErrors.DATASET_BAD_BINDING({ name: name.slice(0, 80), reason: 'the name is not allowed' });
  if (files.length < 1 || files.length > datasetLimits.files)
    throw datasetErrors.DATASET_BAD_BINDING({ name, reason: `${files.length} files were named; 1 to ${datasetLimits.files} are allowed` });
  const bound: BoundFile[] = [];
  for (const file of files) bound.push(await boundFile(file, options));
  const twice = bound.find(({ path }, at) => bound.findIndex((other) => other.path === path) !== at);
  if (twice !== undefined) throw datasetErrors.DATASET_BAD_BINDING({ name, reason: `${twice.path} was named twice` });
  const dataVersion = digest(toHex(hashFields('dataset', ...bound.flatMap(({ table, sha256 }) => [table ?? '', sha256]))));
  return { name, files: bound, dataVersion };
}

/** Throws DATASET_CHANGED where a bound file is no longer what was bound. */
export async function checkUnchanged({ files }: Binding, options: Cancellable): Promise<void> {
  for (const file of files) {
    const { sizeBytes, sha256 } = await boundFile(file.path, options);
    if (sizeBytes !== file.sizeBytes || sha256 !== file.sha256) throw datasetErrors.DATASET_CHANGED({ path: file.path });
  }
}

/** The files of each table of the study: by the given table, by the file's name, or all of them where the study has one table. Throws DATASET_UNBOUND_TABLE. */
export function filesByTable(study: Study, { name, files }: Binding): readonly { readonly table: StudyTable; readonly paths: readonly string[] }[] {
  const { table: tables } = study.manifest;
  return tables.map((table) => {
    const belongs = ({ table: given, path }: BoundFile) => (given ?? (tables.length === 1 ? table.name : basename(path, extname(path)))) === table.name;
    const paths = files.filter(belongs).map(({ path }) => path);
    if (paths.length === 0) throw datasetErrors.DATASET_UNBOUND_TABLE({ table: table.name, name });
    assert(paths.length <= datasetLimits.files, 'a binding has few files');
    return { table, paths };
  });
}
