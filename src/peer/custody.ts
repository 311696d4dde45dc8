/**
 * Custody: a round's secrets on disk, and every step that touches them. Each call stores first and returns after, so what the
 * driver does next may leave the house.
 */
import { randomBytes } from 'node:crypto';
import { type Bundle, bundleDigest, Custodian, type CustodianTerms, createSecrets, planSlots, type SumPlan, sumVectors } from '../aggregation/index.ts';
import { assert, type Digest, digestOf } from '../common/index.ts';
import type { Item, MemberSet, MessageBody, RoundKey } from '../wire/index.ts';
import type { BlobStore } from './store/blobs.ts';
import type { RoundSecrets, Vault } from './store/vault.ts';

const fresh = (sizeBytes: number): Uint8Array => new Uint8Array(randomBytes(sizeBytes));

/** Secrets and vectors of one round at this member. */
export class Custody {
  readonly #key: RoundKey;
  readonly #vault: Vault;
  readonly #blobs: BlobStore;
  #secrets: RoundSecrets | undefined;
  #custodian: Custodian | undefined;
  readonly #stored = new Set<Digest>();

  constructor(key: RoundKey, vault: Vault, blobs: BlobStore) {
    this.#key = key;
    this.#vault = vault;
    this.#blobs = blobs;
    this.#secrets = vault.load(key);
    this.#custodian = this.#secrets && new Custodian(this.#secrets.custodian, fresh);
  }

  /** Makes (or finds) this member's secrets of the round and gives the hash of its bundle. */
  makeBundle(terms: CustodianTerms): Digest {
    if (!this.#secrets) {
      this.#secrets = { custodian: createSecrets(terms, fresh), masks: {} };
      this.#custodian = new Custodian(this.#secrets.custodian, fresh);
      this.#store();
    }
    return bundleDigest(terms.context, terms.self, this.#open().bundle());
  }

  /** Whether this member's words of the round are stored. */
  hasWords(): boolean {
    return this.#secrets?.words !== undefined;
  }

  /** Stores this member's words. The first ones stay (R5). */
  setWords(words: Uint8Array): void {
    if (!this.#secrets || this.#secrets.words) return;
    this.#secrets.words = words;
    this.#store();
  }

  /** Takes another's bundle. Throws AGGREGATION_BAD_KEY. */
  acceptBundle(from: number, bundle: Bundle): void {
    this.#open().acceptBundle(from, bundle);
    this.#store();
  }

  /** Takes another's shares. Throws AGGREGATION_BAD_SHARE or AGGREGATION_BAD_KEY. */
  acceptShares(from: number, message: { readonly ciphertext: Uint8Array; readonly sealed: Uint8Array }): void {
    this.#open().acceptShares(from, message);
    this.#store();
  }

  /** The message that answers a request; undefined where something it needs is gone. */
  answer(to: number, item: Item): MessageBody | undefined {
    const custodian = this.#open();
    switch (item.kind) {
      case 'bundle':
        return { kind: 'bundle', ...custodian.bundle() };
      case 'shares': {
        const shares = custodian.sharesFor(to);
        if (shares) this.#store();
        return shares && { kind: 'shares', ...shares };
      }
      case 'seed':
        return { kind: 'seed', attempt: item.attempt, seed: custodian.reveal(item.attempt) };
      case 'seedShare': {
        const opened = custodian.shareOf(item.owner, item.attempt);
        return opened && { kind: 'seedShare', attempt: item.attempt, owner: item.owner, ...opened };
      }
    }
  }

  /** The root of the masked vector of an attempt; undefined where a crash interrupted the masking: then it is never computed again. */
  mask(plan: SumPlan, attempt: number, set: MemberSet): Digest | undefined {
    const secrets = this.#secrets;
    const words = secrets?.words;
    if (!secrets || !words) return undefined;
    const begun = secrets.masks[attempt];
    if (begun) return begun.root !== undefined && this.#blobs.get(begun.root) ? this.#keep(begun.root) : undefined;
    secrets.masks[attempt] = {};
    this.#store();
    const root = this.#blobs.put(this.#open().mask(words, planSlots(plan), attempt, set));
    secrets.masks[attempt] = { root };
    this.#store();
    return this.#keep(root);
  }

  /** Stores a fetched vector, already checked against its root, from where others may fetch it too. */
  addVector(bytes: Uint8Array): void {
    this.#keep(this.#blobs.put(bytes));
  }

  /** The masked sum over a set, stored; undefined where a vector is missing. */
  sum(plan: SumPlan, roots: Readonly<Record<number, Digest>>, set: MemberSet): { readonly bytes: Uint8Array; readonly digest: Digest } | undefined {
    const vectors = set.flatMap((member) => {
      const root = roots[member];
      return (root !== undefined && this.#blobs.get(root)) || [];
    });
    if (vectors.length !== set.length) return undefined;
    const bytes = sumVectors(vectors, planSlots(plan));
    return { bytes, digest: digestOf(bytes) };
  }

  /** Takes a revealed seed. Throws AGGREGATION_BAD_SHARE. */
  acceptSeed(from: number, attempt: number, seed: Uint8Array): void {
    this.#open().acceptReveal(from, attempt, seed);
    this.#store();
  }

  /** Takes a share of a silent member's seed; true once the seed is rebuilt. Throws AGGREGATION_BAD_SHARE. */
  acceptSeedShare(owner: number, holder: number, attempt: number, opened: { readonly share: Uint8Array; readonly path: Uint8Array }): boolean {
    const rebuilt = this.#open().acceptShareOf(owner, holder, attempt, opened);
    this.#store();
    return rebuilt;
  }

  /** The plain sum. Throws AGGREGATION_ERASED where a seed is missing. */
  unmask(plan: SumPlan, maskedSum: Uint8Array, attempt: number, set: MemberSet): Uint8Array {
    return this.#open().unmask(maskedSum, planSlots(plan), attempt, set);
  }

  /** Destroys the secrets of all attempts below `below`; with all attempts, the round's secrets whole, and the masked vectors with them. */
  erase(below: number): void {
    if (!this.#secrets) return;
    if (below < this.#secrets.custodian.terms.attempts) {
      this.#open().eraseBelow(below);
      this.#vault.save(this.#key, this.#secrets, { erasing: true });
      return;
    }
    this.#vault.destroy(this.#key);
    this.#secrets = undefined;
    this.#custodian = undefined;
  }

  /** Removes the masked vectors of the round, which nobody needs any more. */
  forgetVectors(): void {
    for (const root of this.#stored) this.#blobs.remove(root);
    this.#stored.clear();
  }

  #keep(root: Digest): Digest {
    this.#stored.add(root);
    return root;
  }

  #open(): Custodian {
    assert(this.#custodian, 'secrets are asked for only after bundleMade and before the last erase');
    return this.#custodian;
  }

  #store(): void {
    if (this.#secrets) this.#vault.save(this.#key, this.#secrets, { erasing: false });
  }
}
