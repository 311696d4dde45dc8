/** Watches disks, ciphers and messages of a world for the oracles, without the members knowing. */
import { type Digest, digestOf, isSwarmError, toHex } from '../../src/common/index.ts';
import { itemOf } from '../../src/peer/live-round.ts';
import type { RoundSecrets } from '../../src/peer/store/vault.ts';
import { type Input, itemKey } from '../../src/round/index.ts';
import { decodeMessage, type PeerMessage, protocolVersions, type RoundKey } from '../../src/wire/index.ts';
import { type Disk, secretsOn } from './disk.ts';
import { count, more, type Seen } from './seen.ts';
import type { CipherWatcher } from './watch.ts';

/** Bytes of the longest request that any member makes. */
const longestRequest = 80;

function tryDecode(bytes: Uint8Array): PeerMessage | undefined {
  try {
    return decodeMessage(bytes, protocolVersions);
  } catch (error) {
    if (isSwarmError(error)) return undefined;
    throw error;
  }
}

/** Attempts of which a message of sealed shares has none: pieces of length zero (proto/README.md, 4). */
function attemptsLeftOut(sealed: Uint8Array): readonly number[] {
  const missing: number[] = [];
  for (let [at, attempt] = [0, 0]; at < sealed.length; attempt++) {
    const sizeBytes = ((sealed[at] ?? 0) << 8) | (sealed[at + 1] ?? 0);
    if (sizeBytes === 0) missing.push(attempt);
    at += 2 + sizeBytes;
  }
  return missing;
}

/** Notes down what it sees. A member masks in one go: from the note on its disk that it begins until the vector is stored. */
export class Spectator implements CipherWatcher {
  readonly #seen: Seen;
  readonly #disks: readonly Disk[];
  /** Attempts for which masking has begun, by `round/member`. */
  readonly #begun = new Map<string, number>();
  #masking: { readonly round: number; readonly member: number; readonly keys: string[] } | undefined;
  /** Roots that members sent, by `round/attempt/member`. */
  readonly #roots = new Map<string, Digest>();
  #stored = 0;
  /** What arrived last: a member takes or refuses it before anything else happens. */
  #last: Uint8Array | undefined;

  constructor(seen: Seen, disks: readonly Disk[]) {
    this.#seen = seen;
    this.#disks = disks;
  }

  /** How often secrets were stored so far, by anybody. */
  get stored(): number {
    return this.#stored;
  }

  /** A member's disk was set back: what it masks from now on is looked at afresh. */
  restored(member: number): void {
    for (const name of this.#begun.keys()) if (name.endsWith(`/${member}`)) this.#begun.delete(name);
  }

  mask(key: Uint8Array): void {
    this.#masking?.keys.push(toHex(key));
  }

  seal(key: Uint8Array, plain: Uint8Array): void {
    this.#seen.keyUses.push({ member: -1, round: -1, kind: 'seal', key: toHex(key), vector: digestOf(plain) });
  }

  secretsStored(member: number, { round }: RoundKey, secrets: RoundSecrets): void {
    this.#stored++;
    const name = `${round}/${member}`;
    this.#noteDealt(member, round, secrets);
    const attempts = Object.keys(secrets.masks).length;
    this.#masking = attempts > (this.#begun.get(name) ?? 0) ? { member, round, keys: [] } : undefined;
    this.#begun.set(name, attempts);
  }

  wordsStored(member: number, { round }: RoundKey, words: Uint8Array): void {
    this.#seen.words.set(`${round}/${member}`, new Uint8Array(words));
  }

  contentStored(member: number, root: Digest): void {
    this.#seen.mostContent = Math.max(this.#seen.mostContent, this.#disks[member]?.blobs.size ?? 0);
    const masking = this.#masking;
    this.#masking = undefined;
    if (!masking) return;
    const { round, keys } = masking;
    for (const key of keys) this.#seen.keyUses.push({ member: masking.member, round, kind: 'mask', key, vector: root });
    if (keys.length > 0) count(this.#seen, 'masked vectors');
  }

  /** An input is in a member's journal. */
  journalled(member: number, round: number, input: Input): void {
    more(this.#seen.inputs, `${round}/${member}`);
    if (input.kind === 'bundleRefused') this.#seen.refused.push({ member, round, from: input.from });
    if (input.kind === 'groupStated') this.#noteStated(member, round, input);
  }

  /** Bytes arrive at `to`: only what asks for something is counted. An honest request is short; a garbled message of any size may read as one. */
  arrived({ from, to, bytes, isGarbled }: { readonly from: number; readonly to: number; readonly bytes: Uint8Array; readonly isGarbled: boolean }): void {
    this.#last = bytes;
    if (bytes.length > longestRequest && !isGarbled) return;
    const read = tryDecode(bytes);
    if (read?.body.kind === 'request') more(this.#seen.arrived, `${read.context}/${to}/${from}/${itemKey(read.body.item)}`);
  }

  /** A member refused what arrived last; `about` is what it says of it. */
  dropped(member: number, about: Readonly<Record<string, unknown>>): void {
    const [from, round] = [Number(about['from']), Number(about['round'])];
    const body = this.#last && tryDecode(this.#last)?.body;
    const givenUp = body?.kind === 'shares' && this.#lacksGivenUp({ from, to: member }, round, body.sealed);
    this.#seen.dropped.push({ member, from, kind: String(about['kind']), code: String(about['code']), givenUp });
  }

  /** A message on its way out of `from` to `to`, in the round that its context names. */
  sent({ from, to }: { readonly from: number; readonly to: number }, { body, context }: PeerMessage, round: number): void {
    count(this.#seen, 'messages');
    if (body.kind === 'groupSum') this.#roots.set(`${round}/${body.attempt}/${from}`, body.root);
    const asks = body.kind === 'request';
    more(this.#seen.sent, `${round}/${context}/${from}/${to}/${asks ? `request/${itemKey(body.item)}` : itemKey(itemOf(body))}`);
    if (body.kind !== 'seed' && body.kind !== 'seedShare') return;
    count(this.#seen, body.kind);
    const seedsKept = Object.keys(this.#custodian(from, round)?.seeds ?? {}).map(Number);
    this.#seen.released.push({ member: from, round, attempt: body.attempt, item: body.kind, eventsBefore: this.#seen.events.length, seedsKept });
  }

  /** Something was stored while a garbled message was taken: wrong, unless it reads as before, asks for something, or what is stored is true all the same. */
  garbled(
    { from, to, sent, bytes }: { readonly from: number; readonly to: number; readonly sent: PeerMessage; readonly bytes: Uint8Array },
    round: number,
  ): void {
    const read = tryDecode(bytes);
    if (!read || read.body.kind === 'request' || JSON.stringify(read) === JSON.stringify(sent)) return;
    if (sent.body.kind === 'shares' && this.#sharesAreTrue(from, to, round)) return;
    this.#seen.garbledKept.push({ member: to, kind: sent.body.kind });
  }

  /** Whether the shares that `to` stores are those that `from` dealt: a sealed share of an attempt that `to` has given up may be garbled unseen. */
  #sharesAreTrue(from: number, to: number, round: number): boolean {
    const [dealt, held] = [this.#custodian(from, round), this.#custodian(to, round)?.held[from]];
    return Object.entries(held ?? {}).every(([attempt, { share }]) => {
      const own = dealt?.dealt[Number(attempt)]?.[dealt.terms.roster.indexOf(to)];
      return own === undefined || Buffer.compare(own, share) === 0;
    });
  }

  /** Whether all shares that a message leaves out are of attempts which `from` has given up, and one of them is of an attempt that `to` has not given up. */
  #lacksGivenUp({ from, to }: { readonly from: number; readonly to: number }, round: number, sealed: Uint8Array): boolean {
    const [dealt, kept] = [this.#custodian(from, round)?.dealt, this.#custodian(to, round)?.seeds];
    const missing = attemptsLeftOut(sealed);
    return missing.every((attempt) => dealt?.[attempt] === undefined) && missing.some((attempt) => kept?.[attempt] !== undefined);
  }

  #custodian(member: number, round: number): RoundSecrets['custodian'] | undefined {
    return secretsOn(this.#disks[member], { run: 1, round })?.custodian;
  }

  /** Only the first word of each counts (proto/README.md, 13). */
  #noteStated(member: number, round: number, { attempt, from, root }: Input & { kind: 'groupStated' }): void {
    const isKnown = this.#seen.stated.some((one) => one.member === member && one.round === round && one.attempt === attempt && one.from === from);
    if (!isKnown) this.#seen.stated.push({ member, round, attempt, from, isTrue: root === this.#roots.get(`${round}/${attempt}/${from}`) });
  }

  #noteDealt(member: number, round: number, { custodian }: RoundSecrets): void {
    if (!custodian) return;
    const [seed, shares] = [custodian.seeds[0], custodian.dealt[0]];
    if (!seed || !shares || this.#seen.dealt.some((dealt) => dealt.member === member && dealt.round === round)) return;
    const { threshold } = custodian.terms;
    this.#seen.dealt.push({ member, round, threshold, seed: new Uint8Array(seed), shares: shares.map((share) => new Uint8Array(share)) });
  }
}
