/**
 * training: local learning on a member's own rows.
 *
 * Owns the trainer port and its adapters, the ONNX codec and pre-flight, the pure autodiff that turns a forward model into a gradient graph,
 * losses, optimisers over one flat memory, standardisation, metrics, and the export of a trained model.
 * Does not own: which rows (`dataset`), what is asked (`study`), how updates of several members become one (`aggregation`).
 * Main path: `onnx/preflight.ts` → `autodiff/build.ts` → `task-runner.ts` in the child → `onnx-trainer.ts`, which is what others call.
 */
export { createArithmeticTrainer } from './arithmetic-trainer.ts';
export type { ParameterSlot } from './autodiff/forward.ts';
export { type Export, exportModel } from './export-model.ts';
export { inspectModel, type ModelReport } from './inspect.ts';
export { type Auc, accuracy, auc, meanLoss, multiclassAccuracy, type RocPoint, rocPoints } from './metrics.ts';
export { createOnnxTrainer, type OnnxTrainerOptions, type TrainerParts } from './onnx-trainer.ts';
export { scoreExported } from './score-exported.ts';
export { type Standardisation, scaledMoments, standardisationOf } from './standardise.ts';
export { trainingTask } from './task.ts';
export type { LocalTraining, LocalUpdate, Prepared, Scores, Trainer, TrainingTask } from './trainer.ts';
