/**
 * Key agreement of one pair in one round: X25519 (RFC 7748) and ML-KEM-768 (FIPS 203) combined by HKDF, so that the pair
 * secret holds while either does. All randomness is an argument.
 */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat, hashFields, hkdf, u32, utf8 } from '../../common/index.ts';

const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');

/** The X25519 public key, 32 bytes, of a private key of 32 bytes. */
export function x25519Public(privateKey: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, privateKey]), format: 'der', type: 'pkcs8' });
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** The X25519 shared secret, 32 bytes; undefined where the other's point is of low order (RFC 7748 section 6.1). */
export function x25519Shared(privateKey: Uint8Array, otherPublic: Uint8Array): Uint8Array | undefined {
  const own = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, privateKey]), format: 'der', type: 'pkcs8' });
  const other = createPublicKey({ key: Buffer.concat([spkiPrefix, otherPublic]), format: 'der', type: 'spki' });
  try {
    const shared = new Uint8Array(diffieHellman({ privateKey: own, publicKey: other }));
    return shared.some((byte) => byte !== 0) ? shared : undefined;
  } catch {
    return undefined;
  }
}

/** Sizes in bytes of what travels (FIPS 203 table 3, ML-KEM-768). */
export const keySizes = { x25519: 32, kemPublic: 1184, kemCiphertext: 1088, kemSeed: 64 } as const;

/** One member's key pairs of one round: 32 bytes for X25519 and the 64-byte seed of ML-KEM-768. */
export interface RoundKeys {
  readonly x25519: Uint8Array;
  readonly kemSeed: Uint8Array;
}

/** Both keys of ML-KEM-768 (1,184 and 2,400 bytes) out of a 64-byte seed d ‖ z. */
export function kemKeys(seed: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } {
  return ml_kem768.keygen(seed);
}

/** Encapsulates to another's key with 32 bytes of randomness; undefined where the key is not a valid one (FIPS 203 section 7.2). */
export function kemEncapsulate(publicKey: Uint8Array, randomness: Uint8Array): { ciphertext: Uint8Array; secret: Uint8Array } | undefined {
  try {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, randomness);
    return { ciphertext: cipherText, secret: sharedSecret };
  } catch {
    return undefined;
  }
}

/** The secret behind a ciphertext of 1,088 bytes. A wrong ciphertext gives an unrelated secret (implicit rejection), never an error. */
export function kemDecapsulate(secretKey: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return ml_kem768.decapsulate(ciphertext, secretKey);
}

/** Public values of a pair, in the order lower member, higher member. */
export interface PairTranscript {
  readonly lower: { readonly member: number; readonly x25519: Uint8Array; readonly kem: Uint8Array };
  readonly higher: { readonly member: number; readonly x25519: Uint8Array; readonly kem: Uint8Array };
  /** Made by the lower member for the higher. */
  readonly ciphertext: Uint8Array;
}

/** The pair secret, 32 bytes: HKDF over both shared secrets, salted with the context, with the hash of the whole transcript as info. */
export function pairSecret(context: Uint8Array, x25519: Uint8Array, kem: Uint8Array, transcript: PairTranscript): Uint8Array {
  const { lower, higher, ciphertext } = transcript;
  const info = hashFields('schwarm/pair-secret/1', lower.member, higher.member, lower.x25519, higher.x25519, lower.kem, higher.kem, ciphertext);
  return hkdf(concat(x25519, kem), context, info);
}

/** The mask key of a pair in one attempt, 32 bytes: one attempt, one vector. */
export function maskKey(secret: Uint8Array, attemptContext: Uint8Array, lower: number, higher: number): Uint8Array {
  return hkdf(secret, attemptContext, concat(utf8('pair'), u32(lower), u32(higher)));
}

/** The key under which the share of one attempt travels from one member to another, 32 bytes: one message. */
export function shareKey(secret: Uint8Array, context: Uint8Array, path: { readonly from: number; readonly to: number; readonly attempt: number }): Uint8Array {
  return hkdf(secret, context, concat(utf8('share'), u32(path.from), u32(path.to), u32(path.attempt)));
}

/** The key of the self mask in one attempt, 32 bytes, from the self-mask seed `b`. */
export function selfKey(seed: Uint8Array, attemptContext: Uint8Array): Uint8Array {
  return hkdf(seed, attemptContext, utf8('self'));
}
