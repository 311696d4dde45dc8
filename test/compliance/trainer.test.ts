/** One suite for every trainer: what `trainer.ts` promises. */
import { afterAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/common/index.ts';
import { logisticModel } from '../../src/study/index.ts';
import { auc, createArithmeticTrainer, createOnnxTrainer, type Trainer, type TrainingTask } from '../../src/training/index.ts';
import { realClock } from '../support/clock.ts';
import { cloudTable } from '../support/tables.ts';

const open = { signal: new AbortController().signal };
const table = cloudTable(200, 5);
const task: TrainingTask = {
  model: logisticModel(5),
  loss: 'binary-cross-entropy',
  classes: 2,
  optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0.5, weightDecay: 0.001 },
  batchSize: 16,
  table,
  standardisation: { mean: new Float64Array([0.3, 0.1, 0, 0, 0]), sd: new Float64Array([0.5, 0.6, 0.5, 0.5, 1]) },
};
const local = { steps: 40, seed: 7, member: 'a', round: 1 };

const adapters: readonly (readonly [string, () => Trainer])[] = [
  ['ONNX Runtime in a child', () => createOnnxTrainer({}, { clock: realClock, logger: silentLogger })],
  ['plain arithmetic', createArithmeticTrainer],
];

describe.each(adapters)('%s', (_name, create) => {
  const trainer = create();
  afterAll(() => trainer[Symbol.asyncDispose]());

  test('refuses work before it is prepared, and works after', async () => {
    await expect(trainer.train({ ...local, parameters: new Float32Array(6) }, open)).rejects.toMatchObject({ code: 'TRAINING_NOT_PREPARED' });
    const { parameters, layout } = await trainer.prepare(task, open);
    expect([...parameters]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(layout.map(({ name, offset, length }) => [name, offset, length])).toEqual([
      ['weight', 0, 5],
      ['bias', 5, 1],
    ]);
  });

  test('the loss is the one before training, summed over training rows, and training makes it smaller', async () => {
    const { parameters } = await trainer.prepare(task, open);
    const first = await trainer.train({ ...local, parameters }, open);
    expect(first.rows).toBe(150);
    expect(first.lossSum).toBeCloseTo(150 * Math.log(2), 3);
    const second = await trainer.train({ ...local, round: 2, parameters: first.parameters }, open);
    expect(second.lossSum).toBeLessThan(0.9 * first.lossSum);
  });

  test('leaves the parameters it was given alone and repeats bit for bit; another member, round or seed draws other batches', async () => {
    const { parameters } = await trainer.prepare(task, open);
    const train = async (change: object): Promise<string> => {
      const trained = (await trainer.train({ ...local, ...change, parameters }, open)).parameters;
      return Buffer.from(trained.buffer, trained.byteOffset, trained.byteLength).toString('hex');
    };
    const first = await train({});
    expect(await train({})).toBe(first);
    expect([...parameters]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(new Set([first, await train({ member: 'b' }), await train({ round: 2 }), await train({ seed: 8 })]).size).toBe(4);
  });

  test('scores either side of the split as probabilities, in the order of the rows', async () => {
    const { parameters } = await trainer.prepare(task, open);
    const trained = await trainer.train({ ...local, parameters }, open);
    const { scores, labels } = await trainer.score({ parameters: trained.parameters, split: 'test' }, open);
    expect([...labels]).toEqual([...table.labels].filter((_, row) => table.split[row] === 1));
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true);
    expect(auc(scores, labels)?.auc).toBeGreaterThan(0.85);
    expect((await trainer.score({ parameters, split: 'train' }, open)).scores.every((score) => score === 0.5)).toBe(true);
  });

  test('a table of one class and fewer rows than a batch can be trained on; one without training rows cannot', async () => {
    const small = cloudTable(6, 5);
    const { parameters } = await trainer.prepare({ ...task, table: { ...small, labels: new Float32Array(6).fill(1) } }, open);
    expect((await trainer.train({ ...local, parameters }, open)).rows).toBe(5);
    await trainer.prepare({ ...task, table: { ...small, split: new Uint8Array(6).fill(1) } }, open);
    await expect(trainer.train({ ...local, parameters }, open)).rejects.toMatchObject({ code: 'TRAINING_NO_ROWS' });
  });

  test('refuses a vector of another length and reports parameters that run away', async () => {
    const { parameters } = await trainer.prepare({ ...task, optimiser: { kind: 'sgd', learningRate: 1e9, momentum: 0.999, weightDecay: 1 } }, open);
    await expect(trainer.train({ ...local, parameters: new Float32Array(3) }, open)).rejects.toMatchObject({ code: 'TRAINING_WRONG_PARAMETERS' });
    await expect(trainer.train({ ...local, parameters }, open)).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
  });
});

test('both trainers give the same parameters, loss and scores', async () => {
  const trainers = adapters.map(([, create]) => create());
  const results = [];
  for (const trainer of trainers) {
    const { parameters } = await trainer.prepare(task, open);
    const trained = await trainer.train({ ...local, parameters }, open);
    const { scores } = await trainer.score({ parameters: trained.parameters, split: 'test' }, open);
    const again = await trainer.train({ ...local, parameters: trained.parameters }, open);
    results.push([...trained.parameters, again.lossSum / 100, ...scores]);
    await trainer[Symbol.asyncDispose]();
  }
  const [a = [], b = []] = results;
  expect(a.length).toBe(57);
  expect(a).toEqual(b.map((value) => expect.closeTo(value, 4)));
});
