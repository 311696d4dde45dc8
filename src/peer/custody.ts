/**
 * Custody: a round's secrets on disk, and every step that touches them. What leads to anything that leaves the house is stored when a call returns;
 * what was taken from others is stored by `flush`, together.
 */
import { randomFillSync } from 'node:crypto';
import {
  type Bundle,
  bundleDigest,
  Custodian,
  type CustodianTerms,
  createSecrets,
  type Fingerprint,
  hybridKeys,
  type KeyAgreement,
  openingKeys,
  type SumPlan,
  unpackPrints,
} from '../aggregation/index.ts';
import { assert, type Digest, ownMemory } from '../common/index.ts';
import type { Item, MemberSet, MessageBody, RoundKey } from '../wire/index.ts';
import { type Bulk, type SumSource, secretBytes, secretStreams, type WordsPlace } from './bulk/bulk.ts';
import { sealRecord } from './store/audit-records.ts';
import type { BlobStore } from './store/blobs.ts';
import type { RoundSecrets, Vault } from './store/vault.ts';

type Cancellable = { readonly signal: AbortSignal };

const fresh = (sizeBytes: number): Uint8Array => randomFillSync(ownMemory(sizeBytes));

/** Whom a vector is masked with: a set, or a group within the set of its attempt; in open mode nobody. */
export interface MaskedSet {
  readonly set: MemberSet;
  readonly within?: MemberSet | undefined;
  readonly open: boolean;
}

/** Secrets and vectors of one round at this member. */
export class Custody {
  readonly #key: RoundKey;
  readonly #vault: Vault;
  readonly #blobs: BlobStore;
  readonly #bulk: Bulk;
  readonly #agreement: KeyAgreement;
  #secrets: RoundSecrets | undefined;
  #custodian: Custodian | undefined;
  readonly #stored = new Set<Digest>();
  /** Something was taken that is not stored yet. */
  #isBehind = false;

  constructor(key: RoundKey, vault: Vault, blobs: BlobStore, bulk: Bulk, agreement: KeyAgreement = hybridKeys) {
    this.#key = key;
    this.#vault = vault;
    this.#blobs = blobs;
    this.#bulk = bulk;
    this.#agreement = agreement;
    this.#secrets = vault.load(key);
    this.#custodian = this.#secrets?.custodian && new Custodian(this.#secrets.custodian, agreement);
    for (const { root } of Object.values(this.#secrets?.masks ?? {})) if (root !== undefined) this.#keep(root);
  }

  /** Makes (or finds) this member's secrets of the round and gives the hash of its bundle. */
  makeBundle(terms: CustodianTerms): Digest {
    if (!this.#secrets) {
      const custodian = createSecrets(terms, fresh);
      this.#secrets = { custodian, masks: {} };
      this.#custodian = new Custodian(custodian, this.#agreement);
      this.#store();
    }
    return bundleDigest(terms.context, terms.self, this.#open().bundle());
  }

  /** Whether this member's words of the round are stored. */
  hasWords(): boolean {
    return this.#secrets?.wordsKey !== undefined;
  }

  /** Has this member's words made and sealed. The first ones stay (R5). In open mode they are all that is kept of a round. */
  async setWords(make: (place: WordsPlace) => Promise<unknown>, { open }: { readonly open: boolean }): Promise<void> {
    if (open) this.#secrets ??= { masks: {} };
    const secrets = this.#secrets;
    if (!secrets || secrets.wordsKey) return;
    const key = fresh(32);
    await make({ round: this.#key, key: secretBytes(key) });
    if (this.#secrets !== secrets) {
      this.#vault.destroy(this.#key);
      return;
    }
    secrets.wordsKey = key;
    this.#store();
  }

  /** Stores what was taken from others since the last time: before anybody is told that it is here. */
  flush(): void {
    if (this.#isBehind) this.#store();
  }

  /** Takes another's bundle. Throws AGGREGATION_BAD_KEY. */
  acceptBundle(from: number, bundle: Bundle): void {
    this.#open().acceptBundle(from, bundle);
    this.#isBehind = true;
  }

  /** Takes another's shares. Throws AGGREGATION_BAD_SHARE or AGGREGATION_BAD_KEY. */
  acceptShares(from: number, message: { readonly ciphertext: Uint8Array; readonly sealed: Uint8Array }): void {
    this.#open().acceptShares(from, message);
    this.#isBehind = true;
  }

  /** The message that answers a request; undefined where something it needs is gone. */
  answer(to: number, item: Exclude<Item, { readonly kind: 'groupSum' }>): MessageBody | undefined {
    const custodian = this.#open();
    switch (item.kind) {
      case 'bundle':
        return { kind: 'bundle', ...custodian.bundle() };
      case 'bundleOf': {
        const bundle = custodian.snapshot().bundles[item.owner];
        return bundle && { kind: 'bundleOf', owner: item.owner, bundle };
      }
      case 'shares': {
        const shares = custodian.sharesFor(to);
        return shares && { kind: 'shares', ...shares };
      }
      case 'seed':
        return { kind: 'seed', attempt: item.attempt, seed: custodian.reveal(item.attempt) };
      case 'seedShare': {
        const opened = custodian.shareOf(item.owner, item.attempt);
        return opened && { kind: 'seedShare', attempt: item.attempt, owner: item.owner, ...opened };
      }
      case 'point':
        return { kind: 'point', attempt: item.attempt, generation: item.generation, point: custodian.point(item.attempt, item.generation) };
      case 'prints': {
        const prints = this.#secrets?.prints?.[`${item.attempt}/${item.generation}/${custodian.snapshot().terms.self}`];
        return prints && { kind: 'prints', attempt: item.attempt, generation: item.generation, prints };
      }
      case 'shardSum':
        return undefined;
    }
  }

  /**
   * The root of the masked vector of an attempt; undefined where a crash interrupted the masking: then it is never computed again.
   * With `auditKey` what `keepOpening` needs is remembered.
   */
  async mask(
    plan: SumPlan,
    attempt: number,
    { set, within, open }: MaskedSet,
    options: Cancellable & { readonly auditKey?: Uint8Array | undefined },
  ): Promise<Digest | undefined> {
    const secrets = this.#secrets;
    if (!secrets?.wordsKey) return undefined;
    const begun = secrets.masks[attempt];
    if (begun) return begun.root !== undefined && this.#blobs.read(begun.root, 0, 1) ? this.#keep(begun.root) : undefined;
    const streams = open ? [] : secretStreams(this.#open().masks(attempt, set, within));
    const audit = !open && options.auditKey && { audit: { plan, set, key: options.auditKey } };
    secrets.masks[attempt] = { ...audit };
    this.#store();
    const root = await this.#bulk.run('mask', { place: { round: this.#key, key: secretBytes(secrets.wordsKey) }, plan, streams }, { signal: options.signal });
    if (root === undefined) return undefined;
    this.#keep(root);
    if (this.#secrets !== secrets) {
      this.forgetVectors();
      return undefined;
    }
    secrets.masks[attempt] = { ...audit, root };
    this.#store();
    return root;
  }

  /** A vector of the round is fetched to where others may fetch it too: what is there of it goes with the round. */
  addVector(root: Digest): void {
    this.#keep(root);
  }

  /** Takes another's point secret. Throws AGGREGATION_BAD_SHARE. */
  acceptPoint(from: number, attempt: number, generation: number, point: Uint8Array): void {
    this.#open().acceptPoint(from, attempt, generation, point);
    this.#isBehind = true;
  }

  /** The point secrets of a whole set, in order; undefined while one is missing. */
  pointSecrets(attempt: number, generation: number, set: MemberSet): readonly Uint8Array[] | undefined {
    return this.#custodian?.points(attempt, generation, set);
  }

  /** Stores a member's fingerprints of a generation. The first ones stay. */
  setPrints(member: number, attempt: number, generation: number, prints: Uint8Array): void {
    if (!this.#secrets) return;
    this.#secrets.prints ??= {};
    this.#secrets.prints[`${attempt}/${generation}/${member}`] ??= prints;
    this.#isBehind = true;
  }

  /** A member's fingerprints of a generation, one a shard; undefined where they are missing or are not that many. */
  prints(member: number, attempt: number, generation: number, shards: number): readonly Fingerprint[] | undefined {
    const packed = this.#secrets?.prints?.[`${attempt}/${generation}/${member}`];
    return packed && unpackPrints(packed, shards);
  }

  /** Takes a revealed seed. Throws AGGREGATION_BAD_SHARE. */
  acceptSeed(from: number, attempt: number, seed: Uint8Array): void {
    this.#open().acceptReveal(from, attempt, seed);
    this.#isBehind = true;
  }

  /** Takes a share of a silent member's seed; true once the seed is rebuilt. Throws AGGREGATION_BAD_SHARE. */
  acceptSeedShare(owner: number, holder: number, attempt: number, opened: { readonly share: Uint8Array; readonly path: Uint8Array }): boolean {
    const rebuilt = this.#open().acceptShareOf(owner, holder, attempt, opened);
    this.#isBehind = true;
    return rebuilt;
  }

  /** The plain sum over a set; undefined where something of the masked one is missing. Throws AGGREGATION_ERASED where a seed is. */
  async unmask(plan: SumPlan, source: SumSource, attempt: number, { set, within, open }: MaskedSet, options: Cancellable): Promise<Uint8Array | undefined> {
    return await this.#bulk.run('unmask', { plan, source, streams: open ? [] : secretStreams(this.#open().selfMasks(attempt, set, within)) }, options);
  }

  /** Where the round has an audit window, seals what opens this member's own part of the FINAL attempt to the institution's offline key; the first record stays. */
  keepOpening(attempt: number): void {
    const secrets = this.#secrets;
    const { audit, root } = secrets?.masks[attempt] ?? {};
    const { custodian, wordsKey } = secrets ?? {};
    if (!custodian || !wordsKey || !audit || root === undefined) return;
    const opening = openingKeys(custodian, this.#open().bundle(), { plan: audit.plan, attempt, set: audit.set });
    if (opening) this.#vault.putAside(this.#key, () => sealRecord(audit.key, this.#key, { opening, wordsKey }));
  }

  /** Destroys the secrets of all attempts below `below`; with all attempts, the round's secrets whole, and the masked vectors with them. */
  erase(below: number): void {
    if (!this.#secrets) return;
    if (this.#secrets.custodian && below < this.#secrets.custodian.terms.attempts) {
      this.#open().eraseBelow(below);
      this.#vault.save(this.#key, this.#secrets, { erasing: true });
      return;
    }
    this.#vault.destroy(this.#key);
    this.#custodian?.wipe();
    this.#secrets.wordsKey?.fill(0);
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
    this.#isBehind = false;
    if (this.#secrets) this.#vault.save(this.#key, this.#secrets, { erasing: false });
  }
}
