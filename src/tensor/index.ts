/**
 * tensor: a model's parameters as one flat vector in manifest order.
 *
 * Owns canonical bytes and digest of a vector, norms and clipping, and fixed point (reals as integers modulo 2^32 or 2^64).
 * Does not own: what the numbers mean (`training`), how vectors of several members become one (`aggregation`).
 * Only + - * / sqrt and fround appear here, which IEEE 754 makes equal on every machine. Pure.
 */
export { dequantise, largestScale, type Quantised, quantise, type Rounding, type WordBits } from './fixed-point.ts';
export { addScaled, clippedDifference, firstNonFinite, l2Norm, modelDigest, vectorBytes, vectorFromBytes } from './vector.ts';
