/** Files that are there whole or not at all: written aside, synced, renamed, and the folder synced. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ownMemory } from '../../common/index.ts';
import { peerErrors } from '../errors.ts';

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Turns an error of the file system or the database into one that says what to do. */
export function storeError(error: unknown, folder: string, what: string): Error {
  const full = codeOf(error) === 'ENOSPC' || (error instanceof Error && /database or disk is full/.test(error.message));
  return full ? peerErrors.PEER_DISK_FULL({ folder, what }, error) : peerErrors.PEER_STORE_FAILED({ folder, what }, error);
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Removes what may be half made; where even that is refused, the error that led here is the one to tell. */
export function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // the folder is gone or closed to us: then nothing of ours is in it
  }
}

/** Writes `bytes` to `path` so that after a crash the file is the old one or the new one. Mode 0600. Throws PEER_DISK_FULL or PEER_STORE_FAILED. */
export function writeWhole(path: string, bytes: Uint8Array, what: string): void {
  const aside = `${path}.new`;
  try {
    const handle = openSync(aside, 'w', 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(aside, path);
    syncFolder(dirname(path));
  } catch (error) {
    discard(aside);
    throw storeError(error, dirname(path), what);
  }
}

/** The bytes of a file, read into memory of their own; undefined where it does not exist. */
export function readIfThere(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const handle = openSync(path, 'r');
    try {
      const bytes = ownMemory(fstatSync(handle).size);
      let at = 0;
      for (let count = -1; at < bytes.length && count !== 0; at += count) count = readSync(handle, bytes, at, bytes.length - at, at);
      return bytes.subarray(0, at);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw storeError(error, dirname(path), path);
  }
}

/** The size of a file in bytes; undefined where it does not exist. */
export function sizeIfThere(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** Up to `sizeBytes` bytes of a file from `offset`; undefined where it does not exist or ends before. */
export function readPiece(path: string, offset: number, sizeBytes: number): Uint8Array | undefined {
  try {
    const handle = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(sizeBytes);
      let at = 0;
      for (let count = -1; at < sizeBytes && count !== 0; at += count) count = readSync(handle, bytes, at, sizeBytes - at, offset + at);
      return at === sizeBytes ? bytes : undefined;
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw storeError(error, dirname(path), path);
  }
}

/** Writes `bytes` at `offset` into a file of `fileSizeBytes`, which is made with holes where it is not there. Mode 0600. Nothing is synced. */
export function writePiece(path: string, fileSizeBytes: number, offset: number, bytes: Uint8Array, what: string): void {
  try {
    const handle = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      if (bytes.length === 0) ftruncateSync(handle, fileSizeBytes);
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at, bytes.length - at, offset + at);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw storeError(error, dirname(path), what);
  }
}

/** Writes a file that may be lost or torn by a crash, for its reader checks it and can do without. Mode 0600. */
export function writeUnsynced(path: string, bytes: Uint8Array, what: string): void {
  try {
    writeFileSync(path, bytes, { mode: 0o600 });
  } catch (error) {
    discard(path);
    throw storeError(error, dirname(path), what);
  }
}

/** Makes the file at `from` durable under the name `to`, unless `wanted` says no once it is synced. Syncs off the main thread. */
export async function settle(from: string, to: string, wanted: () => boolean, what: string): Promise<boolean> {
  try {
    await using handle = await open(from, 'r+');
    await handle.sync();
    if (!wanted()) return false;
    renameSync(from, to);
    syncFolder(dirname(to));
    return true;
  } catch (error) {
    if (!wanted()) return false;
    throw storeError(error, dirname(to), what);
  }
}

/** Moves a file durably within one file system; nothing happens where it is not there, for then it was moved before. */
export function moveIfThere(from: string, to: string, what: string): void {
  try {
    renameSync(from, to);
    syncFolder(dirname(to));
    syncFolder(dirname(from));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw storeError(error, dirname(to), what);
  }
}

/** Makes a folder that only its owner can read, and returns its path. Throws PEER_DISK_FULL or PEER_STORE_FAILED. */
export function privateFolder(...parts: readonly string[]): string {
  const folder = join(...parts);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storeError(error, folder, 'the folder');
  }
  return folder;
}
