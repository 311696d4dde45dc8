/** Snapshots: what a binding took from sources that are no plain files, as Parquet files in a private folder of the peer, named by hash. */
import { chmod, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, commonErrors, type Digest, isSwarmError, type Logger } from '../../common/index.ts';
import { startChild } from '../../sandbox/index.ts';
import { datasetErrors } from '../errors.ts';
import { datasetLimits } from '../limits.ts';
import { type FileVersion, fileVersion } from '../regular-file.ts';
import type { SnapshotMade, SnapshotOrder } from './order.ts';

/** What binding needs of its surroundings. */
export interface BindingParts {
  /** Where snapshots are kept: a folder that is there for nothing else. It is made where it is missing, for its owner alone. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A snapshot at its place. */
export interface Snapshot extends SnapshotMade, FileVersion {
  readonly path: string;
}

const extension = '.parquet';

async function ask(order: SnapshotOrder, { clock, logger }: BindingParts, signal: AbortSignal): Promise<SnapshotMade> {
  const module = new URL('./binding-child.ts', import.meta.url);
  const timeoutMs = datasetLimits.bindTimeoutMs;
  const options = { module, name: 'binding', memoryLimitMb: datasetLimits.heapLimitMb, requestTimeoutMs: timeoutMs };
  await using child = await startChild(options, { clock, logger });
  try {
    // The child is our own module: its header is a SnapshotMade.
    return (await child.request('snapshot', order, undefined, { signal })).header as SnapshotMade;
  } catch (error) {
    if (isSwarmError(error, 'SANDBOX_TIMEOUT')) throw datasetErrors.DATASET_BIND_TIMEOUT({ table: order.table, timeoutMs }, error);
    if (isSwarmError(error, 'SANDBOX_CHILD_DIED')) throw datasetErrors.DATASET_PROCESS_LOST({ reason: error.message }, error);
    throw error;
  }
}

async function sync(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

/** Reads a table from its sources into a snapshot, whole or not at all. Throws DATASET_…. */
export async function makeSnapshot(order: Omit<SnapshotOrder, 'target'>, parts: BindingParts, { signal }: { readonly signal: AbortSignal }): Promise<Snapshot> {
  const { folder } = parts;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const aside = join(folder, `${order.table}.new`);
  try {
    await rm(aside, { force: true });
    const made = await ask({ ...order, target: aside }, parts, signal);
    if (signal.aborted) throw commonErrors.COMMON_CANCELLED({ what: 'binding' });
    await chmod(aside, 0o600);
    await sync(aside);
    const version = await fileVersion(aside, { signal });
    const path = join(folder, `${version.sha256}${extension}`);
    await rename(aside, path);
    await sync(folder);
    return { ...made, ...version, path };
  } catch (error) {
    await rm(aside, { force: true });
    throw isSwarmError(error) ? error : datasetErrors.DATASET_SNAPSHOT_FAILED({ folder, reason: errorWords(error) }, error);
  }
}

function errorWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return code === 'ENOSPC' ? 'the disk is full' : code;
}

/** Removes all that is in the folder of snapshots and is none of `named`; gives the number of files. */
export async function removeSnapshots(folder: string, named: ReadonlySet<Digest>): Promise<number> {
  const found = await readdir(folder).catch(() => []);
  const old = found.filter((name) => !([...named] as readonly string[]).includes(name.slice(0, -extension.length)));
  for (const name of old) await rm(join(folder, name), { recursive: true, force: true });
  return old.length;
}
