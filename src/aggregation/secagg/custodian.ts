/**
 * The custodian: what one member knows and may do in one round of the consent-gated secure sum (protocol 3.3, 3.4).
 * It holds every secret of the round and answers only what the machine asked for; there is no call that returns a pair key (R7).
 * Synchronous; fresh bytes are an argument; `snapshot` is what the peer seals on disk before anything leaves.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  concat,
  type Digest,
  digest,
  digestBytes,
  equalBytes,
  type FreshBytes,
  hashFields,
  merklePath,
  merkleRoot,
  merkleVerify,
  packPath,
  toHex,
  unpackPath,
} from '../../common/index.ts';
import { aggregationErrors } from '../errors.ts';
import type { SegmentSlot } from '../plan.ts';
import { attemptContext } from './context.ts';
import {
  kemDecapsulate,
  kemEncapsulate,
  kemKeys,
  keySizes,
  maskKey,
  pairSecret,
  type RoundKeys,
  selfKey,
  shareKey,
  x25519Public,
  x25519Shared,
} from './keys.ts';
import { addMask, addVector } from './masking.ts';
import { combineShares, splitSecret } from './shamir.ts';

/** A member's public keys and commitments of one round; the ledger holds its hash. */
export interface Bundle {
  readonly x25519: Uint8Array;
  readonly kem: Uint8Array;
  /** H(b) of each attempt, 32 bytes each. */
  readonly seedHashes: readonly Uint8Array[];
  /** Merkle root over all shares of all attempts. */
  readonly shareRoot: Uint8Array;
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
}

interface PairState {
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
}

const sealTagSizeBytes = 16;
const zeroNonce = new Uint8Array(12);

function seal(key: Uint8Array, context: Digest, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, zeroNonce, { authTagLength: sealTagSizeBytes });
  cipher.setAAD(digestBytes(context), { plaintextLength: plain.length });
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

function unseal(key: Uint8Array, context: Digest, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < sealTagSizeBytes) return undefined;
  const cipher = createDecipheriv('chacha20-poly1305', key, zeroNonce, { authTagLength: sealTagSizeBytes });
  cipher.setAAD(digestBytes(context), { plaintextLength: sealed.length - sealTagSizeBytes });
  cipher.setAuthTag(sealed.subarray(-sealTagSizeBytes));
  try {
    return concat(cipher.update(sealed.subarray(0, -sealTagSizeBytes)), cipher.final());
  } catch {
    return undefined;
  }
}

function seedHash(context: Digest, member: number, attempt: number, seed: Uint8Array): Uint8Array {
  return hashFields('b', digestBytes(context), member, attempt, seed);
}

function shareLeaf(context: Digest, owner: number, attempt: number, holder: number, share: Uint8Array): Uint8Array {
  return hashFields('share', digestBytes(context), owner, attempt, holder, share);
}

/** SHA-256 of a bundle within its context, for the ledger. */
export function bundleDigest(context: Digest, member: number, bundle: Bundle): Digest {
  return digest(toHex(hashFields('bundle', digestBytes(context), member, bundle.x25519, bundle.kem, ...bundle.seedHashes, bundle.shareRoot)));
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
  return { terms, keys, seeds: { ...seeds }, dealt: { ...dealt }, dealtLeaves, seedHashes, bundles: {}, pairs: {}, held: {}, revealed: {}, returned: {} };
}

/** One member's view of one round. Every call is idempotent: asked twice, it gives the same bytes. */
export class Custodian {
  readonly #state: CustodianSnapshot;
  readonly #fresh: FreshBytes;
  #bundle: Bundle | undefined;
  #kemKeys: ReturnType<typeof kemKeys> | undefined;

  constructor(state: CustodianSnapshot, fresh: FreshBytes) {
    this.#state = state;
    this.#fresh = fresh;
  }

  /** All that must be stored before anything that was computed from it leaves. */
  snapshot(): CustodianSnapshot {
    return this.#state;
  }

  /** This member's own bundle. */
  bundle(): Bundle {
    const { keys, seedHashes, dealtLeaves } = this.#state;
    this.#bundle ??= { x25519: x25519Public(keys.x25519), kem: this.#kem().publicKey, seedHashes, shareRoot: merkleRoot(dealtLeaves) };
    return this.#bundle;
  }

  /** Takes another's bundle whose hash the ledger holds. Throws AGGREGATION_BAD_KEY. */
  acceptBundle(from: number, bundle: Bundle): void {
    const { attempts } = this.#state.terms;
    const shaped = bundle.x25519.length === keySizes.x25519 && bundle.kem.length === keySizes.kemPublic && bundle.shareRoot.length === 32;
    if (!shaped || bundle.seedHashes.length !== attempts || bundle.seedHashes.some((hash) => hash.length !== 32)) {
      throw aggregationErrors.AGGREGATION_BAD_KEY({ member: from, what: 'key bundle' });
    }
    const repeated = [this.bundle(), ...Object.values(this.#state.bundles)].some(
      (other) => equalBytes(other.x25519, bundle.x25519) || equalBytes(other.kem, bundle.kem),
    );
    if (repeated && !this.#state.bundles[from]) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: from, what: 'key that another member uses too' });
    if (!x25519Shared(this.#state.keys.x25519, bundle.x25519)) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: from, what: 'X25519 key of low order' });
    this.#state.bundles[from] = bundle;
    if (this.#state.terms.self < from) this.#agreeAsLower(from, bundle);
  }

  /** The sealed shares for `to`; undefined while its bundle, or the ciphertext of a lower member, is missing. */
  sharesFor(to: number): SharesMessage | undefined {
    const { terms, pairs } = this.#state;
    const pair = pairs[to];
    if (!pair?.secret) return undefined;
    const pieces = Array.from({ length: terms.attempts }, (_, attempt) => this.#sealedShare(to, attempt, pair.secret));
    const sealed = concat(...pieces.flatMap((piece) => [new Uint8Array([piece.length >>> 8, piece.length & 0xff]), piece]));
    return { ciphertext: terms.self < to ? (pair.ciphertext ?? new Uint8Array(0)) : new Uint8Array(0), sealed };
  }

  /** Takes and checks the shares that `from` dealt to this member. Throws AGGREGATION_BAD_SHARE or AGGREGATION_BAD_KEY. */
  acceptShares(from: number, message: SharesMessage): void {
    const { bundles, pairs, held, terms } = this.#state;
    const bundle = bundles[from];
    if (!bundle) throw aggregationErrors.AGGREGATION_BAD_SHARE({ member: from, what: 'shares before its bundle' });
    if (from < terms.self) this.#agreeAsHigher(from, bundle, message.ciphertext);
    const secret = pairs[from]?.secret;
    const opened = secret && this.#openShares(from, message.sealed, secret);
    if (!opened) {
      if (from < terms.self) delete pairs[from];
      throw aggregationErrors.AGGREGATION_BAD_SHARE({ member: from, what: 'shares that do not open' });
    }
    held[from] = opened;
  }

  /** Whether a pair key with each of `set` can be derived. */
  paired(set: readonly number[]): boolean {
    return set.every((member) => member === this.#state.terms.self || this.#state.pairs[member]?.secret !== undefined);
  }

  /**
   * The masked vector of one attempt (protocol 3.4, phase COMMIT): y = Q + Σ_{j>i} PRG(p_ij) - Σ_{j<i} PRG(p_ij) + PRG(self).
   * `words` is not changed. Throws AGGREGATION_ERASED.
   */
  mask(words: Uint8Array, slots: readonly SegmentSlot[], attempt: number, set: readonly number[]): Uint8Array {
    const { terms } = this.#state;
    const context = digestBytes(attemptContext(terms.context, attempt, set));
    const masked = words.slice();
    for (const other of set) {
      if (other === terms.self) continue;
      const secret = this.#state.pairs[other]?.secret;
      if (!secret) throw aggregationErrors.AGGREGATION_ERASED({ attempt, what: `the pair secret with member ${other}` });
      const key = maskKey(secret, context, Math.min(terms.self, other), Math.max(terms.self, other));
      addMask(masked, key, slots, terms.self < other ? 1 : -1);
    }
    addMask(masked, selfKey(this.#seed(attempt), context), slots, 1);
    return masked;
  }

  /** This member's self-mask seed of an attempt, to be revealed after n-of-n READY. Throws AGGREGATION_ERASED. */
  reveal(attempt: number): Uint8Array {
    return this.#seed(attempt);
  }

  /** Takes the seed that `from` revealed, checked against its bundle. Throws AGGREGATION_BAD_SHARE. */
  acceptReveal(from: number, attempt: number, seed: Uint8Array): void {
    const expected = this.#state.bundles[from]?.seedHashes[attempt];
    if (!expected || seed.length !== 32 || !equalBytes(expected, seedHash(this.#state.terms.context, from, attempt, seed))) {
      throw aggregationErrors.AGGREGATION_BAD_SHARE({ member: from, what: `a self-mask seed of attempt ${attempt} that does not fit its bundle` });
    }
    this.#state.revealed[attempt] = { ...this.#state.revealed[attempt], [from]: seed };
  }

  /** The share of `owner`'s seed that this member holds, to be served where the owner is silent after n-of-n READY. */
  shareOf(owner: number, attempt: number): OpenedShare | undefined {
    return this.#state.held[owner]?.[attempt];
  }

  /** Takes a share of `owner`'s seed from `holder`; true once the seed could be rebuilt. Throws AGGREGATION_BAD_SHARE. */
  acceptShareOf(owner: number, holder: number, attempt: number, opened: OpenedShare): boolean {
    if (!this.#shareFits(owner, holder, attempt, opened))
      throw aggregationErrors.AGGREGATION_BAD_SHARE({ member: holder, what: `a wrong share of member ${owner}'s seed` });
    const collected = { ...this.#state.returned[attempt]?.[owner], [holder]: opened.share };
    this.#state.returned[attempt] = { ...this.#state.returned[attempt], [owner]: collected };
    const own = this.#state.held[owner]?.[attempt]?.share;
    const shares = Object.values(own ? { ...collected, [this.#state.terms.self]: own } : collected);
    if (shares.length < this.#state.terms.threshold) return false;
    this.acceptReveal(owner, attempt, combineShares(shares.slice(0, this.#state.terms.threshold)));
    return true;
  }

  /** The plain sum: the masked sum without every self mask of the set. Throws AGGREGATION_ERASED where a seed is missing. */
  unmask(maskedSum: Uint8Array, slots: readonly SegmentSlot[], attempt: number, set: readonly number[]): Uint8Array {
    const { terms } = this.#state;
    const context = digestBytes(attemptContext(terms.context, attempt, set));
    const sum = maskedSum.slice();
    for (const member of set) {
      const seed = member === terms.self ? this.#seed(attempt) : this.#state.revealed[attempt]?.[member];
      if (!seed) throw aggregationErrors.AGGREGATION_ERASED({ attempt, what: `the seed of member ${member}` });
      addMask(sum, selfKey(seed, context), slots, -1);
    }
    return sum;
  }

  /** R1: forgets seeds and shares of every attempt below `attempt`. */
  eraseBelow(attempt: number): void {
    for (let earlier = 0; earlier < attempt; earlier++) {
      delete this.#state.seeds[earlier];
      delete this.#state.dealt[earlier];
      delete this.#state.revealed[earlier];
      delete this.#state.returned[earlier];
      for (const held of Object.values(this.#state.held)) delete held[earlier];
    }
  }

  /** The key pair that the stored seed stands for, made once in the life of this object. */
  #kem(): ReturnType<typeof kemKeys> {
    this.#kemKeys ??= kemKeys(this.#state.keys.kemSeed);
    return this.#kemKeys;
  }

  #seed(attempt: number): Uint8Array {
    const seed = this.#state.seeds[attempt];
    if (!seed) throw aggregationErrors.AGGREGATION_ERASED({ attempt, what: 'the self-mask seed' });
    return seed;
  }

  #agreeAsLower(higher: number, bundle: Bundle): void {
    if (this.#state.pairs[higher]) return;
    const encapsulated = kemEncapsulate(bundle.kem, this.#fresh(32));
    if (!encapsulated) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: higher, what: 'ML-KEM key' });
    this.#state.pairs[higher] = { secret: this.#pairSecret(higher, bundle, encapsulated.secret, encapsulated.ciphertext), ciphertext: encapsulated.ciphertext };
  }

  #agreeAsHigher(lower: number, bundle: Bundle, ciphertext: Uint8Array): void {
    if (this.#state.pairs[lower]) return;
    if (ciphertext.length !== keySizes.kemCiphertext) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: lower, what: 'KEM ciphertext' });
    const secret = kemDecapsulate(this.#kem().secretKey, ciphertext);
    this.#state.pairs[lower] = { secret: this.#pairSecret(lower, bundle, secret, ciphertext), ciphertext };
  }

  #pairSecret(other: number, bundle: Bundle, kem: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const { terms, keys } = this.#state;
    const own = this.bundle();
    const shared = x25519Shared(keys.x25519, bundle.x25519);
    if (!shared) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: other, what: 'X25519 key of low order' });
    const mine = { member: terms.self, x25519: own.x25519, kem: own.kem };
    const theirs = { member: other, x25519: bundle.x25519, kem: bundle.kem };
    const [lower, higher] = terms.self < other ? [mine, theirs] : [theirs, mine];
    return pairSecret(digestBytes(terms.context), shared, kem, { lower, higher, ciphertext });
  }

  #leafIndex(attempt: number, holder: number): number {
    return attempt * this.#state.terms.roster.length + this.#state.terms.roster.indexOf(holder);
  }

  /** Share and path of one attempt for `to`, sealed; empty once they are erased. The same bytes each time: a key seals one message. */
  #sealedShare(to: number, attempt: number, secret: Uint8Array | undefined): Uint8Array {
    const { terms, dealt, dealtLeaves } = this.#state;
    const share = dealt[attempt]?.[terms.roster.indexOf(to)];
    if (!share || !secret) return new Uint8Array(0);
    const plain = concat(share, packPath(merklePath(dealtLeaves, this.#leafIndex(attempt, to))));
    return seal(shareKey(secret, digestBytes(terms.context), { from: terms.self, to, attempt }), terms.context, plain);
  }

  /** The shares in a sealed message: of every attempt that is not given up here; undefined where one of those is missing or does not open. */
  #openShares(from: number, sealed: Uint8Array, secret: Uint8Array): Record<number, OpenedShare> | undefined {
    const { attempts, self, context } = this.#state.terms;
    const opened: Record<number, OpenedShare> = {};
    let at = 0;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const size = ((sealed[at] ?? 0) << 8) | (sealed[at + 1] ?? 0);
      const piece = sealed.slice(at + 2, at + 2 + size);
      at += 2 + size;
      if (this.#state.seeds[attempt] === undefined) continue;
      const plain = unseal(shareKey(secret, digestBytes(context), { from, to: self, attempt }), context, piece);
      if (!plain) return undefined;
      const one = { share: plain.slice(0, 33), path: plain.slice(33) };
      if (!this.#shareFits(from, self, attempt, one))
        throw aggregationErrors.AGGREGATION_BAD_SHARE({ member: from, what: `a wrong share of attempt ${attempt}` });
      opened[attempt] = one;
    }
    return opened;
  }

  #shareFits(owner: number, holder: number, attempt: number, opened: OpenedShare): boolean {
    const { terms, bundles } = this.#state;
    const root = bundles[owner]?.shareRoot;
    const path = unpackPath(opened.path);
    if (!root || !path || opened.share.length !== 33 || opened.share[32] !== holder + 1) return false;
    const leaf = shareLeaf(terms.context, owner, attempt, holder, opened.share);
    return merkleVerify(root, leaf, this.#leafIndex(attempt, holder), terms.attempts * terms.roster.length, path);
  }
}

/** The sum of masked vectors of one plan, by word: new bytes, exact modulo the word size. */
export function sumVectors(vectors: readonly Uint8Array[], slots: readonly SegmentSlot[]): Uint8Array {
  const sum = new Uint8Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) addVector(sum, vector, slots);
  return sum;
}
