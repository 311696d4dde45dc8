/** Logistic regression in plain arithmetic behind the trainer's port: for simulations, and as an oracle for the ONNX trainer. It ignores the model's bytes. */
import { testRow, trainRow } from '../dataset/index.ts';
import { firstNonFinite } from '../tensor/index.ts';
import { batchChance, drawBatches, rowsOf } from './batches.ts';
import { trainingErrors } from './errors.ts';
import { startOptimiser } from './optimisers/optimiser.ts';
import { createParameterMemory, type ParameterMemory } from './parameter-memory.ts';
import { standardised } from './standardise.ts';
import type { LocalTraining, LocalUpdate, Prepared, Scores, Trainer, TrainingTask } from './trainer.ts';

interface PreparedRows {
  readonly task: TrainingTask;
  readonly features: Float32Array;
  readonly memory: ParameterMemory;
}

/** Parameters are one weight for each feature, then the bias; training starts from zero. Binary tasks only. */
class ArithmeticTrainer implements Trainer {
  #prepared: PreparedRows | undefined;

  async prepare(task: TrainingTask): Promise<Prepared> {
    const width = task.table.featureNames.length;
    const { standardisation, table } = task;
    const features = standardisation === undefined ? table.features : standardised(table.features, standardisation);
    this.#prepared = { task, features, memory: createParameterMemory(width + 1) };
    const layout = [
      { name: 'weight', dims: [width, 1], offset: 0, length: width },
      { name: 'bias', dims: [1], offset: width, length: 1 },
    ];
    return { parameters: new Float32Array(width + 1), layout };
  }

  async train({ parameters, steps, seed, member, round }: LocalTraining): Promise<LocalUpdate> {
    const prepared = this.#with(parameters, 'training');
    const { task, memory } = prepared;
    const rows = rowsOf(task.table.split, trainRow);
    if (rows.length === 0) throw trainingErrors.TRAINING_NO_ROWS({ split: 'training' });
    const lossSum = rows.reduce((sum, row) => sum + rowLoss(logit(prepared, row), task.table.labels[row] ?? 0), 0);
    const step = startOptimiser(task.optimiser, memory);
    for (const batch of drawBatches(rows, task.batchSize, steps, batchChance(seed, member, round))) {
      setGradients(prepared, batch);
      step();
    }
    if (firstNonFinite(memory.parameters) !== undefined) throw trainingErrors.TRAINING_DIVERGED({ round });
    return { parameters: memory.parameters.slice(), steps, rows: rows.length, lossSum };
  }

  async score({ parameters, split }: { readonly parameters: Float32Array; readonly split: 'train' | 'test' }): Promise<Scores> {
    const prepared = this.#with(parameters, 'scoring');
    const rows = rowsOf(prepared.task.table.split, split === 'train' ? trainRow : testRow);
    const scores = Float32Array.from(rows, (row) => probability(logit(prepared, row)));
    return { scores, labels: Float32Array.from(rows, (row) => prepared.task.table.labels[row] ?? 0) };
  }

  #with(parameters: Float32Array, what: string): PreparedRows {
    if (this.#prepared === undefined) throw trainingErrors.TRAINING_NOT_PREPARED({ what });
    const { memory } = this.#prepared;
    if (parameters.length !== memory.parameters.length)
      throw trainingErrors.TRAINING_WRONG_PARAMETERS({ found: parameters.length, expected: memory.parameters.length });
    memory.parameters.set(parameters);
    return this.#prepared;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#prepared = undefined;
  }
}

function probability(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

function rowLoss(z: number, target: number): number {
  return Math.max(z, 0) - z * target + Math.log1p(Math.exp(-Math.abs(z)));
}

function logit({ features, memory: { parameters } }: PreparedRows, row: number): number {
  const width = parameters.length - 1;
  let sum = parameters[width] ?? 0;
  for (let at = 0; at < width; at++) sum += (parameters[at] ?? 0) * (features[row * width + at] ?? 0);
  return sum;
}

function setGradients(prepared: PreparedRows, batch: readonly number[]): void {
  const { task, features, memory } = prepared;
  const width = memory.parameters.length - 1;
  const sums = new Float64Array(width + 1);
  for (const row of batch) {
    const error = (probability(logit(prepared, row)) - (task.table.labels[row] ?? 0)) / batch.length;
    for (let at = 0; at < width; at++) sums[at] = (sums[at] ?? 0) + error * (features[row * width + at] ?? 0);
    sums[width] = (sums[width] ?? 0) + error;
  }
  memory.gradients.set(sums);
}

/** A trainer without a child process, a runtime or files: deterministic, synchronous underneath, small; it knows no time, so that no budget ends it. */
export function createArithmeticTrainer(): Trainer {
  return new ArithmeticTrainer();
}
