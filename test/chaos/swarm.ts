/** A consortium of real peer processes on an embedded ledger, with a relay in front of every peer and between every peer and the ledger. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliConsortium, done, processesOf, type Running } from '../support/consortium.ts';
import { type Line, Relay } from '../support/relay.ts';
import type { SiteOf } from '../support/site.ts';
import { freePort, ownerOf } from '../support/sockets.ts';
import type { JumpClock, StopAt } from './preload.ts';

const preload = fileURLToPath(new URL('./preload.ts', import.meta.url));

/** What a run looks like to its members. */
export interface RunDocument {
  readonly run: number;
  readonly members: readonly { readonly name: string }[];
  readonly finalRounds: number;
  readonly newest: { readonly round: number; readonly phase: string } | null;
  readonly history: readonly {
    readonly round: number;
    readonly phase: string;
    readonly absent: readonly string[];
    readonly attempt: number;
    readonly state: string | null;
    readonly model: string | null;
  }[];
  /** Names of members with two strikes. */
  readonly suspended: readonly string[];
  readonly outcome: string | null;
  readonly missing: readonly string[];
  readonly model: string | null;
  readonly trouble: string | null;
}

/** What is different from one scenario to another. */
export interface SwarmOptions {
  readonly members: number;
  readonly rounds: number;
  /** Changes the text of study.toml. */
  readonly study?: (text: string) => string;
  /** Another network than that of the new study. */
  readonly model?: Uint8Array;
  readonly homeOf?: (member: number) => string;
  /** Sites of their own: real lines lie between them, and no relays. */
  readonly siteOf?: SiteOf;
  /** Rows of each member; 80 where nothing is said. */
  readonly rows?: number;
  /** How much peers log: `debug` where they are to stop at a line. */
  readonly log?: string;
}

interface Rule {
  readonly between: (from: number | undefined, to: number | 'ledger') => boolean;
  readonly line: Line;
}

/** Peers, ledger, relays. `consortium` is the same thing without relays and faults. */
export class ChaosSwarm implements AsyncDisposable {
  readonly consortium: CliConsortium;
  readonly #options: SwarmOptions;
  readonly #relays: Relay[] = [];
  readonly #lines = new Set<Rule>();
  study = '';
  run = 0;

  private constructor(consortium: CliConsortium, options: SwarmOptions) {
    this.consortium = consortium;
    this.#options = options;
  }

  /** Founded, connected, with an approved study: ready for `start`. */
  static async found(options: SwarmOptions): Promise<ChaosSwarm> {
    const { members, homeOf, siteOf } = options;
    const consortium = await CliConsortium.found({ founders: members, ...(homeOf ? { homeOf } : {}), ...(siteOf ? { siteOf } : {}) });
    const swarm = new ChaosSwarm(consortium, options);
    try {
      await swarm.#connect();
      return swarm;
    } catch (error) {
      await swarm[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #connect(): Promise<void> {
    const { consortium } = this;
    if (!this.#options.siteOf) for (const member of this.members) await this.#relay(member);
    await consortium.ledger.stop();
    await this.serveLedger();
    for (const member of this.members) {
      if (member > 0) consortium.tellOf(member, member - 1);
      await this.up(member);
    }
    await this.connected();
    await this.#approve();
  }

  async #relay(member: number): Promise<void> {
    const { consortium } = this;
    const port = await freePort();
    const callerOf = (from: number): number | undefined => {
      const owner = ownerOf(
        from,
        this.members.map((other) => this.#running(other)?.pid ?? 0),
      );
      return owner === undefined ? undefined : this.members.find((other) => this.#running(other)?.pid === owner);
    };
    const inward = await Relay.listen({ port, callerOf, lineOf: (caller) => this.#line(caller, member) });
    const ledger = await Relay.listen({ port: Number(new URL(consortium.url).port), callerOf: () => member, lineOf: () => this.#line(member, 'ledger') });
    this.#relays.push(inward, ledger);
    consortium.configure(member, (text) =>
      text.replace(/^listen = .*$/m, `listen = ["/ip4/127.0.0.1/tcp/${port}"]`).replace(/^announce = .*$/m, `announce = ["/ip4/127.0.0.1/tcp/${inward.port}"]`),
    );
    const file = join(consortium.home(member), 'consortium.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), url: `http://127.0.0.1:${ledger.port}` }));
  }

  async #approve(): Promise<void> {
    const { consortium } = this;
    const study = join(consortium.folder, 'study');
    await done(['study', 'new', study]);
    const toml = readFileSync(join(study, 'study.toml'), 'utf8').replace(/^rounds = .*$/m, `rounds = ${this.#options.rounds}`);
    writeFileSync(join(study, 'study.toml'), this.#options.study?.(toml) ?? toml);
    if (this.#options.model) writeFileSync(join(study, 'model.onnx'), this.#options.model);
    const { study: id } = await consortium.run<{ study: string }>(0, 'study', 'publish', study);
    for (const member of this.members) {
      const api = consortium.api(member);
      await consortium.until('the study is here', async () => (await api.get<{ manifest: unknown }>(`/v1/studies/${id}`)).manifest !== undefined);
      await api.send('PUT', '/v1/datasets/patients', { files: [this.#rows(member)] });
      await api.send('POST', `/v1/studies/${id}/approve`, { dataSet: 'patients' });
    }
    this.study = id;
    const first = consortium.api(0);
    const decided = async (): Promise<number> => (await first.get<{ decisions: unknown[] }>(`/v1/studies/${id}`)).decisions.length;
    await consortium.until('all approvals are known', async () => (await decided()) === this.members.length);
  }

  /** Rows of a member's own. */
  #rows(member: number): string {
    const file = join(this.consortium.folder, `rows-${member}.csv`);
    const rows = Array.from({ length: this.#options.rows ?? 80 }, (_, at) => {
      const [age, systolic] = [30 + ((at * 7 + member * 3) % 50), 100 + ((at * 13 + member * 5) % 60)];
      return `m${member}p${at},${age},${systolic},${age + systolic > 185 ? 1 : 0}`;
    });
    writeFileSync(file, ['patient_id,age,systolic,outcome', ...rows, ''].join('\n'));
    return file;
  }

  get members(): readonly number[] {
    return Array.from({ length: this.#options.members }, (_, member) => member);
  }

  #running(member: number): Running | undefined {
    return this.consortium.runningPeer(member);
  }

  /** Starts the ledger, on the port that it had. */
  async serveLedger(): Promise<void> {
    await this.consortium.serveLedger({ preload });
  }

  /** Starts a peer with the product's own command. */
  async up(member: number): Promise<Running> {
    return this.consortium.up(member, { preload }, '--log', this.#options.log ?? 'debug');
  }

  /** Resolves once every running peer is connected with all others that run. */
  async connected(limitMs = 60_000): Promise<void> {
    const all = this.members.filter((member) => this.#running(member)?.isRunning).length - 1;
    await this.consortium.until('all are connected', async () => (await this.consortium.connected()).every((count) => count >= all), limitMs);
  }

  /** Starts the run. */
  async start(): Promise<void> {
    const { run } = await this.consortium.api(0).send<{ run: number }>('POST', '/v1/runs', { study: this.study });
    this.run = run;
  }

  /** The run as a member sees it. */
  view(member: number): Promise<RunDocument> {
    return this.consortium.api(member).get<RunDocument>(`/v1/runs/${this.run}`);
  }

  /** Resolves once a member has seen so many FINAL rounds, or the end of the run. */
  async rounds(count: number, member: number, limitMs = 120_000): Promise<void> {
    const reached = async (): Promise<boolean> => {
      const { finalRounds, outcome } = await this.view(member);
      return finalRounds >= count || outcome !== null;
    };
    await this.consortium.until(`member ${member} has seen ${count} final rounds`, reached, limitMs);
  }

  /** Resolves once the run is over at all these members. */
  async over(limitMs: number, members = this.members): Promise<void> {
    const isOver = async (member: number): Promise<boolean> => (await this.view(member)).outcome !== null;
    await this.consortium.until('the run is over everywhere', async () => (await Promise.all(members.map(isOver))).every(Boolean), limitMs);
  }

  /** Arms a peer: it stops itself at a log line. */
  stopAt(member: number, stop: Omit<StopAt, 'kind'>): void {
    this.consortium.peer(member).tell({ kind: 'stopAt', ...stop } satisfies StopAt);
  }

  /** Makes the wall clock of a peer, or of the ledger, jump. */
  jumpClock(who: number | 'ledger', byMs: number): void {
    const process = who === 'ledger' ? this.consortium.ledger : this.consortium.peer(who);
    process.tell({ kind: 'jumpClock', byMs } satisfies JumpClock);
  }

  /** Kills a peer as a power cut would, with everything that it started. Gives processes that outlived it by two seconds. */
  async kill(member: number): Promise<readonly number[]> {
    this.consortium.peer(member).kill('SIGKILL');
    return this.gone(member);
  }

  /** Resolves once a killed peer's processes have ended; gives those that have not after two seconds. */
  async gone(member: number): Promise<readonly number[]> {
    const peer = this.consortium.peer(member);
    await peer.ended;
    await this.consortium.until('its processes have ended', async () => processesOf(peer.pid).length === 0, 2_000).catch(() => undefined);
    return processesOf(peer.pid);
  }

  /** Lays a fault on the lines between some; ends with the returned value's disposal. */
  fault(between: Rule['between'], line: Line): Disposable {
    const rule = { between, line };
    this.#lines.add(rule);
    for (const relay of this.#relays) relay.enforce();
    return { [Symbol.dispose]: () => void this.#lines.delete(rule) };
  }

  /** A fault on all lines of one member, that to the ledger among them. */
  faultOf(member: number, line: Line): Disposable {
    return this.fault((from, to) => from === member || to === member, line);
  }

  /** Breaks a share of all connections that are open now. */
  breakConnections(share: number, draw: () => number): number {
    return this.#relays.reduce((sum, relay) => sum + relay.break(share, draw), 0);
  }

  #line(from: number | undefined, to: number | 'ledger'): Line {
    const rules = [...this.#lines].filter(({ between }) => between(from, to));
    return Object.assign({}, ...rules.map(({ line }) => line));
  }

  /** Ends peers and ledger in good order, but leaves their folders. */
  async stop(): Promise<void> {
    await this.consortium.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lines.clear();
    await this.consortium[Symbol.asyncDispose]();
    await Promise.all(this.#relays.map((relay) => relay[Symbol.asyncDispose]()));
  }
}
