/** Files that a person named: opened so that neither a pipe nor a device can hold the peer up, and hashed. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { commonErrors, type Digest, digest, isSwarmError } from '../common/index.ts';
import { datasetErrors } from './errors.ts';
import { datasetLimits } from './limits.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it does not exist',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'it is a link that leads nowhere',
  EISDIR: 'it is not a regular file',
  ENXIO: 'it is not a regular file',
  ENAMETOOLONG: 'its name is too long',
};

/** A fault of the file system as DATASET_UNREADABLE_FILE, where it is the file's own; any other error as it is. */
export function fileError(path: string, error: unknown): unknown {
  const reason = error instanceof Error && 'code' in error && !isSwarmError(error) ? reasons[String(error.code)] : undefined;
  return reason === undefined ? error : datasetErrors.DATASET_UNREADABLE_FILE({ path, reason }, error);
}

/** Does `work` on a regular file, links followed. Throws DATASET_UNREADABLE_FILE, or DATASET_TOO_LARGE above `limitBytes`. */
export async function withRegularFile<T>(path: string, limitBytes: number, work: (file: FileHandle, sizeBytes: number) => Promise<T>): Promise<T> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile()) throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: 'it is not a regular file' });
    if (found.size > limitBytes) throw datasetErrors.DATASET_TOO_LARGE({ what: `bytes in ${path}`, found: found.size, limit: limitBytes });
    return await work(file, found.size);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A file's content as it was when it was hashed. */
export interface FileVersion {
  readonly sizeBytes: number;
  readonly sha256: Digest;
}

/** Changes whenever the file is written to or replaced, on file systems that keep time in nanoseconds. */
export async function fileStamp(path: string): Promise<string> {
  return await withRegularFile(path, datasetLimits.fileSizeBytes, async (file) => {
    const { dev, ino, size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  });
}

/** SHA-256 over a file. */
export async function fileVersion(path: string, { signal }: { readonly signal: AbortSignal }): Promise<FileVersion> {
  return await withRegularFile(path, datasetLimits.fileSizeBytes, async (file, sizeBytes) => {
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1_048_576 })) {
      if (signal.aborted) throw commonErrors.COMMON_CANCELLED({ what: `reading ${path}` });
      hash.update(chunk);
    }
    return { sizeBytes, sha256: digest(hash.digest('hex')) };
  });
}

/** The text of a small file that a person wrote, in UTF-8. */
export async function fileText(path: string, limitBytes: number): Promise<string> {
  return await withRegularFile(path, limitBytes, async (file) => {
    const bytes = await file.readFile();
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (error) {
      throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: 'it is not UTF-8' }, error);
    }
  });
}

/** Throws DATASET_UNREADABLE_FILE unless the file begins and ends as Parquet files do. */
export async function checkParquet(path: string): Promise<void> {
  await withRegularFile(path, datasetLimits.fileSizeBytes, async (file, sizeBytes) => {
    const mark = async (at: number) => (await file.read(Buffer.alloc(4), 0, 4, at)).buffer.toString('latin1');
    if (sizeBytes < 12 || (await mark(0)) !== 'PAR1' || (await mark(sizeBytes - 4)) !== 'PAR1')
      throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: 'it is no Parquet file, or it is cut short' });
  });
}
