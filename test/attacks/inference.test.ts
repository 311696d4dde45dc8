/** Attacks on what sums and models say, and on the model itself: by tiny batches, crafted updates, sparse features, and the finished model. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { decodeUpdate, planSlots, type SumPlan, stateFromBytes, updatePlan } from '../../src/aggregation/index.ts';
import { isSwarmError } from '../../src/common/index.ts';
import { membershipLeakage } from '../../src/peer/leakage.ts';
import { WordStore } from '../../src/peer/store/words.ts';
import { checkModel } from '../../src/peer/studies.ts';
import { differenceNorm } from '../../src/tensor/index.ts';
import { standardisationOf } from '../../src/training/index.ts';
import { project } from '../support/demo.ts';
import { writePatients } from '../support/rows.ts';
import { readTrainingStudy } from '../support/studies.ts';
import { Swarm } from '../support/swarm.ts';
import { attack } from './attack.ts';

const stack = new AsyncDisposableStack();
const signal = new AbortController().signal;
const clipNorm = 0.25;
let swarm: Swarm;

beforeAll(async () => {
  swarm = await Swarm.start(stack, { rounds: 1, toml: (text) => text.replace('clipNorm = 5.0', `clipNorm = ${clipNorm}`) });
}, 120_000);
afterAll(() => stack.disposeAsync());

/** Distance between the model that a run started from and the one it ended with, as an honest member holds it. */
async function moved(run: number): Promise<number> {
  const { genesis } = checkModel(await readTrainingStudy(swarm.folder, { signal }));
  const final = swarm.facts(run, 'final').at(-1);
  const bytes = final && swarm.peer(0).context.blobs.get(final.state);
  if (!bytes) throw new Error('the last state is not here');
  return differenceNorm(stateFromBytes(bytes).parameters, genesis);
}

/** Lets the attacker's peer put other words into a sum than it computed; valid masks, valid commitments. */
function poison(craft: (words: Uint8Array, plan: SumPlan) => void, plan: SumPlan): () => void {
  const { vault, home } = swarm.peer(3).context;
  const store = new WordStore(home);
  const save = vault.save.bind(vault);
  const crafted = new Set<number>();
  vault.save = (key, secrets, options) => {
    const words = secrets.wordsKey && key.round === 1 && !crafted.has(key.run) ? store.get({ round: key, key: secrets.wordsKey }) : undefined;
    if (words && secrets.wordsKey) {
      crafted.add(key.run);
      craft(words, plan);
      store.put({ round: key, key: secrets.wordsKey }, words);
    }
    save(key, secrets, options);
  };
  return () => {
    vault.save = save;
  };
}

attack(10, 'poisoning: forged rows and an update as large as words permit', 'bounded', async () => {
  const study = await readTrainingStudy(swarm.folder, { signal });
  const { genesis } = checkModel(study);
  const plan = updatePlan(1, { parameters: genesis.length, members: 4, clipNorm, weightCap: study.manifest.training.weightCap, maxLoss: 64 });
  const undo = poison((words) => {
    const view = new DataView(words.buffer, words.byteOffset, words.length);
    view.setBigInt64(0, -130n, true);
    view.setBigInt64(16, 2n ** 62n, true);
    const update = planSlots(plan).find(({ name }) => name === 'update');
    for (let at = 0; at < (update?.length ?? 0); at++) view.setInt32((update?.offsetBytes ?? 0) + 4 * at, at % 2 === 0 ? 2 ** 31 - 1 : -(2 ** 30), true);
  }, plan);
  const run = await swarm.startRun();
  await swarm.honestGoOn(run);
  undo();
  expect(await moved(run), 'one round moves the model by clipNorm at most').toBeLessThanOrEqual(clipNorm * 1.0001);
  const figures = swarm.peer(0).runs.status(swarm.peer(0).runs.find(run)).figures.at(-1);
  expect(figures?.rows).toBeGreaterThanOrEqual(0);
  expect(figures?.meanLoss, 'and no figure leaves its range').toBeLessThanOrEqual(64);
});

attack(7, 'a maliciously curious member makes the next round give the others away', 'bounded', async () => {
  const terms = { parameters: 50, members: 4, clipNorm: 1, weightCap: 1024, maxLoss: 64 };
  const plan = updatePlan(1, terms);
  const base = new Float32Array(50).fill(0.5);
  for (let seed = 0; seed < 2_000; seed++) {
    const sum = Uint8Array.from({ length: planSlots(plan).reduce((size, slot) => size + slot.sizeBytes, 0) }, (_, at) =>
      Math.floor(256 * Math.abs(Math.sin(seed * 7919 + at * 104_729))),
    );
    const { parameters, rows, meanLoss, saturated } = decodeUpdate(plan, terms, sum, base);
    expect(differenceNorm(parameters, base)).toBeLessThanOrEqual(1.0001);
    for (const value of [rows, meanLoss, saturated]) expect(Number.isFinite(value) && value >= 0).toBe(true);
  }
  const columns = [{ name: 'a', min: -1, max: 3, standardise: true }];
  for (const [rows, sum, squares] of [
    [1, 9e15, 9e15],
    [-5, 1, 1],
    [3, -9e15, 9e15],
    [2 ** 40, 0, 2 ** 52],
  ] as const) {
    const { mean, sd } = standardisationOf(rows, [sum, squares], columns);
    expect(mean[0], 'a mean outside of the declared range is not believed').toBeGreaterThanOrEqual(rows > 0 ? -1 : 0);
    expect(mean[0]).toBeLessThanOrEqual(3);
    expect(sd[0]).toBeLessThanOrEqual(2);
    expect(sd[0]).toBeGreaterThan(0);
  }
});

attack(6, 'gradient inversion by tiny batches', 'bounded', async () => {
  const file = join(swarm.folder, 'study.toml');
  const text = readFileSync(file, 'utf8');
  try {
    writeFileSync(file, text.replace('localSteps = 20', 'localSteps = 1').replace('batchSize = 16', 'batchSize = 1'));
    await expect(readTrainingStudy(swarm.folder, { signal }), 'a study that asks for the gradient of one row').rejects.toMatchObject({
      code: 'STUDY_INVALID',
      blame: 'operator',
    });
  } finally {
    writeFileSync(file, text);
  }
  const { dataSets, approvals } = swarm.peer(0);
  await dataSets.bind('few', [writePatients(join(swarm.folder, 'few.csv'), 4)]);
  await expect(approvals.approve(swarm.study, 'few', undefined), 'a member with a handful of rows').rejects.toMatchObject({
    code: 'PEER_TOO_FEW_ROWS',
    blame: 'operator',
  });
});

attack(8, 'sparse features: what one row alone has', 'residual', async () => {
  const { dataSets, approvals } = swarm.peer(0);
  const rows = Array.from({ length: 40 }, (_, at) => `p${at},${at === 7 ? 91 : 50},${100 + at},${at % 2}`);
  const file = join(swarm.folder, 'sparse.csv');
  writeFileSync(file, ['patient_id,age,systolic,outcome', ...rows, ''].join('\n'));
  await dataSets.bind('sparse', [file]);
  const approved = await approvals.approve(swarm.study, 'sparse', undefined);
  const told = 'sparse' in approved ? approved.sparse.map(({ name }) => name) : [];
  expect(told.every((name) => name === 'age')).toBe(true);
  expect(told, 'the steward is told which feature so few rows tell apart').toEqual(['age']);
  expect(readFileSync(join(project, 'README.md'), 'utf8')).toMatch(/rare value/);
  await approvals.approve(swarm.study, 'heart', undefined);
});

attack(9, 'membership inference on the finished model', 'residual', async () => {
  const run = await swarm.startRun();
  await swarm.honestGoOn(run);
  const { leakage } = await swarm.peer(0).runs.report(run);
  expect(leakage.train + leakage.test).toBeGreaterThan(50);
  expect(leakage.auc, 'a model of three parameters remembers little').toBeGreaterThan(0.3);
  expect(leakage.auc).toBeLessThan(0.7);
  const remembers = { scores: new Float32Array(30).fill(0.99), labels: new Float32Array(30).fill(1) };
  const guesses = { scores: Float32Array.from({ length: 30 }, (_, at) => 0.3 + at / 100), labels: new Float32Array(30).fill(1) };
  expect(membershipLeakage(remembers, guesses).auc, 'one that learnt its rows by heart is found').toBe(1);
  expect(isSwarmError(undefined)).toBe(false);
  expect(readFileSync(join(project, 'README.md'), 'utf8')).toMatch(/membership inference/i);
});
