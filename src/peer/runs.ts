/** Runs at one peer: started from an approved study, driven round by round, watched, stopped, reported. */
import { fewestMembers, type RoundState as RunState, stateBytes, stateDigest, stateFromBytes } from '../aggregation/index.ts';
import type { Account, Digest } from '../common/index.ts';
import { isSwarmError } from '../common/index.ts';
import { loadFeatures, splitCounts } from '../dataset/index.ts';
import type { LedgerEvent } from '../ledger/index.ts';
import { hasStatisticsRound, runTerms, type Study } from '../study/index.ts';
import { modelDigest } from '../tensor/index.ts';
import { accuracy, auc, createOnnxTrainer, exportModel, multiclassAccuracy, type RocPoint, rocPoints, trainingTask } from '../training/index.ts';
import type { PeerMessage } from '../wire/index.ts';
import type { RunView } from './consortium.ts';
import type { PeerContext } from './context.ts';
import type { DataSets } from './data-sets.ts';
import { type Preview, RunDriver } from './driver.ts';
import { peerErrors } from './errors.ts';
import { figuresOf } from './figures.ts';
import { liveRounds } from './limits.ts';
import { Question, type RoundFigures } from './question.ts';
import { checkModel, type Studies } from './studies.ts';

/** What a round waits for: which members, in which phase, until when. */
export interface Waiting {
  readonly round: number;
  readonly phase: string;
  readonly members: readonly string[];
  /** Ledger time in seconds. */
  readonly sinceS: number;
  readonly untilS: number;
}

/** A run as people see it. */
export interface RunStatus {
  readonly view: RunView;
  readonly title: string;
  readonly finalRounds: number;
  readonly waiting: Waiting | undefined;
  readonly figures: readonly (RoundFigures & { readonly round: number })[];
  /** `complete`, `complete n of m`, `failed`, `stopped`, or undefined while it runs. */
  readonly outcome: string | undefined;
  readonly missing: readonly string[];
  readonly model: Digest | undefined;
  /** Why this member does not work in the run, if so. */
  readonly trouble: string | undefined;
  readonly isMember: boolean;
}

/** How well a model does on this member's own rows of one side of the split. */
export interface OwnFigures {
  readonly rows: number;
  readonly positives: number | undefined;
  readonly auc: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly accuracy: number;
  readonly roc: readonly RocPoint[];
}

/** A member's own report on a run: its own rows only. */
export interface OwnReport {
  readonly status: RunStatus;
  readonly member: string;
  readonly rows: { readonly train: number; readonly test: number };
  readonly swarm: OwnFigures;
}

/** All runs that this member knows. */
export class Runs {
  readonly #context: PeerContext;
  readonly #studies: Studies;
  readonly #dataSets: DataSets;
  readonly #drivers = new Map<number, RunDriver>();
  readonly #titles = new Map<string, string>();
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
    const { blobs, vault } = this.#context;
    const last = run.rounds.filter((round) => round.phase === 'final').at(-1)?.state;
    const isMissing = run.outcome === 'complete' && last !== undefined && !blobs.get(last);
    return isMissing || run.rounds.slice(-liveRounds).some(({ round }) => vault.load({ run: run.run, round }) !== undefined);
  }

  /** Steps through a batch of events; the caller stores what comes back, folds the events into the picture, then calls `adopt`. */
  preview(events: readonly LedgerEvent[], timeS: number): Preview {
    for (const event of events) {
      if (event.scope === 'run' && event.fact.kind === 'runStarted')
        this.#drive({ ...event.fact, run: event.run, startedS: event.timeS, rounds: [], left: [] });
    }
    const facts = (run: number) => events.flatMap((event) => (event.scope === 'round' && event.run === run ? [{ round: event.round, fact: event.fact }] : []));
    const previews = [...this.#drivers].map(([run, driver]) => driver.preview(facts(run), timeS));
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
  message(account: Account, message: PeerMessage): void {
    for (const driver of this.#drivers.values()) if (driver.knows(message.context)) driver.message(account, message);
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
    };
  }

  /** Starts a run of a study with all members that approved it. Throws PEER_TOO_FEW_APPROVALS or LEDGER_REFUSED. */
  async start(text: string): Promise<number> {
    const view = this.#studies.find(text);
    const study = await this.#studies.load(view.study);
    const { consortium, ledger, signal } = this.#context;
    const roster = consortium.approvers(study.id);
    const needed = study.manifest.terms.minMembers;
    if (roster.length < needed)
      throw peerErrors.PEER_TOO_FEW_APPROVALS({ approvals: roster.length, needed, names: roster.map((account) => consortium.nameOf(account)) });
    this.#refuseDifferencing(study, roster);
    const genesis = genesisOf(study, roster.length);
    const before = new Set(consortium.runs.keys());
    await ledger.submit({ kind: 'startRun', study: study.id, roster, terms: runTerms(study), base: genesis.hash, plan: genesis.plan }, { signal });
    return await this.#startedRun(study, before);
  }

  /** Stops a run that this member started, or leaves one that another started. */
  async stop(run: number): Promise<'stopped' | 'left'> {
    const view = this.find(run);
    if (view.outcome !== undefined) throw peerErrors.PEER_RUN_ENDED({ run, outcome: view.outcome });
    const own = view.starter === this.#context.account;
    await this.#context.ledger.submit({ kind: own ? 'stopRun' : 'leaveRun', run }, { signal: this.#context.signal });
    return own ? 'stopped' : 'left';
  }

  /** The trained model as an ONNX file that takes the raw output of the study's SQL. Throws PEER_RUN_NOT_DONE. */
  async exportModel(run: number): Promise<Uint8Array> {
    const { view, study, state } = await this.#result(run);
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
    return { state: stateDigest(stateBytes(state)), model: modelDigest(state.parameters) };
  }

  /** This member's own figures on a finished run. Throws PEER_RUN_NOT_DONE. */
  async report(run: number): Promise<OwnReport> {
    const { view, study, state } = await this.#result(run);
    const { clock, logger, signal, config, consortium, account } = this.#context;
    const approval = this.#studies.approval(study.id);
    const table = await loadFeatures(study, this.#dataSets.get(approval?.dataSet ?? ''), { signal }, { clock, logger });
    await using trainer = createOnnxTrainer({ name: 'report', memoryLimitMb: config.training.memoryLimitMb }, { clock, logger });
    await trainer.prepare(trainingTask(study, table, state.standardisation), { signal });
    const scored = await trainer.score({ parameters: Float32Array.from(state.parameters), split: 'test' }, { signal });
    return { status: this.status(view), member: consortium.nameOf(account), rows: splitCounts(table), swarm: figuresFrom(study, scored.scores, scored.labels) };
  }

  /** Ends the work of all runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#drivers.values()].map((driver) => driver[Symbol.asyncDispose]()));
    this.#drivers.clear();
  }

  /** A run over a list that differs from an earlier one by fewer than three members would open their statistics by subtraction. */
  #refuseDifferencing(study: Study, roster: readonly Account[]): void {
    const { journal, consortium } = this.#context;
    const base = this.#studies.approval(study.id)?.statisticsBase;
    if (base === undefined || !hasStatisticsRound(study)) return;
    for (const earlier of journal.releases(base)) {
      const missing = earlier.filter((account) => !roster.includes(account));
      const added = roster.filter((account) => !earlier.includes(account));
      const changed = missing.length + added.length;
      if (changed === 0 || changed >= fewestMembers) continue;
      const names = (accounts: readonly Account[]) => accounts.map((account) => consortium.nameOf(account));
      throw peerErrors.PEER_SET_TOO_CLOSE({ missing: names(missing), added: names(added) });
    }
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
      round.set.filter((member) => !round.done.includes(member)),
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
    const { account, consortium, ledger, network, journal, vault, blobs, clock, logger } = this.#context;
    if (this.#drivers.has(run.run) || !run.roster.includes(account)) return;
    const peerIdOf = (member: Account) => consortium.members.get(member)?.peerId;
    const driver = new RunDriver(run, account, {
      nameOf: (member) => consortium.nameOf(member),
      statisticsBase: this.#studies.approval(run.study)?.statisticsBase,
      ledger,
      network,
      journal,
      vault,
      blobs,
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

  /** Study, rows and trainer for a run; refuses one whose terms, base or plan are not those of the approved study. */
  async #prepare(run: RunView, driver: RunDriver): Promise<void> {
    const { account, clock, logger, signal, config, consortium } = this.#context;
    const study = await this.#studies.load(run.study);
    this.#titles.set(study.id, study.manifest.title);
    const approval = this.#studies.approval(study.id);
    if (!approval) return driver.unprepared('this member has not approved the study');
    const genesis = genesisOf(study, run.roster.length);
    const same = genesis.hash === run.base && genesis.plan === run.plan && JSON.stringify(sorted(runTerms(study))) === JSON.stringify(sorted(run.terms));
    if (!same) return driver.unprepared('the run was started with other terms than the study has');
    const table = await loadFeatures(study, this.#dataSets.get(approval.dataSet), { signal }, { clock, logger });
    if (table.dataVersion !== approval.dataVersion) return driver.unprepared('the bound files have changed since the study was approved: approve it again');
    const trainer = createOnnxTrainer({ name: `run-${run.run}`, memoryLimitMb: config.training.memoryLimitMb }, { clock, logger });
    driver.prepared({
      question: new Question(study, run.roster.length, genesis.parameters),
      rows: { member: consortium.nameOf(account), table, trainer },
      genesis,
    });
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
      this.#drivers.delete(run);
      this.#changed();
    };
    finish().catch((error: unknown) => logger.debug('a run was not closed', { run, reason: String(error) }));
  }

  async #result(run: number): Promise<{ readonly view: RunView; readonly study: Study; readonly state: RunState }> {
    const view = this.find(run);
    const hash = view.rounds.filter((round) => round.phase === 'final').at(-1)?.state;
    const study = await this.#studies.load(view.study);
    const bytes = hash === undefined ? undefined : this.#context.blobs.get(hash);
    const state = bytes && stateFromBytes(bytes);
    if (view.outcome === undefined || !state) throw peerErrors.PEER_RUN_NOT_DONE({ run });
    return { view, study, state };
  }
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort());
}

/** Where a run of `study` over `members` members starts. */
function genesisOf(study: Study, members: number) {
  const parameters = checkModel(study).genesis;
  return { parameters: parameters.length, ...new Question(study, members, parameters.length).genesis(parameters) };
}

/** AUC, interval, accuracy and ROC of scores against labels. */
export function figuresFrom(study: Study, scores: Float32Array, labels: Float32Array): OwnFigures {
  const binary = study.manifest.task === 'binary';
  if (!binary) {
    return {
      rows: labels.length,
      positives: undefined,
      auc: undefined,
      low: undefined,
      high: undefined,
      accuracy: multiclassAccuracy(scores, labels, study.manifest.label.classes.length) ?? 0,
      roc: [],
    };
  }
  const area = auc(scores, labels);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  return {
    rows: labels.length,
    positives,
    auc: area?.auc,
    low: area?.low,
    high: area?.high,
    accuracy: accuracy(scores, labels) ?? 0,
    roc: rocPoints(scores, labels),
  };
}
