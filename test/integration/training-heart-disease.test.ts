/** The shipped study by plain federated averaging: no network, masks or ledger. What the swarm must reach, it reaches here. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/common/index.ts';
import { bindDataset, type FeatureTable, loadFeatures, pooledTable } from '../../src/dataset/index.ts';
import { accuracy, auc, createOnnxTrainer, type Scores, scaledMoments, standardisationOf, trainingTask } from '../../src/training/index.ts';
import { realClock } from '../support/clock.ts';
import { readTrainingStudy } from '../support/studies.ts';

const open = { signal: new AbortController().signal };
const parts = { clock: realClock, logger: silentLogger };
const home = fileURLToPath(new URL('../../deploy/studies/heart-disease', import.meta.url));
const study = await readTrainingStudy(home, open);
const { columns, training } = { columns: study.manifest.features.column, training: study.manifest.training };
const tables: FeatureTable[] = [];
for (const name of ['cleveland', 'budapest', 'zurich', 'long-beach']) {
  tables.push(await loadFeatures(study, await bindDataset(name, [join(home, 'data', `${name}.csv`)], open), open, parts));
}

/** Federated averaging (McMahan et al. 2017) over `sites`, then accuracy at each hospital and AUC over all test rows. */
async function federated(sites: readonly FeatureTable[], seed: number): Promise<{ meanAccuracy: number; pooledAuc: number }> {
  const moments = sites.map((site) => scaledMoments(site, columns));
  const rows = moments.reduce((sum, site) => sum + site.rows, 0);
  const sums = Array.from({ length: 2 * columns.length }, (_, at) => moments.reduce((sum, site) => sum + (site.sums[at] ?? 0), 0));
  const trainers = sites.map(() => createOnnxTrainer({}, parts));
  let parameters = new Float32Array(0);
  for (const [at, table] of sites.entries())
    parameters = Float32Array.from((await trainers[at]!.prepare(trainingTask(study, table, standardisationOf(rows, sums, columns)), open)).parameters);
  for (let round = 1; round <= training.rounds; round++) {
    const updates = await Promise.all(
      trainers.map((trainer, at) => trainer.train({ parameters, steps: training.localSteps, seed, member: `${at}`, round }, open)),
    );
    parameters = parameters.map((_, at) => updates.reduce((sum, update) => sum + (update.rows * (update.parameters[at] ?? 0)) / rows, 0));
  }
  const scored: Scores[] = [];
  for (const table of tables) {
    await trainers[0]!.prepare(trainingTask(study, table, standardisationOf(rows, sums, columns)), open);
    scored.push(await trainers[0]!.score({ parameters, split: 'test' }, open));
  }
  for (const trainer of trainers) await trainer[Symbol.asyncDispose]();
  const all = (pick: 'scores' | 'labels') => scored.flatMap((site) => [...site[pick]]);
  return {
    meanAccuracy: scored.reduce((sum, { scores, labels }) => sum + (accuracy(scores, labels) ?? 0) / 4, 0),
    pooledAuc: auc(all('scores'), all('labels'))?.auc ?? 0,
  };
}

test('five seeds reach what the study promises, and come close to all rows in one place', async () => {
  const seeds = [1, 2, 3, 4, 5];
  const [swarm, pooled] = [[], []] as [Awaited<ReturnType<typeof federated>>[], Awaited<ReturnType<typeof federated>>[]];
  for (const seed of seeds) {
    swarm.push(await federated(tables, seed));
    pooled.push(await federated([pooledTable(tables)], seed));
  }
  const mean = (results: typeof swarm, key: 'meanAccuracy' | 'pooledAuc') => results.reduce((sum, result) => sum + result[key] / results.length, 0);
  expect(mean(swarm, 'pooledAuc')).toBeGreaterThanOrEqual(0.875);
  expect(mean(swarm, 'meanAccuracy')).toBeGreaterThanOrEqual(0.795);
  expect(Math.min(...swarm.map(({ pooledAuc }) => pooledAuc))).toBeGreaterThanOrEqual(0.87);
  expect(Math.min(...swarm.map(({ meanAccuracy }) => meanAccuracy))).toBeGreaterThanOrEqual(0.785);
  expect(Math.abs(mean(swarm, 'pooledAuc') - mean(pooled, 'pooledAuc'))).toBeLessThanOrEqual(0.01);
  expect(Math.abs(mean(swarm, 'meanAccuracy') - mean(pooled, 'meanAccuracy'))).toBeLessThanOrEqual(0.015);
});
