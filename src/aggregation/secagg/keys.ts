/**
 * Key agreement of one pair in one round: X25519 (RFC 7748) and ML-KEM-768 (FIPS 203) combined by HKDF, so that the pair
 * secret holds while either does. All randomness is an argument.
 */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat, hashFields, hkdf, u32, utf8 } from '../../common/index.ts';

const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');

/** A private key of 32 bytes as OpenSSL has it; the copy that is made on the way is overwritten. */
function privateKeyOf(privateKey: Uint8Array): ReturnType<typeof createPrivateKey> {
  const der = Buffer.concat([pkcs8Prefix, privateKey]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return key;
}

/** The X25519 public key, 32 bytes, of a private key of 32 bytes. */
export function x25519Public(privateKey: Uint8Array): Uint8Array {
  const key = privateKeyOf(privateKey);
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** The X25519 shared secret, 32 bytes; undefined where the other's point is of low order (RFC 7748 section 6.1). */
export function x25519Shared(privateKey: Uint8Array, otherPublic: Uint8Array): Uint8Array | undefined {
  const own = privateKeyOf(privateKey);
  const other = createPublicKey({ key: Buffer.concat([spkiPrefix, otherPublic]), format: 'der', type: 'spki' });
  try {
    const shared = diffieHellman({ privateKey: own, publicKey: other });
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

/**
 * The 32 bytes that a member encapsulates to another with: from its own secret keys, the pair and the other's public key, so that a member whose
 * disk was set back to after its JOIN sends the same ciphertext again and has the same pair secret.
 */
export function kemCoins(
  keys: RoundKeys,
  context: Uint8Array,
  { from, to, kem }: { readonly from: number; readonly to: number; readonly kem: Uint8Array },
): Uint8Array {
  const both = concat(keys.x25519, keys.kemSeed);
  const coins = hkdf(both, context, hashFields('schwarm/kem-coins/1', from, to, kem));
  both.fill(0);
  return coins;
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

/** Both halves of a pair's key agreement; `hybridKeys` is the one of the protocol, a simulation may bring a cheap one of the same behaviour. */
export interface KeyAgreement {
  /** The public key, 32 bytes, of 32 private ones. */
  readonly x25519Public: typeof x25519Public;
  /** The secret that both members of a pair derive, 32 bytes; undefined for a public key that fixes it. */
  readonly x25519Shared: typeof x25519Shared;
  /** Keys out of a 64-byte seed; the public one has 1,184 bytes. */
  readonly kemKeys: typeof kemKeys;
  /** A ciphertext of 1,088 bytes and its secret of 32; undefined for an invalid key. */
  readonly kemEncapsulate: typeof kemEncapsulate;
  /** The secret behind a ciphertext, or an unrelated one. */
  readonly kemDecapsulate: typeof kemDecapsulate;
}

/** X25519 and ML-KEM-768. */
export const hybridKeys: KeyAgreement = { x25519Public, x25519Shared, kemKeys, kemEncapsulate, kemDecapsulate };

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
  const both = concat(x25519, kem);
  const secret = hkdf(both, context, info);
  both.fill(0);
  return secret;
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
