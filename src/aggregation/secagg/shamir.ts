/**
 * Shamir's secret sharing (Shamir 1979) over GF(2^8) with the AES polynomial x^8+x^4+x^3+x+1, byte by byte.
 * A share is the values, then the x coordinate in one last byte: the form of the audited `shamir-secret-sharing`,
 * against which it is tested both ways. Ours is synchronous and takes its randomness as an argument.
 */
import { type FreshBytes, ownMemory } from '../../common/index.ts';

const exponents = new Uint8Array(510);
const logarithms = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power++) {
  exponents[power] = value;
  exponents[power + 255] = value;
  logarithms[value] = power;
  value ^= (value << 1) ^ (value & 0x80 ? 0x11b : 0);
  value &= 0xff;
}

function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return exponents[(logarithms[a] ?? 0) + (logarithms[b] ?? 0)] ?? 0;
}

function divide(a: number, b: number): number {
  return multiply(a, exponents[255 - (logarithms[b] ?? 0)] ?? 0);
}

/** Shares of `secret` for the given x coordinates (1 to 255, distinct), any `threshold` of which open it. */
export function splitSecret(secret: Uint8Array, coordinates: readonly number[], threshold: number, fresh: FreshBytes): Uint8Array[] {
  const coefficients = [secret, ...Array.from({ length: threshold - 1 }, () => fresh(secret.length))];
  return coordinates.map((x) => {
    const share = ownMemory(secret.length + 1);
    for (let at = 0; at < secret.length; at++) share[at] = coefficients.reduceRight((y, coefficient) => multiply(y, x) ^ (coefficient[at] ?? 0), 0);
    share[secret.length] = x;
    return share;
  });
}

/** The secret behind at least `threshold` shares (Lagrange interpolation at 0). Fewer or wrong shares give another value: check it by its hash. */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array {
  const size = (shares[0]?.length ?? 1) - 1;
  const coordinates = shares.map((share) => share[size] ?? 0);
  const weights = coordinates.map((x, i) => coordinates.reduce((weight, other, j) => (i === j ? weight : multiply(weight, divide(other, other ^ x))), 1));
  const secret = ownMemory(size);
  for (let at = 0; at < size; at++) secret[at] = shares.reduce((y, share, i) => y ^ multiply(share[at] ?? 0, weights[i] ?? 0), 0);
  return secret;
}
