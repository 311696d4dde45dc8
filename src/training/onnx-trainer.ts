/** The trainer of the product: ONNX Runtime in a child process that is started again after it was lost. */
import { assert, type Clock, isSwarmError, type Logger } from '../common/index.ts';
import { type Child, startChild } from '../sandbox/index.ts';
import type { ParameterSlot } from './autodiff/forward.ts';
import { bytesOf, cut, floatsIn, floatsOf, type PrepareHeader, packTask } from './child-messages.ts';
import { trainingErrors } from './errors.ts';
import { trainingLimits } from './limits.ts';
import type { LocalTraining, LocalUpdate, Prepared, Scores, Trainer, TrainingTask } from './trainer.ts';

/** Settings of the ONNX trainer; each has a default in `limits.ts`. */
export interface OnnxTrainerOptions {
  /** For logs. */
  readonly name?: string;
  /** Bound of the child's JavaScript heap. */
  readonly memoryLimitMb?: number;
  /** Longest local training. */
  readonly requestTimeoutMs?: number;
}

/** What it needs of its surroundings. */
export interface TrainerParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

type Cancellable = { readonly signal: AbortSignal };

/** Errors after which the child is of no more use: it ended, was ended, or still computes what nobody waits for. */
const lostCodes = ['SANDBOX_CHILD_DIED', 'SANDBOX_TIMEOUT', 'SANDBOX_BAD_MESSAGE', 'COMMON_CANCELLED'];

class OnnxTrainer implements Trainer {
  readonly #options: OnnxTrainerOptions;
  readonly #parts: TrainerParts;
  /** Starting or started; undefined before the first call and after a loss. */
  #child: Promise<Child> | undefined;
  #pid: number | undefined;
  #task: TrainingTask | undefined;
  /** True where the child holds `#task`. */
  #loaded = false;

  constructor(options: OnnxTrainerOptions, parts: TrainerParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Process id of the child while there is one: for reports and tests. */
  get pid(): number | undefined {
    return this.#pid;
  }

  async prepare(task: TrainingTask, options: Cancellable): Promise<Prepared> {
    this.#task = task;
    return await this.#load(task, options);
  }

  async train({ parameters, ...terms }: LocalTraining, options: Cancellable): Promise<LocalUpdate> {
    const { header, body } = await this.#ask('train', terms, bytesOf(parameters), options);
    return { parameters: floatsIn(body), ...(header as { steps: number; rows: number; lossSum: number }) };
  }

  async score({ parameters, split }: { readonly parameters: Float32Array; readonly split: 'train' | 'test' }, options: Cancellable): Promise<Scores> {
    const { header, body } = await this.#ask('score', { split }, bytesOf(parameters), options);
    const [scores, labels] = cut(body, (header as { bytes: number[] }).bytes);
    assert(scores && labels, 'scores come with labels');
    return { scores: floatsOf(scores), labels: floatsOf(labels) };
  }

  async #load(task: TrainingTask, options: Cancellable): Promise<Prepared> {
    this.#loaded = false;
    const { body, bytes } = packTask(task);
    const { model: _model, table, standardisation, ...terms } = task;
    const scale = standardisation && { mean: [...standardisation.mean], sd: [...standardisation.sd] };
    const header: PrepareHeader = { terms, featureNames: table.featureNames, rows: table.rows, dataVersion: table.dataVersion, standardisation: scale, bytes };
    const answer = await this.#request('prepare', header, body, options);
    this.#loaded = true;
    return { parameters: floatsOf(answer.body), layout: (answer.header as { layout: readonly ParameterSlot[] }).layout };
  }

  async #ask(kind: string, header: unknown, body: Uint8Array, options: Cancellable) {
    if (this.#task === undefined) throw trainingErrors.TRAINING_NOT_PREPARED({ what: kind });
    if (!this.#loaded) await this.#load(this.#task, options);
    return await this.#request(kind, header, body, options);
  }

  async #request(kind: string, header: unknown, body: Uint8Array, options: Cancellable) {
    const child = await this.#started();
    try {
      return await child.request(kind, header, body, options);
    } catch (error) {
      if (!isSwarmError(error) || !lostCodes.includes(error.code)) throw error;
      await this.#drop();
      throw error.code === 'COMMON_CANCELLED' ? error : trainingErrors.TRAINING_PROCESS_LOST({ what: kind, reason: error.message }, error);
    }
  }

  async #started(): Promise<Child> {
    const { name = 'training', memoryLimitMb = trainingLimits.memoryLimitMb, requestTimeoutMs = trainingLimits.requestTimeoutMs } = this.#options;
    this.#child ??= startChild({ module: new URL('./training-child.ts', import.meta.url), name, memoryLimitMb, requestTimeoutMs }, this.#parts);
    try {
      const child = await this.#child;
      this.#pid = child.pid;
      return child;
    } catch (error) {
      this.#child = undefined;
      throw error;
    }
  }

  async #drop(): Promise<void> {
    const starting = this.#child;
    this.#child = undefined;
    this.#pid = undefined;
    this.#loaded = false;
    const child = await starting?.catch(() => undefined);
    await child?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#task = undefined;
    await this.#drop();
  }
}

/** A trainer whose child starts with the first `prepare`. After TRAINING_PROCESS_LOST or a cancellation the next call starts a new child with the same task. */
export function createOnnxTrainer(options: OnnxTrainerOptions, parts: TrainerParts): Trainer & { readonly pid: number | undefined } {
  return new OnnxTrainer(options, parts);
}
