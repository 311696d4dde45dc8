/** A real embedded ledger with a founded consortium, and a clock that tests may push, so that deadlines pass without waiting. */
import { ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, type Clock, type Digest, digestOf, isSwarmError, silentLogger, utf8 } from '../../src/common/index.ts';
import { encodeCall, refusalOf } from '../../src/ledger/evm/calls.ts';
import { addressesOf } from '../../src/ledger/evm/connect.ts';
import { peerIdOfKey } from '../../src/ledger/evm/peer-key.ts';
import { JsonRpc } from '../../src/ledger/evm/rpc.ts';
import { Sender } from '../../src/ledger/evm/sender.ts';
import {
  type AccountKey,
  connectLedger,
  deployConsortium,
  type Founder,
  freshAccountKey,
  freshToken,
  type Ledger,
  type LedgerEvent,
  type LedgerTransaction,
  type Receipt,
  type ServedLedger,
  serveLedger,
} from '../../src/ledger/index.ts';
import type { RoundFact, RunFact, RunTerms } from '../../src/wire/index.ts';
import { realClock } from './clock.ts';

export const chainId = 4_711;
export const token = freshToken('test');
export const open = { signal: new AbortController().signal };

/** Real time plus what a test adds. */
export class PushedClock implements Clock {
  #addedMs = 0;
  push(ms: number): void {
    this.#addedMs += ms;
  }
  nowMs(): number {
    return realClock.nowMs() + this.#addedMs;
  }
  calendarMs(): number {
    return realClock.calendarMs() + this.#addedMs;
  }
  sleep = realClock.sleep;
  timeout = realClock.timeout;
}

/** The digest of a word: tests name their digests. */
export function named(word: string): Digest {
  return digestOf(utf8(word));
}

/** Keys sorted by account, so that a key's place is its member's index. */
export function freshKeys(count: number): AccountKey[] {
  return Array.from({ length: count }, freshAccountKey).sort((a, b) => (a.account < b.account ? -1 : 1));
}

export function founderOf(key: { readonly account: Account }, name: string): Founder {
  return { account: key.account, peerId: peerIdOfKey(`0x${randomBytes(32).toString('hex')}`), name };
}

export async function serveIn(folder: string, clock: Clock = realClock, port = 0): Promise<ServedLedger> {
  return await serveLedger({ folder, host: '127.0.0.1', port, chainId, tokens: [token] }, { clock, logger: silentLogger });
}

export async function freshFolder(): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'schwarm-ledger-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A reader that folds all events so far and can wait for those of a receipt. */
export class Reader {
  readonly events: LedgerEvent[] = [];
  readonly #ledger: Ledger;
  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }
  async upTo(block: number): Promise<readonly LedgerEvent[]> {
    const events: LedgerEvent[] = [];
    for await (const batch of this.#ledger.batches(undefined, open)) {
      events.push(...batch.events);
      if (batch.cursor.block >= block) break;
    }
    return events;
  }
}

export interface ConsortiumOptions {
  readonly members: number;
  readonly votePercent?: number;
  readonly names?: readonly string[];
}

/** Members 0 … n-1 by index, each with its own connection to one ledger. */
export class Consortium implements AsyncDisposable {
  readonly clock: PushedClock;
  readonly keys: readonly AccountKey[];
  readonly founders: readonly Founder[];
  readonly contract: Account;
  readonly url: string;
  readonly #owned: AsyncDisposableStack;
  readonly #ledgers = new Map<AccountKey, Ledger>();
  #lastBlock = 0;

  private constructor(
    owned: AsyncDisposableStack,
    clock: PushedClock,
    url: string,
    contract: Account,
    keys: readonly AccountKey[],
    founders: readonly Founder[],
  ) {
    this.#owned = owned;
    this.clock = clock;
    this.url = url;
    this.contract = contract;
    this.keys = keys;
    this.founders = founders;
  }

  static async create(options: ConsortiumOptions): Promise<Consortium> {
    await using owned = new AsyncDisposableStack();
    const { folder, remove } = await freshFolder();
    owned.defer(remove);
    const clock = new PushedClock();
    const served = owned.use(await serveIn(folder, clock));
    const keys = freshKeys(options.members);
    const founders = keys.map((key, index) => founderOf(key, options.names?.[index] ?? `member ${index}`));
    const [deployer] = keys;
    if (deployer === undefined) throw new Error('no members');
    const where = { url: served.url, token: token.token, chainId };
    const { contract } = await deployConsortium({ ...where, key: deployer, founders, votePercent: options.votePercent ?? 50, pollMs: 5 }, { clock }, open);
    return new Consortium(owned.move(), clock, served.url, contract, keys, founders);
  }

  key(index: number): AccountKey {
    const key = this.keys[index];
    if (key === undefined) throw new Error(`no member ${index}`);
    return key;
  }

  async ledgerOf(key: AccountKey): Promise<Ledger> {
    const known = this.#ledgers.get(key);
    if (known !== undefined) return known;
    const options = { url: this.url, token: token.token, chainId, contract: this.contract, key, pollMs: 5 };
    const ledger = this.#owned.use(await connectLedger(options, { clock: realClock, logger: silentLogger }, open));
    this.#ledgers.set(key, ledger);
    return ledger;
  }

  /** Member `by` (an index or any key) sends a transaction. */
  async submit(by: number | AccountKey, transaction: LedgerTransaction): Promise<Receipt> {
    const ledger = await this.ledgerOf(typeof by === 'number' ? this.key(by) : by);
    const receipt = await ledger.submit(transaction, open);
    this.#lastBlock = Math.max(this.#lastBlock, receipt.block);
    return receipt;
  }

  /** The same, and the contract must refuse it with this reason. */
  async refused(by: number | AccountKey, transaction: LedgerTransaction, reason: string): Promise<void> {
    const outcome: unknown = await this.submit(by, transaction).catch((error: unknown) => error);
    const found = isSwarmError(outcome, 'LEDGER_REFUSED') ? String(outcome.detail['reason']) : String(outcome);
    ok(found.includes(reason), `${transaction.kind} should be refused with ${reason}, but: ${found}`);
  }

  /** Sends a READY with a signature of the caller's choice. */
  async submitReady(by: number, transaction: Extract<LedgerTransaction, { kind: 'ready' }>, signature: string): Promise<void> {
    using rpc = new JsonRpc({ url: this.url, token: token.token }, realClock);
    const addresses = await addressesOf(rpc, this.contract, open);
    const { name, data } = encodeCall(transaction, { signature });
    const sender = new Sender(rpc, this.key(by), { chainId, pollMs: 5 }, realClock);
    await sender.send({ name, to: addresses.Rounds, data, reasonOf: (error) => refusalOf('Rounds', error) }, open);
  }

  /** Every event so far. */
  async events(): Promise<readonly LedgerEvent[]> {
    return await new Reader(await this.ledgerOf(this.key(0))).upTo(this.#lastBlock);
  }

  /** Every fact of a run's rounds so far, optionally of one kind. */
  async roundFacts<Kind extends RoundFact['kind']>(run: number, kind?: Kind): Promise<(Extract<RoundFact, { kind: Kind }> & { round: number })[]> {
    const events = await this.events();
    return events.flatMap((event) =>
      event.scope === 'round' && event.run === run && (kind === undefined || event.fact.kind === kind)
        ? [{ ...(event.fact as Extract<RoundFact, { kind: Kind }>), round: event.round }]
        : [],
    );
  }

  async runFacts(run: number): Promise<readonly RunFact[]> {
    return (await this.events()).flatMap((event) => (event.scope === 'run' && event.run === run ? [event.fact] : []));
  }

  /** Lets `seconds` of ledger time pass while a run is live: two seconds a block, each made by a record of member 0. */
  async pass(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 2) {
      this.clock.push(2_000);
      await this.submit(0, { kind: 'record', label: 'time', subject: named('time'), hash: named('passes') });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

export const terms: RunTerms = {
  rounds: 2,
  minMembers: 3,
  maxAttempts: 3,
  joinS: 20,
  shareS: 20,
  commitS: 20,
  readyS: 20,
  revealS: 20,
  open: false,
  groupSize: 0,
  protocol: 2,
};
export const study = named('study');
export const base = named('base');
export const plan = named('plan');
export const context = named('context');
export const sum = named('sum');
export const ballot = { state: named('state'), model: named('model'), nextPlan: named('next plan') };

/** One run of all members and the moves of a round, for tests that only want to get somewhere. */
export class Run {
  readonly of: Consortium;
  readonly run: number;
  readonly all: readonly number[];

  private constructor(of: Consortium, run: number) {
    this.of = of;
    this.run = run;
    this.all = of.keys.map((_, index) => index);
  }

  static async approve(of: Consortium, by: readonly number[]): Promise<void> {
    await of.submit(0, { kind: 'publishStudy', study, root: named('root'), sizeBytes: 1_000 });
    for (const member of by) await of.submit(member, { kind: 'decideStudy', study, approved: true, dataVersion: named(`data ${member}`) });
  }

  static async start(of: Consortium, own: Partial<RunTerms> = {}): Promise<Run> {
    await Run.approve(
      of,
      of.keys.map((_, index) => index),
    );
    await of.submit(0, { kind: 'startRun', study, roster: of.keys.map((key) => key.account), terms: { ...terms, ...own }, base, plan });
    return new Run(of, 1);
  }

  at(round: number): { readonly run: number; readonly round: number } {
    return { run: this.run, round };
  }

  async join(round: number, members = this.all): Promise<void> {
    for (const member of members) await this.of.submit(member, { kind: 'join', ...this.at(round), bundle: named(`bundle ${member}`) });
  }

  async vouch(round: number, members = this.all, holds: readonly number[] = members): Promise<void> {
    for (const member of members) await this.of.submit(member, { kind: 'vouch', ...this.at(round), holds });
  }

  async commit(round: number, attempt = 0, members = this.all): Promise<void> {
    for (const member of members) await this.of.submit(member, { kind: 'commit', ...this.at(round), attempt, root: named(`root ${member}`) });
  }

  readyBy(round: number, attempt: number, set: readonly number[], of: Digest = sum): Extract<LedgerTransaction, { kind: 'ready' }> {
    return { kind: 'ready', ...this.at(round), attempt, context, members: set.map((index) => this.of.key(index).account), sum: of };
  }

  async ready(round: number, attempt = 0, members = this.all, set = members): Promise<void> {
    for (const member of members) await this.of.submit(member, this.readyBy(round, attempt, set));
  }

  async vote(round: number, members: readonly number[]): Promise<void> {
    for (const member of members) await this.of.submit(member, { kind: 'vote', accept: true, ...this.at(round), ...ballot });
  }

  /** A round in which `members` of those expected act in every phase. */
  async toPhase(phase: 'share' | 'commit' | 'ready' | 'reveal', round = 0, members = this.all): Promise<void> {
    await this.join(round, members);
    if (phase === 'share') return;
    await this.vouch(round, members);
    if (phase === 'commit') return;
    await this.commit(round, 0, members);
    if (phase === 'ready') return;
    await this.ready(round, 0, members);
  }

  async finish(round: number, members = this.all): Promise<void> {
    await this.toPhase('reveal', round, members);
    await this.vote(round, members.slice(0, Math.floor((2 * members.length) / 3) + 1));
  }

  /** Lets the phase's deadline pass and closes it. */
  async expire(round: number, by = 0): Promise<void> {
    await this.of.pass(22);
    await this.of.submit(by, { kind: 'advance', ...this.at(round) });
  }

  voids(): Promise<{ round: number; reason: string }[]> {
    return this.of.roundFacts(this.run, 'void').then((facts) => facts.map(({ round, reason }) => ({ round, reason })));
  }

  async rosters(): Promise<(readonly number[])[]> {
    return (await this.of.roundFacts(this.run, 'opened')).map(({ roster }) => roster);
  }
}
