/** Files that are there whole or not at all: written aside, synced, renamed, and the folder synced. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** The bytes of a file; undefined where it does not exist. */
export function readIfThere(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw storeError(error, dirname(path), path);
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
