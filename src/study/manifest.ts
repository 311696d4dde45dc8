/** The schema of `study.toml` of a study that trains a model, format `schwarm.study/1`. Unknown keys are refused; defaults are filled in and are part of the hash. */
import { z } from 'zod';
import { groupsSchema } from './groups.ts';
import { studyLimits as limits } from './limits.ts';
import { budgetS, identifier, sharedSchema, sharedTerms, value } from './shared-manifest.ts';
import type { StatisticsManifest } from './statistics-manifest.ts';

const positive = z.number().positive().max(1e9);
const share = z.number().min(0).lt(1);
const seed = z.int().min(0).max(4_294_967_295);

/** A column of the SELECT's result. The range bounds what enters the shared statistics; `standardise = false` leaves the values as they are. */
const featureColumn = z.strictObject({ name: identifier, min: z.number(), max: z.number(), standardise: z.boolean().default(true) });

const split = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('column'), column: identifier, train: z.array(value).min(1).max(64), test: z.array(value).min(1).max(64) }),
  z.strictObject({ by: z.literal('hash'), key: identifier, testFraction: z.number().gt(0).lt(1), seed: seed.default(0) }),
]);

const optimiser = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sgd'), learningRate: positive, momentum: share.default(0), weightDecay: z.number().min(0).max(1).default(0) }),
  z.strictObject({
    kind: z.literal('adamw'),
    learningRate: positive,
    beta1: share.default(0.9),
    beta2: share.default(0.999),
    epsilon: z.number().positive().max(1).default(1e-8),
    weightDecay: z.number().min(0).max(1).default(0.01),
  }),
]);

const training = z.strictObject({
  loss: z.enum(['binary-cross-entropy', 'softmax-cross-entropy']),
  optimiser,
  localSteps: z.int().min(1).max(limits.localSteps),
  batchSize: z.int().min(1).max(limits.batchSize),
  /** Seconds of local work in a round: a site that is not through with its steps by then counts with those that it did. */
  budgetS,
  rounds: z.int().min(1).max(limits.rounds),
  clipNorm: positive,
  weightCap: z
    .int()
    .min(1)
    .max(limits.weightCap)
    .refine((rows) => Number.isInteger(Math.log2(rows)), 'a power of two'),
});

const f = z.int().min(0).max(limits.members);

/** How open vectors become one. `f` members may be arbitrary; `radius` is an L2 norm. A rule other than the mean gives each member one voice. */
const rule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mean') }),
  ...(['coordinate-median', 'trimmed-mean', 'geometric-median', 'krum', 'multi-krum'] as const).map((kind) => z.strictObject({ kind: z.literal(kind), f })),
  z.strictObject({ kind: z.literal('centred-clipping'), f, radius: positive }),
]);

const terms = z.strictObject({
  ...sharedTerms,
  /** `secure`: only sums are ever seen. `open`: every member of the run sees every member's update, so that a robust rule can merge them. */
  mode: z.enum(['secure', 'open']).default('secure'),
  rule: rule.optional(),
  /** Secure sums over groups, of one size or named one by one, merged by the rule: for many members, or to bound what a few hostile ones can do. */
  groups: groupsSchema.optional(),
  /** Largest share of one member in all training rows; needs the rows that shared statistics count. */
  dominance: z.number().gt(0).lte(1).optional(),
  /** How masked vectors meet: everybody gets all of them, or each member sums a part; `auto` decides by their size. */
  exchange: z.enum(['auto', 'broadcast', 'reduce-scatter']).default('auto'),
});

/** Each site scores the new model on its own test rows and votes against one whose mean loss is more than 1 + `worsening` times that of the base. */
const validation = z.strictObject({ worsening: z.number().min(0).max(100).default(0.5) });

/** What `study.toml` of a study that trains may hold. */
export const trainingSchema = z.strictObject({
  ...sharedSchema,
  kind: z.literal('training'),
  task: z.enum(['binary', 'multiclass']),
  seed: seed.default(0),
  features: z.strictObject({ column: z.array(featureColumn).min(1).max(limits.featureColumns) }),
  label: z.strictObject({ column: identifier, classes: z.array(value).min(2).max(limits.classes) }),
  split,
  standardisation: z.enum(['swarm', 'none']),
  missing: z.enum(['drop-row', 'refuse']),
  training,
  terms: terms.prefault({}),
  validation: validation.optional(),
  metrics: z
    .array(z.enum(['auc', 'accuracy']))
    .min(1)
    .max(2),
});

/** A valid `study.toml` that trains a model, with every default filled in. */
export type TrainingManifest = z.output<typeof trainingSchema>;
/** A valid `study.toml` with every default filled in. */
export type StudyManifest = TrainingManifest | StatisticsManifest;
/** One feature in the order of the SELECT, with its declared range. */
export type FeatureColumn = TrainingManifest['features']['column'][number];
/** The optimiser of the local steps and its settings. */
export type OptimiserTerms = TrainingManifest['training']['optimiser'];
/** The loss that local steps make smaller. */
export type Loss = TrainingManifest['training']['loss'];
