/**
 * SHA-256 (FIPS 180-4) and HKDF-SHA-256 (RFC 5869): the only hash and the only key derivation of Schwarm.
 * Synchronous `node:crypto`, so that pure rooms may use them.
 */
import { createHash, hkdfSync } from 'node:crypto';
import { fromHex, toHex, u32, utf8 } from './bytes.ts';
import { type Digest, digest } from './ids.ts';

/** SHA-256 over the concatenation of `parts`, 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** SHA-256 over `parts` as a `Digest`. */
export function digestOf(...parts: readonly Uint8Array[]): Digest {
  return digest(toHex(sha256(...parts)));
}

/**
 * SHA-256 over a domain label and length-prefixed fields: `u32(length) ‖ bytes` for each, the label first.
 * Two different lists of fields never give the same input bytes.
 */
export function hashFields(label: string, ...fields: readonly (Uint8Array | string | number)[]): Uint8Array {
  const hash = createHash('sha256');
  for (const field of [label, ...fields]) {
    const bytes = typeof field === 'number' ? u32(field) : typeof field === 'string' ? utf8(field) : field;
    hash.update(u32(bytes.length)).update(bytes);
  }
  return new Uint8Array(hash.digest());
}

/** HKDF-SHA-256 (RFC 5869): `lengthBytes` bytes from input key material, salt and info. */
export function hkdf(keyMaterial: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes = 32): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', keyMaterial, salt, info, lengthBytes));
}

/** The 32 bytes behind a `Digest`. */
export function digestBytes(value: Digest): Uint8Array {
  return fromHex(value) ?? new Uint8Array(32);
}
