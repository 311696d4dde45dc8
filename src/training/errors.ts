/** Everything that can be wrong with a model, with rows, or with the process that trains. */
import { defineErrors } from '../common/index.ts';

const recipe =
  'Export with torch.onnx.export(model, args, "model.onnx", dynamo=True, external_data=False, opset_version=20), or see deploy/README.md for the models that can be trained.';

export const trainingErrors = defineErrors({
  TRAINING_UNREADABLE_MODEL: {
    blame: 'operator',
    cause: (d: { reason: string }) => `model.onnx is not a whole ONNX file: ${d.reason}`,
    remedy: 'Export or copy the model again; the file is cut short, damaged or something else.',
  },
  TRAINING_MODEL_TOO_LARGE: {
    blame: 'operator',
    cause: (d: { what: string; found: number; limit: number }) => `model.onnx has ${d.found} ${d.what}; at most ${d.limit} are allowed`,
    remedy: 'Use a smaller model; the limits are in src/training/limits.ts.',
  },
  TRAINING_UNSUPPORTED_OPERATOR: {
    blame: 'operator',
    cause: (d: { op: string; node: string; supported: string }) =>
      `model.onnx, node "${d.node}" uses the operator ${d.op}, which cannot be trained; supported: ${d.supported}`,
    remedy: 'Build the model from the supported operators.',
  },
  TRAINING_EXTERNAL_DATA: {
    blame: 'operator',
    cause: (d: { tensor: string }) => `model.onnx keeps the weights of "${d.tensor}" in another file (external data)`,
    remedy: recipe,
  },
  TRAINING_MODEL_REFUSED: {
    blame: 'operator',
    cause: (d: { place: string; found: string; allowed: string }) => `model.onnx, ${d.place}: found ${d.found}; allowed: ${d.allowed}`,
    remedy: recipe,
  },
  TRAINING_BAD_WEIGHTS: {
    blame: 'operator',
    cause: (d: { tensor: string; count: number }) => `model.onnx holds ${d.count} weights in "${d.tensor}" that are NaN or infinite`,
    remedy: 'Start the study from finite weights.',
  },
  TRAINING_NO_GRADIENT: {
    blame: 'operator',
    cause: (d: { tensors: string }) => `model.onnx: the output depends on these weights, but no gradient reaches them: ${d.tensors}`,
    remedy: 'Use the weights in a differentiable place, or make them Constant nodes.',
  },
  TRAINING_WRONG_WIDTH: {
    blame: 'operator',
    cause: (d: { found: number; expected: number }) => `the model takes ${d.expected} features, and the table has ${d.found}`,
    remedy: 'Let features.column in study.toml, the columns of features.sql and the input of model.onnx agree.',
  },
  TRAINING_NO_ROWS: {
    blame: 'operator',
    cause: (d: { split: string }) => `there are no ${d.split} rows`,
    remedy: 'Check the split rule of the study and the bound files with `dataset check`.',
  },
  TRAINING_WRONG_PARAMETERS: {
    blame: 'self',
    cause: (d: { found: number; expected: number }) => `${d.found} parameters were given to a model of ${d.expected}`,
    remedy: 'This is a defect of Schwarm: the vector belongs to another study. Keep the log and report it.',
  },
  TRAINING_DIVERGED: {
    blame: 'operator',
    cause: (d: { round: number }) => `local training in round ${d.round} ended in parameters that are not finite`,
    remedy: 'Lower the learning rate of the study, or standardise its features.',
  },
  TRAINING_NOT_PREPARED: {
    blame: 'self',
    cause: (d: { what: string }) => `${d.what} was asked for before a model and rows were prepared`,
    remedy: 'Call prepare first; after a crash of the training process, call it again.',
  },
  TRAINING_PROCESS_LOST: {
    blame: 'self',
    cause: (d: { what: string; reason: string }) => `the training process was lost during ${d.what}: ${d.reason}`,
    remedy: 'A new process is started with the next prepare. If it repeats, the model or the memory limit is the likely cause.',
  },
});
