/** Carries of sums of 32-bit words by examples: how they are packed, sliced and gathered, and when they agree with fingerprints. */
import { describe, expect, it } from 'vitest';
import { carryBits, carrySlices, packCarries, sumWithCarries, unpackCarries, WideSum } from '../../src/aggregation/kernels/carries.ts';
import { Fingerprinter, fingerprintPoint, fingerprintPrime, fingerprintsAgree } from '../../src/aggregation/kernels/fingerprint.ts';
import { bytesOf, wordsOf } from '../support/words.ts';

describe('carries', () => {
  it('take as many bits as the sum of so many words can go over', () => {
    expect([2, 3, 4, 5, 8, 9, 64, 65, 256].map(carryBits)).toEqual([1, 2, 2, 3, 3, 4, 6, 7, 8]);
  });

  it('lie in bits, the lowest of the first byte first, and come back from there', () => {
    const carries = new Uint8Array([1, 2, 7, 0, 5]);
    // 101 000 111 010 001 from the right.
    const packed = packCarries(carries, 3);
    expect([...packed]).toEqual([0b1101_0001, 0b0101_0001]);
    expect(unpackCarries(packed, 5, 3)).toEqual(carries);
    expect([...packCarries(new Uint8Array([3, 255]), 8)]).toEqual([3, 255]);
    expect(unpackCarries(new Uint8Array([3, 255]), 2, 8)).toEqual(new Uint8Array([3, 255]));
  });

  it('have one packed form: so many bytes, and no bit behind the last', () => {
    expect(unpackCarries(new Uint8Array([0b0000_0111, 0]), 3, 2)).toBeUndefined();
    expect(unpackCarries(new Uint8Array(0), 3, 2)).toBeUndefined();
    expect(unpackCarries(new Uint8Array([0b0100_0111]), 3, 2)).toBeUndefined();
    expect(unpackCarries(new Uint8Array([0b0011_0111]), 3, 2)).toEqual(new Uint8Array([3, 1, 3]));
    expect(unpackCarries(new Uint8Array([0xff]), 4, 2)).toEqual(new Uint8Array([3, 3, 3, 3]));
  });

  it('become words a slice at a time, none left out and none twice', () => {
    const carries = Uint8Array.from({ length: 2 * 8192 + 5 }, (_, at) => at % 7);
    const words = [...carrySlices(packCarries(carries, 3), carries.length, 3)];
    expect(words.map(({ length }) => length / 4)).toEqual([8192, 8192, 5]);
    expect(Buffer.concat(words).findIndex((byte, at) => byte !== (at % 4 === 0 ? carries[at / 4] : 0))).toBe(-1);
  });

  it('of a vector in pieces are those of the whole', () => {
    const sum = new WideSum(16);
    const whole = bytesOf([0xffff_ffff, 1, 0xffff_ffff, 5]);
    sum.add(whole);
    sum.add(whole.subarray(0, 4));
    sum.add(whole.subarray(4), 4);
    expect(wordsOf(sum.low)).toEqual([0xffff_fffe, 2, 0xffff_fffe, 10]);
    expect([...sum.carries]).toEqual([1, 0, 1, 0]);
  });

  it('of several vectors count all of them, and a fingerprint of packed carries is that of the words that they are', () => {
    const { low, carries } = sumWithCarries([bytesOf([0xffff_ffff, 1]), bytesOf([0xffff_ffff, 2]), bytesOf([2, 3])], 8);
    expect([wordsOf(low), [...carries]]).toEqual([
      [0, 6],
      [2, 0],
    ]);
    // 2 · 10 + 0 at the point 10.
    expect(new Fingerprinter(10n).ofCarries(packCarries(carries, 2), 2, 2)).toBe(20n);
  });

  it('are checked at a point that is the first sixteen bytes of a hash, little-endian, in the field', () => {
    expect(fingerprintPoint(new Uint8Array([5, 1]))).toBe(261n);
    expect(fingerprintPoint(new Uint8Array(16).fill(0xff))).toBe((2n ** 128n - 1n) % fingerprintPrime);
    expect(fingerprintPoint(new Uint8Array(32).fill(1, 16))).toBe(0n);
  });

  it('agree with low words where the fingerprints of all summands do: Σ φ = φ(low) + 2^32 · φ(carries)', () => {
    expect(fingerprintsAgree([2n ** 32n, 5n], 5n, 1n)).toBe(true);
    expect(fingerprintsAgree([2n ** 32n, 5n], 6n, 1n)).toBe(false);
    expect(fingerprintsAgree([fingerprintPrime - 1n, 1n], 0n, 0n)).toBe(true);
  });
});
