/** A foreign program (the embedded ledger engine) behind the same walls, with a guard that ends it when this process is gone. */
import type { Readable } from 'node:stream';
import type { Logger } from '../common/index.ts';
import { sandboxErrors } from './errors.ts';
import { followOutput } from './output.ts';
import { type Exit, killGroup, startWalled } from './process.ts';

/** A running foreign program. Disposing kills it at once and waits for its end. */
export interface Program extends AsyncDisposable {
  /** Resolves (never rejects) when the program has ended. */
  readonly exited: Promise<Exit>;
  readonly pid: number;
  /** The last words of what it printed, to explain its death. */
  readonly lastOutput: () => string;
}

/** How a program is started. */
export interface ProgramOptions {
  /** Absolute path of an executable. */
  readonly command: string;
  readonly args: readonly string[];
  /** For logs and errors. */
  readonly name: string;
}

/**
 * The guard, in POSIX sh: a background reader of standard input kills the program when the parent's end closes, however
 * the parent died (also by SIGKILL); the shell itself becomes the program, so the process id is the program's own.
 */
const guard = 'exec 4<&0; (cat <&4 >/dev/null 2>&1; kill -9 $$) 3<&- >/dev/null 2>&1 & exec "$@" </dev/null 4<&- 3<&-';

/** Starts a foreign program. Throws SANDBOX_START_FAILED where there is no such executable. */
export async function startProgram(options: ProgramOptions, parts: { readonly logger: Logger }): Promise<Program> {
  const walled = await startWalled('/bin/sh', ['-c', guard, options.name, options.command, ...options.args]);
  const { process: child, exited } = walled;
  const { tail } = followOutput([child.stdout, child.stderr] as Readable[], options.name, parts.logger);
  child.stdin?.on('error', () => undefined);
  if (child.pid === undefined) {
    await exited;
    throw sandboxErrors.SANDBOX_START_FAILED({ child: options.name, why: '/bin/sh cannot be started', output: '' });
  }
  // The guard outlives a program that ends by itself: the group goes with it.
  child.once('exit', () => killGroup(child));
  return {
    exited,
    pid: child.pid,
    lastOutput: tail,
    [Symbol.asyncDispose]: async () => {
      killGroup(child);
      await exited;
    },
  };
}
