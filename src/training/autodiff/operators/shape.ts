/** Flatten, Reshape and Constant. Sizes are known when the graph is built, so each becomes a Reshape to plain numbers. */
import { type Dims, sizeOf, type Tensor } from '../../onnx/graph.ts';
import type { Emitter } from '../emitter.ts';
import { axisOf, flag, floatInput, type NodeView, type OperatorRule, refusedAt, type Value } from '../rule.ts';

function reshaped(emit: Emitter, value: Value, dims: Dims): Value {
  return { name: emit.op('Reshape', [value.name, emit.integers(dims)]), dims, constant: undefined };
}

const back: OperatorRule['gradient'] = (view, dY, emit) => [() => emit.op('Reshape', [dY, emit.integers(floatInput(view, 0).dims)])];

export const flatten: OperatorRule = {
  op: 'Flatten',
  inputs: { fewest: 1, most: 1 },
  attributes: { axis: 'int' },
  forward: (view, emit) => {
    const x = floatInput(view, 0);
    const axis = axisOf(view.node, x.dims.length, 1, x.dims.length);
    return reshaped(emit, x, [sizeOf(x.dims.slice(0, axis)), sizeOf(x.dims.slice(axis))]);
  },
  gradient: back,
};

/** The sizes that Reshape asks for: 0 copies a size (unless allowzero), -1 is what is left over. */
function targetDims(view: NodeView): Dims {
  const from = floatInput(view, 0).dims;
  const shape = view.inputs[1]?.constant;
  if (shape?.type !== 'int64') throw refusedAt(view.node, 'a shape that is computed', 'a shape in an int64 initializer or Constant');
  if (flag(view.node, 'allowzero') === 1 && shape.values.includes(0n as never)) throw refusedAt(view.node, 'a size of 0', 'sizes over 0');
  const wanted = Array.from(shape.values, Number).map((size, at) => (size === 0 ? (from[at] ?? 0) : size));
  const left = sizeOf(from) / sizeOf(wanted.filter((size) => size !== -1));
  const dims = wanted.map((size) => (size === -1 ? left : size));
  const fits = wanted.filter((size) => size === -1).length <= 1 && dims.every((size) => size >= 1 && Number.isInteger(size)) && sizeOf(dims) === sizeOf(from);
  if (!fits) throw refusedAt(view.node, `sizes [${from}] to [${wanted}]`, 'as many elements after as before, with the number of rows left open (-1 or 0)');
  return dims;
}

export const reshape: OperatorRule = {
  op: 'Reshape',
  inputs: { fewest: 2, most: 2 },
  attributes: { allowzero: 'int' },
  forward: (view, emit) => reshaped(emit, floatInput(view, 0), targetDims(view)),
  gradient: back,
};

/** The tensor of a Constant node in any of its numeric forms. */
function constantTensor({ node }: NodeView, type: Emitter['type']): Tensor {
  const [[key, attribute] = [], second] = [...node.attributes];
  if (attribute === undefined || second !== undefined) throw refusedAt(node, `${node.attributes.size} attributes`, 'exactly one: the value');
  const floats = (values: readonly number[], dims: Dims): Tensor => ({
    name: '',
    type,
    dims,
    values: type === 'float32' ? new Float32Array(values) : new Float64Array(values),
  });
  const integers = (values: readonly number[], dims: Dims): Tensor => ({ name: '', type: 'int64', dims, values: BigInt64Array.from(values, BigInt) });
  if (key === 'value' && attribute.kind === 'tensor') return attribute.value;
  if (key === 'value_float' && attribute.kind === 'float') return floats([attribute.value], []);
  if (key === 'value_floats' && attribute.kind === 'floats') return floats(attribute.value, [attribute.value.length]);
  if (key === 'value_int' && attribute.kind === 'int') return integers([attribute.value], []);
  if (key === 'value_ints' && attribute.kind === 'ints') return integers(attribute.value, [attribute.value.length]);
  throw refusedAt(node, `a value in "${key}"`, 'numbers');
}

export const constant: OperatorRule = {
  op: 'Constant',
  inputs: { fewest: 0, most: 0 },
  attributes: { value: 'tensor', value_float: 'float', value_floats: 'floats', value_int: 'int', value_ints: 'ints' },
  forward: (view, emit) => {
    const tensor = constantTensor(view, emit.type);
    const name = tensor.type === 'int64' ? emit.integers(Array.from(tensor.values, Number)) : emit.constant(tensor.dims, Array.from(tensor.values, Number));
    return { name, dims: tensor.dims, constant: tensor };
  },
  gradient: () => [],
};
