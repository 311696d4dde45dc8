/**
 * The secrets of one member in one round, how they are made, and what others see of them (protocol 3.3): bundles, sealed shares, commitments.
 * Plain values and pure functions; `custodian.ts` keeps them.
 */
import { createCipheriv, createSecretKey } from 'node:crypto';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { concat, type Digest, digest, digestBytes, type FreshBytes, hashFields, toHex } from '../../common/index.ts';
import { keySizes, type RoundKeys } from './keys.ts';
import { splitSecret } from './shamir.ts';

/** A member's public keys and commitments of one round; the ledger holds its hash. */
export interface Bundle {
  readonly x25519: Uint8Array;
  readonly kem: Uint8Array;
  /** H(b) of each attempt, 32 bytes each. */
  readonly seedHashes: readonly Uint8Array[];
  /** Merkle root over all shares of all attempts. */
  readonly shareRoot: Uint8Array;
  /** Reduce-scatter only: H(z) of each attempt and generation, 32 bytes each, the generation as the fast index. */
  readonly pointHashes: readonly Uint8Array[];
}

/**
 * What one member sends another in phase SHARE: shares of its self-mask seeds, and the KEM ciphertext where it is the lower.
 * `sealed` is, for each attempt, a length (u16, big-endian) and that many sealed bytes; none for an attempt that was given up (R1).
 */
export interface SharesMessage {
  /** Empty where the sender is the higher member of the pair. */
  readonly ciphertext: Uint8Array;
  readonly sealed: Uint8Array;
}

/** One share of a missing self-mask seed, with its place under the owner's `shareRoot`. */
export interface OpenedShare {
  readonly share: Uint8Array;
  /** Packed Merkle path. */
  readonly path: Uint8Array;
}

/** What never changes in a round. */
export interface CustodianTerms {
  readonly context: Digest;
  readonly self: number;
  /** Members of the round by index, ascending: shares are dealt to all of them. */
  readonly roster: readonly number[];
  readonly threshold: number;
  readonly attempts: number;
  /** Secret values a member keeps for fingerprint points in each attempt: none in broadcast mode. */
  readonly generations: number;
}

/** What a member has with one other member of the round. */
export interface PairState {
  /** Derived once both bundles and the ciphertext are there. */
  readonly secret?: Uint8Array;
  readonly ciphertext?: Uint8Array;
}

/** All that must survive a crash. Plain values: the peer seals and stores it whole. */
export interface CustodianSnapshot {
  readonly terms: CustodianTerms;
  readonly keys: RoundKeys;
  /** Self-mask seeds `b` by attempt; erased ones are missing. */
  seeds: Record<number, Uint8Array>;
  /** Own shares by attempt and place in the roster; erased with their attempt. */
  dealt: Record<number, readonly Uint8Array[]>;
  readonly dealtLeaves: readonly Uint8Array[];
  /** H(b) of every attempt, also of those whose seed is erased: the bundle stays the same. */
  readonly seedHashes: readonly Uint8Array[];
  readonly bundles: Record<number, Bundle>;
  readonly pairs: Record<number, PairState>;
  /** Shares that others dealt to this member, by owner and attempt. */
  readonly held: Record<number, Record<number, OpenedShare>>;
  /** Seeds revealed by others, by attempt and member. */
  readonly revealed: Record<number, Record<number, Uint8Array>>;
  readonly returned: Record<number, Record<number, Record<number, Uint8Array>>>;
  /** Own point secrets z by attempt, one a generation; erased with their attempt. */
  points: Record<number, readonly Uint8Array[]>;
  readonly pointHashes: readonly Uint8Array[];
  /** Point secrets of others by attempt, generation and member. */
  readonly othersPoints: Record<number, Record<number, Record<number, Uint8Array>>>;
}

const sealTagSizeBytes = 16;
const zeroNonce = new Uint8Array(12);

/** Seals `plain` and overwrites it: ChaCha20-Poly1305 (RFC 8439) under a key that seals nothing else. */
export function seal(key: Uint8Array, context: Digest, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', createSecretKey(key), zeroNonce, { authTagLength: sealTagSizeBytes });
  cipher.setAAD(digestBytes(context), { plaintextLength: plain.length });
  const sealed = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  plain.fill(0);
  return sealed;
}

/**
 * The bytes behind `seal`; undefined where key, context or bytes are others. Not by Node's ciphers, which decrypt into memory that they free as it is:
 * the plain bytes of one message in twenty-five were found in the process afterwards.
 */
export function unseal(key: Uint8Array, context: Digest, sealed: Uint8Array): Uint8Array | undefined {
  try {
    return chacha20poly1305(key, zeroNonce, digestBytes(context)).decrypt(sealed);
  } catch {
    return undefined;
  }
}

/** H(b) of one attempt, as a bundle carries it. */
export function seedHash(context: Digest, member: number, attempt: number, seed: Uint8Array): Uint8Array {
  return hashFields('b', digestBytes(context), member, attempt, seed);
}

/** H(z) of one attempt and generation, as a bundle carries it. */
export function pointHash(context: Digest, member: number, attempt: number, generation: number, point: Uint8Array): Uint8Array {
  return hashFields('z', digestBytes(context), member, attempt, generation, point);
}

/** A share as a leaf under its owner's `shareRoot`. */
export function shareLeaf(context: Digest, owner: number, attempt: number, holder: number, share: Uint8Array): Uint8Array {
  return hashFields('share', digestBytes(context), owner, attempt, holder, share);
}

/** SHA-256 of a bundle within its context, for the ledger. */
export function bundleDigest(context: Digest, member: number, bundle: Bundle): Digest {
  return digest(
    toHex(hashFields('bundle', digestBytes(context), member, bundle.x25519, bundle.kem, ...bundle.seedHashes, bundle.shareRoot, ...bundle.pointHashes)),
  );
}

/** Makes the secrets of a new round from fresh bytes: keys, one self-mask seed an attempt, and their shares. */
export function createSecrets(terms: CustodianTerms, fresh: FreshBytes): CustodianSnapshot {
  const seeds = Array.from({ length: terms.attempts }, () => fresh(32));
  const coordinates = terms.roster.map((member) => member + 1);
  const dealt = seeds.map((seed) => splitSecret(seed, coordinates, terms.threshold, fresh));
  const dealtLeaves = dealt.flatMap((shares, attempt) =>
    shares.map((share, at) => shareLeaf(terms.context, terms.self, attempt, terms.roster[at] ?? 0, share)),
  );
  const seedHashes = seeds.map((seed, attempt) => seedHash(terms.context, terms.self, attempt, seed));
  const keys = { x25519: fresh(32), kemSeed: fresh(keySizes.kemSeed) };
  const points = seeds.map(() => Array.from({ length: terms.generations }, () => fresh(32)));
  const pointHashes = points.flatMap((own, attempt) => own.map((point, generation) => pointHash(terms.context, terms.self, attempt, generation, point)));
  return {
    terms,
    keys,
    seeds: { ...seeds },
    dealt: { ...dealt },
    dealtLeaves,
    seedHashes,
    bundles: {},
    pairs: {},
    held: {},
    revealed: {},
    returned: {},
    points: { ...points },
    pointHashes,
    othersPoints: {},
  };
}
