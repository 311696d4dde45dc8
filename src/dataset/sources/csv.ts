/** CSV and Parquet files for a snapshot: in another encoding than UTF-8, or several of them under one SELECT. Binding child only. */
import { createReadStream, createWriteStream } from 'node:fs';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { encodings, SourceOf } from '../binding/schema.ts';
import { datasetErrors } from '../errors.ts';
import { type FileForm, placeColumn } from '../file-form.ts';
import { fileFault, type Scan, scanFile } from '../scan.ts';
import { quotedName } from '../sql.ts';
import type { TextForm } from '../text-form.ts';
import type { OpenSource, SourceContext } from './source.ts';

/** Bytes of one encoding in, bytes of UTF-8 out (WHATWG Encoding Standard). */
class Transcoder extends Transform {
  readonly #decoder: TextDecoder;

  constructor(encoding: (typeof encodings)[number]) {
    super();
    this.#decoder = new TextDecoder(encoding, { fatal: true });
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#decode(() => this.#decoder.decode(chunk, { stream: true }), done);
  }

  override _flush(done: TransformCallback): void {
    this.#decode(() => this.#decoder.decode(), done);
  }

  #decode(decode: () => string, done: TransformCallback): void {
    try {
      done(null, Buffer.from(decode()));
    } catch (error) {
      done(error instanceof Error ? error : new Error('unknown'));
    }
  }
}

/** The file in UTF-8: itself, or a copy in the child's own folder, which goes with the child. */
async function inUtf8(path: string, encoding: (typeof encodings)[number], copy: string): Promise<string> {
  if (encoding === 'utf-8') return path;
  try {
    await pipeline(createReadStream(path), new Transcoder(encoding), createWriteStream(copy, { mode: 0o600 }));
    return copy;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: `it is not ${encoding}` }, error);
  }
}

function namesOf({ columns }: Scan): string {
  return columns
    .map(({ name }) => name.toLowerCase())
    .sort()
    .join('\n');
}

/** Rows of a scan by the names of the first; the place of each is its own file's. */
function selectOf(scan: Scan, { columns }: Scan): string {
  return `SELECT ${scan.place} AS ${quotedName(placeColumn)}, ${columns.map(({ name }) => quotedName(name)).join(', ')} FROM ${scan.from}`;
}

/** Opens the files of a source. Throws DATASET_UNREADABLE_FILE. */
export async function openFiles(
  source: SourceOf<'csv' | 'parquet'>,
  text: TextForm,
  files: readonly string[],
  { connection, scratch }: SourceContext,
): Promise<OpenSource> {
  const form: FileForm = source.kind === 'csv' ? { kind: 'csv', separator: source.separator, text } : { kind: 'parquet', text };
  const scans: Scan[] = [];
  const read: { readonly path: string; readonly from: string }[] = [];
  for (const [at, path] of files.entries()) {
    const copy = source.kind === 'csv' ? await inUtf8(path, source.encoding, `${scratch}-${at}.csv`) : path;
    const scan = await scanFile(connection, copy, form).catch((error: unknown) => {
      throw renamed(error, copy, path);
    });
    if (scans[0] !== undefined && namesOf(scan) !== namesOf(scans[0]))
      throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: 'it has other columns than the first file of the source' });
    scans.push(scan);
    read.push({ path, from: copy });
  }
  const [first] = scans;
  if (first === undefined) throw datasetErrors.DATASET_UNREADABLE_FILE({ path: 'a source', reason: 'it names no file' });
  return {
    select: scans.map((scan) => selectOf(scan, first)).join(' UNION ALL '),
    places: first.places,
    fault: (error) => faultOf(error, read, form),
  };
}

/** An error on a copy is told of the file that it is a copy of. */
function renamed(error: unknown, copy: string, path: string): unknown {
  const isOurs = error instanceof Error && 'detail' in error && typeof error.detail === 'object' && error.detail !== null && 'reason' in error.detail;
  return isOurs && copy !== path ? datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: String(Reflect.get(error.detail ?? {}, 'reason')) }, error) : error;
}

function faultOf(error: unknown, read: readonly { readonly path: string; readonly from: string }[], form: FileForm): Error | undefined {
  const message = error instanceof Error ? error.message : '';
  const file = read.find(({ from }) => message.includes(from)) ?? read[0];
  return file === undefined ? undefined : fileFault(file.path, form, error);
}
