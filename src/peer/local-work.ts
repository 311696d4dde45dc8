/** What a member computes from its own rows for one sum: statistics or an update, as words ready to be masked. */
import { encodeMoments, encodeUpdate, type RoundState } from '../aggregation/index.ts';
import { seededChance } from '../common/index.ts';
import type { FeatureTable } from '../dataset/index.ts';
import { scaledMoments, type Trainer, trainingTask } from '../training/index.ts';
import type { Question } from './question.ts';

/** One member's rows and trainer within one run. */
export interface LocalRows {
  /** The member's name on the ledger: with the study's seed and the ordinal it fixes every draw, so that a run can be repeated with other keys. */
  readonly member: string;
  readonly table: FeatureTable;
  readonly trainer: Trainer;
}

/** Prepares the trainer for a state's standardisation; later states of the same run keep it. */
export async function prepareTrainer(question: Question, rows: LocalRows, state: RoundState, signal: AbortSignal): Promise<void> {
  await rows.trainer.prepare(trainingTask(question.study, rows.table, state.standardisation), { signal });
}

/** The member's words for the sum after `state`. Rounding draws depend on (study seed, member, ordinal), so that a run can be repeated bit for bit. */
export async function localWords(question: Question, rows: LocalRows, state: RoundState, signal: AbortSignal): Promise<Uint8Array> {
  const plan = question.plan(state);
  const { table, trainer, member } = rows;
  if (plan.purpose === 'statistics') {
    const moments = scaledMoments(table, question.study.manifest.features.column);
    return encodeMoments(plan, moments.rows, moments.sums);
  }
  const { seed, training } = question.study.manifest;
  const parameters = Float32Array.from(state.parameters);
  const trained = await trainer.train({ parameters, steps: training.localSteps, seed, member, round: state.ordinal }, { signal });
  const local = { base: state.parameters, trained: trained.parameters, rows: trained.rows, lossSum: trained.lossSum };
  return encodeUpdate(plan, question.updateTerms(), local, seededChance('rounding', seed, member, state.ordinal));
}
