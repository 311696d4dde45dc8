/**
 * One member: its disk, and the incarnation that runs on it. The incarnation is the real driver of `src/peer` with the real performer, custody
 * and question; what is written here is only what `Peer` and `Runs` do around it: take batches and messages, tick, resume, end.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GroupTree, KeyAgreement } from '../../src/aggregation/index.ts';
import { type Account, type Clock, isSwarmError, type Logger, silentLogger } from '../../src/common/index.ts';
import type { Ledger, LedgerBatch } from '../../src/ledger/index.ts';
import type { Network } from '../../src/network/index.ts';
import { createInlineBulk } from '../../src/peer/bulk/inline.ts';
import { Consortium, type RunView, startedRun } from '../../src/peer/consortium.ts';
import type { PeerContext } from '../../src/peer/context.ts';
import { RunDriver } from '../../src/peer/driver.ts';
import type { Preview } from '../../src/peer/driver-parts.ts';
import { groupsOfRun } from '../../src/peer/groups.ts';
import { liveRounds } from '../../src/peer/limits.ts';
import type { LocalRows } from '../../src/peer/local-work.ts';
import { removeOrphans } from '../../src/peer/orphans.ts';
import { openKey, type RowsBase, releaseKey } from '../../src/peer/releases.ts';
import type { TrainingQuestion } from '../../src/peer/training-question.ts';
import { type Input, initialState, type RoundConfig, type RoundState, step } from '../../src/round/index.ts';
import { decodeMessage, protocolVersions } from '../../src/wire/index.ts';
import { Access, Crash, type Disk, type DiskWatcher } from './disk.ts';
import { peerIdOf } from './network.ts';

/** What an incarnation is made of. */
export interface MemberParts {
  readonly account: Account;
  readonly accounts: readonly Account[];
  readonly disk: Disk;
  readonly keyAgreement: KeyAgreement;
  readonly watcher: DiskWatcher;
  readonly clock: Clock;
  readonly ledger: (access: Access) => Ledger;
  readonly network: (access: Access) => Network;
  readonly question: () => TrainingQuestion;
  readonly rows: () => LocalRows;
  readonly genesis: { readonly bytes: Uint8Array; readonly hash: RunView['base'] };
  /** Where the study has an audit window. */
  readonly auditKey: Uint8Array | undefined;
  /** What the study's sums depend on here. */
  readonly own: RowsBase;
  /** Until study, rows and trainer are there. */
  readonly prepareMs: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  readonly failed: (error: unknown) => void;
  /** A warning of the driver, with its code, and what it is about. */
  readonly warned: (message: string, about?: Readonly<Record<string, unknown>>) => void;
}

/** One life of a member, from its start to a crash or to the end. */
export class Incarnation {
  readonly access: Access;
  readonly #parts: MemberParts;
  readonly #consortium = new Consortium(1);
  readonly #journal: ReturnType<Access['journal']>;
  readonly #ledger: Ledger;
  readonly #network: Network;
  #driver: RunDriver | undefined;
  #closed = false;

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.access = new Access(parts.disk, parts.watcher);
    this.#journal = this.access.journal();
    this.#ledger = parts.ledger(this.access);
    this.#network = parts.network(this.access);
    for (const event of this.#journal.events()) this.#consortium.apply(event);
    this.#guard(() => {
      removeOrphans({ ...this.#stores(), consortium: this.#consortium });
      const run = this.#run();
      if (run && (run.outcome === undefined || this.#isUnsettled(run))) this.#drive(run);
      else this.#closed = run !== undefined;
    });
  }

  /** The run is over here and nothing is left to do. */
  get finished(): boolean {
    return this.#closed;
  }

  /** Whether the state of the last FINAL round is stored here. */
  holdsResult(): boolean {
    const last = this.#run()
      ?.rounds.filter((round) => round.phase === 'final')
      .at(-1)?.state;
    return last === undefined || this.#parts.disk.blobs.has(last);
  }

  /** As `Peer#ingest` with `Runs.preview`. */
  ingest(batch: LedgerBatch): void {
    this.#guard(() => {
      const preview = this.#preview(batch);
      if (batch.events.length > 0 || preview.inputs.length > 0) {
        this.#journal.append({ events: batch.events, cursor: batch.cursor, inputs: preview.inputs });
      }
      for (const event of batch.events) this.#consortium.apply(event);
      preview.adopt();
    });
  }

  /** As `Peer.message` with `Runs.message`. */
  message(from: Account, bytes: Uint8Array): void {
    this.#guard(() => {
      try {
        const message = decodeMessage(bytes, protocolVersions);
        if (this.#driver?.knows(message.context)) this.#driver.message(from, message);
      } catch (error) {
        if (!isSwarmError(error) || error.blame !== 'remote') throw error;
      }
    });
  }

  /** As the tick of `Peer`, and the end of a run as in `Runs`. */
  tick(): void {
    this.#guard(() => {
      this.#driver?.tick();
      const outcome = this.#run()?.outcome;
      if (outcome === undefined || this.#closed || !this.#driver) return;
      const state = this.#driver.newest()?.state;
      if (outcome === 'complete' && state?.phase === 'final' && !state.held && !state.differs) return;
      this.#closed = true;
      this.#driver.close().catch((error: unknown) => this.#fail(error));
    });
  }

  /** Does something that is not the real member's doing, where it lives; a crash may strike there too. */
  aside(work: () => void): void {
    this.#guard(work);
  }

  /** Whether folding the journal gives the state that the newest round is in; undefined where there is none. */
  replays(): { readonly round: number; readonly same: boolean } | undefined {
    const live = this.#closed ? undefined : this.#driver?.newest();
    if (!live) return undefined;
    return { round: live.key.round, same: isDeepStrictEqual(fold(live.config, this.#journal.inputs(live.key)), live.state) };
  }

  /** The round for which something was released that the memory across rounds does not name (rule R6); undefined where all is well. */
  forgets(): number | undefined {
    const live = this.#closed ? undefined : this.#driver?.newest();
    const { released, opened } = live?.state.ground ?? {};
    if (!live || !released || !opened || live.state.phase === 'final') return undefined;
    const { own, genesis } = this.#parts;
    const lists = (released.groups ?? [released.set]).map((list) => list.map((index) => live.config.accounts[index]).join());
    const key = releaseKey(own, opened.base === genesis.hash, opened.base);
    const base = live.config.terms.open ? openKey(key) : key;
    const stored = this.#journal.releases(base).map((members) => members.join());
    const known = lists.every((list) => stored.includes(list));
    return known ? undefined : live.key.round;
  }

  /** The newest round's machine. */
  newest(): { readonly round: number; readonly state: RoundState } | undefined {
    const live = this.#driver?.newest();
    return live && { round: live.key.round, state: live.state };
  }

  /** The newest round as people are shown it, and as the driver works at it. */
  newestRounds(): readonly number[] {
    const [shown, worked] = [this.#run()?.rounds.at(-1)?.round, this.#closed ? undefined : this.#driver?.newest()?.key.round];
    return [shown ?? [], worked ?? []].flat();
  }

  /** As in `Runs`: the run ended, but its result is missing here or its secrets are still there. */
  #isUnsettled(run: RunView): boolean {
    const isMissing = run.outcome === 'complete' && !this.holdsResult();
    return isMissing || run.rounds.slice(-liveRounds).some(({ round }) => this.access.vault().load({ run: run.run, round }) !== undefined);
  }

  #run(): RunView | undefined {
    return this.#consortium.runs.get(1);
  }

  #preview({ events, timeS, isLatest }: LedgerBatch): Preview {
    for (const event of events) {
      if (event.scope === 'run' && event.fact.kind === 'runStarted') this.#drive(startedRun(event.fact, event.run, event.timeS));
    }
    const gone = events.flatMap((event) => (event.scope === 'run' && event.fact.kind === 'left' ? [event.fact.member] : []));
    const facts = events.flatMap((event) => (event.scope === 'round' ? [{ round: event.round, fact: event.fact }] : []));
    return this.#driver && !this.#closed ? this.#driver.preview({ facts, gone, timeS, isLatest }) : { inputs: [], adopt: () => undefined };
  }

  #stores() {
    const logger: Logger = {
      ...silentLogger,
      warn: (message, fields) =>
        this.#parts.warned(`${message} ${fields?.['code'] ?? ''} ${process.env['SIMULATION_DEBUG'] ? JSON.stringify(fields) : ''}`, fields),
      error: (message) => this.#parts.warned(message.includes('abandoned') ? 'abandoned' : message),
      child: () => logger,
    };
    const bulk = createInlineBulk({ blobs: this.access.blobs(), words: this.access.words() });
    const stores = { journal: this.#journal, vault: this.access.vault(), blobs: this.access.blobs() } as unknown as Pick<
      PeerContext,
      'journal' | 'vault' | 'blobs'
    >;
    return { ...stores, bulk, logger };
  }

  #drive(run: RunView): void {
    if (this.#driver) return;
    const { account, accounts, clock, after, prepareMs, question, rows, genesis, auditKey } = this.#parts;
    const driver = new RunDriver(run, account, {
      ledger: this.#ledger,
      network: this.#network,
      ...this.#stores(),
      keyAgreement: this.#parts.keyAgreement,
      clock,
      peerIdOf: (member) => peerIdOf(accounts.indexOf(member)),
      nameOf: (member) => member,
      own: this.#parts.own,
      view: () => this.#run() ?? run,
      changed: () => undefined,
      failed: (error) => this.#fail(error),
    });
    this.#driver = driver;
    after(prepareMs(), () => this.#guard(() => driver.prepared({ question: question(), rows: rows(), genesis, auditKey, groups: this.#groups(question()) })));
  }

  /** As `Runs` finds them. */
  #groups({ study }: TrainingQuestion): GroupTree | undefined {
    const named = this.#consortium.namedAtStart(1);
    return named && groupsOfRun(study, named);
  }

  #guard(work: () => void): void {
    if (this.access.dead) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof Crash)) this.#parts.failed(error);
  }
}

function fold(config: RoundConfig, inputs: readonly Input[]): RoundState {
  return inputs.reduce((state, input) => step(config, state, input).state, initialState());
}
