/** How an institution says yes to a study: by as many people as its configuration asks for, over rows that are enough, with everything told that a steward must know. */
import type { StudyId } from '../common/index.ts';
import { type SparseFeature, sparseFeatures, splitCounts } from '../dataset/index.ts';
import type { PeerContext } from './context.ts';
import { peerErrors } from './errors.ts';
import { fewestTrainingRows } from './limits.ts';
import type { OwnRows } from './own-rows.ts';
import { type PersonProof, Persons } from './persons.ts';
import { ActionLog } from './store/actions.ts';
import type { ApprovedRows, Studies } from './studies.ts';

/** What came of an approval. */
export type Approved = ApprovedRows & {
  /** Features in which few training rows here differ from all others. */
  readonly sparse: readonly SparseFeature[];
};

/** One person said yes; the approval leaves with the next one. */
export interface HalfApproved {
  readonly study: StudyId;
  readonly by: readonly string[];
  readonly missing: number;
}

interface Consent {
  readonly person: string;
  readonly dataSet: string;
}

/** Approvals of one institution, and the log of who did what. */
export class Approvals {
  readonly persons: Persons;
  readonly log: ActionLog;
  readonly #context: PeerContext;
  readonly #studies: Studies;

  constructor(context: PeerContext, studies: Studies) {
    this.#context = context;
    this.#studies = studies;
    this.persons = new Persons(context.home);
    this.log = new ActionLog(context.home, context.clock);
  }

  /**
   * Approves a study, or notes the first of two yeses. The second must be another person's and over the same data set.
   * Throws PEER_OPEN_STUDY, PEER_NO_PERSON, PEER_SAME_PERSON, PEER_TOO_FEW_ROWS, DATASET_… or TRAINING_….
   */
  async approve(
    text: string,
    dataSet: string,
    proof: PersonProof | undefined,
    { open = false }: { readonly open?: boolean } = {},
  ): Promise<Approved | HalfApproved> {
    const { study } = this.#studies.find(text);
    await this.#studies.checkAgreed(study, { open });
    const needed = this.#context.config.approvals.persons;
    const person = needed > 1 || proof ? this.persons.check(proof) : 'console';
    const before = this.#consents(study).filter((consent) => consent.dataSet === dataSet);
    if (before.some((consent) => consent.person === person)) throw peerErrors.PEER_SAME_PERSON({ name: person });
    const by = [...before.map((consent) => consent.person), person];
    this.log.append(person, 'study approve', { study, dataSet, missing: String(Math.max(0, needed - by.length)) });
    if (by.length < needed) {
      this.#context.journal.setNote(subject(study), [...before, { person, dataSet }] satisfies readonly Consent[]);
      return { study, by, missing: needed - by.length };
    }
    let sparse: readonly SparseFeature[] = [];
    const check = (rows: OwnRows): void => {
      refuseTooFew(rows);
      if ('features' in rows) sparse = sparseFeatures(rows);
    };
    const approved = await this.#studies.approve(study, dataSet, { open, check });
    this.#context.journal.setNote(subject(study), []);
    return { ...approved, sparse };
  }

  #consents(study: StudyId): readonly Consent[] {
    return this.#context.journal.note<readonly Consent[]>(subject(study)) ?? [];
  }
}

function subject(study: StudyId): string {
  return `consents/${study}`;
}

/** What is learnt from very few rows is about those rows. */
function refuseTooFew(own: OwnRows): void {
  const rows = 'features' in own ? splitCounts(own).train : own.unitCount;
  if (rows < fewestTrainingRows) throw peerErrors.PEER_TOO_FEW_ROWS({ rows, needed: fewestTrainingRows });
}
