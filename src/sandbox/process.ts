/** Starting one operating-system process behind the walls that stand everywhere: empty environment, own empty working folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A started process, its private folder, and the news of its end; the folder is gone when `exited` resolves. */
export interface Walled {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly exited: Promise<Exit>;
}

const pipesToParent = 4;

function endOf(process: ChildProcess, folder: string): Promise<Exit> {
  return new Promise((resolve) => {
    let over = false;
    const finish = (exit: Exit): void => {
      if (over) return;
      over = true;
      const done = (): void => resolve(exit);
      rm(folder, { recursive: true, force: true }).then(done, done);
    };
    process.once('exit', (code, signal) => finish({ code, signal }));
    process.once('error', () => {
      if (process.pid === undefined) finish({ code: null, signal: null });
    });
  });
}

/** Starts `command` with nothing of this process's environment, in an empty folder of its own, in its own process group. */
export async function startWalled(command: string, args: readonly string[]): Promise<Walled> {
  const folder = await mkdtemp(join(tmpdir(), 'schwarm-'));
  const stdio = Array.from({ length: pipesToParent }, () => 'pipe' as const);
  const child = spawn(command, args, { cwd: folder, env: { HOME: folder, TMPDIR: folder }, stdio, detached: true, windowsHide: true });
  return { process: child, folder, exited: endOf(child, folder) };
}

/** Ends a process and everything in its group at once; nothing happens where it has ended already. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
