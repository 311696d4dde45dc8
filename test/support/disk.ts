/** Small file systems that a test may fill, where the machine lets them be mounted (root). */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of `kib` KiB at `path`, which is made; undefined where this machine does not let one be mounted. */
export function smallDisk(path: string, kib: number): (Disposable & { readonly path: string }) | undefined {
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', path], { stdio: 'ignore' });
    return { path, [Symbol.dispose]: () => void execFileSync('umount', ['-l', path]) };
  } catch {
    return undefined;
  }
}

/** Writes until no byte fits any more, but for `leaveBytes`. */
export function fill(path: string, leaveBytes = 0): void {
  const handle = openSync(join(path, 'filler'), 'w');
  try {
    const { bavail, bsize } = statfsSync(path);
    writeSync(handle, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
    while (leaveBytes === 0) writeSync(handle, Buffer.alloc(4_096));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    closeSync(handle);
  }
}

/** Makes room again on a disk that was filled. */
export function makeRoom(path: string): void {
  rmSync(join(path, 'filler'));
}
