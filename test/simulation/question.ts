/** The small study of the simulation: three features, a handful of rows a member, real statistics and logistic regression in plain arithmetic. */
import type { RoundState, SumPlan } from '../../src/aggregation/index.ts';
import { seededChance } from '../../src/common/index.ts';
import type { FeatureTable } from '../../src/dataset/index.ts';
import type { LocalRows } from '../../src/peer/local-work.ts';
import { type NextState, Question } from '../../src/peer/question.ts';
import type { Study } from '../../src/study/index.ts';
import { manifestSchema } from '../../src/study/manifest.ts';
import { createArithmeticTrainer, type Trainer } from '../../src/training/index.ts';
import { named } from './named.ts';

const features = ['age', 'pressure', 'rate'];

function studyWith(statistics: boolean): Study {
  const manifest = manifestSchema.parse({
    format: 'schwarm.study/1',
    kind: 'training',
    title: 'Simulation',
    question: 'Does the round hold?',
    purpose: 'test',
    task: 'binary',
    seed: 7,
    table: [{ name: 'visits', column: [{ name: 'id', datatype: 'integer' }] }],
    features: { column: features.map((name) => ({ name, min: -2, max: 2 })) },
    label: { column: 'sick', classes: [0, 1] },
    split: { by: 'hash', key: 'id', testFraction: 0.25 },
    standardisation: statistics ? 'swarm' : 'none',
    missing: 'drop-row',
    training: {
      loss: 'binary-cross-entropy',
      optimiser: { kind: 'sgd', learningRate: 0.3 },
      localSteps: 3,
      batchSize: 4,
      rounds: 2,
      clipNorm: 1,
      weightCap: 16,
    },
    metrics: ['auc'],
  });
  return { id: named(`study ${statistics}`), manifest, featuresSql: 'SELECT 1', model: new Uint8Array(1) };
}

/** Parameters of the model: one weight a feature, and the bias. */
export const parameters = features.length + 1;

/** The study, and a question that shows every sum it opens. */
export class WatchedQuestion extends Question {
  readonly #opened: (state: RoundState, sum: Uint8Array, next: NextState) => void;

  constructor(members: number, statistics: boolean, opened: (state: RoundState, sum: Uint8Array, next: NextState) => void) {
    super(studyWith(statistics), members, parameters);
    this.#opened = opened;
  }

  override next(state: RoundState, sum: Uint8Array): NextState {
    const next = super.next(state, sum);
    this.#opened(state, sum, next);
    return next;
  }
}

function tableOf(seed: number, member: number): FeatureTable {
  const chance = seededChance('rows', seed, member);
  const rows = 5 + chance.below(9);
  return {
    featureNames: features,
    rows,
    features: Float32Array.from({ length: rows * features.length }, () => 4 * chance.real() - 2),
    labels: Float32Array.from({ length: rows }, () => chance.below(2)),
    split: Uint8Array.from({ length: rows }, (_, at) => (at % 4 === 3 ? 1 : 0)),
    dataVersion: named('rows'),
    dropped: [],
  };
}

/** A member's rows and trainer; `work` is waited for before each training. */
export function rowsOf(seed: number, member: number, work: (ordinal: number) => Promise<void>): LocalRows {
  const inner = createArithmeticTrainer();
  const trainer: Trainer = {
    prepare: (task, options) => inner.prepare(task, options),
    train: async (training, options) => {
      await work(training.round);
      return await inner.train(training, options);
    },
    score: (query, options) => inner.score(query, options),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  return { member: `member ${member}`, table: tableOf(seed, member), trainer };
}

/** The question and the plan that follow a state, for oracles. */
export function planOf(members: number, statistics: boolean, ordinal: number): { readonly question: Question; readonly plan: SumPlan } {
  const question = new Question(studyWith(statistics), members, parameters);
  return { question, plan: question.plan({ ordinal }) };
}
