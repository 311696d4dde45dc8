/**
 * The linear fingerprint of reduce-scatter (protocol 3.6; Carter and Wegman 1981, polynomial hashing): a vector of 32-bit words w_0 … w_{L-1} is
 * P(ρ) = Σ w_l · ρ^(L-1-l) over GF(2^61-1). It is linear, so fingerprints of summands add up to that of their sum, and two different vectors of
 * L words agree at a random ρ with probability at most L / 2^61.
 */
import { carrySlices } from './carries.ts';
import { kernels } from './fastest.ts';
import { type Kernels, type PowerLimbs, powerCount } from './kernels.ts';

/** The prime 2^61 - 1 of the fingerprint's field. */
export const fingerprintPrime = (1n << 61n) - 1n;

/** Both factors below the prime. */
function multiply(a: bigint, b: bigint): bigint {
  return (a * b) % fingerprintPrime;
}

/** Limbs of 21, 20 and 20 bits of all powers below `powerCount`, descending. */
function powerLimbs(point: bigint): PowerLimbs {
  const limbs: PowerLimbs = [new Uint32Array(powerCount + 3), new Uint32Array(powerCount + 3), new Uint32Array(powerCount + 3)];
  let power = 1n;
  for (let at = powerCount - 1; at >= 0; at--, power = multiply(power, point)) {
    limbs[0][at] = Number(power & 0x1f_ffffn);
    limbs[1][at] = Number((power >> 21n) & 0xf_ffffn);
    limbs[2][at] = Number(power >> 41n);
  }
  return limbs;
}

/** A point of the field from 16 bytes of a hash, little-endian; its bias is below 2^-66. */
export function fingerprintPoint(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let at = Math.min(bytes.length, 16) - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[at] ?? 0);
  return value % fingerprintPrime;
}

/** Makes fingerprints at one point; the powers of the point are computed once. */
export class Fingerprinter {
  readonly #point: bigint;
  readonly #powers: PowerLimbs;
  readonly #shift: bigint;
  readonly #kernels: Kernels;

  constructor(point: bigint, using: Kernels = kernels) {
    this.#point = point % fingerprintPrime;
    this.#powers = powerLimbs(this.#point);
    this.#shift = this.#power(powerCount);
    this.#kernels = using;
  }

  /** The fingerprint of `before`'s words followed by `words` (whole 32-bit words): slices of a vector in order give the vector's. */
  extend(before: bigint, words: Uint8Array): bigint {
    let value = before;
    for (let at = 0; at < words.length; at += 4 * powerCount) {
      const slice = words.subarray(at, at + 4 * powerCount);
      const count = slice.length / 4;
      const shift = count === powerCount ? this.#shift : this.#power(count);
      value = (value * shift + this.#kernels.powerSum(slice, this.#powers)) % fingerprintPrime;
    }
    return value;
  }

  /** The fingerprint of a vector of 32-bit words. */
  of(words: Uint8Array): bigint {
    return this.extend(0n, words);
  }

  /** The fingerprint of `count` packed carries, each one coefficient. */
  ofCarries(packed: Uint8Array, count: number, bits: number): bigint {
    let value = 0n;
    for (const slice of carrySlices(packed, count, bits)) value = this.extend(value, slice);
    return value;
  }

  #power(exponent: number): bigint {
    let [result, base] = [1n, this.#point];
    for (let rest = exponent; rest > 0; rest >>>= 1, base = multiply(base, base)) if (rest % 2 === 1) result = multiply(result, base);
    return result;
  }
}

/** Whether the fingerprints of all summands add up to that of low words and carries: Σ φ_i = φ(low) + 2^32 · φ(carries). */
export function fingerprintsAgree(summands: readonly bigint[], low: bigint, carries: bigint): boolean {
  return summands.reduce((sum, value) => sum + value, 0n) % fingerprintPrime === (low + (carries << 32n)) % fingerprintPrime;
}
