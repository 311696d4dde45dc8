/** Flat vectors and fixed point: round trips, bounds, exact sums. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededChance } from '../../src/common/index.ts';
import {
  addScaled,
  clippedDifference,
  dequantise,
  firstNonFinite,
  l2Norm,
  largestScale,
  modelDigest,
  quantise,
  vectorBytes,
  vectorFromBytes,
} from '../../src/tensor/index.ts';

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
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

  it('are clipped to the norm, and left alone below it', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 20 }), fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (values, clipNorm) => {
        const [base, trained] = [new Float32Array(values.length), new Float32Array(values)];
        const difference = clippedDifference(trained, base, clipNorm);
        expect(l2Norm(difference)).toBeLessThanOrEqual(clipNorm * (1 + 1e-9));
        if (l2Norm(trained) <= clipNorm) expect([...difference]).toEqual([...trained]);
      }),
    );
    expect([...clippedDifference(new Float32Array([3, 4]), new Float32Array(2), 1)]).toEqual([0.6, 0.8]);
    expect([...addScaled(new Float32Array([1, 2]), new Float64Array([0.5, -4]), 0.5)]).toEqual([1.25, 0]);
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

  it('comes back within half a step, or one step where rounding is by chance; beyond the range it is cut and counted', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 30 }), bits, fc.nat(), (values, wordBits, seed) => {
        const form = { range: 2, scale: largestScale(2, 4, wordBits), bits: wordBits };
        for (const rounding of ['nearest', seededChance('rounding', seed)] as const) {
          const { words, saturated } = quantise(values, form, rounding);
          const back = dequantise(words, form);
          expect(saturated).toBe(values.filter((value) => Math.abs(value) > 2).length);
          const step = (rounding === 'nearest' ? 0.5 : 1) / form.scale;
          values.forEach((value, at) => {
            expect(Math.abs((back[at] ?? 0) - Math.min(2, Math.max(-2, value)))).toBeLessThanOrEqual(step * (1 + 1e-9));
          });
        }
      }),
    );
  });

  it('rounds by chance without bias', () => {
    const chance = seededChance('bias');
    const { words } = quantise(new Float64Array(20_000).fill(0.3), { range: 1, scale: 1, bits: 32 }, chance);
    const mean = dequantise(words, { scale: 1, bits: 32 }).reduce((sum, value) => sum + value, 0) / 20_000;
    expect(Math.abs(mean - 0.3)).toBeLessThan(5 * Math.sqrt(0.21 / 20_000));
  });
});
