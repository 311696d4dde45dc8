/** A walk over the protobuf wire format that allocates nothing: every length must fit, and the number of fields is bounded, before anything is decoded. */
import { trainingErrors } from '../errors.ts';
import { trainingLimits } from '../limits.ts';
import { descriptor } from './descriptor.ts';

type Fields = ReadonlyMap<number, string>;
const messages = new Map<string, Fields>(
  Object.entries(descriptor).map(([name, fields]) => [
    name,
    new Map(Object.values(fields).map((field: { id: number; type: string }) => [field.id, field.type])),
  ]),
);
const packedTypes = new Set(['int64', 'int32', 'float']);

class Walk {
  readonly #bytes: Uint8Array;
  #at = 0;
  #fields = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(type: string, end: number): void {
    const fields = messages.get(type);
    while (this.#at < end) {
      const tag = this.#varint(end);
      this.#count(1);
      this.#field(fields?.get(Math.floor(tag / 8)), tag % 8, end);
    }
  }

  #field(type: string | undefined, wireType: number, end: number): void {
    if (wireType === 0) this.#varint(end);
    else if (wireType === 1) this.#skip(8, end);
    else if (wireType === 5) this.#skip(4, end);
    else if (wireType === 2) this.#content(type, end);
    else throw this.#broken(`wire type ${wireType}`);
  }

  #content(type: string | undefined, end: number): void {
    const length = this.#varint(end);
    if (length > end - this.#at) throw this.#broken(`a field of ${length} bytes where ${end - this.#at} are left`);
    if (type !== undefined && packedTypes.has(type)) this.#count(length);
    if (type !== undefined && messages.has(type)) this.message(type, this.#at + length);
    else this.#at += length;
  }

  #varint(end: number): number {
    let value = 0;
    for (let shift = 0; shift < 10; shift++) {
      if (this.#at >= end) throw this.#broken('the end inside a number');
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 127) * 2 ** (7 * shift);
      if (byte < 128) return value;
    }
    throw this.#broken('a number of more than ten bytes');
  }

  #skip(count: number, end: number): void {
    if (count > end - this.#at) throw this.#broken('the end inside a number');
    this.#at += count;
  }

  #count(fields: number): void {
    this.#fields += fields;
    if (this.#fields > trainingLimits.modelFields) {
      throw trainingErrors.TRAINING_MODEL_TOO_LARGE({ what: 'fields', found: this.#fields, limit: trainingLimits.modelFields });
    }
  }

  #broken(what: string) {
    return trainingErrors.TRAINING_UNREADABLE_MODEL({ reason: `${what} at byte ${this.#at} of ${this.#bytes.length}` });
  }
}

/** Throws TRAINING_UNREADABLE_MODEL where `bytes` are no protobuf of a model, TRAINING_MODEL_TOO_LARGE where they are too many or hold too many fields. */
export function scanFields(bytes: Uint8Array): void {
  const limit = trainingLimits.modelSizeBytes;
  if (bytes.length > limit) throw trainingErrors.TRAINING_MODEL_TOO_LARGE({ what: 'bytes', found: bytes.length, limit });
  if (bytes.length === 0) throw trainingErrors.TRAINING_UNREADABLE_MODEL({ reason: 'it is empty' });
  new Walk(bytes).message('ModelProto', bytes.length);
}
