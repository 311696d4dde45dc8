/** The model as this room works with it: plain values in maps keyed by name, every number checked. */

/** Float types of the model, and int64 for shapes. float64 serves gradient checks only. */
export type ElementType = 'float32' | 'float64' | 'int64';

/** Sizes of a tensor, outermost first; `[]` is a scalar. */
export type Dims = readonly number[];

/** A tensor with its values in row-major order. */
export interface Tensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: Dims;
  readonly values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;
}

/** An attribute's value by its kind. */
export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: Tensor };

/** One operator of the default domain. Empty names stand for optional inputs left out. */
export interface Node {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** An input or output with its declared sizes; undefined where the file leaves one open. */
export interface GraphValue {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | undefined)[];
}

/** A forward model: one float input `[rows, features]`, one output, nodes in an order in which they can run. */
export interface Graph {
  readonly opset: number;
  readonly type: 'float32' | 'float64';
  readonly input: GraphValue;
  readonly output: string;
  readonly nodes: readonly Node[];
  /** In the order of the file, which is the order of the flat parameter vector. */
  readonly initializers: ReadonlyMap<string, Tensor>;
}

/** Number of elements of a tensor of these sizes. */
export function sizeOf(dims: Dims): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
