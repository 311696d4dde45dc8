/** The world of one schedule: members, chain and network under one time and one stream of chance. Run twice, it does the same. */
import { hybridKeys, type KeyAgreement } from '../../src/aggregation/index.ts';
import { type Account, seededChance } from '../../src/common/index.ts';
import type { TrainingQuestion } from '../../src/peer/training-question.ts';
import { trainingErrors } from '../../src/training/errors.ts';
import { namedGroups } from '../../src/wire/index.ts';
import { Conditions } from './conditions.ts';
import { ContractModel } from './contract.ts';
import { Delivery } from './delivery.ts';
import { type Action, Disk, type PlannedCrash, snapshot } from './disk.ts';
import { Events } from './events.ts';
import { Chain, ledgerPort } from './ledger.ts';
import { Links } from './links.ts';
import { Incarnation, type MemberParts } from './member.ts';
import { accountOf, named } from './named.ts';
import { peerIdOf } from './network.ts';
import { planActs } from './people.ts';
import { checkNewest, checkReplay, type Place } from './place.ts';
import { parameters, rowsOf, WatchedQuestion } from './question.ts';
import { Luck, type Scene, Trace } from './scene.ts';
import type { Schedule, Span } from './schedule.ts';
import { count, nothingSeen, type Seen } from './seen.ts';
import { Spectator } from './spectator.ts';
import { standInKeys } from './stand-in-keys.ts';
import { longestMs, terms } from './terms.ts';
import { Traitor } from './traitor.ts';
import { watchCrypto } from './watch.ts';

const tickMs = 200;

/** Runs one schedule to its end. */
export async function runWorld(schedule: Schedule): Promise<{ readonly seen: Seen; readonly trace: string }> {
  return await new World(schedule).run();
}

class World {
  readonly #schedule: Schedule;
  readonly #time = new Events();
  readonly #conditions: Conditions;
  readonly #chain: Chain;
  readonly #seen: Seen;
  readonly #spectator: Spectator;
  readonly #places: readonly Place[];
  readonly #accounts: readonly Account[];
  readonly #genesis: ReturnType<TrainingQuestion['genesis']>;
  readonly #luck: Luck;
  readonly #trace = new Trace(this.#time);
  readonly #links: Links;
  readonly #delivery: Delivery;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#conditions = new Conditions(schedule, this.#time);
    this.#luck = new Luck(seededChance('world', schedule.seed), this.#time, schedule);
    this.#accounts = Array.from({ length: schedule.members }, (_, member) => accountOf(member));
    this.#genesis = this.#question(-1).genesis(new Float32Array(parameters));
    const [starter] = this.#accounts;
    if (!starter) throw new Error('a world needs members');
    const plan = this.#genesis.plan;
    const start = {
      study: named('study'),
      starter,
      roster: this.#accounts,
      terms: {
        ...terms,
        rounds: schedule.rounds,
        open: schedule.openRule !== undefined,
        groupSize: schedule.groups?.named ? namedGroups : (schedule.groups?.size ?? 0),
      },
      base: this.#genesis.hash,
      plan,
    };
    this.#chain = new Chain(this.#time, new ContractModel(start), () => this.#delivery.grown(), {
      finalityMs: schedule.finalityMs,
      reorganises: schedule.reorganises,
      chance: seededChance('chain', schedule.seed),
      reorganised: () => count(this.#seen, 'reorganisations'),
    });
    this.#seen = { ...nothingSeen(schedule), events: this.#chain.events };
    this.#places = this.#accounts.map((own, index) => {
      const disk = new Disk();
      disk.exact = schedule.exact;
      disk.crashes.push(...schedule.crashes.filter(({ member }) => member === index));
      return { index, account: own, disk, incarnation: undefined, gone: false, batchDue: false, traitor: this.#traitor(index) };
    });
    this.#spectator = new Spectator(
      this.#seen,
      this.#places.map(({ disk }) => disk),
    );
    const scene: Scene = {
      schedule,
      time: this.#time,
      luck: this.#luck,
      conditions: this.#conditions,
      chain: this.#chain,
      seen: this.#seen,
      spectator: this.#spectator,
      trace: this.#trace,
      accounts: this.#accounts,
      places: this.#places,
    };
    this.#links = new Links(scene);
    this.#delivery = new Delivery(scene, this.#links);
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
    return { seen: this.#seen, trace: this.#trace.digest() };
  }

  #begin(): void {
    const late = new Map(this.#schedule.late.map(({ member, fromMs }) => [member, fromMs]));
    for (const place of this.#places) {
      const fromMs = late.has(place.index) ? late.get(place.index) : 0;
      if (fromMs === 0) this.#start(place);
      else this.#absent(place, fromMs);
    }
    for (const { member, group, fromMs, toMs, ledger } of [
      ...this.#schedule.silences.map((span) => ({ ...span, group: [], ledger: 'all' })),
      ...this.#schedule.partitions.map((span) => ({ ...span, member: -1 })),
    ]) {
      if (group.length > 0) count(this.#seen, `partition, ledger with ${ledger}`);
      if (ledger === 'nobody') this.#time.after(fromMs, () => this.#chain.stall(toMs));
      const all = this.#places.map(({ index }) => index);
      const cut =
        member === undefined || ledger === 'nobody' || (group.length > 0 && (group.length < all.length || ledger !== 'all'))
          ? all
          : member >= 0
            ? [member]
            : [];
      for (const impaired of cut) this.#seen.impaired.push({ member: impaired, fromMs, toMs });
      if (member === undefined) this.#time.after(fromMs, () => this.#chain.stall(toMs));
    }
    for (const { pair, ...span } of this.#schedule.deaf) for (const member of pair) this.#seen.impaired.push({ member, ...span });
    for (const { member } of this.#schedule.slow) this.#seen.impaired.push({ member, fromMs: 0, toMs: Number.POSITIVE_INFINITY, slow: true });
    for (const restore of this.#schedule.restores ?? []) this.#planRestore(restore);
    this.#chain.begin();
    planActs(this.#schedule.acts, { time: this.#time, chain: this.#chain, accounts: this.#accounts, seen: this.#seen });
    const tick = (): void => {
      for (const place of this.#places) {
        place.incarnation?.tick();
        if (this.#chain.model.live) place.incarnation?.aside(() => place.traitor?.tick());
      }
      this.#delivery.tellLies();
      this.#links.askEarly();
      this.#time.after(tickMs, tick);
    };
    this.#time.after(tickMs, tick);
  }

  #planRestore({ member, fromMs, toMs }: Span & { readonly member: number }): void {
    const place = this.#places[member];
    if (!place) return;
    this.#seen.impaired.push({ member, fromMs: toMs, toMs: toMs + 1_000 });
    this.#time.after(fromMs, () => {
      const giveBack = snapshot(place.disk);
      this.#time.after(toMs - fromMs, () => {
        place.incarnation?.access.die();
        giveBack();
        this.#spectator.restored(member);
        count(this.#seen, 'disks set back');
        this.#time.after(500, () => this.#start(place));
      });
    });
  }

  #absent(place: Place, fromMs: number | undefined): void {
    count(this.#seen, 'late members');
    place.gone = fromMs === undefined;
    this.#seen.impaired.push({ member: place.index, fromMs: 0, toMs: fromMs ?? Number.POSITIVE_INFINITY });
    if (fromMs !== undefined) this.#time.after(fromMs, () => this.#start(place));
  }

  #isOver(): boolean {
    return !this.#chain.model.live && this.#places.every(({ gone, incarnation }) => gone || (incarnation?.finished === true && !incarnation.access.dead));
  }

  #end(): void {
    if (this.#isOver()) this.#seen.endedMs = this.#time.nowMs;
    for (const { index, gone, incarnation, disk } of this.#places) {
      if (!gone && incarnation)
        this.#seen.standing.push({ member: index, holds: incarnation.holdsResult(), secretsLeft: disk.sealed.size, records: disk.records });
      checkReplay(this.#seen, index, incarnation);
    }
  }

  #start(place: Place): void {
    this.#trace.note('start', place.index);
    place.batchDue = false;
    place.incarnation = new Incarnation(this.#parts(place));
    checkReplay(this.#seen, place.index, place.incarnation);
    checkNewest(this.#seen, place);
    this.#delivery.offer(place);
  }

  #parts(place: Place): MemberParts {
    const { ledgerDelayMs, slow } = this.#schedule;
    const delayMs = (): number => this.#luck.draw(ledgerDelayMs);
    const loses = (): boolean => this.#luck.happens(this.#schedule.ledgerLoss);
    const work = async (ordinal: number): Promise<void> => {
      const own = slow.find((slowness) => slowness.member === place.index && slowness.ordinal === ordinal);
      await new Promise<void>((resolve) => this.#time.after(own?.workMs ?? this.#luck.draw([50, 800]), resolve));
      if (!this.#conditions.losesTraining(place.index, ordinal)) return;
      count(this.#seen, 'trainings lost');
      throw trainingErrors.TRAINING_PROCESS_LOST({ what: 'train', reason: 'simulated' });
    };
    return {
      account: place.account,
      accounts: this.#accounts,
      disk: place.disk,
      keyAgreement: this.#keysOf(place),
      watcher: {
        journalled: (input, round) => {
          count(this.#seen, `input ${input.kind}`);
          this.#spectator.journalled(place.index, round, input);
        },
        phase: () => place.incarnation?.newest()?.state.phase ?? 'start',
        crashed: (planned, action) => this.#crashed(place, planned, action),
        secretsStored: (key, secrets) => this.#spectator.secretsStored(place.index, key, secrets),
        wordsStored: (key, words) => this.#spectator.wordsStored(place.index, key, words),
        contentStored: (root) => this.#spectator.contentStored(place.index, root),
      },
      clock: this.#time.clock(this.#schedule.clocks.find(({ member }) => member === place.index)),
      ledger: (access) => {
        const isCutOff = (): boolean => this.#conditions.isCutOff(place.index);
        const port = ledgerPort(this.#chain, this.#time, place.account, access, {
          delayMs,
          isCutOff,
          loses,
          lost: () => count(this.#seen, 'transactions lost'),
        });
        return place.traitor?.ledger(port) ?? port;
      },
      network: (access) => this.#links.port(place, access),
      question: () => this.#question(place.index),
      rows: () => rowsOf(this.#schedule.seed, place.index, work),
      genesis: this.#genesis,
      auditKey: this.#schedule.audit ? new Uint8Array(32) : undefined,
      own: { rows: named('rows'), hasStatistics: this.#schedule.statistics },
      prepareMs: () => this.#luck.draw([20, 600]),
      after: (ms, run) => this.#time.after(ms, run),
      failed: (error) => {
        const text = error instanceof Error ? `${error.message} ${error.stack?.split('\n').slice(1, 4).join(' < ')}` : String(error);
        if (!place.traitor) this.#seen.failures.push({ member: place.index, error: text });
      },
      warned: (message, about) => {
        count(this.#seen, `warned: ${message.trim()}`);
        if (message.startsWith('a message was refused')) this.#spectator.dropped(place.index, about ?? {});
        if (message.includes('BROKEN_INVARIANT') && !place.traitor) this.#seen.failures.push({ member: place.index, error: message });
      },
    };
  }

  #question(member: number): TrainingQuestion {
    return new WatchedQuestion(this.#schedule, (base, sum, next, groups) => {
      const newest = this.#places[member]?.incarnation?.newest();
      if (newest?.state.phase !== 'reveal') return;
      this.#seen.opened.push({ member, round: newest.round, set: newest.state.set, groups, base, sum: new Uint8Array(sum), state: next.hash });
    });
  }

  #keysOf({ traitor }: Place): KeyAgreement {
    const keys = this.#schedule.exact ? hybridKeys : standInKeys;
    return traitor?.keys(keys) ?? keys;
  }

  #traitor(index: number): Traitor | undefined {
    const kind = this.#schedule.traitors.find(({ member }) => member === index)?.kind;
    if (kind === undefined) return undefined;
    const treason = () => count(this.#seen, `treason: ${kind}`);
    return new Traitor(kind, {
      self: index,
      members: this.#schedule.members,
      chance: seededChance('traitor', this.#schedule.seed, index),
      context: () => [...this.#links.contexts.keys()].at(-1),
      phase: () => this.#places[index]?.incarnation?.newest()?.state.phase ?? 'waiting',
      peerOf: peerIdOf,
      committed: treason,
    });
  }

  #crashed(place: Place, planned: PlannedCrash, action: Action): void {
    const { nowMs } = this.#time;
    const phase = place.incarnation?.newest()?.state.phase ?? 'start';
    this.#trace.note('crash', place.index, action);
    count(this.#seen, 'crashes');
    count(this.#seen, `crash ${planned.torn ? 'within' : planned.before ? 'before' : 'after'} ${action}`);
    count(this.#seen, `crash in ${phase}`);
    place.gone = planned.downMs === undefined;
    this.#seen.impaired.push({ member: place.index, fromMs: nowMs, toMs: planned.downMs === undefined ? Number.POSITIVE_INFINITY : nowMs + planned.downMs });
    if (planned.downMs === undefined) return;
    this.#time.after(planned.downMs, () => {
      count(this.#seen, 'restarts');
      this.#start(place);
    });
  }
}
