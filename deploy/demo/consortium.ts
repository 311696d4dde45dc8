/** The demo's consortium: an embedded ledger, one peer for each member, found by the first three, the rest admitted by vote. */
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ApiClient } from '../../src/console/index.ts';
import { DemoError } from './failure.ts';
import { ownFolder, runOnce, Service, type SystemUser } from './processes.ts';
import type { DemoMember } from './study.ts';

/** What the demo keeps between starts. */
interface Kept {
  readonly ledgerPort: number;
  readonly listenPorts: readonly number[];
}

/** A member's peer in the demo. */
export interface DemoPeer {
  readonly member: DemoMember;
  readonly home: string;
  readonly user: SystemUser | undefined;
  readonly enrolment: { readonly account: string; readonly peerId: string };
  readonly service: Service;
  readonly page: string;
  /** The API of whichever process runs in this home now. */
  api(): ApiClient;
}

const founders = 3;
const chainId = 7341;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function keptOr(port: number | undefined): Promise<number> {
  return port !== undefined && (await isFree(port)) ? port : await freePort();
}

/** The demo's folder: made at the first start, kept for the next ones. */
export class DemoConsortium {
  readonly folder: string;
  readonly peers: DemoPeer[] = [];
  readonly isNew: boolean;
  #ledger: Service | undefined;
  #ledgerPort = 0;
  #listenPorts: readonly number[] = [];
  #stopping = false;

  constructor(folder: string) {
    this.folder = folder;
    this.isNew = !existsSync(join(folder, 'kept.json'));
  }

  get ledgerPid(): number {
    return this.#ledger?.pid ?? 0;
  }

  /** Starts the ledger, and again whenever it is killed. */
  async startLedger(count: number, users: readonly SystemUser[]): Promise<string> {
    ownFolder(this.folder, undefined, users.length > 0 ? 0o711 : 0o700);
    const file = join(this.folder, 'kept.json');
    const kept: Kept | undefined = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    this.#ledgerPort = await keptOr(kept?.ledgerPort);
    const ports = [];
    for (let at = 0; at < count; at++) ports.push(await keptOr(kept?.listenPorts[at]));
    this.#listenPorts = ports;
    const url = await this.#serveLedger();
    writeFileSync(file, JSON.stringify({ ledgerPort: this.#ledgerPort, listenPorts: ports } satisfies Kept));
    return url;
  }

  /** Makes homes where there are none, founds the consortium once, starts all peers, and admits those that are not members yet. */
  async startPeers(members: readonly DemoMember[], users: readonly (SystemUser | undefined)[], url: string): Promise<void> {
    const homes = await this.#homes(members, users, url);
    const started = await Promise.all(members.map((member, at) => this.#startPeer(member, homes[at] ?? '', users[at])));
    this.peers.push(...started);
    this.#writeProcesses();
    await this.#admit(started.slice(founders));
  }

  /** Stops the peers, then the ledger. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.peers.map(({ service }) => service.stop()));
    await this.#ledger?.stop();
  }

  async #serveLedger(): Promise<string> {
    const args = ['ledger', 'serve', '--folder', join(this.folder, 'ledger'), '--port', String(this.#ledgerPort), '--chain-id', String(chainId)];
    const { service, ready } = await Service.start<{ url: string }>(args, join(this.folder, 'ledger.log'), undefined);
    this.#ledger = service;
    this.#writeProcesses();
    void service.exited.then(async () => {
      if (!this.#stopping) await this.#serveLedger();
    });
    return ready.url;
  }

  /** Which process is whose, for people who want to stop one and see what happens. */
  #writeProcesses(): void {
    const peers = this.peers.map(({ member, home, service }) => ({ name: member.name, home, pid: service.pid, command: service.args }));
    writeFileSync(join(this.folder, 'processes.json'), `${JSON.stringify({ ledger: this.ledgerPid, peers }, null, 2)}\n`);
  }

  async #homes(members: readonly DemoMember[], users: readonly (SystemUser | undefined)[], url: string): Promise<string[]> {
    const homes = members.map((_, at) => join(this.folder, `peer-${at + 1}`));
    const addresses = this.#listenPorts.map((port) => `/ip4/127.0.0.1/tcp/${port}`);
    await Promise.all(members.map((member, at) => this.#makeHome(member, homes[at] ?? '', addresses[at] ?? '', users[at])));
    const peerIds = homes.map((home) => JSON.parse(readFileSync(join(home, 'enrolment.json'), 'utf8')).peerId);
    for (const [at, home] of homes.entries()) {
      this.#refreshPorts(home, addresses[at] ?? '', at === 0 ? '' : `${addresses[at - 1]}/p2p/${peerIds[at - 1]}`, users[at]);
      this.#give(join(this.folder, 'ledger', 'tokens.json'), home, users[at]);
    }
    await this.#found(homes, users, url);
    return homes;
  }

  async #makeHome(member: DemoMember, home: string, address: string, user: SystemUser | undefined): Promise<void> {
    ownFolder(home, user);
    if (existsSync(join(home, 'config.toml'))) return;
    await runOnce(['init', '--home', home, '--name', member.name, '--listen', address, '--console-port', '0'], user);
  }

  /** Ports may have changed since the last start; keys and everything else stay. */
  #refreshPorts(home: string, address: string, before: string, user: SystemUser | undefined): void {
    const file = join(home, 'config.toml');
    const text = readFileSync(file, 'utf8');
    const renewed = text.replace(/^listen = .*$/m, `listen = ["${address}"]`).replace(/^bootstrap = .*$/m, `bootstrap = [${before ? `"${before}"` : ''}]`);
    if (renewed !== text) writeFileSync(file, renewed, { mode: 0o600 });
    if (user) chownSync(file, user.uid, user.gid);
  }

  #give(tokens: string, home: string, user: SystemUser | undefined): void {
    const [{ token }] = JSON.parse(readFileSync(tokens, 'utf8'));
    const file = join(home, 'ledger.token');
    writeFileSync(file, token, { mode: 0o600 });
    if (user) chownSync(file, user.uid, user.gid);
  }

  async #found(homes: readonly string[], users: readonly (SystemUser | undefined)[], url: string): Promise<void> {
    const [first = ''] = homes;
    const file = join(first, 'consortium.json');
    if (!existsSync(file)) {
      const enrolments = homes
        .slice(0, founders)
        .map((home, at) => this.#send(join(home, 'enrolment.json'), join(first, `enrolment-${at + 1}.json`), users[0]));
      await runOnce(['ledger', 'deploy', '--home', first, '--url', url, ...enrolments.flatMap((enrolment) => ['--founder', enrolment])], users[0]);
    }
    const consortium = JSON.parse(readFileSync(file, 'utf8'));
    for (const [at, home] of homes.entries()) {
      const target = join(home, 'consortium.json');
      writeFileSync(target, `${JSON.stringify({ ...consortium, url }, null, 2)}\n`, { mode: 0o600 });
      const user = users[at];
      if (user) chownSync(target, user.uid, user.gid);
    }
  }

  /** What members mail each other: a copy that belongs to the receiver. */
  #send(file: string, copy: string, user: SystemUser | undefined): string {
    writeFileSync(copy, readFileSync(file), { mode: 0o600 });
    if (user) chownSync(copy, user.uid, user.gid);
    return copy;
  }

  async #startPeer(member: DemoMember, home: string, user: SystemUser | undefined): Promise<DemoPeer> {
    const enrolment = JSON.parse(readFileSync(join(home, 'enrolment.json'), 'utf8'));
    const { service, ready } = await Service.start<{ link: string }>(['up', '--home', home], join(this.folder, `${home.split('/').at(-1)}.log`), user);
    return { member, home, user, enrolment, service, page: ready.link, api: () => ApiClient.of(home) };
  }

  /** The first founder proposes, those that are members already vote, until everybody is a member. */
  async #admit(newcomers: readonly DemoPeer[]): Promise<void> {
    const [proposer] = this.peers;
    if (!proposer) throw new DemoError('A consortium needs three founding members.');
    for (const newcomer of newcomers) {
      const { enrolment, home } = newcomer;
      const voters = this.peers.slice(1, this.peers.indexOf(newcomer));
      type Members = { members: { account: string; active: boolean }[]; proposals: { proposal: number; done: boolean; action: { account: string } }[] };
      const isMember = async (): Promise<boolean> =>
        (await proposer.api().get<Members>('/v1/members')).members.some((member) => member.account === enrolment.account && member.active);
      if (await isMember()) continue;
      await proposer.api().send('POST', '/v1/proposals', { kind: 'admit', enrolment: readFileSync(join(home, 'enrolment.json'), 'utf8') });
      const open = await until(async () =>
        (await proposer.api().get<Members>('/v1/members')).proposals.find(({ action, done }) => !done && action.account === enrolment.account),
      );
      for (const voter of voters) {
        if (await isMember()) break;
        await voter
          .api()
          .send('POST', `/v1/proposals/${open.proposal}/votes`, { support: true })
          .catch(async (error: unknown) => {
            if (!(await isMember())) throw error;
          });
        await until(async () => (await isMember()) || undefined, 1_500).catch(() => undefined);
      }
    }
  }
}

/** Asks again and again until there is an answer. */
export async function until<T>(look: () => Promise<T | undefined>, limitMs = 60_000): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new DemoError(`Nothing came of waiting for ${limitMs / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}
