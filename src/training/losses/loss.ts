/**
 * Losses with their gradients in closed form. Each takes logits; the model's own trailing Sigmoid or Softmax is stripped into it.
 * Every row has a weight, so that the padded end of a batch counts nothing: dLoss/dLogits = weight · (probability − target).
 */

import type { Emitter } from '../autodiff/emitter.ts';
import type { Head } from '../autodiff/forward.ts';
import type { Value } from '../autodiff/rule.ts';
import { trainingErrors } from '../errors.ts';
import type { Dims } from '../onnx/graph.ts';

/** Names of what a loss emitted. */
interface EmittedLoss {
  /** Loss of each row without its weight, `[rows]`. */
  readonly perRow: string;
  /** Probabilities in the sizes of the target. */
  readonly scores: string;
  /** dLoss/dLogits in the sizes of the logits, for the input `weight` `[rows, 1]`. */
  readonly dLogits: () => string;
}

/** One loss: the head it replaces, the sizes of its target for these logits, and how it is emitted for the input `target`. */
interface LossRule {
  readonly head: Head;
  targetDims(logits: Value, classes: number): Dims;
  emit(logits: Value, emit: Emitter): EmittedLoss;
}

function refusedOutput(logits: Value, allowed: string) {
  return trainingErrors.TRAINING_MODEL_REFUSED({ place: 'output', found: `sizes [${logits.dims.map((dim, at) => (at === 0 ? 'rows' : dim))}]`, allowed });
}

/** Binary cross-entropy with logits: max(z, 0) − z·t + log(1 + exp(−|z|)), which never overflows. */
const binary: LossRule = {
  head: 'Sigmoid',
  targetDims: (logits) => {
    const [rows = 0, width = 1] = logits.dims;
    if (logits.dims.length > 2 || logits.dims.length < 1 || width !== 1) throw refusedOutput(logits, '[rows, 1] or [rows]: one logit or one probability a row');
    return [rows, 1];
  },
  emit: (logits, emit) => {
    const rows = logits.dims[0] ?? 0;
    const z = emit.op('Reshape', [logits.name, emit.integers([rows, 1])]);
    const scores = emit.op('Sigmoid', [z]);
    const linear = emit.op('Sub', [emit.op('Relu', [z]), emit.op('Mul', [z, 'target'])]);
    const tail = emit.op('Log', [emit.op('Add', [emit.scalar(1), emit.op('Exp', [emit.op('Neg', [emit.op('Abs', [z])])])])]);
    const perRow = emit.op('Reshape', [emit.op('Add', [linear, tail]), emit.integers([rows])]);
    const dLogits = () => emit.op('Reshape', [emit.op('Mul', ['weight', emit.op('Sub', [scores, 'target'])]), emit.integers(logits.dims)]);
    return { perRow, scores, dLogits };
  },
};

/** Softmax cross-entropy over the last axis; the target is one-hot. */
const softmax: LossRule = {
  head: 'Softmax',
  targetDims: (logits, classes) => {
    const [rows = 0, width = 0] = logits.dims;
    if (logits.dims.length !== 2 || width !== classes) throw refusedOutput(logits, `[rows, ${classes}]: one logit or one probability for each class`);
    return [rows, width];
  },
  emit: (logits, emit) => {
    const scores = emit.op('Softmax', [logits.name], { axis: 1 });
    const chosen = emit.op('Mul', [emit.op('LogSoftmax', [logits.name], { axis: 1 }), 'target']);
    const perRow = emit.op('Neg', [emit.op('ReduceSum', [chosen, emit.integers([1])], { keepdims: 0 })]);
    return { perRow, scores, dLogits: () => emit.op('Mul', ['weight', emit.op('Sub', [scores, 'target'])]) };
  },
};

/** The losses by their names in `study.toml`. */
export const losses = { 'binary-cross-entropy': binary, 'softmax-cross-entropy': softmax } as const;
