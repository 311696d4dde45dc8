/**
 * The custodian: what one member knows and may do in one round of the consent-gated secure sum (protocol 3.3, 3.4).
 * It holds every secret of the round and answers only what the machine asked for; no pair key leaves the process (R7): only `masks` gives keys of one attempt, to the thread that masks.
 * Synchronous; fresh bytes are drawn once, when a round's secrets are made: whatever leaves later follows from them, also after the disk was set back; `snapshot` is what the peer seals on disk before anything leaves.
 */
import { concat, digestBytes, equalBytes, merklePaths, merkleRoot, merkleVerify, ownCopy, unpackPath } from '../../common/index.ts';
import { aggregationErrors } from '../errors.ts';
import { attemptContext } from './context.ts';
import { hybridKeys, type KeyAgreement, kemCoins, keySizes, maskKey, pairSecret, selfKey, shareKey } from './keys.ts';
import type { MaskStream } from './masking.ts';
import { type Bundle, type CustodianSnapshot, type OpenedShare, pointHash, type SharesMessage, seal, seedHash, shareLeaf, unseal } from './secrets.ts';
import { combineShares } from './shamir.ts';

/** Fills every byte string in plain values with zeros. */
function overwrite(...values: readonly unknown[]): void {
  for (const value of values) {
    if (value instanceof Uint8Array) value.fill(0);
    else if (typeof value === 'object' && value !== null) overwrite(...Object.values(value));
  }
}

/** One member's view of one round. Every call is idempotent: asked twice, it gives the same bytes. */
export class Custodian {
  readonly #state: CustodianSnapshot;
  readonly #agreement: KeyAgreement;
  #bundle: Bundle | undefined;
  #paths: readonly Uint8Array[] | undefined;
  /** Sealed shares by receiver: asked again, the same bytes; gone with the first erase. */
  readonly #sealed = new Map<number, SharesMessage>();
  #kemKeys: ReturnType<KeyAgreement['kemKeys']> | undefined;

  constructor(state: CustodianSnapshot, agreement: KeyAgreement = hybridKeys) {
    this.#state = state;
    this.#agreement = agreement;
  }

  /** All that must be stored before anything that was computed from it leaves. */
  snapshot(): CustodianSnapshot {
    return this.#state;
  }

  /** This member's own bundle. */
  bundle(): Bundle {
    const { keys, seedHashes, dealtLeaves, pointHashes } = this.#state;
    const x25519 = this.#agreement.x25519Public(keys.x25519);
    this.#bundle ??= { x25519, kem: this.#kem().publicKey, seedHashes, shareRoot: merkleRoot(dealtLeaves), pointHashes };
    return this.#bundle;
  }

  /**
   * Takes another's bundle whose hash the ledger holds. Throws AGGREGATION_BAD_KEY. Two others with one key are both taken: who copied from whom
   * cannot be seen from here, the copy opens nothing, and every key of a pair is bound to the members' numbers.
   */
  acceptBundle(from: number, bundle: Bundle): void {
    const { attempts, generations } = this.#state.terms;
    const counted = bundle.seedHashes.length === attempts && bundle.pointHashes.length === attempts * generations;
    const shaped = bundle.x25519.length === keySizes.x25519 && bundle.kem.length === keySizes.kemPublic && bundle.shareRoot.length === 32;
    if (!shaped || !counted || [...bundle.seedHashes, ...bundle.pointHashes].some((hash) => hash.length !== 32)) {
      throw aggregationErrors.AGGREGATION_BAD_KEY({ member: from, what: 'key bundle' });
    }
    const own = this.bundle();
    if (equalBytes(own.x25519, bundle.x25519) || equalBytes(own.kem, bundle.kem))
      throw aggregationErrors.AGGREGATION_BAD_KEY({ member: from, what: 'key of this member' });
    const shared = this.#agreement.x25519Shared(this.#state.keys.x25519, bundle.x25519);
    if (!shared) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: from, what: 'X25519 key of low order' });
    overwrite(shared);
    this.#state.bundles[from] = bundle;
    if (this.#state.terms.self < from) this.#agreeAsLower(from, bundle);
  }

  /** The sealed shares for `to`; undefined while its bundle, or the ciphertext of a lower member, is missing. */
  sharesFor(to: number): SharesMessage | undefined {
    const { terms, pairs } = this.#state;
    const pair = pairs[to];
    if (!pair?.secret) return undefined;
    const known = this.#sealed.get(to);
    if (known) return known;
    const pieces = Array.from({ length: terms.attempts }, (_, attempt) => this.#sealedShare(to, attempt, pair.secret));
    const sealed = concat(...pieces.flatMap((piece) => [new Uint8Array([piece.length >>> 8, piece.length & 0xff]), piece]));
    const message = { ciphertext: terms.self < to ? (pair.ciphertext ?? new Uint8Array(0)) : new Uint8Array(0), sealed };
    this.#sealed.set(to, message);
    return message;
  }

  /**
   * Takes and checks the shares that `from` dealt to this member; once they are held, what else it sends changes nothing. Throws AGGREGATION_BAD_SHARE or
   * AGGREGATION_BAD_KEY.
   */
  acceptShares(from: number, message: SharesMessage): void {
    const { bundles, pairs, held, terms } = this.#state;
    if (held[from]) return;
    const bundle = bundles[from];
    if (!bundle) throw aggregationErrors.AGGREGATION_BAD_SHARE({ member: from, what: 'shares before its bundle' });
    if (from < terms.self) this.#agreeAsHigher(from, bundle, message.ciphertext);
    const secret = pairs[from]?.secret;
    const opened = secret && this.#openShares(from, message.sealed, secret);
    if (!opened) {
      if (from < terms.self) {
        delete pairs[from];
        this.#sealed.delete(from);
      }
      throw aggregationErrors.AGGREGATION_BAD_SHARE({ member: from, what: 'shares that do not open' });
    }
    held[from] = opened;
  }

  /**
   * The masks of one attempt (protocol 3.4, phase COMMIT): Σ_{j>i} PRG(p_ij) - Σ_{j<i} PRG(p_ij) + PRG(self). For the thread of this process that
   * masks, and for nothing else (R7): their keys serve one vector and are overwritten after it. Throws AGGREGATION_ERASED.
   */
  masks(attempt: number, set: readonly number[], within?: readonly number[]): readonly MaskStream[] {
    const { terms } = this.#state;
    const context = this.#contextOf(attempt, set, within);
    const pairs = set.flatMap((other): MaskStream[] => {
      if (other === terms.self) return [];
      const secret = this.#state.pairs[other]?.secret;
      if (!secret) throw aggregationErrors.AGGREGATION_ERASED({ attempt, what: `the pair secret with member ${other}` });
      return [{ key: maskKey(secret, context, Math.min(terms.self, other), Math.max(terms.self, other)), sign: terms.self < other ? 1 : -1 }];
    });
    return [...pairs, { key: selfKey(this.#seed(attempt), context), sign: 1 }];
  }

  /** This member's self-mask seed of an attempt, to be revealed after n-of-n READY. Throws AGGREGATION_ERASED. */
  reveal(attempt: number): Uint8Array {
    return this.#seed(attempt);
  }

  /** This member's secret value behind the points of a generation. Throws AGGREGATION_ERASED. */
  point(attempt: number, generation: number): Uint8Array {
    const point = this.#state.points[attempt]?.[generation];
    if (!point) throw aggregationErrors.AGGREGATION_ERASED({ attempt, what: `the point secret of generation ${generation}` });
    return point;
  }

  /** Takes another's secret value behind the points, checked against its bundle. Throws AGGREGATION_BAD_SHARE. */
  acceptPoint(from: number, attempt: number, generation: number, point: Uint8Array): void {
    const { terms, bundles, othersPoints } = this.#state;
    const expected = bundles[from]?.pointHashes[attempt * terms.generations + generation];
    if (
      !expected ||
      generation >= terms.generations ||
      point.length !== 32 ||
      !equalBytes(expected, pointHash(terms.context, from, attempt, generation, point))
    )
      throw aggregationErrors.AGGREGATION_BAD_SHARE({ member: from, what: `a point secret of attempt ${attempt} that does not fit its bundle` });
    const generations = othersPoints[attempt] ?? {};
    othersPoints[attempt] = { ...generations, [generation]: { ...generations[generation], [from]: point } };
  }

  /** The point secrets of all of `set` in order; undefined while one is missing. */
  points(attempt: number, generation: number, set: readonly number[]): readonly Uint8Array[] | undefined {
    const held = this.#state.othersPoints[attempt]?.[generation] ?? {};
    const points = set.flatMap((member) => (member === this.#state.terms.self ? this.point(attempt, generation) : (held[member] ?? [])));
    return points.length === set.length ? points : undefined;
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

  /** What takes the self masks of a set away from its masked sum. Throws AGGREGATION_ERASED where a seed is missing. */
  selfMasks(attempt: number, set: readonly number[], within?: readonly number[]): readonly MaskStream[] {
    const { terms } = this.#state;
    const context = this.#contextOf(attempt, set, within);
    return set.map((member) => {
      const seed = member === terms.self ? this.#seed(attempt) : this.#state.revealed[attempt]?.[member];
      if (!seed) throw aggregationErrors.AGGREGATION_ERASED({ attempt, what: `the seed of member ${member}` });
      return { key: selfKey(seed, context), sign: -1 };
    });
  }

  /** R1: forgets seeds and shares of every attempt below `attempt`. */
  eraseBelow(attempt: number): void {
    this.#sealed.clear();
    for (let earlier = 0; earlier < attempt; earlier++) {
      overwrite(this.#state.seeds[earlier], this.#state.dealt[earlier], this.#state.revealed[earlier], this.#state.returned[earlier]);
      for (const held of Object.values(this.#state.held)) overwrite(held[earlier]);
      delete this.#state.seeds[earlier];
      delete this.#state.dealt[earlier];
      delete this.#state.revealed[earlier];
      delete this.#state.returned[earlier];
      delete this.#state.points[earlier];
      delete this.#state.othersPoints[earlier];
      for (const held of Object.values(this.#state.held)) delete held[earlier];
    }
  }

  /** ctx_a; for a group within the set of an attempt, the same again over ctx_a and the group. */
  #contextOf(attempt: number, set: readonly number[], within?: readonly number[]): Uint8Array {
    const { context } = this.#state.terms;
    return digestBytes(within ? attemptContext(attemptContext(context, attempt, within), attempt, set) : attemptContext(context, attempt, set));
  }

  /** Overwrites every secret of the round in memory; nothing can be asked of this custodian afterwards. */
  wipe(): void {
    this.eraseBelow(this.#state.terms.attempts);
    overwrite(this.#state.keys, this.#state.pairs, this.#kemKeys?.secretKey);
  }

  /** The key pair that the stored seed stands for, made once in the life of this object. */
  #kem(): ReturnType<KeyAgreement['kemKeys']> {
    this.#kemKeys ??= this.#agreement.kemKeys(this.#state.keys.kemSeed);
    return this.#kemKeys;
  }

  #seed(attempt: number): Uint8Array {
    const seed = this.#state.seeds[attempt];
    if (!seed) throw aggregationErrors.AGGREGATION_ERASED({ attempt, what: 'the self-mask seed' });
    return seed;
  }

  #agreeAsLower(higher: number, bundle: Bundle): void {
    if (this.#state.pairs[higher]) return;
    const { terms, keys } = this.#state;
    const coins = kemCoins(keys, digestBytes(terms.context), { from: terms.self, to: higher, kem: bundle.kem });
    const encapsulated = this.#agreement.kemEncapsulate(bundle.kem, coins);
    coins.fill(0);
    if (!encapsulated) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: higher, what: 'ML-KEM key' });
    this.#state.pairs[higher] = { secret: this.#pairSecret(higher, bundle, encapsulated.secret, encapsulated.ciphertext), ciphertext: encapsulated.ciphertext };
  }

  #agreeAsHigher(lower: number, bundle: Bundle, ciphertext: Uint8Array): void {
    if (this.#state.pairs[lower]) return;
    if (ciphertext.length !== keySizes.kemCiphertext) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: lower, what: 'KEM ciphertext' });
    const secret = this.#agreement.kemDecapsulate(this.#kem().secretKey, ciphertext);
    this.#state.pairs[lower] = { secret: this.#pairSecret(lower, bundle, secret, ciphertext), ciphertext };
  }

  #pairSecret(other: number, bundle: Bundle, kem: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const { terms, keys } = this.#state;
    const own = this.bundle();
    const shared = this.#agreement.x25519Shared(keys.x25519, bundle.x25519);
    if (!shared) throw aggregationErrors.AGGREGATION_BAD_KEY({ member: other, what: 'X25519 key of low order' });
    const mine = { member: terms.self, x25519: own.x25519, kem: own.kem };
    const theirs = { member: other, x25519: bundle.x25519, kem: bundle.kem };
    const [lower, higher] = terms.self < other ? [mine, theirs] : [theirs, mine];
    const secret = pairSecret(digestBytes(terms.context), shared, kem, { lower, higher, ciphertext });
    overwrite(shared, kem);
    return secret;
  }

  #leafIndex(attempt: number, holder: number): number {
    return attempt * this.#state.terms.roster.length + this.#state.terms.roster.indexOf(holder);
  }

  /** Share and path of one attempt for `to`, sealed; empty once they are erased. The same bytes each time: a key seals one message. */
  #sealedShare(to: number, attempt: number, secret: Uint8Array | undefined): Uint8Array {
    const { terms, dealt, dealtLeaves } = this.#state;
    const share = dealt[attempt]?.[terms.roster.indexOf(to)];
    if (!share || !secret) return new Uint8Array(0);
    this.#paths ??= merklePaths(dealtLeaves);
    const plain = concat(share, this.#paths[this.#leafIndex(attempt, to)] ?? new Uint8Array(0));
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
      const one = { share: ownCopy(plain.subarray(0, 33)), path: ownCopy(plain.subarray(33)) };
      plain.fill(0);
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
