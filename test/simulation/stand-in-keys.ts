/**
 * A key agreement that costs a few hashes and hides nothing: what a simulation uses in place of X25519 and ML-KEM-768. It has their sizes and
 * passes the same suite (`test/compliance/key-agreement.ts`): both sides get one secret, any other key or ciphertext gives another.
 */
import type { KeyAgreement } from '../../src/aggregation/index.ts';
import { hashFields } from '../../src/common/index.ts';

const publicSizeBytes = 1184;
const ciphertextSizeBytes = 1088;
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function padded(start: Uint8Array, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(start);
  return bytes;
}

const pointOf = (privateKey: Uint8Array): Uint8Array => hashFields('stand-in/point', privateKey);

/** The stand-in. Whoever sees two public keys knows the secret. */
export const standInKeys: KeyAgreement = {
  x25519Public: pointOf,
  x25519Shared: (privateKey, otherPublic) => {
    if (isZero(otherPublic)) return undefined;
    const own = pointOf(privateKey);
    const [first, second] = Buffer.compare(own, otherPublic) < 0 ? [own, otherPublic] : [otherPublic, own];
    return hashFields('stand-in/shared', first, second);
  },
  kemKeys: (seed) => {
    const publicKey = padded(hashFields('stand-in/kem', seed), publicSizeBytes);
    return { publicKey, secretKey: publicKey };
  },
  kemEncapsulate: (publicKey, randomness) => {
    if (publicKey.length !== publicSizeBytes || !isZero(publicKey.subarray(32))) return undefined;
    const ciphertext = padded(randomness, ciphertextSizeBytes);
    return { ciphertext, secret: hashFields('stand-in/secret', publicKey, ciphertext) };
  },
  kemDecapsulate: (secretKey, ciphertext) => hashFields('stand-in/secret', secretKey, ciphertext),
};
