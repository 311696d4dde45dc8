/** Federated averaging (McMahan et al. 2017) in one process: no network, no masks, no ledger. What secrecy must not cost anything against. */
import { fileURLToPath } from 'node:url';
import { silentLogger } from '../../src/common/index.ts';
import { bindDataset, type FeatureTable, loadFeatures } from '../../src/dataset/index.ts';
import type { TrainingStudy } from '../../src/study/index.ts';
import { accuracy, auc, createOnnxTrainer, scaledMoments, standardisationOf, trainingTask } from '../../src/training/index.ts';
import { realClock } from './clock.ts';
import { readTrainingStudy } from './studies.ts';

const open = { signal: new AbortController().signal };
const parts = { clock: realClock, logger: silentLogger };
const home = fileURLToPath(new URL('../../deploy/studies/heart-disease/', import.meta.url));

/** The four hospitals of the shipped study, by the names that their peers have. */
export const hospitals = { Cleveland: 'cleveland', Budapest: 'budapest', Zürich: 'zurich', 'Long Beach': 'long-beach' };

export async function heartDisease(): Promise<{ readonly study: TrainingStudy; readonly tables: readonly FeatureTable[] }> {
  const study = await readTrainingStudy(home, open);
  const load = async (name: string): Promise<FeatureTable> => loadFeatures(study, await bindDataset(name, [`${home}data/${name}.csv`], open), open, parts);
  return { study, tables: await Promise.all(Object.values(hospitals).map(load)) };
}

/** Accuracy at each hospital and AUC over all test rows after plain averaging with this seed. */
export async function plainAveraging(
  study: TrainingStudy,
  tables: readonly FeatureTable[],
  seed: number,
): Promise<{ readonly accuracies: readonly number[]; readonly pooledAuc: number }> {
  const { features, training } = study.manifest;
  const moments = tables.map((table) => scaledMoments(table, features.column));
  const rows = moments.reduce((sum, site) => sum + site.rows, 0);
  const sums = moments[0]!.sums.map((_, at) => moments.reduce((sum, site) => sum + site.sums[at]!, 0));
  const trainers = tables.map(() => createOnnxTrainer({}, parts));
  const prepared = await Promise.all(
    trainers.map((trainer, at) => trainer.prepare(trainingTask(study, tables[at]!, standardisationOf(rows, sums, features.column)), open)),
  );
  let { parameters } = prepared[0]!;
  for (let round = 1; round <= training.rounds; round++) {
    const updates = await Promise.all(
      trainers.map((trainer, at) => trainer.train({ parameters, steps: training.localSteps, seed, member: Object.keys(hospitals)[at]!, round }, open)),
    );
    parameters = parameters.map((_, at) => updates.reduce((sum, update) => sum + (update.rows * update.parameters[at]!) / rows, 0));
  }
  const scored = await Promise.all(trainers.map((trainer) => trainer.score({ parameters, split: 'test' }, open)));
  await Promise.all(trainers.map((trainer) => trainer[Symbol.asyncDispose]()));
  const all = (pick: 'scores' | 'labels') => scored.flatMap((site) => [...site[pick]]);
  return { accuracies: scored.map(({ scores, labels }) => accuracy(scores, labels) ?? 0), pooledAuc: auc(all('scores'), all('labels'))?.auc ?? 0 };
}
