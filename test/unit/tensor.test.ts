/** Flat vectors and fixed point: round trips, bounds, exact sums. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dequantise, differenceNorm, firstNonFinite, largestScale, modelDigest, quantise, vectorBytes, vectorFromBytes } from '../../src/tensor/index.ts';

const bits = fc.constantFrom(32 as const, 64 as const);

describe('vectors', () => {
  it('come back from their bytes, whatever they hold', () => {
    fc.assert(
      fc.property(fc.float32Array(), (vector) => {
        expect(vectorFromBytes(vectorBytes(vector))).toEqual(vector);
      }),
    );
    expect(vectorFromBytes(new Uint8Array(6))).toBeUndefined();
    expect([...vectorBytes(new Float32Array([1, -2]))]).toEqual([0, 0, 128, 63, 0, 0, 0, 192]);
    expect(modelDigest(new Float32Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('have the norm of their difference, which is not finite where a value is not', () => {
    expect(differenceNorm(new Float32Array([4, 4]), new Float32Array([1, 0]))).toBe(5);
    expect(differenceNorm(new Float32Array([3e38]), new Float32Array([-3e38]))).toBeGreaterThan(5e38);
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(differenceNorm(new Float32Array([1, wrong]), new Float32Array(2))).not.toBeLessThan(Infinity);
  });

  it('name their first value that is no number', () => {
    expect([
      firstNonFinite(new Float32Array([1, Number.NaN])),
      firstNonFinite(new Float64Array([1, 2, -Infinity])),
      firstNonFinite(new Float32Array(3)),
    ]).toEqual([1, 2, undefined]);
  });
});

describe('fixed point', () => {
  it('uses the largest scale with which the sum of all members stays in a signed word', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 64 }), bits, (range, members, wordBits) => {
        const scale = largestScale(range, members, wordBits);
        const limit = wordBits === 32 ? 2 ** 31 - 1 : 2 ** 53;
        expect(Number.isInteger(Math.log2(scale))).toBe(true);
        expect(members * range * scale).toBeLessThanOrEqual(limit);
        expect(members * range * scale * 2).toBeGreaterThan(limit);
      }),
    );
  });

  it('comes back within half a step; beyond the range it is cut and counted', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 30 }), bits, (values, wordBits) => {
        const form = { range: 2, scale: largestScale(2, 4, wordBits), bits: wordBits };
        const { words, saturated } = quantise(values, form);
        const back = dequantise(words, form);
        expect(saturated).toBe(values.filter((value) => Math.abs(value) > 2).length);
        values.forEach((value, at) => {
          expect(Math.abs((back[at] ?? 0) - Math.min(2, Math.max(-2, value)))).toBeLessThanOrEqual((0.5 / form.scale) * (1 + 1e-9));
        });
      }),
    );
  });
});
