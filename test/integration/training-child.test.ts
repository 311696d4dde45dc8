/** The real child: killed and started again, cancelled, given hostile models; and the exported file on a stock runtime. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterEach, describe, expect, test } from 'vitest';
import { isSwarmError, silentLogger } from '../../src/common/index.ts';
import { logisticModel } from '../../src/study/index.ts';
import { createOnnxTrainer, exportModel, multiclassAccuracy, type TrainingTask } from '../../src/training/index.ts';
import { realClock } from '../support/clock.ts';
import { type ModelText, modelBytes } from '../support/onnx-models.ts';
import { cloudTable } from '../support/tables.ts';

const open = { signal: new AbortController().signal };
const started: AsyncDisposable[] = [];
const create = () => {
  const trainer = createOnnxTrainer({}, { clock: realClock, logger: silentLogger });
  started.push(trainer);
  return trainer;
};
afterEach(async () => {
  for (const trainer of started.splice(0)) await trainer[Symbol.asyncDispose]();
});

const net: ModelText = {
  input: [undefined, 4],
  nodes: [
    ['Gemm', ['x', 'W', 'b'], 'h'],
    ['Tanh', ['h'], 'r'],
    ['Gemm', ['r', 'V'], 'z'],
    ['Softmax', ['z'], 'y'],
  ],
  weights: { W: { dims: [4, 6] }, b: { dims: [6] }, V: { dims: [6, 3] } },
};
const task: TrainingTask = {
  model: modelBytes(net),
  loss: 'softmax-cross-entropy',
  classes: 3,
  optimiser: { kind: 'adamw', learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
  batchSize: 16,
  table: cloudTable(300, 4, 3),
  standardisation: { mean: new Float64Array([0.1, 0.2, 0.3, 0.4]), sd: new Float64Array([0.5, 0.6, 0.7, 0.8]) },
};
/** Four features, one hidden layer of `width`, one logit. */
const logits = (activation: string, width: number): Uint8Array =>
  modelBytes({
    input: [undefined, 4],
    nodes: [
      ['Gemm', ['x', 'W'], 'h'],
      [activation, ['h'], 'r'],
      ['Gemm', ['r', 'V'], 'y'],
    ],
    weights: { W: { dims: [4, width] }, V: { dims: [width, 1] } },
  });
const local = { steps: 60, seed: 1, member: 'a', round: 1 };
const binary: TrainingTask = { ...task, model: logisticModel(4), loss: 'binary-cross-entropy', classes: 2, table: cloudTable(100, 4) };

describe('the child', () => {
  test('learns three classes', async () => {
    const trainer = create();
    const { parameters } = await trainer.prepare(task, open);
    const trained = await trainer.train({ ...local, steps: 200, parameters }, open);
    const { scores, labels } = await trainer.score({ parameters: trained.parameters, split: 'test' }, open);
    expect(scores.length).toBe(3 * labels.length);
    expect(multiclassAccuracy(scores, labels, 3)).toBeGreaterThan(0.6);
  });

  test('begins no step after its budget, does one at least, and says how many it did', async () => {
    const trainer = create();
    const { parameters } = await trainer.prepare(task, open);
    const short = await trainer.train({ ...local, steps: 100_000, budgetMs: 0, parameters }, open);
    expect(short.steps).toBe(1);
    expect(short).toEqual({ ...(await trainer.train({ ...local, steps: 1, parameters }, open)) });
    const some = await trainer.train({ ...local, steps: 100_000, budgetMs: 150, parameters }, open);
    expect(some.steps).toBeGreaterThan(1);
    expect(some.steps).toBeLessThan(100_000);
    expect(some).toEqual(await trainer.train({ ...local, steps: some.steps, budgetMs: 3_600_000, parameters }, open));
  });

  test('killed, gives a coded error; the next call starts another one and gives the same bits', async () => {
    const trainer = create();
    const { parameters } = await trainer.prepare(task, open);
    const before = await trainer.train({ ...local, parameters }, open);
    const { pid } = trainer;
    const long = trainer.train({ ...local, steps: 100_000, parameters }, open);
    process.kill(pid ?? 0, 'SIGKILL');
    await expect(long).rejects.toMatchObject({ code: 'TRAINING_PROCESS_LOST' });
    const after = await trainer.train({ ...local, parameters }, open);
    expect(trainer.pid).not.toBe(pid);
    expect(after).toEqual(before);
  });

  test('requests that overlap do not disturb each other', async () => {
    const trainer = create();
    const { parameters } = await trainer.prepare(task, open);
    const alone = await trainer.train({ ...local, parameters }, open);
    const [together] = await Promise.all([
      trainer.train({ ...local, parameters }, open),
      trainer.score({ parameters: parameters.map(() => 3), split: 'test' }, open),
    ]);
    expect(together).toEqual(alone);
  });

  test('cancelled, stops computing and can be used again', async () => {
    const trainer = create();
    const { parameters } = await trainer.prepare(task, open);
    const cancel = new AbortController();
    const long = trainer.train({ ...local, steps: 100_000, parameters }, { signal: cancel.signal });
    cancel.abort();
    await expect(long).rejects.toMatchObject({ code: 'COMMON_CANCELLED' });
    expect(trainer.pid).toBeUndefined();
    expect((await trainer.train({ ...local, parameters }, open)).rows).toBe(225);
  });

  test.each([
    ['truncated', logisticModel(4).subarray(0, 100), 'TRAINING_UNREADABLE_MODEL'],
    ['of another width', logisticModel(5), 'TRAINING_WRONG_WIDTH'],
    ['with an unknown operator', modelBytes({ nodes: [['Loop', ['x'], 'y']] }), 'TRAINING_UNSUPPORTED_OPERATOR'],
  ])('a model %s is refused by code, and the child stays', async (_what, model, code) => {
    const trainer = create();
    await trainer.prepare(binary, open);
    const { pid } = trainer;
    const error = await trainer.prepare({ ...binary, model }, open).catch((caught: unknown) => caught);
    expect(isSwarmError(error) && error.code).toBe(code);
    expect(trainer.pid).toBe(pid);
    expect((await trainer.prepare(binary, open)).parameters.length).toBe(5);
  });
});

describe('the exported model', () => {
  test.each([
    ['with its own Softmax', task],
    ['with its own Sigmoid', binary],
    [
      'that gives logits',
      {
        ...binary,
        model: logits('Relu', 3),
      },
    ],
    ['without standardisation', { ...binary, standardisation: undefined }],
    [
      'so wide that its rows do not fit into one tensor',
      {
        ...binary,
        table: cloudTable(300, 4),
        model: logits('Tanh', 250_000),
      },
    ],
  ] as readonly [string, TrainingTask][])('%s gives our scores from raw rows on a stock runtime', async (_what, own) => {
    const trainer = create();
    const { parameters } = await trainer.prepare(own, open);
    const trained = await trainer.train({ ...local, parameters }, open);
    const { scores } = await trainer.score({ parameters: trained.parameters, split: 'test' }, open);
    const file = exportModel({ ...own, parameters: trained.parameters, metadata: { study: 'abc' } });
    const session = await InferenceSession.create(file);
    const rows = [...own.table.split.keys()].filter((row) => own.table.split[row] === 1);
    const raw = Float32Array.from(rows.flatMap((row) => [...own.table.features.subarray(4 * row, 4 * row + 4)]));
    const [input = '', output = ''] = [session.inputNames[0], session.outputNames[0]];
    const answer = await session.run({ [input]: new Tensor('float32', raw, [rows.length, 4]) });
    const found = answer[output]?.data as Float32Array;
    expect(found.length).toBe(scores.length);
    expect(Math.max(...found.map((score, at) => Math.abs(score - (scores[at] ?? 0))))).toBeLessThan(1e-6);
    await session.release();
  });

  test('leaves out what the researcher’s file says about its makers', () => {
    const marked = new Uint8Array([...task.model, 0x32, 11, ...new TextEncoder().encode('/home/alice')]);
    const file = exportModel({ ...task, model: marked, parameters: new Float32Array(48), metadata: {} });
    expect(new TextDecoder('latin1').decode(file)).not.toContain('alice');
    expect(() => exportModel({ ...task, parameters: new Float32Array(3), metadata: {} })).toThrow(
      expect.objectContaining({ code: 'TRAINING_WRONG_PARAMETERS' }),
    );
  });
});
