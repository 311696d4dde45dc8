/** Flat float32 vectors: the parameters of a model in manifest order, and what is measured on them. */
import { type Digest, digestOf } from '../common/index.ts';

/** Little-endian IEEE 754 bytes of a float32 vector `[parameters]`: the canonical form that hashes cover. */
export function vectorBytes(vector: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(vector.length * 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < vector.length; at++) view.setFloat32(at * 4, vector[at] ?? 0, true);
  return bytes;
}

/** The float32 vector `[parameters]` out of its canonical bytes; undefined where the length is not a multiple of four. */
export function vectorFromBytes(bytes: Uint8Array): Float32Array | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(at * 4, true));
}

/** SHA-256 of a model: over the canonical bytes of its parameter vector, not over a file. */
export function modelDigest(parameters: Float32Array): Digest {
  return digestOf(vectorBytes(parameters));
}

/** Euclidean norm, summed in float64 in index order. */
export function l2Norm(vector: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

/** The index of the first value that is NaN or infinite; undefined where all are finite. */
export function firstNonFinite(vector: Float32Array | Float64Array): number | undefined {
  const at = vector.findIndex((value) => !Number.isFinite(value));
  return at < 0 ? undefined : at;
}

/** `trained - base`, scaled down to an L2 norm of at most `clipNorm` (McMahan et al. 2018, algorithm 1): float64 `[parameters]`. */
export function clippedDifference(trained: Float32Array, base: Float32Array, clipNorm: number): Float64Array {
  const difference = Float64Array.from(trained, (value, at) => value - (base[at] ?? 0));
  const norm = l2Norm(difference);
  return norm <= clipNorm ? difference : difference.map((value) => (value * clipNorm) / norm);
}

/** `base + rate × step`, each sum rounded once to float32: the same bits on every machine. */
export function addScaled(base: Float32Array, step: Float64Array, rate: number): Float32Array {
  return Float32Array.from(base, (value, at) => Math.fround(value + rate * (step[at] ?? 0)));
}
