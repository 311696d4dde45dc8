/** Writes the nodes of a graph of our own. All names are made here, so nothing that a model file calls its values can get in the way. */
import { type Attribute, type Dims, type Node, sizeOf, type Tensor } from '../onnx/graph.ts';

/** An attribute given as a plain number is an integer; floats are marked. */
export type Attributes = Readonly<Record<string, Attribute | number>>;

/** Nodes and constants under construction, all floats of one type. */
export class Emitter {
  readonly type: 'float32' | 'float64';
  readonly #nodes: Node[] = [];
  readonly #constants = new Map<string, Tensor>();

  constructor(type: 'float32' | 'float64') {
    this.type = type;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  get constants(): readonly Tensor[] {
    return [...this.#constants.values()];
  }

  /** Adds a node of opset 21 with one output and returns the output's name. */
  op(op: string, inputs: readonly string[], attributes: Attributes = {}, output = `v${this.#nodes.length}`): string {
    const entries = Object.entries(attributes).map(([key, value]): [string, Attribute] => [key, typeof value === 'number' ? { kind: 'int', value } : value]);
    this.#nodes.push({ name: `n${this.#nodes.length}`, op, inputs, outputs: [output], attributes: new Map(entries) });
    return output;
  }

  /** A float scalar. */
  scalar(value: number): string {
    return this.#keep(`s:${value}`, { type: this.type, dims: [], values: this.#floats([value]) });
  }

  /** A vector of int64: sizes, axes. */
  integers(values: readonly number[]): string {
    return this.#keep(`i:${values}`, { type: 'int64', dims: [values.length], values: BigInt64Array.from(values, BigInt) });
  }

  /** A float tensor that takes no part in training. */
  constant(dims: Dims, values: ArrayLike<number>): string {
    return this.#keep(`c:${this.#constants.size}`, {
      type: this.type,
      dims,
      values: this.#floats(Array.from({ length: sizeOf(dims) }, (_, at) => values[at] ?? 0)),
    });
  }

  #keep(key: string, tensor: Omit<Tensor, 'name'>): string {
    const name = this.#constants.get(key)?.name ?? `c${this.#constants.size}`;
    if (!this.#constants.has(key)) this.#constants.set(key, { name, ...tensor });
    return name;
  }

  #floats(values: readonly number[]): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
    return this.type === 'float32' ? new Float32Array(values) : new Float64Array(values);
  }
}

/** Sums `value` of sizes `from` down to the sizes `to` that were broadcast to it (ONNX multidirectional broadcasting). */
export function reduceTo(emit: Emitter, value: string, from: Dims, to: Dims): string {
  const lead = from.length - to.length;
  const axes = from.flatMap((size, axis) => (axis < lead || ((to[axis - lead] ?? 1) === 1 && size !== 1) ? [axis] : []));
  const summed = axes.length === 0 ? value : emit.op('ReduceSum', [value, emit.integers(axes)], { keepdims: 1 });
  return lead === 0 ? summed : emit.op('Reshape', [summed, emit.integers(to)]);
}

/** `value` with its last two axes exchanged. */
export function transposeLast(emit: Emitter, value: string, rank: number): string {
  const order = Array.from({ length: rank }, (_, axis) => axis);
  const perm = [...order.slice(0, -2), rank - 1, rank - 2];
  return emit.op('Transpose', [value], { perm: { kind: 'ints', value: perm } });
}
