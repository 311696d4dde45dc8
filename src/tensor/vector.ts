/** Flat float32 vectors: the parameters of a model in manifest order, and what is measured on them. */
import { type Digest, digestOf } from '../common/index.ts';

/** Little-endian IEEE 754 bytes of a float32 vector `[parameters]`: the canonical form that hashes cover. All platforms of Schwarm are little-endian. */
export function vectorBytes(vector: Float32Array): Uint8Array<ArrayBuffer> {
  const copy = new Float32Array(vector.length);
  copy.set(vector);
  return new Uint8Array(copy.buffer);
}

/** The float32 vector `[parameters]` out of its canonical bytes; undefined where the length is not a multiple of four. */
export function vectorFromBytes(bytes: Uint8Array): Float32Array<ArrayBuffer> | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const vector = new Float32Array(bytes.length / 4);
  new Uint8Array(vector.buffer).set(bytes);
  return vector;
}

/** SHA-256 of a model: over the canonical bytes of its parameter vector, not over a file. */
export function modelDigest(parameters: Float32Array): Digest {
  return digestOf(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength));
}

/** The index of the first value that is NaN or infinite; undefined where all are finite. */
export function firstNonFinite(vector: Float32Array | Float64Array): number | undefined {
  const at = vector.findIndex((value) => !Number.isFinite(value));
  return at < 0 ? undefined : at;
}

/** Euclidean norm of `trained - base`, each difference and the sum in float64, in index order; not finite exactly where a value is not. */
export function differenceNorm(trained: Float32Array, base: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < trained.length; at++) {
    const difference = (trained[at] ?? 0) - (base[at] ?? 0);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}
