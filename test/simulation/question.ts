/** The small study of the simulation: three features, a handful of rows a member, real statistics and logistic regression in plain arithmetic. */
import {
  decodeMoments,
  decodeUpdate,
  leavesOfTree,
  levelledUpdate,
  type MergeRule,
  type RoundState,
  type SumPlan,
  stateBytes,
  stateDigest,
} from '../../src/aggregation/index.ts';
import { type Digest, seededChance } from '../../src/common/index.ts';
import type { FeatureTable } from '../../src/dataset/index.ts';
import type { LocalRows } from '../../src/peer/local-work.ts';
import type { NextState } from '../../src/peer/next-state.ts';
import { TrainingQuestion } from '../../src/peer/training-question.ts';
import type { TrainingStudy } from '../../src/study/index.ts';
import { trainingSchema } from '../../src/study/manifest.ts';
import { createArithmeticTrainer, standardisationOf, type Trainer } from '../../src/training/index.ts';
import type { Groups } from './groups.ts';
import { named } from './named.ts';
import type { OpenedGroup } from './seen.ts';

const features = ['age', 'pressure', 'rate'];

/** What a schedule says about the study. */
export interface Asked {
  readonly members: number;
  readonly statistics: boolean;
  readonly openRule: MergeRule | undefined;
  readonly groups: Groups | undefined;
}

/** Groups are named anew in each schedule: studies are kept for those who ask again soon. */
const keptStudies = 64;
const studies = new Map<string, TrainingStudy>();

function studyWith(asked: Asked): TrainingStudy {
  const name = nameOf(asked);
  const study = studies.get(name) ?? makeStudy(asked);
  if (studies.size >= keptStudies) studies.clear();
  studies.set(name, study);
  return study;
}

function nameOf({ statistics, openRule, groups }: Asked): string {
  return `${statistics} ${openRule?.kind} ${groups?.rule.kind} ${JSON.stringify(groups?.named)}`;
}

function makeStudy(asked: Asked): TrainingStudy {
  const { statistics, openRule, groups } = asked;
  const manifest = trainingSchema.parse({
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
    terms: openRule ? { mode: 'open', rule: openRule } : groups ? { groups: groups.named ?? { size: groups.size }, rule: groups.rule } : {},
    metrics: ['auc'],
  });
  return { id: named(`study ${nameOf(asked)}`), manifest, featuresSql: 'SELECT 1', model: new Uint8Array(1) };
}

/** Parameters of the model: one weight a feature, and the bias. */
export const parameters = features.length + 1;

/** Called with each sum that is opened, and in groups with theirs. */
type Opened = (state: RoundState, sum: Uint8Array, next: NextState, groups: readonly OpenedGroup[] | undefined) => void;

/** The study, and a question that shows every sum it opens. */
export class WatchedQuestion extends TrainingQuestion {
  readonly #opened: Opened;
  /** What groups gave, by what was merged of it. */
  readonly #groups = new WeakMap<Uint8Array, readonly OpenedGroup[]>();

  constructor(asked: Asked, opened: Opened) {
    super(studyWith(asked), asked.members, parameters);
    this.#opened = opened;
  }

  override async next(...[state, base, sum, bulk, options]: Parameters<TrainingQuestion['next']>): Promise<NextState | undefined> {
    const next = await super.next(state, base, sum, bulk, options);
    if (next && 'parameters' in state) this.#opened(state, sum, next, this.#groups.get(sum));
    return next;
  }

  override async mergeGroups(...[state, tree, sums, bulk, options]: Parameters<TrainingQuestion['mergeGroups']>): Promise<Uint8Array> {
    const groups = leavesOfTree(tree).map((members, at) => ({ members, sum: new Uint8Array(sums[at] ?? []) }));
    const merged = await super.mergeGroups(state, tree, sums, bulk, options);
    this.#groups.set(merged, groups);
    return merged;
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
export function planOf(asked: Asked, ordinal: number): { readonly question: TrainingQuestion; readonly plan: SumPlan } {
  const question = new TrainingQuestion(studyWith(asked), asked.members, parameters);
  return { question, plan: question.plan({ ordinal }) };
}

/** The hash of the state that a sum gives, worked out in one piece. */
export function stateAfter({ question, plan }: ReturnType<typeof planOf>, base: RoundState, sum: Uint8Array): Digest {
  const ordinal = base.ordinal + 1;
  if (plan.purpose === 'update') {
    const { parameters: after } = decodeUpdate(plan, question.updateTerms(), sum, base.parameters);
    const last = question.study.manifest.terms.rule?.kind === 'centred-clipping' ? { last: levelledUpdate(plan, sum, question.updateTerms().weightCap) } : {};
    return stateDigest(stateBytes({ ...base, ordinal, parameters: after, ...last }));
  }
  const { rows, moments } = decodeMoments(plan, sum);
  const standardisation = { rows, ...standardisationOf(rows, moments, question.study.manifest.features.column) };
  const last = question.study.manifest.terms.rule?.kind === 'centred-clipping' ? { last: new Uint8Array(4 * base.parameters.length) } : {};
  return stateDigest(stateBytes({ ordinal, parameters: base.parameters, standardisation, ...last }));
}
