/** A consortium that is built and used by the command line alone: one ledger, one home for each member, real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../src/console/index.ts';
import type { RpcEndpoint } from '../../src/ledger/index.ts';
import { loadLedgerToken } from '../../src/peer/index.ts';
import { command, wait } from './demo.ts';
import { certificateOf, ledgerOffer, makeCertificate, peerPort, type SiteOf, tokenName } from './site.ts';

/** How a command ended. `leftover` are processes of its group that still ran afterwards. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly leftover: readonly number[];
}

export interface Spawning {
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd?: string;
  /** Words in front of the command, such as a limit on file sizes. */
  readonly before?: readonly string[];
  readonly limitMs?: number;
  /** A module that Node loads before the command; `tell` reaches it. */
  readonly preload?: string;
}

function spawned(args: readonly string[], { before = [], uid, gid, cwd = '/', preload }: Spawning): ChildProcess {
  const [file = process.execPath, ...rest] = [...before, process.execPath, ...(preload ? ['--import', preload] : []), command, ...args];
  const user = uid === undefined || gid === undefined ? {} : { uid, gid };
  return spawn(file, rest, {
    cwd,
    ...user,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe', ...(preload ? ['ipc' as const] : [])],
    detached: true,
  });
}

/** Processes of a group, those that have ended but were not collected yet left out. */
export function processesOf(group: number): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [state, , processGroup] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return Number(processGroup) === group && state !== 'Z' ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Runs one command to its end; one that takes longer than `limitMs` is killed and has no exit code. */
export async function schwarm(args: readonly string[], spawning: Spawning = {}): Promise<Ended> {
  const child = spawned(args, spawning);
  const text = { out: '', err: '' };
  child.stdout?.on('data', (data) => {
    text.out += data;
  });
  child.stderr?.on('data', (data) => {
    text.err += data;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), spawning.limitMs ?? 60_000);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  const leftover = processesOf(child.pid ?? 0);
  for (const pid of leftover) process.kill(pid, 'SIGKILL');
  return { code, ...text, leftover };
}

/** Runs one command that must succeed, and gives its document. */
export async function done<T>(args: readonly string[], spawning: Spawning = {}): Promise<T> {
  const { code, out, err } = await schwarm(['--json', ...args], spawning);
  if (code !== 0) throw new Error(`schwarm ${args.join(' ')} ended with ${code}:\n${out}${err}`);
  return JSON.parse(out) as T;
}

/** A command that runs until it is stopped. */
export class Running implements AsyncDisposable {
  readonly pid: number;
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  #err = '';
  #over = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stderr?.on('data', (data) => {
      this.#err += data;
    });
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#over = true;
        resolve(signal ?? code ?? 0);
      });
    });
  }

  /** Starts a command and resolves with its first line of JSON. */
  static async start<T>(args: readonly string[], spawning: Spawning = {}): Promise<{ readonly running: Running; readonly ready: T }> {
    const child = spawned(['--json', ...args], spawning);
    const running = new Running(child);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let out = '';
    child.stdout?.on('data', (data) => {
      out += data;
      if (out.includes('\n')) resolve(JSON.parse(out.slice(0, out.indexOf('\n'))));
    });
    void running.ended.then((end) => reject(new Error(`schwarm ${args.join(' ')} ended (${end}):\n${out}${running.log}`)));
    return { running, ready: await promise };
  }

  /** Everything that it wrote to standard error. */
  get log(): string {
    return this.#err;
  }

  get isRunning(): boolean {
    return !this.#over;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Says something to the module that was loaded before the command. */
  tell(message: object): void {
    this.#child.send(message);
  }

  /** Says something to that module and resolves with its next answer; undefined where the process has ended. */
  ask<T>(message: object): Promise<T | undefined> {
    const answer = new Promise<T>((resolve) => this.#child.once('message', (told) => resolve(told as T)));
    this.tell(message);
    return Promise.race([answer, this.ended.then(() => undefined)]);
  }

  async stop(): Promise<void> {
    if (!this.#over) this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.ended;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

export interface Enrolment {
  readonly name: string;
  readonly account: string;
  readonly peerId: string;
}

export interface CliOptions {
  /** Founding members. */
  readonly founders: number;
  /** Where homes are; a folder that is removed afterwards where it is not given. */
  readonly homeOf?: (member: number) => string;
  readonly votePercent?: number;
  /** Whether peers are told of the one before them. */
  readonly bootstrap?: boolean;
  /** Sites of their own for all; the ledger then has TLS and a token for each member, as it must off loopback. */
  readonly siteOf?: SiteOf;
}

/** One consortium; homes of newcomers are made with `addHome`. */
export class CliConsortium implements AsyncDisposable {
  readonly folder: string;
  readonly homes: string[] = [];
  readonly enrolments: Enrolment[] = [];
  readonly #homeOf: (member: number) => string;
  readonly #siteOf: SiteOf | undefined;
  readonly #founders: number;
  readonly #running = new Map<number, Running>();
  readonly #addresses = new Map<number, string>();
  #ledger: Running | undefined;
  url = '';

  private constructor(folder: string, { founders, homeOf, siteOf }: CliOptions) {
    this.folder = folder;
    this.#founders = founders;
    this.#siteOf = siteOf;
    this.#homeOf = homeOf ?? ((member) => join(folder, `peer-${member + 1}`));
  }

  /** Founded, with no peer running yet. */
  static async found(options: CliOptions): Promise<CliConsortium> {
    const made = new CliConsortium(mkdtempSync(join(tmpdir(), 'schwarm-consortium-')), options);
    try {
      await made.#found(options);
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #found({ founders, votePercent = 50 }: CliOptions): Promise<void> {
    if (this.#siteOf) makeCertificate(this.folder);
    await this.serveLedger();
    await Promise.all(Array.from({ length: founders }, (_, member) => this.addHome(member)));
    const [first = ''] = this.homes;
    const files = this.homes.flatMap((home) => ['--founder', join(home, 'enrolment.json')]);
    const pinned = this.#siteOf ? ['--certificate', certificateOf(this.folder)] : [];
    await done(['ledger', 'deploy', '--home', first, '--url', this.url, '--vote-percent', String(votePercent), ...pinned, ...files], this.#at(0));
    for (const home of this.homes) this.#give(home);
  }

  get ledger(): Running {
    if (!this.#ledger) throw new Error('the ledger was not started');
    return this.#ledger;
  }

  async serveLedger(spawning: Spawning = {}): Promise<void> {
    const port = this.url ? new URL(this.url).port : '0';
    const offer = this.#siteOf ? ledgerOffer(this.folder, this.#siteOf('ledger'), this.#founders) : ['--port', port];
    const args = ['ledger', 'serve', '--folder', join(this.folder, 'ledger'), ...offer];
    const { running, ready } = await Running.start<{ url: string }>(args, { ...this.#at('ledger'), ...spawning });
    this.#ledger = running;
    this.url = ready.url;
  }

  /** What is said wherever a process of a member, or of the ledger, is started. */
  #at(who: number | 'ledger'): Spawning {
    return this.#siteOf ? { before: this.#siteOf(who).before } : {};
  }

  /** How this process reaches the ledger, as the first member. */
  get endpoint(): RpcEndpoint {
    const token = loadLedgerToken(this.home(0));
    const known = token ? { token } : {};
    if (!this.#siteOf) return { url: this.url, ...known };
    return { url: `https://127.0.0.1:${this.#siteOf('ledger').port}`, ...known, pinnedCertificate: readFileSync(certificateOf(this.folder), 'utf8') };
  }

  /** Makes the home of a member and gives it what it needs to reach the ledger. */
  async addHome(member: number, ...more: readonly string[]): Promise<string> {
    const home = this.#homeOf(member);
    this.homes[member] = home;
    const site = this.#siteOf?.(member);
    const { enrolment } = await done<{ enrolment: Enrolment }>([
      'init',
      '--home',
      home,
      '--name',
      `Hospital ${member + 1}`,
      '--listen',
      site ? `/ip4/${site.host}/tcp/${peerPort}` : '/ip4/127.0.0.1/tcp/0',
      '--console-port',
      String(site?.port ?? 0),
      ...more,
    ]);
    this.enrolments[member] = enrolment;
    const tokens: readonly { name: string; token: string }[] = JSON.parse(readFileSync(join(this.folder, 'ledger', 'tokens.json'), 'utf8'));
    const { token = '' } = tokens.find(({ name }) => !site || name === tokenName(member)) ?? {};
    writeFileSync(join(home, 'ledger.token'), token, { mode: 0o600 });
    if (member > 0 && existsSync(join(this.home(0), 'consortium.json'))) this.#give(home);
    return home;
  }

  #give(home: string): void {
    writeFileSync(join(home, 'consortium.json'), readFileSync(join(this.home(0), 'consortium.json')));
  }

  home(member: number): string {
    return this.homes[member] ?? '';
  }

  /** The consortium as every member knows it. */
  get file(): { readonly url: string; readonly chainId: number; readonly contract: string } {
    return JSON.parse(readFileSync(join(this.home(0), 'consortium.json'), 'utf8'));
  }

  /** Changes the text of a member's config.toml. */
  configure(member: number, change: (text: string) => string): void {
    const file = join(this.home(member), 'config.toml');
    writeFileSync(file, change(readFileSync(file, 'utf8')), { mode: 0o600 });
  }

  /** Tells a peer, before it starts, of nobody but `known`. */
  tellOf(member: number, known: number): void {
    this.configure(member, (text) => text.replace(/^bootstrap = .*$/m, `bootstrap = ["${this.address(known)}"]`));
  }

  /** The address of a peer that runs or ran. */
  address(member: number): string {
    return this.#addresses.get(member) ?? '';
  }

  async up(member: number, spawning: Spawning = {}, ...more: readonly string[]): Promise<Running> {
    const { running, ready } = await Running.start<{ addresses: string[] }>(['up', '--home', this.home(member), ...more], {
      ...this.#at(member),
      ...spawning,
    });
    this.#running.set(member, running);
    this.#addresses.set(member, ready.addresses[0] ?? '');
    return running;
  }

  /** All of them, each told of the one before it. */
  async upAll(): Promise<void> {
    for (const member of this.homes.keys()) {
      if (member > 0) this.tellOf(member, member - 1);
      await this.up(member);
    }
    await this.until('all are connected', async () => (await this.connected()).every((count) => count === this.homes.length - 1));
  }

  /** The process of a peer that runs or ran; undefined where it was never started. */
  runningPeer(member: number): Running | undefined {
    return this.#running.get(member);
  }

  peer(member: number): Running {
    const running = this.#running.get(member);
    if (!running) throw new Error(`peer ${member} was not started`);
    return running;
  }

  api(member: number): ApiClient {
    return ApiClient.of(this.home(member));
  }

  /** A command at a member that may fail. */
  cli(member: number, ...args: readonly string[]): Promise<Ended> {
    return schwarm([...args, '--home', this.home(member)], this.#at(member));
  }

  /** A command at a member that must succeed. */
  run<T>(member: number, ...args: readonly string[]): Promise<T> {
    return done<T>([...args, '--home', this.home(member)], this.#at(member));
  }

  /** How many members each running peer is connected with. */
  connected(): Promise<number[]> {
    const running = [...this.#running].filter(([, { isRunning }]) => isRunning);
    return Promise.all(running.map(async ([member]) => (await this.api(member).get<{ connected: number }>('/v1/status')).connected));
  }

  /** Names of the members that a peer is connected with. */
  async reaches(member: number): Promise<readonly string[]> {
    const { members } = await this.api(member).get<{ members: { name: string; connected: boolean }[] }>('/v1/members');
    return members.filter(({ connected }) => connected).map(({ name }) => name);
  }

  /** Resolves once `holds`; rejects after `limitMs` with the words. */
  async until(what: string, holds: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    const end = performance.now() + limitMs;
    while (!(await holds().catch(() => false))) {
      if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
      await wait(50);
    }
  }

  /** Ends all peers, then the ledger; their folders stay. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running.stop()));
    await this.#ledger?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
