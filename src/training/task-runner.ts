/** A prepared task inside the training child: two programs, one flat memory, and the rows. */
import { type Clock, isSwarmError } from '../common/index.ts';
import { testRow, trainRow } from '../dataset/index.ts';
import type { OptimiserTerms } from '../study/index.ts';
import { firstNonFinite } from '../tensor/index.ts';
import { type BuildTerms, type BuiltGraph, buildScoring, buildTraining, genesisOf } from './autodiff/build.ts';
import type { ParameterSlot } from './autodiff/forward.ts';
import { operatorNames } from './autodiff/registry.ts';
import { batchChance, drawBatches, rowsOf } from './batches.ts';
import { trainingErrors } from './errors.ts';
import { trainingLimits } from './limits.ts';
import { type Dims, type Graph, sizeOf } from './onnx/graph.ts';
import { preflight } from './onnx/preflight.ts';
import { startOptimiser } from './optimisers/optimiser.ts';
import { createParameterMemory, type ParameterMemory } from './parameter-memory.ts';
import { type Bound, loadProgram, type Program } from './runtime.ts';
import { standardised } from './standardise.ts';
import type { LocalTraining, LocalUpdate, Scores, TrainingTask } from './trainer.ts';

/** Rows of the member in the form of the model: standardised features and class indexes. */
interface Rows {
  readonly features: Float32Array;
  readonly labels: Float32Array;
  readonly split: Uint8Array;
}

/** Arrays of one batch and the program that reads them. */
interface Batch {
  readonly size: number;
  readonly rowSize: number;
  readonly classes: number;
  readonly x: Float32Array;
  readonly target: Float32Array;
  readonly weight: Float32Array;
}

function createBatch({ rowDims, targetDims }: BuiltGraph): Batch {
  const size = rowDims[0] ?? 1;
  const sizes = { size, rowSize: sizeOf(rowDims) / size, classes: targetDims[1] ?? 1 };
  return { ...sizes, x: new Float32Array(sizeOf(rowDims)), target: new Float32Array(sizeOf(targetDims)), weight: new Float32Array(size) };
}

/** Copies `rows` into the batch; places left over weigh nothing. The weights of the others sum to 1. */
function fillBatch(batch: Batch, from: Rows, rows: readonly number[]): void {
  const { rowSize, classes, x, target, weight } = batch;
  weight.fill(0).fill(1 / rows.length, 0, rows.length);
  target.fill(0);
  rows.forEach((row, at) => {
    x.set(from.features.subarray(row * rowSize, (row + 1) * rowSize), at * rowSize);
    const label = from.labels[row] ?? 0;
    if (classes === 1) target[at] = label;
    else target[at * classes + label] = 1;
  });
}

function parameterViews(slots: readonly ParameterSlot[], prefix: string, region: Float32Array): Bound {
  const entries = slots.map(({ dims, offset, length }, at): [string, readonly [Float32Array, Dims]] => [
    `${prefix}${at}`,
    [region.subarray(offset, offset + length), dims],
  ]);
  return Object.fromEntries(entries);
}

interface TrainingProgram {
  readonly batch: Batch;
  readonly program: Program;
  readonly slots: readonly ParameterSlot[];
}

interface ScoringProgram {
  readonly batch: Batch;
  readonly program: Program;
  readonly losses: Float32Array;
  readonly scores: Float32Array;
}

interface RunnerParts {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly optimiser: OptimiserTerms;
  readonly rows: Rows;
  readonly memory: ParameterMemory;
  readonly genesis: Float32Array;
  readonly training: TrainingProgram;
  readonly scoring: ScoringProgram;
}

/** Everything that one `prepare` made. `train` and `score` may be called any number of times, one after the other. */
export class TaskRunner implements AsyncDisposable {
  readonly layout: readonly ParameterSlot[];
  readonly genesis: Float32Array;
  readonly #parts: RunnerParts;

  private constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.layout = parts.training.slots;
    this.genesis = parts.genesis;
  }

  /** Checks the model, builds both graphs, loads them, and standardises the rows. */
  static async create(task: TrainingTask, clock: Pick<Clock, 'nowMs'>): Promise<TaskRunner> {
    const graph = preflight(task.model, operatorNames);
    const terms: BuildTerms = { loss: task.loss, classes: task.classes, batchSize: task.batchSize };
    const genesis = checkedGenesis(graph, terms, task);
    const memory = createParameterMemory(genesis.length);
    const training = await loadTraining(graph, terms, memory);
    const scoring = await loadScoring(largestScoring(graph, terms, task.table.rows), memory);
    const { features, labels, split } = task.table;
    const rows = { features: task.standardisation === undefined ? features : standardised(features, task.standardisation), labels, split };
    return new TaskRunner({ clock, optimiser: task.optimiser, rows, memory, genesis, training, scoring });
  }

  async train({ parameters, steps, budgetMs = Number.POSITIVE_INFINITY, seed, member, round }: LocalTraining): Promise<LocalUpdate> {
    const { clock } = this.#parts;
    const endMs = clock.nowMs() + budgetMs;
    const rows = rowsOf(this.#parts.rows.split, trainRow);
    if (rows.length === 0) throw trainingErrors.TRAINING_NO_ROWS({ split: 'training' });
    this.#load(parameters);
    const lossSum = await this.#lossSum(rows);
    const { batch, program } = this.#parts.training;
    const step = startOptimiser(this.#parts.optimiser, this.#parts.memory);
    let done = 0;
    for (const drawn of drawBatches(rows, batch.size, steps, batchChance(seed, member, round))) {
      if (done > 0 && clock.nowMs() >= endMs) break;
      fillBatch(batch, this.#parts.rows, drawn);
      await program.run();
      step();
      done++;
    }
    if (firstNonFinite(this.#parts.memory.parameters) !== undefined || !Number.isFinite(lossSum)) throw trainingErrors.TRAINING_DIVERGED({ round });
    return { parameters: this.#parts.memory.parameters.slice(), steps: done, rows: rows.length, lossSum };
  }

  async score(parameters: Float32Array, split: 'train' | 'test'): Promise<Scores> {
    const rows = rowsOf(this.#parts.rows.split, split === 'train' ? trainRow : testRow);
    this.#load(parameters);
    const { batch, scores } = this.#parts.scoring;
    const all = new Float32Array(rows.length * batch.classes);
    await this.#forEachBatch(rows, (at, count) => all.set(scores.subarray(0, count * batch.classes), at * batch.classes));
    return { scores: all, labels: Float32Array.from(rows, (row) => this.#parts.rows.labels[row] ?? 0) };
  }

  #load(parameters: Float32Array): void {
    const expected = this.#parts.memory.parameters.length;
    if (parameters.length !== expected) throw trainingErrors.TRAINING_WRONG_PARAMETERS({ found: parameters.length, expected });
    this.#parts.memory.parameters.set(parameters);
  }

  async #lossSum(rows: readonly number[]): Promise<number> {
    let sum = 0;
    await this.#forEachBatch(rows, (_at, count) => {
      for (const loss of this.#parts.scoring.losses.subarray(0, count)) sum += loss;
    });
    return sum;
  }

  async #forEachBatch(rows: readonly number[], take: (at: number, count: number) => void): Promise<void> {
    const { batch, program } = this.#parts.scoring;
    for (let at = 0; at < rows.length; at += batch.size) {
      const part = rows.slice(at, at + batch.size);
      fillBatch(batch, this.#parts.rows, part);
      await program.run();
      take(at, part.length);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.scoring.program[Symbol.asyncDispose]();
    await this.#parts.training.program[Symbol.asyncDispose]();
  }
}

function checkedGenesis(graph: Graph, terms: BuildTerms, { table }: TrainingTask): Float32Array {
  if (graph.type !== 'float32') throw trainingErrors.TRAINING_MODEL_REFUSED({ place: `input "${graph.input.name}"`, found: graph.type, allowed: 'float32' });
  const genesis = genesisOf(graph, terms);
  const expected = sizeOf(graph.input.dims.slice(1).map((dim) => dim ?? 0));
  if (expected !== table.featureNames.length) throw trainingErrors.TRAINING_WRONG_WIDTH({ found: table.featureNames.length, expected });
  return genesis;
}

async function loadTraining(graph: Graph, terms: BuildTerms, memory: ParameterMemory): Promise<TrainingProgram> {
  const built = buildTraining(graph, terms);
  const batch = createBatch(built);
  const inputs: Bound = {
    x: [batch.x, built.rowDims],
    target: [batch.target, built.targetDims],
    weight: [batch.weight, [batch.size, 1]],
    ...parameterViews(built.slots, 'p', memory.parameters),
  };
  const outputs: Bound = { loss: [new Float32Array(1), []], ...parameterViews(built.slots, 'g', memory.gradients) };
  return { batch, program: await loadProgram(built.graph, inputs, outputs), slots: built.slots };
}

/** Scores as many rows at once as there are, as the limits allow, and as the network's width leaves room for. */
function largestScoring(graph: Graph, terms: BuildTerms, rows: number): BuiltGraph {
  for (let batchSize = Math.max(1, Math.min(trainingLimits.scoreBatch, rows)); ; batchSize = Math.ceil(batchSize / 2)) {
    try {
      return buildScoring(graph, { ...terms, batchSize });
    } catch (error) {
      if (batchSize === 1 || !isSwarmError(error, 'TRAINING_MODEL_TOO_LARGE')) throw error;
    }
  }
}

async function loadScoring(built: BuiltGraph, memory: ParameterMemory): Promise<ScoringProgram> {
  const batch = createBatch(built);
  const losses = new Float32Array(batch.size);
  const scores = new Float32Array(sizeOf(built.targetDims));
  const inputs: Bound = { x: [batch.x, built.rowDims], target: [batch.target, built.targetDims], ...parameterViews(built.slots, 'p', memory.parameters) };
  const outputs: Bound = { losses: [losses, [batch.size]], scores: [scores, built.targetDims] };
  return { batch, program: await loadProgram(built.graph, inputs, outputs), losses, scores };
}
