/** What one operator has to say: which attributes it knows, its sizes, its forward node, and its gradient. */
import type { SwarmError } from '../../common/index.ts';
import { trainingErrors } from '../errors.ts';
import type { Attribute, Dims, Node, Tensor } from '../onnx/graph.ts';
import type { Emitter } from './emitter.ts';

/** A value of the emitted graph. `constant` holds the values of what is known before any row is seen. */
export interface Value {
  readonly name: string;
  readonly dims: Dims;
  readonly constant: Tensor | undefined;
}

/** A node with the values it takes, in a model of opset `opset`. */
export interface NodeView {
  readonly node: Node;
  readonly opset: number;
  readonly inputs: readonly Value[];
}

/** A node that was emitted: `output` is what it made. */
export interface EmittedNode extends NodeView {
  readonly output: Value;
}

/** One registry entry. `gradient` gives, for each input, how to emit dLoss/dInput from dLoss/dOutput; only what is needed is called. */
export interface OperatorRule {
  readonly op: string;
  readonly inputs: { readonly fewest: number; readonly most: number };
  /** Every attribute that the rule takes into account; any other is refused. */
  readonly attributes: Readonly<Record<string, Attribute['kind']>>;
  forward(view: NodeView, emit: Emitter): Value;
  gradient(view: EmittedNode, dOutput: string, emit: Emitter): readonly ((() => string) | undefined)[];
}

/** TRAINING_MODEL_REFUSED at this node. */
export function refusedAt(node: Node, found: string, allowed: string): SwarmError {
  return trainingErrors.TRAINING_MODEL_REFUSED({ place: `node "${node.name}" (${node.op})`, found, allowed });
}

/** The integer attribute `name`, or `standard` where the node leaves it out. */
function integer(node: Node, name: string, standard: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : standard;
}

/** The float attribute `name`, or `standard` where the node leaves it out. */
export function real(node: Node, name: string, standard: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : standard;
}

/** The 0 or 1 of the integer attribute `name`, default 0. Throws TRAINING_MODEL_REFUSED for other values. */
export function flag(node: Node, name: string): 0 | 1 {
  const value = integer(node, name, 0);
  if (value !== 0 && value !== 1) throw refusedAt(node, `${name} = ${value}`, '0 or 1');
  return value;
}

/** The axis attribute counted from 0; `rank` itself is allowed where `most` says so. Throws TRAINING_MODEL_REFUSED. */
export function axisOf(node: Node, rank: number, standard: number, most: number): number {
  const given = integer(node, 'axis', standard);
  const axis = given < 0 ? given + rank : given;
  if (!(axis >= 0 && axis <= most)) throw refusedAt(node, `axis = ${given}`, `an axis of a tensor of rank ${rank}`);
  return axis;
}

/** The input at `at`. Throws TRAINING_MODEL_REFUSED where it is left out or is not a float tensor. */
export function floatInput(view: NodeView, at: number): Value {
  const value = view.inputs[at];
  if (value === undefined || value.name === '' || value.constant?.type === 'int64')
    throw refusedAt(view.node, `no float tensor as input ${at + 1}`, 'a float tensor');
  return value;
}

/** The sizes that `a` and `b` broadcast to. Throws TRAINING_MODEL_REFUSED where they do not. */
export function broadcast(node: Node, a: Dims, b: Dims): Dims {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, at) => {
    const left = a[at - rank + a.length] ?? 1;
    const right = b[at - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) throw refusedAt(node, `sizes [${a}] and [${b}]`, 'sizes that broadcast');
    return left === 1 ? right : left;
  });
}
