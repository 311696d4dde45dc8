/** Small ONNX models for tests, written with the product's encoder from a short description. */
import { attributeProto, valueInfo } from '../../src/training/onnx/encode.ts';
import { type Attribute, type ElementType, sizeOf } from '../../src/training/onnx/graph.ts';
import { encodeModel, type ModelProto } from '../../src/training/onnx/proto.ts';
import { tensorProto } from '../../src/training/onnx/tensor.ts';

export type FloatType = 'float32' | 'float64';

/** A tensor as sizes and values; without values, a fixed pattern of small numbers of both signs. */
export interface Weights {
  readonly dims: readonly number[];
  readonly values?: readonly number[];
  readonly type?: ElementType;
}

export interface ModelText {
  readonly type?: FloatType;
  readonly opset?: number;
  readonly input?: readonly (number | undefined)[];
  /** op, inputs, output, attributes. */
  readonly nodes: readonly (readonly [string, readonly string[], string, Readonly<Record<string, Attribute>>?])[];
  readonly weights?: Readonly<Record<string, Weights>>;
  readonly output?: string;
}

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });

/** Numbers without zeros or repeats, in -0.8 … 0.8: far from the kinks of the operators. */
export function pattern(length: number, phase = 0): number[] {
  return Array.from({ length }, (_, at) => 0.8 * Math.sin(1.7 * (at + 1) + phase) + 0.013 * ((at % 5) - 2));
}

export function tensorFor(name: string, { dims, values, type = 'float32' }: Weights, phase: number) {
  const numbers = values ?? pattern(sizeOf(dims), phase);
  if (type === 'int64') return { name, type, dims, values: BigInt64Array.from(numbers, (value) => BigInt(value)) };
  return { name, type, dims, values: type === 'float64' ? new Float64Array(numbers) : new Float32Array(numbers) };
}

/** The decoded form of the described model, for tests that spoil a part of it. */
export function modelProto({ type = 'float32', opset = 21, input = [undefined, 3], nodes, weights = {}, output = 'y' }: ModelText): ModelProto {
  return {
    irVersion: 10,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'test',
      node: nodes.map(([opType, inputs, out, attributes = {}]) => ({
        name: `make ${out}`,
        opType,
        domain: '',
        input: inputs,
        output: [out],
        attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
      })),
      initializer: Object.entries(weights).map(([name, text], at) => tensorProto(tensorFor(name, { type, ...text }, at))),
      input: [valueInfo({ name: 'x', type, dims: input })],
      output: [valueInfo({ name: output, type, dims: [undefined, undefined] })],
    },
  };
}

export function modelBytes(text: ModelText): Uint8Array {
  return encodeModel(modelProto(text));
}

/** A network of two layers with about so many parameters, whose output is one number: what is exchanged is as large as a test wants it. */
export function twoLayers(features: number, parameters: number): Uint8Array {
  const hidden = Math.max(1, Math.round((parameters - 1) / (features + 2)));
  const small = (length: number): number[] => Array.from({ length }, (_, at) => ((at % 17) - 8) / (100 * Math.sqrt(hidden)));
  return modelBytes({
    input: [undefined, features],
    nodes: [
      ['Gemm', ['x', 'w1', 'b1'], 'h'],
      ['Relu', ['h'], 'r'],
      ['Gemm', ['r', 'w2', 'b2'], 'y'],
    ],
    weights: {
      w1: { dims: [features, hidden], values: small(features * hidden) },
      b1: { dims: [hidden], values: small(hidden) },
      w2: { dims: [hidden, 1], values: small(hidden) },
      b2: { dims: [1], values: [0] },
    },
  });
}
