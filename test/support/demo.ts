/** The demo as a process of its own, as `npm start` runs it, with its peers within reach for tests that stop and start them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../../src/console/index.ts';

export const project = fileURLToPath(new URL('../../', import.meta.url));
export const command = join(project, 'deploy', 'schwarm.mjs');
const launcher = join(project, 'deploy', 'demo', 'main.ts');
/** A demo that takes longer tells what it waits for, while the test that started it can still print it. */
const tellMs = 200_000;

export interface DemoDocument {
  readonly outcome: string;
  readonly missing: readonly string[];
  readonly rounds: number;
  readonly members: readonly {
    readonly name: string;
    readonly peerId: string;
    readonly pid: number;
    readonly modelSha256: string | null;
    readonly swarm: { readonly auc: number | null; readonly accuracy: number };
  }[];
  readonly local: Heads;
  readonly swarm: Heads;
  readonly pooled: Heads;
  readonly ledger: {
    readonly finalModelSha256: string;
    readonly transactions: number;
    readonly finals: readonly { readonly round: number; readonly state: string; readonly model: string }[];
  };
  readonly seconds: { readonly start: number; readonly rounds: number; readonly total: number; readonly roundMedian: number };
  readonly bytes: { readonly perRoundPerMember: number };
  readonly folder: string;
}

/** A run as the API tells it, as far as tests read it. */
export interface DemoRun {
  readonly outcome: string | null;
  readonly suspended: readonly string[];
  readonly history: readonly { readonly round: number; readonly phase: string; readonly absent: readonly string[]; readonly reason: string | null }[];
}

interface Heads {
  readonly meanAccuracy: number;
  readonly pooledAuc: number;
  readonly pooledAccuracy: number;
}

interface Processes {
  readonly ledger: number;
  readonly peers: readonly { readonly name: string; readonly home: string; readonly pid: number; readonly command: readonly string[] }[];
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A demo that was started and will be stopped. */
export class Demo implements AsyncDisposable {
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #started: ChildProcess[] = [];
  readonly #keep: boolean;
  #out = '';
  #err = '';
  readonly ended: Promise<{ readonly code: number | null; readonly document: DemoDocument | undefined; readonly log: string }>;

  constructor(options: { readonly args?: readonly string[]; readonly folder?: string } = {}) {
    this.#keep = options.folder !== undefined;
    this.folder = options.folder ?? join(mkdtempSync(join(tmpdir(), 'schwarm-demo-')), 'demo');
    this.#child = spawn(process.execPath, [launcher, '--exit', '--json', '--folder', this.folder, ...(options.args ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (data) => {
      this.#out += data;
    });
    this.#child.stderr?.on('data', (data) => {
      this.#err += data;
    });
    const telling = setTimeout(() => void this.#tell(), tellMs);
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        clearTimeout(telling);
        resolve({ code, document: this.#out.trim() ? JSON.parse(this.#out) : undefined, log: this.#err });
      });
    });
  }

  get log(): string {
    return this.#err;
  }

  processes(): Processes {
    return JSON.parse(readFileSync(join(this.folder, 'processes.json'), 'utf8'));
  }

  api(peer: number): ApiClient {
    return ApiClient.of(this.processes().peers[peer]?.home ?? '');
  }

  /** Resolves once the run at `peer` has so many FINAL rounds; rejects where the demo ends before. */
  async rounds(count: number, peer = 0): Promise<void> {
    let over = false;
    void this.ended.then(() => {
      over = true;
    });
    for (;;) {
      if (over) throw new Error(`the demo ended before round ${count}:\n${this.#err}`);
      const done = await this.finalRounds(peer).catch(() => -1);
      if (done >= count) return;
      await wait(50);
    }
  }

  /** Resolves once the newest run at `peer` is as said. */
  async until(peer: number, holds: (run: DemoRun) => boolean): Promise<void> {
    for (;;) {
      const run = (await this.api(peer).get<{ runs: DemoRun[] }>('/v1/runs')).runs.at(-1);
      if (run && holds(run)) return;
      await wait(50);
    }
  }

  async finalRounds(peer: number): Promise<number> {
    if (!existsSync(join(this.folder, 'processes.json'))) return -1;
    const { runs } = await this.api(peer).get<{ runs: { finalRounds: number }[] }>('/v1/runs');
    return runs.at(-1)?.finalRounds ?? -1;
  }

  /** What everybody says while nothing goes on: the newest run as each peer sees it, and the ends of all logs. */
  async #tell(): Promise<void> {
    const told = this.processes().peers.map(async ({ name, pid }, peer) => {
      const silent = wait(5_000).then(() => 'no answer');
      const run = await Promise.race([this.api(peer).get<{ runs: object[] }>('/v1/runs'), silent]).catch(String);
      return `${name} (${pid}): ${typeof run === 'string' ? run : JSON.stringify(run.runs.at(-1))}`;
    });
    const logs = readdirSync(this.folder).filter((file) => file.endsWith('.log'));
    const ends = logs.map((file) => `${file}:\n${readFileSync(join(this.folder, file), 'utf8').slice(-2_000)}`);
    console.log([`the demo is not over after ${tellMs / 1_000} s`, this.#err.slice(-2_000), ...(await Promise.all(told)), ...ends].join('\n\n'));
  }

  /** Ends a peer as a power cut would. */
  kill(peer: number, signal: NodeJS.Signals = 'SIGKILL'): void {
    process.kill(this.processes().peers[peer]?.pid ?? 0, signal);
  }

  /** Starts a peer again with the very command that the launcher used. */
  startAgain(peer: number): ChildProcess {
    const args = this.processes().peers[peer]?.command ?? [];
    const log = openSync(join(this.folder, `started-again-${peer + 1}.log`), 'a', 0o600);
    const child = spawn(process.execPath, [command, '--json', ...args], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#started.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    await this.ended;
    for (const child of this.#started) child.kill('SIGKILL');
    if (!this.#keep) rmSync(join(this.folder, '..'), { recursive: true, force: true });
  }
}
