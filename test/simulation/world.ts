/** The world of one schedule: members, chain and network under one time and one stream of chance. Run twice, it does the same. */
import { createHash } from 'node:crypto';
import { roundContext } from '../../src/aggregation/index.ts';
import { type Account, account, type Chance, type Digest, digestOf, seededChance } from '../../src/common/index.ts';
import type { Question } from '../../src/peer/question.ts';
import { decodeMessage, encodeMessage, type Item, type RoundFact, type RunTerms } from '../../src/wire/index.ts';
import { ContractModel } from './contract.ts';
import { type Access, type Action, Disk, type PlannedCrash } from './disk.ts';
import { Events } from './events.ts';
import { Chain, chainId, contractAddress, ledgerPort } from './ledger.ts';
import { Incarnation, type MemberParts } from './member.ts';
import { named } from './named.ts';
import { networkPort } from './network.ts';
import { parameters, rowsOf, WatchedQuestion } from './question.ts';
import type { Range, Schedule } from './schedule.ts';
import { count, nothingSeen, type Seen } from './seen.ts';
import { Spectator } from './spectator.ts';
import { watchCrypto } from './watch.ts';

export const terms: Omit<RunTerms, 'rounds'> = { minMembers: 3, maxAttempts: 3, joinS: 10, shareS: 12, commitS: 15, readyS: 12, revealS: 14 };
const tickMs = 200;

/** Longest simulated time from the end of faults to the end of the run. */
export function longestMs(schedule: Schedule): number {
  const attemptS = terms.commitS + terms.readyS;
  const roundS = terms.joinS + terms.shareS + terms.maxAttempts * attemptS + terms.revealS + 5 * (schedule.members + 2);
  const lastS = Math.max(0, ...schedule.late.map(({ fromMs }) => (fromMs ?? 0) / 1_000));
  return schedule.faultsUntilMs + 1_000 * ((schedule.rounds + 3) * roundS + lastS) + 90_000;
}

interface Place {
  readonly index: number;
  readonly account: Account;
  readonly disk: Disk;
  incarnation: Incarnation | undefined;
  /** Never starts again. */
  gone: boolean;
  batchDue: boolean;
}

/** Runs one schedule to its end. */
export async function runWorld(schedule: Schedule): Promise<{ readonly seen: Seen; readonly trace: string }> {
  return await new World(schedule).run();
}

class World {
  readonly #schedule: Schedule;
  readonly #chance: Chance;
  readonly #time = new Events();
  readonly #chain: Chain;
  readonly #seen: Seen;
  readonly #spectator: Spectator;
  readonly #places: readonly Place[];
  readonly #accounts: readonly Account[];
  readonly #genesis: ReturnType<Question['genesis']>;
  readonly #contexts = new Map<Digest, number>();
  readonly #trace = createHash('sha256');
  #noted = 0;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#chance = seededChance('world', schedule.seed);
    this.#accounts = Array.from({ length: schedule.members }, (_, member) => account(`0x${String(member + 1).repeat(40)}`));
    this.#genesis = this.#question(-1).genesis(new Float32Array(parameters));
    const [starter] = this.#accounts;
    if (!starter) throw new Error('a world needs members');
    const plan = this.#genesis.plan;
    const start = { study: named('study'), starter, roster: this.#accounts, terms: { ...terms, rounds: schedule.rounds }, base: this.#genesis.hash, plan };
    this.#chain = new Chain(this.#time, new ContractModel(start), () => this.#grown());
    this.#seen = { ...nothingSeen(schedule), events: this.#chain.events };
    this.#places = this.#accounts.map((own, index) => {
      const disk = new Disk();
      disk.crashes.push(...schedule.crashes.filter(({ member }) => member === index));
      return { index, account: own, disk, incarnation: undefined, gone: false, batchDue: false };
    });
    this.#spectator = new Spectator(
      this.#seen,
      this.#places.map(({ disk }) => disk),
    );
  }

  async run(): Promise<{ readonly seen: Seen; readonly trace: string }> {
    const unwatch = watchCrypto(this.#spectator, seededChance('fresh', this.#schedule.seed));
    try {
      this.#begin();
      const limitMs = longestMs(this.#schedule);
      while (this.#time.nowMs < limitMs && this.#seen.failures.length === 0 && !this.#isOver() && this.#time.runNext()) {
        await new Promise(setImmediate);
      }
      this.#end();
    } finally {
      unwatch();
    }
    return { seen: this.#seen, trace: this.#trace.digest('hex') };
  }

  #begin(): void {
    const late = new Map(this.#schedule.late.map(({ member, fromMs }) => [member, fromMs]));
    for (const place of this.#places) {
      const fromMs = late.has(place.index) ? late.get(place.index) : 0;
      if (fromMs === 0) this.#start(place);
      else this.#absent(place, fromMs);
    }
    for (const { member, group, fromMs, toMs } of [
      ...this.#schedule.silences.map((span) => ({ ...span, group: [] })),
      ...this.#schedule.partitions.map((span) => ({ ...span, member: -1 })),
    ]) {
      const all = this.#places.map(({ index }) => index);
      const cut = member === undefined || (group.length > 0 && group.length < all.length) ? all : member >= 0 ? [member] : [];
      for (const impaired of cut) this.#seen.impaired.push({ member: impaired, fromMs, toMs });
      if (member === undefined) this.#time.after(fromMs, () => this.#chain.stall(toMs));
    }
    for (const { pair, ...span } of this.#schedule.deaf) for (const member of pair) this.#seen.impaired.push({ member, ...span });
    for (const { member } of this.#schedule.slow) this.#seen.impaired.push({ member, fromMs: 0, toMs: Number.POSITIVE_INFINITY });
    this.#chain.begin();
    const tick = (): void => {
      for (const place of this.#places) place.incarnation?.tick();
      this.#tellLies();
      this.#askEarly();
      this.#time.after(tickMs, tick);
    };
    this.#time.after(tickMs, tick);
  }

  #absent(place: Place, fromMs: number | undefined): void {
    count(this.#seen, 'late members');
    place.gone = fromMs === undefined;
    this.#seen.impaired.push({ member: place.index, fromMs: 0, toMs: fromMs ?? Number.POSITIVE_INFINITY });
    if (fromMs !== undefined) this.#time.after(fromMs, () => this.#start(place));
  }

  #isOver(): boolean {
    return !this.#chain.model.live && this.#places.every(({ gone, incarnation }) => gone || incarnation?.finished === true);
  }

  #end(): void {
    if (this.#isOver()) this.#seen.endedMs = this.#time.nowMs;
    for (const { index, gone, incarnation } of this.#places) {
      if (!gone && incarnation) this.#seen.standing.push({ member: index, holds: incarnation.holdsResult() });
      this.#checkReplay(index, incarnation);
    }
  }

  #checkReplay(member: number, incarnation: Incarnation | undefined): void {
    const replayed = incarnation?.access.dead === false ? incarnation.replays() : undefined;
    if (replayed) this.#seen.replayed.push({ member, ...replayed });
    const round = incarnation?.access.dead === false ? incarnation.forgets() : undefined;
    if (round !== undefined) this.#seen.forgotten.push({ member, round });
  }

  #draw([low, high]: Range): number {
    return low + this.#chance.below(high - low + 1);
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#time.nowMs < this.#schedule.faultsUntilMs && this.#chance.real() < probability;
  }

  #note(...parts: readonly (string | number)[]): void {
    this.#trace.update(`${this.#time.nowMs} ${parts.join(' ')}\n`);
  }

  #start(place: Place): void {
    this.#note('start', place.index);
    place.batchDue = false;
    place.incarnation = new Incarnation(this.#parts(place));
    this.#checkReplay(place.index, place.incarnation);
    this.#offerBatch(place);
  }

  #parts(place: Place): MemberParts {
    const { ledgerDelayMs, slow } = this.#schedule;
    const delayMs = (): number => this.#draw(ledgerDelayMs);
    const loses = (): boolean => this.#happens(this.#schedule.ledgerLoss);
    const work = (ordinal: number): Promise<void> => {
      const own = slow.find((slowness) => slowness.member === place.index && slowness.ordinal === ordinal);
      return new Promise((resolve) => this.#time.after(own?.workMs ?? this.#draw([50, 800]), resolve));
    };
    return {
      account: place.account,
      accounts: this.#accounts,
      disk: place.disk,
      watcher: {
        journalled: (kind) => count(this.#seen, `input ${kind}`),
        phase: () => place.incarnation?.newest()?.state.phase ?? 'start',
        crashed: (planned, action) => this.#crashed(place, planned, action),
        secretsStored: (key, secrets) => this.#spectator.secretsStored(place.index, key, secrets),
        contentStored: (root) => this.#spectator.contentStored(root),
      },
      clock: this.#time.clock(),
      ledger: (access) => ledgerPort(this.#chain, this.#time, place.account, access, { delayMs, loses, lost: () => count(this.#seen, 'transactions lost') }),
      network: (access) => this.#network(place, access),
      question: () => this.#question(place.index),
      rows: () => rowsOf(this.#schedule.seed, place.index, work),
      genesis: this.#genesis,
      statisticsBase: this.#schedule.statistics ? named('statistics') : undefined,
      prepareMs: () => this.#draw([20, 600]),
      after: (ms, run) => this.#time.after(ms, run),
      failed: (error) => {
        const text = error instanceof Error ? `${error.message} ${error.stack?.split('\n').slice(1, 4).join(' < ')}` : String(error);
        this.#seen.failures.push({ member: place.index, error: text });
      },
      warned: (message) => count(this.#seen, `warned: ${message.trim()}`),
    };
  }

  #question(member: number): Question {
    return new WatchedQuestion(this.#schedule.members, this.#schedule.statistics, (base, sum, next) => {
      const newest = this.#places[member]?.incarnation?.newest();
      if (newest?.state.phase !== 'reveal') return;
      this.#seen.opened.push({ member, round: newest.round, set: newest.state.set, base, sum: new Uint8Array(sum), state: next.hash });
    });
  }

  #network(place: Place, access: Access) {
    const { latencyMs, loss, doubles, garble } = this.#schedule;
    return networkPort(place.index, this.#time, access, {
      latencyMs: () => this.#draw(latencyMs),
      loses: () => this.#happens(loss),
      doubles: () => this.#happens(doubles),
      garble: (bytes) => (this.#happens(garble) ? this.#garbled(bytes) : bytes),
      reachable: (from, to) => this.#reachable(from, to),
      sent: (from, to, bytes) => this.#sent(from, to, bytes),
      lost: () => count(this.#seen, 'messages lost'),
      arrive: (from, to, bytes, original) => this.#arrive(from, to, bytes, original),
      offered: (by, root) => this.#places[by]?.disk.blobs.get(root),
    });
  }

  #garbled(bytes: Uint8Array): Uint8Array {
    const copy = new Uint8Array(bytes);
    const at = this.#chance.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << this.#chance.below(8));
    count(this.#seen, 'garbled');
    return copy;
  }

  #reachable(from: number, to: number): boolean {
    const { nowMs } = this.#time;
    const up = (member: number): boolean => this.#places[member]?.incarnation?.access.dead === false;
    const cut = this.#schedule.partitions.some(({ fromMs, toMs, group }) => nowMs >= fromMs && nowMs < toMs && group.includes(from) !== group.includes(to));
    const deaf = this.#schedule.deaf.some(({ fromMs, toMs, pair }) => nowMs >= fromMs && nowMs < toMs && pair.includes(from) && pair.includes(to));
    return up(from) && up(to) && !cut && !deaf;
  }

  #sent(from: number, to: number, bytes: Uint8Array): void {
    const message = decodeMessage(bytes);
    this.#note('send', from, to, message.body.kind, digestOf(bytes));
    this.#spectator.sent(from, message, this.#contexts.get(message.context) ?? -1);
  }

  #arrive(from: number, to: number, bytes: Uint8Array, original: Uint8Array): void {
    const [place, sender] = [this.#places[to], this.#accounts[from]];
    if (!place || !sender) return;
    const before = this.#spectator.stored;
    place.incarnation?.message(sender, bytes);
    if (bytes === original || this.#spectator.stored === before) return;
    const sent = decodeMessage(original);
    this.#spectator.garbled({ from, to, sent, bytes }, this.#contexts.get(sent.context) ?? -1);
  }

  #crashed(place: Place, planned: PlannedCrash, action: Action): void {
    const { nowMs } = this.#time;
    const phase = place.incarnation?.newest()?.state.phase ?? 'start';
    this.#note('crash', place.index, action);
    count(this.#seen, 'crashes');
    count(this.#seen, `crash ${planned.before ? 'before' : 'after'} ${action}`);
    count(this.#seen, `crash in ${phase}`);
    place.gone = planned.downMs === undefined;
    this.#seen.impaired.push({ member: place.index, fromMs: nowMs, toMs: planned.downMs === undefined ? Number.POSITIVE_INFINITY : nowMs + planned.downMs });
    if (planned.downMs === undefined) return;
    this.#time.after(planned.downMs, () => {
      count(this.#seen, 'restarts');
      this.#start(place);
    });
  }

  /** The chain has a new block: each member is to see it, each at its own time. */
  #grown(): void {
    for (const place of this.#places) this.#offerBatch(place);
    for (let at = this.#noted; at < this.#chain.events.length; at++) {
      const event = this.#chain.events[at];
      if (!event) continue;
      this.#note('fact', event.scope, JSON.stringify(event.fact));
      if (event.scope === 'round') this.#countFact(event.round, event.fact);
    }
    this.#noted = this.#chain.events.length;
  }

  #countFact(round: number, fact: RoundFact): void {
    if (fact.kind === 'final' || fact.kind === 'attemptOpened' || fact.kind === 'have') count(this.#seen, fact.kind);
    if (fact.kind === 'attemptOpened' && fact.attempt > 0) count(this.#seen, 'retries');
    if (fact.kind === 'void') count(this.#seen, `void ${fact.reason}`);
    if (fact.kind !== 'opened') return;
    const roster = fact.roster.flatMap((member) => this.#accounts[member] ?? []);
    const { study } = this.#chain.model.start;
    this.#contexts.set(roundContext({ chainId, contract: contractAddress, study, run: 1, round, base: fact.base, plan: fact.plan, roster }), round);
    if (fact.roster.length < this.#schedule.members) count(this.#seen, 'rounds of a smaller roster');
  }

  #offerBatch(place: Place): void {
    if (place.batchDue) return;
    place.batchDue = true;
    const { nowMs } = this.#time;
    const silent = this.#schedule.silences.filter(({ member, fromMs, toMs }) => member === place.index && nowMs >= fromMs && nowMs < toMs);
    const restMs = Math.max(0, ...silent.map(({ toMs }) => toMs - nowMs));
    const { incarnation } = place;
    this.#time.after(restMs + this.#draw(this.#schedule.ledgerDelayMs), () => {
      if (incarnation !== place.incarnation) return;
      place.batchDue = false;
      this.#deliver(place);
    });
  }

  #deliver(place: Place): void {
    const { events, block, timeS } = this.#chain;
    const from = place.disk.events.length;
    place.incarnation?.ingest({ events: events.slice(from), cursor: { block, hash: String(block) }, timeS });
    if (this.#chance.below(40) === 0) this.#checkReplay(place.index, place.incarnation);
  }

  #tellLies(): void {
    if (this.#schedule.lieInRound === undefined) return;
    const { live, round, phase, set, ready } = this.#chain.model.open;
    if (!live || round !== this.#schedule.lieInRound || phase !== 'ready' || ready.length !== set.length - 1) return;
    const victim = set.find((member) => !ready.includes(member));
    const shown = this.#chain.events.findLast((event) => event.scope === 'round' && event.fact.kind === 'ready');
    if (victim === undefined || shown?.fact.kind !== 'ready') return;
    this.#seen.lies.push(round);
    count(this.#seen, 'forged READY');
    const { context, sum } = shown.fact;
    this.#chain.forge(victim, { context, sum, members: [] });
  }

  /** A curious member asks for what unmasks, long before it is due. */
  #askEarly(): void {
    if (!this.#happens(this.#schedule.curious)) return;
    const [context] = [...this.#contexts.keys()].slice(-1);
    const [by, to, owner, attempt] = [this.#anyone(), this.#anyone(), this.#anyone(), this.#chance.below(2)];
    if (context === undefined || by === to || !this.#reachable(by, to)) return;
    const item: Item = this.#chance.below(2) === 0 ? { kind: 'seed', attempt } : { kind: 'seedShare', attempt, owner };
    const bytes = encodeMessage({ context, body: { kind: 'request', item } });
    count(this.#seen, 'asked early');
    this.#arrive(by, to, bytes, bytes);
  }

  #anyone(): number {
    return this.#chance.below(this.#places.length);
  }
}
