/**
 * Was it worth joining? The launcher holds all members' files, so it can train each member alone and all rows in one place, and score every model
 * on everybody's test rows. No peer could: rows and scores never leave one.
 */

import { silentLogger } from '../../src/common/index.ts';
import { systemClock } from '../../src/console/index.ts';
import { bindDataset, type FeatureTable, loadFeatures, pooledTable, splitCounts, testRow } from '../../src/dataset/index.ts';
import type { TrainingStudy } from '../../src/study/index.ts';
import {
  type Auc,
  accuracy,
  auc,
  createOnnxTrainer,
  multiclassAccuracy,
  type RocPoint,
  rocPoints,
  scaledMoments,
  scoreExported,
  standardisationOf,
  trainingTask,
} from '../../src/training/index.ts';
import type { DemoMember } from './study.ts';

/** Scores and labels of some rows. */
export interface Scored {
  readonly scores: Float32Array;
  readonly labels: Float32Array;
}

/** How well a model does on some rows. */
export interface Quality {
  readonly auc: number | null;
  readonly interval: Auc | undefined;
  readonly accuracy: number;
  readonly roc: readonly RocPoint[];
  readonly rows: number;
  readonly positives: number;
}

/** One model on every member's test rows, and on all of them together. */
export interface ModelQuality {
  readonly members: readonly Quality[];
  readonly meanAccuracy: number;
  readonly all: Quality;
}

/** The three models side by side. */
export interface Comparison {
  readonly rows: readonly { readonly train: number; readonly test: number }[];
  readonly local: ModelQuality;
  readonly swarm: ModelQuality;
  readonly pooled: ModelQuality;
}

const parts = { clock: systemClock, logger: silentLogger };

/** Every member's rows as its own peer sees them. */
export async function loadTables(study: TrainingStudy, members: readonly DemoMember[], signal: AbortSignal): Promise<readonly FeatureTable[]> {
  const tables: FeatureTable[] = [];
  for (const { dataset, files } of members) tables.push(await loadFeatures(study, await bindDataset(dataset, files, { signal }), { signal }, parts));
  return tables;
}

function quality(study: TrainingStudy, { scores, labels }: Scored): Quality {
  const classes = study.manifest.label.classes.length;
  const positives = labels.reduce((sum, label) => sum + (label > 0 ? 1 : 0), 0);
  if (study.manifest.task !== 'binary')
    return { auc: null, interval: undefined, accuracy: multiclassAccuracy(scores, labels, classes) ?? 0, roc: [], rows: labels.length, positives };
  const interval = auc(scores, labels);
  return { auc: interval?.auc ?? null, interval, accuracy: accuracy(scores, labels) ?? 0, roc: rocPoints(scores, labels), rows: labels.length, positives };
}

function together(parts: readonly Scored[]): Scored {
  const flat = (pick: (part: Scored) => Float32Array): Float32Array => Float32Array.from(parts.flatMap((part) => [...pick(part)]));
  return { scores: flat(({ scores }) => scores), labels: flat(({ labels }) => labels) };
}

function modelQuality(study: TrainingStudy, scored: readonly Scored[]): ModelQuality {
  const members = scored.map((part) => quality(study, part));
  return { members, meanAccuracy: members.reduce((sum, member) => sum + member.accuracy, 0) / members.length, all: quality(study, together(scored)) };
}

/** Rows of one side of the split, and their labels. */
function testRows(table: FeatureTable): { readonly features: Float32Array; readonly labels: Float32Array } {
  const width = table.featureNames.length;
  const rows = Array.from({ length: table.rows }, (_, row) => row).filter((row) => table.split[row] === testRow);
  const features = Float32Array.from(rows.flatMap((row) => [...table.features.subarray(row * width, (row + 1) * width)]));
  return { features, labels: Float32Array.from(rows, (row) => table.labels[row] ?? 0) };
}

/** Trains on one table what the swarm trained on all: the same steps, scaled by the table's own training rows; then scores each of `tables`. */
async function trainInOnePlace(
  study: TrainingStudy,
  table: FeatureTable,
  tables: readonly FeatureTable[],
  member: string,
  signal: AbortSignal,
): Promise<readonly Scored[]> {
  const { manifest } = study;
  const moments = scaledMoments(table, manifest.features.column);
  const standardisation = manifest.standardisation === 'swarm' ? standardisationOf(moments.rows, moments.sums, manifest.features.column) : undefined;
  await using trainer = createOnnxTrainer({ name: member }, parts);
  let { parameters } = await trainer.prepare(trainingTask(study, table, standardisation), { signal });
  for (let round = 1; round <= manifest.training.rounds; round++) {
    ({ parameters } = await trainer.train({ parameters, steps: manifest.training.localSteps, seed: manifest.seed, member, round }, { signal }));
  }
  const scored: Scored[] = [];
  for (const other of tables) {
    await trainer.prepare(trainingTask(study, other, standardisation), { signal });
    scored.push(await trainer.score({ parameters, split: 'test' }, { signal }));
  }
  return scored;
}

/** Scores the exported model on everybody's test rows with the stock runtime, and sets it beside the models of those who did not join. */
export async function compare(
  study: TrainingStudy,
  members: readonly DemoMember[],
  tables: readonly FeatureTable[],
  model: Uint8Array,
  signal: AbortSignal,
): Promise<Comparison> {
  const swarm = await Promise.all(
    tables.map(async (table): Promise<Scored> => {
      const { features, labels } = testRows(table);
      return { scores: await scoreExported(model, features, table.featureNames.length), labels };
    }),
  );
  const alone: Scored[] = [];
  for (const [at, table] of tables.entries()) alone.push(...(await trainInOnePlace(study, table, [table], members[at]?.name ?? '', signal)));
  const pooled = await trainInOnePlace(study, pooledTable(tables), tables, 'pooled', signal);
  return { rows: tables.map(splitCounts), local: modelQuality(study, alone), swarm: modelQuality(study, swarm), pooled: modelQuality(study, pooled) };
}
