/**
 * SHA-256 (FIPS 180-4) and HKDF-SHA-256 (RFC 5869): the only hash and the only key derivation of Schwarm.
 * Synchronous `node:crypto`, so that pure rooms may use them.
 */
import { createHash, createSecretKey, hash, hkdfSync } from 'node:crypto';
import { fromHex, toHex, u32, utf8 } from './bytes.ts';
import { type Digest, digest } from './ids.ts';

/** Up to this many bytes, parts are hashed in one piece: setting up a stream costs more than copying them. */
const onePieceSizeBytes = 8_192;

/** Where pieces are put together: this module's own, so that no copy of a secret stays anywhere else; zeros between two calls. */
const onePiece = new Uint8Array(new ArrayBuffer(onePieceSizeBytes));

/** SHA-256 over the concatenation of `parts`, 32 bytes. Parts may be secret: no copy of them stays. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  let sizeBytes = 0;
  for (const part of parts) sizeBytes += part.length;
  if (sizeBytes > onePieceSizeBytes) {
    const stream = createHash('sha256');
    for (const part of parts) stream.update(part);
    return new Uint8Array(stream.digest());
  }
  const whole = onePiece.subarray(0, sizeBytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const digested = new Uint8Array(hash('sha256', whole, 'buffer'));
  whole.fill(0);
  return digested;
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
  const name = utf8(label);
  const parts: Uint8Array[] = [u32(name.length), name];
  for (const field of fields) {
    const bytes = typeof field === 'number' ? u32(field) : typeof field === 'string' ? utf8(field) : field;
    parts.push(u32(bytes.length), bytes);
  }
  return sha256(...parts);
}

/** HKDF-SHA-256 (RFC 5869): `lengthBytes` bytes from input key material, salt and info. */
export function hkdf(keyMaterial: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes = 32): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', createSecretKey(keyMaterial), salt, info, lengthBytes));
}

/** The 32 bytes behind a `Digest`. */
export function digestBytes(value: Digest): Uint8Array {
  return fromHex(value) ?? new Uint8Array(32);
}
