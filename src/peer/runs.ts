/** Runs at one peer: started from an approved study, driven round by round, watched, stopped, reported. */
import { countStateBytes, type RoundState, stateBytes, stateDigest } from '../aggregation/index.ts';
import type { Account, Digest } from '../common/index.ts';
import { assert, isSwarmError } from '../common/index.ts';
import { loadFeatures, splitCounts } from '../dataset/index.ts';
import type { LedgerBatch } from '../ledger/index.ts';
import { exposureOf, isTraining, runTerms, type Study, type TrainingStudy } from '../study/index.ts';
import { modelDigest } from '../tensor/index.ts';
import { exportModel, trainingTask } from '../training/index.ts';
import { commonVersion, type ReceivedMessage, type RoundKey } from '../wire/index.ts';
import { collectGarbage } from './collect.ts';
import { type RunView, startedRun } from './consortium.ts';
import type { PeerContext } from './context.ts';
import { type Counted, countedIn } from './counted.ts';
import type { DataSets } from './data-sets.ts';
import { RunDriver } from './driver.ts';
import type { Preview } from './driver-parts.ts';
import { peerErrors } from './errors.ts';
import { figuresOf } from './figures.ts';
import { groupsOfRun } from './groups.ts';
import { neededStates } from './kept-states.ts';
import { membershipLeakage } from './leakage.ts';
import { liveRounds } from './limits.ts';
import type { LocalRows } from './local-work.ts';
import { type RunState, runStateFrom } from './next-state.ts';
import { figuresFrom } from './own-figures.ts';
import { loadOwnRows, sharedRecords } from './own-rows.ts';
import { Precedents } from './precedents.ts';
import { dueFor, genesisOf, sameTerms } from './run-start.ts';
import type { OwnReport, RunStatus, Waiting } from './run-views.ts';
import type { Studies } from './studies.ts';

/** All runs that this member knows. */
export class Runs {
  readonly #context: PeerContext;
  readonly #studies: Studies;
  readonly #dataSets: DataSets;
  readonly #drivers = new Map<number, RunDriver>();
  readonly #titles = new Map<string, string>();
  readonly #exposures = new Map<string, readonly string[]>();
  readonly #changed: () => void;
  readonly #failed: (error: unknown) => void;

  constructor(
    context: PeerContext,
    parts: { readonly studies: Studies; readonly dataSets: DataSets; readonly changed: () => void; readonly failed: (error: unknown) => void },
  ) {
    this.#context = context;
    this.#studies = parts.studies;
    this.#dataSets = parts.dataSets;
    this.#changed = parts.changed;
    this.#failed = parts.failed;
  }

  /** Takes up again every run that was live when the peer stopped, and every complete one whose last state or whose secrets it left behind. */
  resume(): void {
    for (const run of this.#context.consortium.runs.values()) {
      if (run.outcome === undefined) this.#drive(run);
      else if (run.roster.includes(this.#context.account) && this.#isUnsettled(run)) {
        this.#drive(run);
        this.#end(run.run);
      }
    }
  }

  /** The peer stopped between the end of a run and its own last work for it. */
  #isUnsettled(run: RunView): boolean {
    const { blobs, vault, journal } = this.#context;
    const last = run.rounds.filter((round) => round.phase === 'final').at(-1)?.state;
    const isMissing = run.outcome === 'complete' && last !== undefined && !blobs.get(last);
    const isOpen = (key: RoundKey): boolean => vault.load(key) !== undefined || journal.inputs(key).length > 0;
    return isMissing || run.rounds.slice(-liveRounds).some(({ round }) => isOpen({ run: run.run, round }));
  }

  /** Steps through a batch of events; the caller stores what comes back, folds the events into the picture, then calls `adopt`. */
  preview({ events, timeS, isLatest }: LedgerBatch): Preview {
    for (const event of events) {
      if (event.scope === 'run' && event.fact.kind === 'runStarted') this.#drive(startedRun(event.fact, event.run, event.timeS));
    }
    const previews = [...this.#drivers].map(([run, driver]) => driver.preview({ ...dueFor(run, driver.roster, events), timeS, isLatest }));
    const ended = events.flatMap((event) => (event.scope === 'run' && event.fact.kind === 'runEnded' ? [event.run] : []));
    return {
      inputs: previews.flatMap(({ inputs }) => inputs),
      adopt: () => {
        for (const { adopt } of previews) adopt();
        for (const run of ended) this.#end(run);
      },
    };
  }

  /** Looks again at what every run wants. */
  tick(): void {
    for (const driver of this.#drivers.values()) driver.tick();
  }

  /** Hands a message to the round that it belongs to; others are dropped. */
  message(account: Account, message: ReceivedMessage): void {
    for (const [run, driver] of this.#drivers) {
      const { terms } = this.#context.consortium.runs.get(run) ?? {};
      if (terms?.protocol === message.version && driver.knows(message.context)) driver.message(account, message);
    }
  }

  /** The newest run, or the one with this number. Throws PEER_UNKNOWN. */
  find(run?: number): RunView {
    const all = [...this.#context.consortium.runs.values()];
    const found = run === undefined ? all.at(-1) : this.#context.consortium.runs.get(run);
    if (!found) throw peerErrors.PEER_UNKNOWN({ what: 'run', name: String(run ?? 'newest'), known: all.map((view) => String(view.run)) });
    return found;
  }

  /** All runs, newest last. */
  list(): readonly RunStatus[] {
    return [...this.#context.consortium.runs.values()].map((view) => this.status(view));
  }

  /** One run as people see it. */
  status(view: RunView): RunStatus {
    const finals = view.rounds.filter((round) => round.phase === 'final');
    const missing =
      view.outcome === 'complete'
        ? this.#names(
            view,
            view.roster.map((_, member) => member).filter((member) => !view.present?.includes(member)),
          )
        : [];
    const outcome =
      view.outcome === 'complete' && missing.length > 0 ? `complete ${view.roster.length - missing.length} of ${view.roster.length}` : view.outcome;
    return {
      view,
      title: this.#titles.get(view.study) ?? '',
      finalRounds: finals.length,
      waiting: view.outcome === undefined ? this.#waiting(view) : undefined,
      figures: figuresOf(this.#context.journal, view.run),
      outcome,
      missing,
      model: finals.at(-1)?.model,
      trouble: this.#drivers.get(view.run)?.trouble,
      isMember: view.roster.includes(this.#context.account),
      exposure: this.#exposures.get(view.study) ?? [],
    };
  }

  /** What should be known before a run of a study begins, in one sentence; undefined where there is nothing. */
  async foreseen(text: string): Promise<string | undefined> {
    const study = await this.#studies.load(this.#studies.find(text).study);
    const roster = this.#context.consortium.approvers(study.id);
    if (roster.length < study.manifest.terms.minMembers) return undefined;
    return this.#precedents(study, roster, genesisOf(study, roster.length).hash).notice();
  }

  /** Starts a run of a study with all members that approved it. Throws PEER_TOO_FEW_APPROVALS, PEER_GROUPS_DO_NOT_FIT, PEER_APPROVALS_DIFFER, PEER_SET_TOO_CLOSE or LEDGER_REFUSED. */
  async start(text: string): Promise<number> {
    const view = this.#studies.find(text);
    const study = await this.#studies.load(view.study);
    const { consortium, ledger, signal } = this.#context;
    const roster = consortium.approvers(study.id);
    const needed = study.manifest.terms.minMembers;
    if (roster.length < needed)
      throw peerErrors.PEER_TOO_FEW_APPROVALS({ approvals: roster.length, needed, names: roster.map((account) => consortium.nameOf(account)) });
    const genesis = genesisOf(study, roster.length);
    this.#precedents(study, roster, genesis.hash).refuseFirst();
    const before = new Set(consortium.runs.keys());
    const terms = { ...runTerms(study), protocol: this.#versionFor(roster, genesis.version) };
    try {
      await ledger.submit({ kind: 'startRun', study: study.id, roster, terms, base: genesis.hash, plan: genesis.plan }, { signal });
    } catch (error) {
      const isRoster = isSwarmError(error, 'LEDGER_REFUSED') && String(Reflect.get(error.detail, 'reason')).startsWith('BadRoster');
      throw isRoster ? peerErrors.PEER_APPROVALS_DIFFER({ names: roster.map((account) => consortium.nameOf(account)) }, error) : error;
    }
    return await this.#startedRun(study, before);
  }

  /** The highest version of the protocol that all of a roster speak; of a member that is not connected only the first is known. */
  #versionFor(roster: readonly Account[], needed: number): number {
    const { account, network, versions, consortium } = this.#context;
    const spoken = new Map([...network.connections().map((connection) => [connection.account, connection.versions] as const), [account, versions]]);
    const version = commonVersion(versions, ...roster.map((member) => spoken.get(member) ?? [1]));
    if (version !== undefined && version >= needed) return version;
    throw peerErrors.PEER_NO_COMMON_VERSION({
      needed,
      versions: roster.map((member) => `${consortium.nameOf(member)} ${spoken.get(member)?.join(', ') ?? 'is not connected'}`),
    });
  }

  /** Stops a run that this member started, or leaves one that another started. */
  async stop(run: number): Promise<'stopped' | 'left'> {
    const view = this.find(run);
    if (view.outcome !== undefined) throw peerErrors.PEER_RUN_ENDED({ run, outcome: view.outcome });
    const own = view.starter === this.#context.account;
    await this.#context.ledger.submit({ kind: own ? 'stopRun' : 'leaveRun', run }, { signal: this.#context.signal });
    return own ? 'stopped' : 'left';
  }

  /** Takes back every FINAL round after `to`: the next one starts from its state. Throws PEER_UNKNOWN where that state is not kept here any more, or LEDGER_REFUSED. */
  async rollBack(run: number, to: number): Promise<void> {
    const view = this.find(run);
    if (view.outcome !== undefined) throw peerErrors.PEER_RUN_ENDED({ run, outcome: view.outcome });
    const finals = view.rounds.filter((round) => round.phase === 'final');
    const isIn = view.roster.includes(this.#context.account);
    const kept = finals.filter(({ state }) => !isIn || (state !== undefined && this.#context.blobs.get(state)));
    const keep = finals.findIndex(({ round }) => round === to) + 1;
    if (!kept.some(({ round }) => round === to))
      throw peerErrors.PEER_UNKNOWN({ what: 'kept FINAL round', name: String(to), known: kept.map(({ round }) => String(round)) });
    await this.#context.ledger.submit({ kind: 'rollBack', run, keep }, { signal: this.#context.signal });
  }

  /** Takes this member's own strikes away, after its admin has seen to what was wrong. Throws LEDGER_REFUSED where it is not suspended. */
  async reinstate(run: number): Promise<void> {
    await this.#context.ledger.submit({ kind: 'reinstate', run: this.find(run).run }, { signal: this.#context.signal });
  }

  /** The trained model as an ONNX file that takes the raw output of the study's SQL. Throws PEER_RUN_NOT_DONE. */
  async exportModel(run: number): Promise<Uint8Array> {
    const { view, study, state } = await this.#trained(run);
    const { training, label, features } = study.manifest;
    const metadata = {
      study: study.id,
      run: String(view.run),
      model: modelDigest(state.parameters),
      features: features.column.map(({ name }) => name).join(','),
    };
    return exportModel({
      model: study.model,
      parameters: state.parameters,
      loss: training.loss,
      classes: label.classes.length,
      standardisation: state.standardisation,
      metadata,
    });
  }

  /** Hashes of the state and the model as this member holds them, computed afresh from what it stored. Throws PEER_RUN_NOT_DONE. */
  async held(run: number): Promise<{ readonly state: Digest; readonly model: Digest }> {
    const { state } = await this.#result(run);
    if ('parameters' in state) return { state: stateDigest(stateBytes(state)), model: modelDigest(state.parameters) };
    const hash = stateDigest(countStateBytes(state));
    return { state: hash, model: hash };
  }

  /** What a finished run counted. Throws PEER_RUN_NOT_DONE or PEER_NOT_COUNTED. */
  async counted(run: number): Promise<Counted> {
    const { view, study, state } = await this.#result(run);
    if (isTraining(study) || !('opened' in state)) throw peerErrors.PEER_NOT_COUNTED({ run: view.run });
    if (view.outcome !== 'complete') throw peerErrors.PEER_RUN_NOT_DONE({ run: view.run });
    return countedIn(study.manifest, view.roster.length, state);
  }

  /** This member's own figures on a finished run. Throws PEER_RUN_NOT_DONE. */
  async report(run: number): Promise<OwnReport> {
    const { view, study, state } = await this.#trained(run);
    const { clock, logger, signal, config, consortium, account } = this.#context;
    const approval = this.#studies.approval(study.id);
    const table = await loadFeatures(study, this.#dataSets.get(approval?.dataSet ?? ''), { signal }, { clock, logger });
    await using trainer = this.#context.createTrainer({ name: 'report', memoryLimitMb: config.training.memoryLimitMb }, { clock, logger });
    await trainer.prepare(trainingTask(study, table, state.standardisation), { signal });
    const scored = await trainer.score({ parameters: Float32Array.from(state.parameters), split: 'test' }, { signal });
    const trained = await trainer.score({ parameters: Float32Array.from(state.parameters), split: 'train' }, { signal });
    const swarm = figuresFrom(study, scored.scores, scored.labels);
    return { status: this.status(view), member: consortium.nameOf(account), rows: splitCounts(table), swarm, leakage: membershipLeakage(trained, scored) };
  }

  /** Ends the work of all runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#drivers.values()].map((driver) => driver[Symbol.asyncDispose]()));
    this.#drivers.clear();
  }

  #precedents(study: Study, roster: readonly Account[], base: Digest): Precedents {
    const terms = { ...runTerms(study), protocol: 0 };
    const groups = groupsOfRun(study, this.#context.consortium.named(roster));
    return new Precedents(this.#context, { study: study.id, roster, terms, groups, base, own: this.#studies.approval(study.id)?.own });
  }

  #names(view: RunView, members: readonly number[]): readonly string[] {
    return members.flatMap((member) => {
      const account = view.roster[member];
      return account ? [this.#context.consortium.nameOf(account)] : [];
    });
  }

  #waiting(view: RunView): Waiting | undefined {
    const round = view.rounds.at(-1);
    if (!round || round.phase === 'final' || round.phase === 'void') return undefined;
    const members = this.#names(
      view,
      round.set.filter((member) => !round.done.includes(member) && !view.left.includes(member)),
    );
    return { round: round.round, phase: round.phase, members, sinceS: round.phaseS, untilS: round.deadlineS };
  }

  /** Waits until the run that was just started is in the picture. */
  async #startedRun(study: Study, before: ReadonlySet<number>): Promise<number> {
    const { clock, signal, consortium } = this.#context;
    for (;;) {
      const started = [...consortium.runs.values()].find((run) => run.study === study.id && !before.has(run.run));
      if (started) return started.run;
      await clock.sleep(20, { signal });
    }
  }

  #drive(run: RunView): void {
    const { account, consortium, ledger, network, journal, vault, blobs, bulk, clock, logger } = this.#context;
    if (this.#drivers.has(run.run) || !run.roster.includes(account)) return;
    const peerIdOf = (member: Account) => consortium.members.get(member)?.peerId;
    const driver = new RunDriver(run, account, {
      nameOf: (member) => consortium.nameOf(member),
      own: this.#studies.approval(run.study)?.own,
      view: () => consortium.runs.get(run.run) ?? run,
      keptElsewhere: (state) => [...consortium.runs.values()].some((other) => other.run !== run.run && neededStates(other).includes(state)),
      ledger,
      network,
      journal,
      vault,
      blobs,
      bulk,
      clock,
      logger,
      peerIdOf,
      changed: this.#changed,
      failed: this.#failed,
    });
    this.#drivers.set(run.run, driver);
    this.#prepare(run, driver).catch((error: unknown) => {
      if (!isSwarmError(error)) return this.#failed(error);
      logger.error('this member cannot take part in a run', { run: run.run, code: error.code, reason: error.message });
      driver.unprepared(error.message);
    });
  }

  /** Study, rows and trainer for a run; refuses one whose terms, base or plan are not those of the approved study, and one whose members its groups do not fit. */
  async #prepare(run: RunView, driver: RunDriver): Promise<void> {
    const { account, clock, logger, signal, config, consortium, versions } = this.#context;
    const study = await this.#studies.load(run.study);
    this.#titles.set(study.id, study.manifest.title);
    this.#exposures.set(study.id, exposureOf(study));
    const approval = this.#studies.approval(study.id);
    if (!approval) return driver.unprepared('this member has not approved the study');
    const genesis = genesisOf(study, run.roster.length);
    const { protocol, ...terms } = run.terms;
    if (!versions.includes(protocol))
      return driver.unprepared(`the run is spoken in protocol version ${protocol}, this peer speaks ${versions.join(', ')}: upgrade it`);
    const same = genesis.hash === run.base && genesis.plan === run.plan && sameTerms(runTerms(study), terms);
    if (!same) return driver.unprepared('the run was started with other terms than the study has');
    const named = consortium.namedAtStart(run.run);
    assert(named, 'the start of a run is in the picture before its study is loaded');
    const groups = groupsOfRun(study, named);
    const auditKey = study.manifest.terms.audit ? config.audit?.publicKey : undefined;
    if (study.manifest.terms.audit && !auditKey)
      return driver.unprepared('config.toml has no [audit] publicKey, and the study seals a record of each round to it');
    const unitSecret = this.#studies.earlier.unitSecret();
    const own = await loadOwnRows(study, this.#dataSets.get(approval.dataSet), { signal, unitSecret }, { clock, logger });
    if (own.dataVersion !== approval.dataVersion) return driver.unprepared('the bound files have changed since the study was approved: approve it again');
    const trainerOptions = { name: `run-${run.run}`, memoryLimitMb: config.training.memoryLimitMb };
    const rows: LocalRows =
      'features' in own
        ? { member: consortium.nameOf(account), table: own, trainer: this.#context.createTrainer(trainerOptions, { clock, logger }) }
        : { records: sharedRecords(own), withheld: approval.withheld };
    driver.prepared({ question: genesis.question, rows, auditKey, genesis, groups });
  }

  /** A complete run is closed once its last state is here; any other at once. */
  #end(run: number): void {
    const driver = this.#drivers.get(run);
    if (!driver) return;
    const { clock, signal, logger, consortium } = this.#context;
    const finish = async (): Promise<void> => {
      const isHere = (): boolean => {
        const state = driver.newest()?.state;
        return state?.phase !== 'final' || state.held || state.differs;
      };
      while (consortium.runs.get(run)?.outcome === 'complete' && !isHere()) await clock.sleep(50, { signal });
      await driver.close();
      collectGarbage();
      this.#drivers.delete(run);
      this.#changed();
    };
    finish().catch((error: unknown) => logger.debug('a run was not closed', { run, reason: String(error) }));
  }

  /** The result of a run that trained. Throws PEER_NOT_TRAINED. */
  async #trained(run: number): Promise<{ readonly view: RunView; readonly study: TrainingStudy; readonly state: RoundState }> {
    const { view, study, state } = await this.#result(run);
    if (!isTraining(study) || !('parameters' in state)) throw peerErrors.PEER_NOT_TRAINED({ run: view.run });
    return { view, study, state };
  }

  async #result(run: number): Promise<{ readonly view: RunView; readonly study: Study; readonly state: RunState }> {
    const view = this.find(run);
    const hash = view.rounds.filter((round) => round.phase === 'final').at(-1)?.state;
    const study = await this.#studies.load(view.study);
    const bytes = hash === undefined ? undefined : this.#context.blobs.get(hash);
    const state = bytes && runStateFrom(bytes);
    if (view.outcome === undefined || !state) throw peerErrors.PEER_RUN_NOT_DONE({ run });
    return { view, study, state };
  }
}
