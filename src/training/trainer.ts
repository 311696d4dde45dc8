/** The port of local learning. Adapters: ONNX Runtime in a child process, and plain arithmetic for simulations; one compliance suite holds for both. */
import type { FeatureTable } from '../dataset/index.ts';
import type { Loss, OptimiserTerms } from '../study/index.ts';
import type { ParameterSlot } from './autodiff/forward.ts';
import type { Standardisation } from './standardise.ts';

/** What is to be learned, from which rows. */
export interface TrainingTask {
  /** Forward model, ONNX bytes. */
  readonly model: Uint8Array;
  readonly loss: Loss;
  /** Number of classes; 2 for a binary task. */
  readonly classes: number;
  readonly optimiser: OptimiserTerms;
  readonly batchSize: number;
  /** Raw rows; `standardisation` is applied to them. */
  readonly table: FeatureTable;
  readonly standardisation: Standardisation | undefined;
}

/** A prepared task: where every member starts from, and what stands where in the vector. */
export interface Prepared {
  /** The model's own weights, float32 `[parameters]`. */
  readonly parameters: Float32Array;
  readonly layout: readonly ParameterSlot[];
}

/** One local training. The draws of batches depend on seed, member and round alone. */
export interface LocalTraining {
  readonly parameters: Float32Array;
  readonly steps: number;
  /** Milliseconds after which no further step begins; the first one always does. */
  readonly budgetMs?: number;
  readonly seed: number;
  /** Any text that names the member alike everywhere: its account. */
  readonly member: string;
  readonly round: number;
}

/** What a local training gives. */
export interface LocalUpdate {
  /** float32 `[parameters]` after the steps; always finite. */
  readonly parameters: Float32Array;
  /** Steps done of those asked for: fewer where the budget was used up. */
  readonly steps: number;
  /** Training rows, by which the update is weighed. */
  readonly rows: number;
  /** Sum over all training rows of the loss at the parameters that training started from. */
  readonly lossSum: number;
}

/** Scores of one side of the split: for the member's own eyes. */
export interface Scores {
  /** Probability of the second class `[rows]`, or of each class `[rows, classes]`. */
  readonly scores: Float32Array;
  /** Class index of each row `[rows]`. */
  readonly labels: Float32Array;
}

type Cancellable = { readonly signal: AbortSignal };

/**
 * Learns on local rows. A second `prepare` replaces the first. Optimiser state starts fresh in every `train`.
 * Every method throws TRAINING_…, DATASET_… or SANDBOX_… errors, or COMMON_CANCELLED; after any of them the trainer can be used again.
 */
export interface Trainer extends AsyncDisposable {
  prepare(task: TrainingTask, options: Cancellable): Promise<Prepared>;
  train(training: LocalTraining, options: Cancellable): Promise<LocalUpdate>;
  score(query: { readonly parameters: Float32Array; readonly split: 'train' | 'test' }, options: Cancellable): Promise<Scores>;
}
