/**
 * tensor: a model's parameters as one flat vector in manifest order.
 *
 * Owns canonical bytes and digest of a vector, the norm of a difference, and fixed point (reals as integers modulo 2^32 or 2^64; the fast kernels for it are in `aggregation`).
 * Does not own: what the numbers mean (`training`), how vectors of several members become one (`aggregation`).
 * Only + - * / sqrt and fround appear here, which IEEE 754 makes equal on every machine. Pure.
 */
export { dequantise, largestScale, type Quantised, quantise, type WordBits } from './fixed-point.ts';
export { differenceNorm, firstNonFinite, modelDigest, vectorBytes, vectorFromBytes } from './vector.ts';
