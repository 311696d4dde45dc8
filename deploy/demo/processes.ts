/** The processes that the demo starts: the ledger and one peer for each member, all by the command line that anybody would use. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DemoError } from './failure.ts';

const command = fileURLToPath(new URL('../schwarm.mjs', import.meta.url));
const readyMs = 60_000;

/** A system user that a process runs as. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** The system user with this name. */
export async function systemUser(name: string): Promise<SystemUser> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => promisify(execFile)('id', [flag, name]).then(({ stdout }) => Number(stdout))));
  if (!uid || !gid) throw new DemoError(`There is no system user "${name}".`, 5);
  return { uid, gid };
}

/** The command line that starts what `args` say, as a person would type it. */
export function typed(args: readonly string[]): string {
  return ['npx', 'schwarm', ...args].join(' ');
}

/** Makes a folder that belongs to `user` alone; with mode 0711 others may pass through to what is theirs. */
export function ownFolder(folder: string, user: SystemUser | undefined, mode: 0o700 | 0o711 = 0o700): void {
  mkdirSync(folder, { recursive: true, mode });
  chmodSync(folder, mode);
  if (user) chownSync(folder, user.uid, user.gid);
}

/** Runs one command to its end and gives its JSON document. */
export async function runOnce<T>(args: readonly string[], user: SystemUser | undefined): Promise<T> {
  const options = { ...(user ?? {}), cwd: '/', maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, [command, '--json', ...args], options).catch((error: { stderr?: string; stdout?: string }) => {
    throw new DemoError(`${typed(args)} failed:\n${error.stderr || error.stdout || String(error)}`);
  });
  return JSON.parse(stdout) as T;
}

/** A process that runs until it is stopped. */
export class Service {
  readonly args: readonly string[];
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly exited: Promise<number | string>;
  #running = true;

  private constructor(child: ChildProcess, args: readonly string[], log: string) {
    this.#child = child;
    this.args = args;
    this.#log = log;
    this.pid = child.pid ?? 0;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#running = false;
        resolve(signal ?? code ?? 0);
      });
    });
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Starts a command and waits for the JSON line that says it is ready. Its log goes to a file. */
  static async start<T>(args: readonly string[], log: string, user: SystemUser | undefined): Promise<{ readonly service: Service; readonly ready: T }> {
    const handle = openSync(log, 'a', 0o600);
    const child = spawn(process.execPath, [command, '--json', ...args], { ...(user ?? {}), cwd: '/', stdio: ['ignore', 'pipe', handle], detached: true });
    closeSync(handle);
    const service = new Service(child, args, log);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const fail = (why: string): void => reject(new DemoError(`${typed(args)} ${why}:\n${service.lastLines()}`));
    const timer = setTimeout(() => fail(`was not ready after ${readyMs / 1000} s`), readyMs);
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => onLine<T>(line, resolve, reject));
    void service.exited.then((end) => fail(`ended (${end})`));
    try {
      return { service, ready: await promise };
    } catch (error) {
      await service.stop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The end of the log, for error messages. */
  lastLines(): string {
    try {
      return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-6).join('\n');
    } catch {
      return '';
    }
  }

  /** Asks the process to stop, and ends it after ten seconds. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(timer);
  }
}

function onLine<T>(line: string, resolve: (ready: T) => void, reject: (error: Error) => void): void {
  try {
    const document = JSON.parse(line);
    if (document.ready === true) resolve(document);
    else if (document.error) reject(new DemoError(`${document.error.message}\n${document.error.remedy}`));
  } catch {
    // a line that is not JSON says nothing about readiness
  }
}
