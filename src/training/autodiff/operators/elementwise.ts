/** Add and Identity. */
import { reduceTo } from '../emitter.ts';
import { broadcast, floatInput, type OperatorRule } from '../rule.ts';

export const add: OperatorRule = {
  op: 'Add',
  inputs: { fewest: 2, most: 2 },
  attributes: {},
  forward: (view, emit) => {
    const [a, b] = [floatInput(view, 0), floatInput(view, 1)];
    return { name: emit.op('Add', [a.name, b.name]), dims: broadcast(view.node, a.dims, b.dims), constant: undefined };
  },
  gradient: (view, dY, emit) => [0, 1].map((at) => () => reduceTo(emit, dY, view.output.dims, floatInput(view, at).dims)),
};

export const identity: OperatorRule = {
  op: 'Identity',
  inputs: { fewest: 1, most: 1 },
  attributes: {},
  forward: (view) => view.inputs[0] ?? floatInput(view, 0),
  gradient: (_view, dY) => [() => dY],
};
