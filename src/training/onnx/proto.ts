/** ONNX messages as plain objects, decoded and encoded by protobuf.js over our own descriptor. Fields that are absent have protobuf's defaults. */
import protobuf from 'protobufjs/light.js';
import { trainingErrors } from '../errors.ts';
import { descriptor } from './descriptor.ts';
import { scanFields } from './scan.ts';

/** protobuf.js gives an int64 as a number, or as a Long where the package `long` is installed. */
export type Int64 = number | { toNumber(): number };

export interface TensorProto {
  readonly dims: readonly Int64[];
  readonly dataType: number;
  readonly name: string;
  readonly rawData?: Uint8Array | undefined;
  readonly floatData?: readonly Uint8Array[];
  readonly int64Data?: readonly Uint8Array[];
  readonly doubleData?: readonly Uint8Array[];
  readonly externalData?: readonly Uint8Array[];
  readonly dataLocation?: number;
}

export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: Int64;
  readonly s?: Uint8Array;
  readonly t?: TensorProto | null;
  readonly floats?: readonly number[];
  readonly ints?: readonly Int64[];
  readonly refAttrName?: string;
}

export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly attribute: readonly AttributeProto[];
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType: number;
      readonly shape?: { readonly dim: readonly { readonly dimValue?: Int64; readonly dimParam?: string }[] } | null;
    } | null;
  } | null;
}

export interface GraphProto {
  readonly name: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
  readonly sparseInitializer?: readonly Uint8Array[];
  readonly quantizationAnnotation?: readonly Uint8Array[];
}

export interface ModelProto {
  readonly irVersion: Int64;
  readonly producerName?: string;
  readonly graph?: GraphProto | null;
  readonly opsetImport: readonly { readonly domain: string; readonly version: Int64 }[];
  readonly metadataProps?: readonly { readonly key: string; readonly value: string }[];
  readonly trainingInfo?: readonly Uint8Array[];
  readonly functions?: readonly Uint8Array[];
}

const nested = Object.fromEntries(Object.entries(descriptor).map(([name, fields]) => [name, { fields }]));
const modelType = protobuf.Root.fromJSON({ nested }).lookupType('ModelProto');

/** The model in `bytes`, after their fields were counted. Throws TRAINING_UNREADABLE_MODEL or TRAINING_MODEL_TOO_LARGE. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  scanFields(bytes);
  try {
    // The decoder fills what `modelType` describes; the interfaces above are that description.
    return modelType.decode(bytes) as unknown as ModelProto;
  } catch (error) {
    throw trainingErrors.TRAINING_UNREADABLE_MODEL({ reason: error instanceof Error ? error.message : 'unknown' }, error);
  }
}

/** The bytes of `model`; equal models give equal bytes. */
export function encodeModel(model: ModelProto): Uint8Array<ArrayBuffer> {
  return new Uint8Array(modelType.encode({ ...model }).finish());
}

/** An int64 as a number; NaN where it is beyond 2^53 and therefore never a sensible size. */
export function int64(value: Int64 | undefined): number {
  const number = typeof value === 'object' ? value.toNumber() : (value ?? 0);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}
