/** The member's own data sets: names bound to local data. Bindings stay at the member and appear in no study. */
import { join } from 'node:path';
import { type Binding, bindDataset, checkDataset, type QualityReport, removeSnapshots } from '../dataset/index.ts';
import type { Study } from '../study/index.ts';
import type { PeerContext } from './context.ts';
import { peerErrors } from './errors.ts';
import { maxDataSets } from './limits.ts';

const prefix = 'dataset/';

/** Bindings by name, kept in the journal; what they took from other sources than plain files lies in the folder `data` of the home. */
export class DataSets {
  readonly #context: PeerContext;
  /** Binds one after the other: each removes snapshots that no binding names. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: PeerContext) {
    this.#context = context;
  }

  /** All bindings by name. */
  list(): readonly Binding[] {
    return this.#context.journal.notes<Binding>(prefix).map(({ note }) => note);
  }

  /** The binding with this name. Throws PEER_UNKNOWN. */
  get(name: string): Binding {
    const binding = this.#context.journal.note<Binding>(`${prefix}${name}`);
    if (!binding) throw peerErrors.PEER_UNKNOWN({ what: 'data set', name, known: this.list().map((known) => known.name) });
    return binding;
  }

  /** Binds files, or what a binding file names, to a name; binding again takes the new content as a new version. Throws DATASET_…. */
  async bind(name: string, files: readonly string[]): Promise<Binding> {
    const bound = this.#last.then(() => this.#bind(name, files));
    this.#last = bound.catch(() => undefined);
    return await bound;
  }

  async #bind(name: string, files: readonly string[]): Promise<Binding> {
    if (this.list().length >= maxDataSets) throw peerErrors.PEER_NAME_TAKEN({ what: `data set list of ${maxDataSets}; no room for`, name });
    const { clock, logger, signal } = this.#context;
    try {
      const binding = await bindDataset(name, files, { signal }, { folder: this.#folder, clock, logger });
      this.#context.journal.setNote(`${prefix}${name}`, binding);
      return binding;
    } finally {
      await this.#removeOld();
    }
  }

  /** Removes what a bind that was killed left behind. */
  async removeOld(): Promise<void> {
    this.#last = this.#last.then(() => this.#removeOld());
    await this.#last;
  }

  /** Removes snapshots that no binding names; where the folder refuses, they are left for the next time. */
  async #removeOld(): Promise<void> {
    const named = new Set(this.list().flatMap(({ files }) => files.map(({ sha256 }) => sha256)));
    const { logger } = this.#context;
    try {
      const files = await removeSnapshots(this.#folder, named);
      if (files > 0) logger.info('snapshots that no data set names were removed', { files });
    } catch (error) {
      logger.warn('snapshots that no data set names are still there', { folder: this.#folder, reason: String(error) });
    }
  }

  get #folder(): string {
    return join(this.#context.home, 'data');
  }

  /** The quality report of a data set under a study. */
  async check(name: string, study: Study): Promise<QualityReport> {
    const { clock, logger, signal } = this.#context;
    return await checkDataset(study, this.get(name), { signal }, { clock, logger });
  }
}
