/** Relu, Sigmoid, Tanh and Softmax; their gradients are closed forms of the output. */
import type { Emitter } from '../emitter.ts';
import { axisOf, floatInput, type NodeView, type OperatorRule, refusedAt } from '../rule.ts';

function pointwise(op: string, slope: (y: string, dY: string, emit: Emitter) => string): OperatorRule {
  return {
    op,
    inputs: { fewest: 1, most: 1 },
    attributes: {},
    forward: (view, emit) => {
      const x = floatInput(view, 0);
      return { name: emit.op(op, [x.name]), dims: x.dims, constant: undefined };
    },
    gradient: (view, dY, emit) => [() => slope(view.output.name, dY, emit)],
  };
}

/** The slope at exactly 0 is 0, as in PyTorch. */
export const relu: OperatorRule = pointwise('Relu', (y, dY, emit) => emit.op('Where', [emit.op('Greater', [y, emit.scalar(0)]), dY, emit.scalar(0)]));

/** y' = y (1 - y). */
export const sigmoid: OperatorRule = pointwise('Sigmoid', (y, dY, emit) => {
  const slope = emit.op('Mul', [y, emit.op('Sub', [emit.scalar(1), y])]);
  return emit.op('Mul', [dY, slope]);
});

/** y' = 1 - y². */
export const tanh: OperatorRule = pointwise('Tanh', (y, dY, emit) => emit.op('Mul', [dY, emit.op('Sub', [emit.scalar(1), emit.op('Mul', [y, y])])]));

/** Before opset 13 Softmax flattens to two axes from `axis` on (default 1): the same only over the last axis. */
function softmaxAxis(view: NodeView): number {
  const rank = floatInput(view, 0).dims.length;
  const axis = axisOf(view.node, rank, view.opset < 13 ? 1 : -1, rank - 1);
  if (view.opset < 13 && axis !== rank - 1)
    throw refusedAt(view.node, `axis ${axis} of ${rank} in opset ${view.opset}`, 'the last axis, or opset 13 and later');
  if (axis === 0 && rank > 1) throw refusedAt(view.node, 'axis 0, which mixes rows', 'an axis within one row');
  return axis;
}

/** dX = y ⊙ (dY − Σ dY ⊙ y), the sum over the softmax axis. */
export const softmax: OperatorRule = {
  op: 'Softmax',
  inputs: { fewest: 1, most: 1 },
  attributes: { axis: 'int' },
  forward: (view, emit) => {
    const x = floatInput(view, 0);
    return { name: emit.op('Softmax', [x.name], { axis: softmaxAxis(view) }), dims: x.dims, constant: undefined };
  },
  gradient: (view, dY, emit) => [
    () => {
      const y = view.output.name;
      const sum = emit.op('ReduceSum', [emit.op('Mul', [dY, y]), emit.integers([softmaxAxis(view)])], { keepdims: 1 });
      return emit.op('Mul', [y, emit.op('Sub', [dY, sum])]);
    },
  ],
};
