/** Emits the forward part of a model at a fixed number of rows, with every size known, and the head that its loss takes over stripped. */
import { assert } from '../../common/index.ts';
import { trainingErrors } from '../errors.ts';
import { trainingLimits } from '../limits.ts';
import { type Dims, type Graph, type Node, sizeOf, type Tensor } from '../onnx/graph.ts';
import type { Emitter } from './emitter.ts';
import { registry } from './registry.ts';
import { type EmittedNode, type NodeView, type OperatorRule, refusedAt, type Value } from './rule.ts';

/** A weight tensor in the flat parameter vector: `length` floats from `offset`. */
export interface ParameterSlot {
  readonly name: string;
  readonly dims: Dims;
  readonly offset: number;
  readonly length: number;
}

/** The operator at the end of a model that belongs to the loss: the model then gives logits. */
export type Head = 'Sigmoid' | 'Softmax';

/** The emitted forward part. Parameters are inputs named `p0`, `p1`, …; the rows are the input `x`. */
export interface Forward {
  readonly emitted: readonly EmittedNode[];
  readonly rows: Value;
  readonly logits: Value;
  readonly parameters: readonly { readonly slot: ParameterSlot; readonly value: Value; readonly genesis: Tensor }[];
}

function ruleOf(node: Node): OperatorRule {
  const rule = registry.get(node.op);
  assert(rule !== undefined, `the pre-flight let ${node.op} pass`);
  return rule;
}

function checkAttributes(node: Node, rule: OperatorRule): void {
  for (const [name, attribute] of node.attributes) {
    const kind = Object.hasOwn(rule.attributes, name) ? rule.attributes[name] : undefined;
    if (kind === undefined) throw refusedAt(node, `the attribute "${name}"`, Object.keys(rule.attributes).join(', ') || 'no attribute');
    if (kind !== attribute.kind) throw refusedAt(node, `${attribute.kind} in "${name}"`, kind);
  }
  const { fewest, most } = rule.inputs;
  const count = node.inputs.length;
  if (count < fewest || count > most || node.outputs.length !== 1) {
    throw refusedAt(node, `${count} inputs and ${node.outputs.length} outputs`, `${fewest === most ? most : `${fewest} to ${most}`} inputs and one output`);
  }
}

/** The value that the loss takes, with the head in front of it stripped. A head that cannot be stripped would be trained twice, so it is refused. */
function logitsName(graph: Graph, head: Head): string {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  let output = graph.output;
  let maker = makers.get(output);
  let reshaped = false;
  while (maker?.op === 'Identity' || maker?.op === 'Flatten' || maker?.op === 'Reshape') {
    reshaped ||= maker.op !== 'Identity';
    output = maker.inputs[0] ?? output;
    maker = makers.get(output);
  }
  if (maker?.op !== 'Sigmoid' && maker?.op !== 'Softmax') return graph.output;
  if (maker.op !== head || reshaped || !overClasses(maker))
    throw refusedAt(maker, `it before the output of a model trained with a ${head} loss`, `${head} over the last axis as the last node, or logits`);
  return maker.inputs[0] ?? output;
}

/** True for a Sigmoid, and for a Softmax over the second of two axes. */
function overClasses(node: Node): boolean {
  const axis = node.attributes.get('axis');
  return axis === undefined || (axis.kind === 'int' && (axis.value === 1 || axis.value === -1));
}

/** True where the model's own output is a probability, so that an export needs no head of ours. Throws TRAINING_MODEL_REFUSED as `emitForward` does. */
export function endsWithHead(graph: Graph, head: Head): boolean {
  return logitsName(graph, head) !== graph.output;
}

/** The nodes that `output` depends on, in the order of the file. */
function liveNodes(graph: Graph, output: string): readonly Node[] {
  const wanted = new Set([output]);
  const nodes = [...graph.nodes].reverse().filter((node) => {
    const live = node.outputs.some((name) => wanted.has(name));
    if (live) for (const name of node.inputs) wanted.add(name);
    return live;
  });
  return nodes.reverse();
}

function rowDims(graph: Graph, rows: number): Dims {
  const [, ...sizes] = graph.input.dims;
  if (sizes.length === 0 || sizes.includes(undefined)) {
    throw trainingErrors.TRAINING_MODEL_REFUSED({
      place: `input "${graph.input.name}"`,
      found: `sizes [${graph.input.dims.map((dim) => dim ?? '?')}]`,
      allowed: '[rows, features] with the number of features given',
    });
  }
  return [rows, ...sizes.filter((size) => size !== undefined)];
}

/** Trainable by use: every float initializer that a live node takes. int64 initializers are shapes. */
function parametersOf(graph: Graph, nodes: readonly Node[]): Forward['parameters'] {
  const used = new Set(nodes.flatMap((node) => node.inputs));
  let offset = 0;
  const trained = [...graph.initializers.values()].filter(({ name, type }) => used.has(name) && type !== 'int64');
  return trained.map((genesis, at) => {
    const { name, dims } = genesis;
    if (genesis.type !== graph.type) throw trainingErrors.TRAINING_MODEL_REFUSED({ place: `initializer "${name}"`, found: genesis.type, allowed: graph.type });
    const slot = { name, dims, offset, length: genesis.values.length };
    offset += slot.length;
    return { slot, value: { name: `p${at}`, dims, constant: undefined }, genesis };
  });
}

/** Broadcasting can make a huge value out of a small file: every size is checked before a runtime is asked for the memory. */
function checkSize(dims: Dims, place: string): void {
  if (dims.length > trainingLimits.rank)
    throw trainingErrors.TRAINING_MODEL_TOO_LARGE({ what: `axes at "${place}"`, found: dims.length, limit: trainingLimits.rank });
  if (sizeOf(dims) > trainingLimits.elements)
    throw trainingErrors.TRAINING_MODEL_TOO_LARGE({ what: `elements at "${place}"`, found: sizeOf(dims), limit: trainingLimits.elements });
}

/** Emits `graph` for `rows` rows without its trailing `head`. Throws TRAINING_MODEL_REFUSED with the node. */
export function emitForward(graph: Graph, rows: number, head: Head, emit: Emitter): Forward {
  const output = logitsName(graph, head);
  const nodes = liveNodes(graph, output);
  const parameters = parametersOf(graph, nodes);
  const input: Value = { name: 'x', dims: rowDims(graph, rows), constant: undefined };
  const values = new Map<string, Value>([
    [graph.input.name, input],
    ['', { name: '', dims: [], constant: undefined }],
  ]);
  for (const { slot, value } of parameters) values.set(slot.name, value);
  for (const tensor of graph.initializers.values()) if (tensor.type === 'int64') values.set(tensor.name, { name: '', dims: tensor.dims, constant: tensor });
  const emitted = nodes.map((node): EmittedNode => {
    const rule = ruleOf(node);
    checkAttributes(node, rule);
    const inputs = node.inputs.map((name) => {
      const value = values.get(name);
      assert(value !== undefined, `the pre-flight let the missing value "${name}" pass`);
      return value;
    });
    const view: NodeView = { node, opset: graph.opset, inputs };
    const made = rule.forward(view, emit);
    checkSize(made.dims, node.name);
    values.set(node.outputs[0] ?? '', made);
    return { ...view, output: made };
  });
  const logits = values.get(output);
  assert(logits !== undefined, 'the output is a value of the graph');
  return { emitted, rows: input, logits, parameters };
}
