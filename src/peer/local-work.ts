/** What a member computes from its own rows for one sum: statistics or an update, as words ready to be masked. */
import { type CountedRows, encodeMoments, type RoundState, roundingKey } from '../aggregation/index.ts';
import { assert, type Digest } from '../common/index.ts';
import { type FeatureTable, splitCounts } from '../dataset/index.ts';
import { meanLoss, scaledMoments, type Trainer, trainingTask } from '../training/index.ts';
import type { Bulk, WordsPlace } from './bulk/bulk.ts';
import type { RunState } from './next-state.ts';
import type { Question } from './question.ts';
import type { TrainingQuestion } from './training-question.ts';

/** One member's rows and trainer within one run that trains. */
export interface TrainingRows {
  /** The member's name on the ledger: with the study's seed and the ordinal it fixes every draw, so that a run can be repeated with other keys. */
  readonly member: string;
  readonly table: FeatureTable;
  readonly trainer: Trainer;
}

/** One member's rows within one run that counts; their arrays lie in memory that the bulk thread sees too. */
export interface CountingRows {
  readonly records: CountedRows;
  /** Cells that this member keeps out. */
  readonly withheld: readonly number[];
}

/** What a member brings to a run. */
export type LocalRows = TrainingRows | CountingRows;

/** Training rows of this member; none where nothing is trained. */
export function trainingRowsOf(rows: LocalRows): number {
  return 'table' in rows ? splitCounts(rows.table).train : 0;
}

/** Prepares the trainer for a state's standardisation; later states of the same run keep it. */
export async function prepareTrainer(question: TrainingQuestion, rows: TrainingRows, state: RoundState, signal: AbortSignal): Promise<void> {
  await rows.trainer.prepare(trainingTask(question.study, rows.table, state.standardisation), { signal });
}

/** Steps done of those that the study asks for. */
export interface StepsDone {
  readonly done: number;
  readonly asked: number;
}

/** Mean loss of a model on this member's own test rows; undefined where it has none. The trainer must be prepared for the state's standardisation. */
export async function ownLoss(question: TrainingQuestion, { trainer }: TrainingRows, state: RoundState, signal: AbortSignal): Promise<number | undefined> {
  const { scores, labels } = await trainer.score({ parameters: state.parameters.slice(), split: 'test' }, { signal });
  return meanLoss(scores, labels, question.study.manifest.label.classes.length);
}

/**
 * Makes the member's words for the sum after `state`, and gives how much of the local work they hold (undefined for statistics).
 * Rounding draws depend on (study seed, member, ordinal), so that a run can be repeated bit for bit.
 */
export async function localWords(
  question: Question,
  rows: LocalRows,
  from: { readonly state: RunState; readonly hash: Digest },
  place: WordsPlace,
  bulk: Bulk,
  signal: AbortSignal,
): Promise<StepsDone | undefined> {
  const { state, hash } = from;
  const plan = question.plan(state);
  if (question.kind === 'statistics') {
    assert('records' in rows && 'opened' in state, 'rows and state are those of a study that counts');
    await bulk.run('encodeCounts', { place, plan, terms: question.terms, state, ...rows }, { signal });
    return undefined;
  }
  assert('table' in rows && 'parameters' in state, 'rows and state are those of a study that trains');
  const { table, trainer, member } = rows;
  if (plan.purpose === 'statistics') {
    const moments = scaledMoments(table, question.study.manifest.features.column);
    await bulk.run('storeWords', { place, words: encodeMoments(plan, moments.rows, moments.sums) }, { signal });
    return undefined;
  }
  const { seed, training } = question.study.manifest;
  const terms = { steps: training.localSteps, budgetMs: 1_000 * training.budgetS, seed, member, round: state.ordinal };
  const trained = await trainer.train({ parameters: state.parameters.slice(), ...terms }, { signal });
  const update = { trained: trained.parameters, rows: trained.rows, lossSum: trained.lossSum, roundingKey: roundingKey(seed, member, state.ordinal) };
  await bulk.run('encodeUpdate', { place, plan, terms: question.updateTerms(), base: hash, ...update }, { signal });
  return { done: trained.steps, asked: training.localSteps };
}
