/** Studies at one peer: published by hash, fetched from any member, checked again, approved with a data set or declined. */
import { type Account, type Digest, digest, hashFields, type StudyId, toHex } from '../common/index.ts';
import { splitCounts } from '../dataset/index.ts';
import { hasStatisticsRound, isOpen, isTraining, packStudy, type Study, type TrainingStudy, unpackStudy } from '../study/index.ts';
import { inspectModel, type ModelReport } from '../training/index.ts';
import type { StudyView } from './consortium.ts';
import type { PeerContext } from './context.ts';
import type { DataSets } from './data-sets.ts';
import { EarlierCounts, type Held } from './earlier-counts.ts';
import { peerErrors } from './errors.ts';
import { fetchMs } from './limits.ts';
import { loadOwnRows, type OwnRows } from './own-rows.ts';
import type { RowsBase } from './releases.ts';

/** What a steward chose when approving: which data set stands behind the study here. */
export interface Approval {
  readonly dataSet: string;
  readonly dataVersion: string;
  /** What the study's sums depend on here: SELECT, columns, split, rows. Two studies with one base would give one sum of statistics. */
  readonly own: RowsBase;
  /** Cells of a study that counts which this member keeps out of it: they are too close to what it gave before. */
  readonly withheld: readonly number[];
}

/** Over which rows of this member a study was approved: training and test rows, or rows that are counted and the different units in them. */
export type ApprovedRows = { readonly study: StudyId } & (
  | { readonly train: number; readonly test: number }
  | { readonly rows: number; readonly units: number }
);

/** Everything that a steward looks at before deciding. */
export interface StudyDetail {
  readonly study: Study;
  /** What would be trained; undefined of a study that counts. */
  readonly model: ModelReport | undefined;
  readonly publisher: Account;
  readonly decisions: readonly { readonly account: Account; readonly name: string; readonly approved: boolean }[];
  readonly approval: Approval | undefined;
}

/** The checks of a study that trains which need no data: its model must be trainable as it is. Throws TRAINING_…. */
export function checkModel(study: TrainingStudy): ModelReport {
  const { training, label, features } = study.manifest;
  return inspectModel(study.model, { loss: training.loss, classes: label.classes.length, batchSize: training.batchSize, features: features.column.length });
}

function modelOf(study: Study): ModelReport | undefined {
  return isTraining(study) ? checkModel(study) : undefined;
}

/** What the first sum of a study depends on here; of a study that counts all sums follow from the rows. */
function rowsBase(study: Study, dataVersion: Digest): RowsBase {
  const { featuresSql } = study;
  const base = (label: string, terms: readonly unknown[]): Digest => digest(toHex(hashFields(label, featuresSql, JSON.stringify(terms), dataVersion)));
  if (!isTraining(study)) {
    const { unit, dimension, variable } = study.manifest;
    return { rows: base('schwarm/count-base/1', [unit, dimension, variable]), hasStatistics: true };
  }
  const { features, split, missing } = study.manifest;
  return { rows: base('schwarm/statistics-base/1', [features, split, missing]), hasStatistics: hasStatisticsRound(study) };
}

/** Studies on the ledger and their packages here. */
export class Studies {
  readonly #context: PeerContext;
  readonly #dataSets: DataSets;
  readonly earlier: EarlierCounts;
  /** Packages on their way: whoever asks meanwhile waits for the same one. */
  readonly #loading = new Map<StudyId, Promise<Study>>();

  constructor(context: PeerContext, dataSets: DataSets) {
    this.#context = context;
    this.earlier = new EarlierCounts(context.home, context.journal);
    this.#dataSets = dataSets;
  }

  /** All studies on the ledger. */
  list(): readonly StudyView[] {
    return [...this.#context.consortium.studies.values()];
  }

  /** The study whose id is `text` or begins with it. Throws PEER_UNKNOWN. */
  find(text: string): StudyView {
    const matching = this.list().filter((view) => view.study.startsWith(text.toLowerCase()));
    const [only] = matching;
    if (!only || matching.length > 1 || text.length < 4)
      throw peerErrors.PEER_UNKNOWN({ what: 'study', name: text, known: this.list().map((view) => view.study.slice(0, 12)) });
    return only;
  }

  /** Checks a packed study without publishing it. Throws STUDY_… or TRAINING_…. */
  check(packed: Uint8Array): StudyId {
    const study = unpackStudy(packed);
    modelOf(study);
    return study.id;
  }

  /** Publishes a study: stores its package, offers it, and writes hash and size to the ledger. */
  async publish(packed: Uint8Array): Promise<StudyId> {
    const study = unpackStudy(packed);
    modelOf(study);
    const { blobs, ledger, signal, consortium, clock } = this.#context;
    const root = blobs.put(packStudy(study));
    if (!consortium.studies.has(study.id)) await ledger.submit({ kind: 'publishStudy', study: study.id, root, sizeBytes: packed.length }, { signal });
    while (!consortium.studies.has(study.id)) await clock.sleep(20, { signal });
    return study.id;
  }

  /** The study itself: from here, or fetched from any member and checked against its hash. Throws PEER_STUDY_NOT_HERE, or STUDY_… where its bytes are not that study. */
  load(id: StudyId): Promise<Study> {
    const loading = this.#loading.get(id) ?? this.#load(id).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  async #load(id: StudyId): Promise<Study> {
    const view = this.find(id);
    const { blobs, network, consortium, clock, signal } = this.#context;
    const stored = blobs.get(view.root);
    if (stored) return unpackStudy(stored, id);
    const peers = [...consortium.peers().keys()].filter((peer) => peer !== network.peerId);
    const partial = blobs.partial(view);
    try {
      await network.fetch(view, partial, peers, { signal: clock.timeout(fetchMs, { signal }) });
      await partial.complete();
    } catch (error) {
      throw peerErrors.PEER_STUDY_NOT_HERE({ study: id }, error);
    }
    return this.#fetched(view.root, id);
  }

  /** Bytes that have the root but are not the study are not kept. */
  #fetched(root: Digest, id: StudyId): Study {
    const { blobs } = this.#context;
    const bytes = blobs.get(root);
    if (!bytes) throw peerErrors.PEER_STUDY_NOT_HERE({ study: id });
    try {
      return unpackStudy(bytes, id);
    } catch (error) {
      blobs.remove(root);
      throw error;
    }
  }

  /** What a steward needs to decide. */
  async show(text: string): Promise<StudyDetail> {
    const view = this.find(text);
    const study = await this.load(view.study);
    const { consortium } = this.#context;
    const decisions = [...view.decisions].map(([account, { approved }]) => ({ account, name: consortium.nameOf(account), approved }));
    return { study, model: modelOf(study), publisher: view.by, decisions, approval: this.approval(view.study) };
  }

  /** What was chosen here when the study was approved. */
  approval(study: StudyId): Approval | undefined {
    return this.#context.journal.note<Approval>(`approval/${study}`);
  }

  /** Throws PEER_OPEN_STUDY where a study runs in open mode and whoever approves it has not agreed to that. */
  async checkAgreed(text: string, { open = false }: { readonly open?: boolean }): Promise<void> {
    const { study } = await this.show(text);
    if (isOpen(study) && !open) throw peerErrors.PEER_OPEN_STUDY({ study: study.id });
  }

  /**
   * Approves a study with a data set of this member, after the study ran over it once and `check` had nothing against its rows.
   * Throws PEER_OPEN_STUDY without `open` for one in open mode; PEER_NO_AUDIT_KEY, DATASET_… or TRAINING_….
   */
  async approve(
    text: string,
    dataSet: string,
    { open = false, check = () => undefined }: { readonly open?: boolean; readonly check?: (rows: OwnRows) => void } = {},
  ): Promise<ApprovedRows> {
    const { study } = await this.show(text);
    await this.checkAgreed(study.id, { open });
    const { clock, logger, signal, journal, ledger, config } = this.#context;
    if (study.manifest.terms.audit && !config.audit) throw peerErrors.PEER_NO_AUDIT_KEY({ study: study.id });
    const binding = this.#dataSets.get(dataSet);
    const rows = await loadOwnRows(study, binding, { signal, unitSecret: this.earlier.unitSecret() }, { clock, logger });
    check(rows);
    const held = this.#held(study, rows);
    journal.setNote(`approval/${study.id}`, {
      dataSet,
      dataVersion: rows.dataVersion,
      ...held,
    } satisfies Approval);
    await ledger.submit({ kind: 'decideStudy', study: study.id, approved: true, dataVersion: rows.dataVersion }, { signal });
    return { study: study.id, ...('features' in rows ? splitCounts(rows) : { rows: rows.rows, units: rows.unitCount }) };
  }

  /** What earlier studies that counted mean for this one, which is remembered with them. */
  #held(study: Study, rows: OwnRows): Held {
    const own = rowsBase(study, rows.dataVersion);
    if (isTraining(study) || 'features' in rows) return { withheld: [], own };
    const held = this.earlier.hold(study, rows, own);
    this.earlier.keep(study, rows, held.own);
    return held;
  }

  /** Declines a study, or takes an approval back for all runs to come. */
  async decline(text: string): Promise<StudyId> {
    const { study } = this.find(text);
    const none = digest('0'.repeat(64));
    await this.#context.ledger.submit({ kind: 'decideStudy', study, approved: false, dataVersion: none }, { signal: this.#context.signal });
    return study;
  }

  /** Fetches packages of studies that are on the ledger but not here, without waiting. */
  fetchMissing(): void {
    const { blobs, logger } = this.#context;
    for (const view of this.list()) {
      if (blobs.get(view.root)) continue;
      this.load(view.study).catch((error: unknown) => logger.debug('a study is not here yet', { study: view.study, reason: String(error) }));
    }
  }
}
