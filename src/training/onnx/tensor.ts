/** Tensors between protobuf and typed arrays: raw or typed fields in, raw bytes out; little-endian, as ONNX demands. */
import { concat } from '../../common/index.ts';
import { trainingErrors } from '../errors.ts';
import { trainingLimits as limits } from '../limits.ts';
import { type Dims, type ElementType, sizeOf, type Tensor } from './graph.ts';
import { int64, type TensorProto } from './proto.ts';

/** ONNX TensorProto.DataType of the types that occur here. */
export const dataTypes: ReadonlyMap<ElementType, number> = new Map([
  ['float32', 1],
  ['int64', 7],
  ['float64', 11],
]);
const elementTypes: ReadonlyMap<number, ElementType> = new Map([...dataTypes].map(([type, code]) => [code, type]));
const widths = { float32: 4, float64: 8, int64: 8 } as const;

/** The element type with ONNX code `code`. Throws TRAINING_MODEL_REFUSED for all but float32, float64 and int64. */
export function elementType(code: number, place: string): ElementType {
  const type = elementTypes.get(code);
  if (type === undefined) throw trainingErrors.TRAINING_MODEL_REFUSED({ place, found: `tensor type ${code}`, allowed: 'float32 (and int64 for shapes)' });
  return type;
}

function dimsOf(proto: TensorProto, place: string): Dims {
  const dims = proto.dims.map((dim) => int64(dim));
  const bad = dims.some((dim) => !(dim >= 0)) || dims.length > limits.rank || !(sizeOf(dims) <= limits.elements);
  if (bad)
    throw trainingErrors.TRAINING_MODEL_REFUSED({
      place,
      found: `sizes [${dims}]`,
      allowed: `at most ${limits.rank} sizes from 0, with a product of at most ${limits.elements}`,
    });
  return dims;
}

function varints(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      values.push(BigInt.asIntN(64, value));
      value = 0n;
      shift = 0n;
    }
  }
  return values;
}

function contentOf(proto: TensorProto, type: ElementType): Uint8Array<ArrayBuffer> {
  if (proto.rawData !== undefined && proto.rawData.length > 0) return new Uint8Array(proto.rawData);
  if (type === 'float32') return concat(...(proto.floatData ?? []));
  if (type === 'float64') return concat(...(proto.doubleData ?? []));
  const packed = concat(...(proto.int64Data ?? []));
  return new Uint8Array(BigInt64Array.from(packed.length > 10 * limits.shapeElements ? [] : varints(packed)).buffer);
}

/** A decoded tensor. Throws TRAINING_EXTERNAL_DATA, TRAINING_MODEL_REFUSED, or TRAINING_BAD_WEIGHTS where a value is not finite. */
export function tensorOf(proto: TensorProto, place: string): Tensor {
  if ((proto.externalData ?? []).length > 0 || (proto.dataLocation ?? 0) !== 0) throw trainingErrors.TRAINING_EXTERNAL_DATA({ tensor: proto.name || place });
  const type = elementType(proto.dataType, place);
  const dims = dimsOf(proto, place);
  const bytes = contentOf(proto, type);
  const expected = sizeOf(dims) * widths[type];
  if (bytes.length !== expected)
    throw trainingErrors.TRAINING_MODEL_REFUSED({ place, found: `${bytes.length} bytes of values`, allowed: `${expected} bytes for sizes [${dims}]` });
  if (type === 'int64') return { name: proto.name, type, dims, values: shapeValues(bytes, place) };
  const values = type === 'float32' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
  let count = 0;
  for (const value of values) if (!Number.isFinite(value)) count++;
  if (count > 0) throw trainingErrors.TRAINING_BAD_WEIGHTS({ tensor: proto.name || place, count });
  return { name: proto.name, type, dims, values };
}

function shapeValues(bytes: Uint8Array<ArrayBuffer>, place: string): BigInt64Array<ArrayBuffer> {
  if (bytes.length > 8 * limits.shapeElements) {
    throw trainingErrors.TRAINING_MODEL_REFUSED({
      place,
      found: `an int64 tensor of ${bytes.length / 8} values`,
      allowed: `at most ${limits.shapeElements}: int64 serves shapes only`,
    });
  }
  return new BigInt64Array(bytes.buffer);
}

/** The protobuf form of a tensor, values as raw bytes. */
export function tensorProto({ name, type, dims, values }: Tensor): TensorProto {
  return { name, dims, dataType: dataTypes.get(type) ?? 0, rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}
