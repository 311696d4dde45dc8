/** The member's own data sets: names bound to local files. Bindings stay at the member and appear in no study. */
import { type Binding, bindDataset, checkDataset, type QualityReport } from '../dataset/index.ts';
import type { Study } from '../study/index.ts';
import type { PeerContext } from './context.ts';
import { peerErrors } from './errors.ts';
import { maxDataSets } from './limits.ts';

const prefix = 'dataset/';

/** Bindings by name, kept in the journal. */
export class DataSets {
  readonly #context: PeerContext;

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

  /** Binds files to a name; binding again takes the files' new content as a new version. Throws DATASET_…. */
  async bind(name: string, files: readonly string[]): Promise<Binding> {
    if (this.list().length >= maxDataSets) throw peerErrors.PEER_NAME_TAKEN({ what: `data set list of ${maxDataSets}; no room for`, name });
    const binding = await bindDataset(name, files, { signal: this.#context.signal });
    this.#context.journal.setNote(`${prefix}${name}`, binding);
    return binding;
  }

  /** The quality report of a data set under a study. */
  async check(name: string, study: Study): Promise<QualityReport> {
    const { clock, logger, signal } = this.#context;
    return await checkDataset(study, this.get(name), { signal }, { clock, logger });
  }
}
