/** A recorded round, played by the real custodians over encoded messages: its ground, its messages, its attempts, its end. */
import {
  attemptContext,
  bundleDigest,
  decodeUpdate,
  planDigest,
  planSlots,
  type RoundState,
  roundContext,
  stateBytes,
  stateDigest,
  type UpdateTerms,
  updatePlan,
} from '../../src/aggregation/index.ts';
import { type Account, type Digest, digestOf, leavesOf, merkleRoot, toHex, utf8 } from '../../src/common/index.ts';
import { membersHash, readyHash } from '../../src/ledger/evm/ready.ts';
import { modelDigest } from '../../src/tensor/index.ts';
import { decodeMessage, encodeMessage, type Item, type MessageBody } from '../../src/wire/index.ts';
import { masked } from '../support/custodians.ts';
import { baseParameters, type Institution, institutions, RecordedMember } from './recorded-members.ts';

/** Bytes above which a vector is recorded by its size and SHA-256 alone. */
const shownSizeBytes = 4_096;

/** Bytes in hexadecimal, or their size and hash where they are many. */
export function bulk(bytes: Uint8Array): object | string {
  return bytes.length <= shownSizeBytes ? toHex(bytes) : { sizeBytes: bytes.length, sha256: digestOf(bytes) };
}

/** What recorded rounds differ in; four members where nothing else is given. */
export interface Recording {
  readonly name: 'round-broadcast' | 'round-reduce-scatter' | 'round-groups' | 'round-open';
  readonly members?: number;
  readonly parameters: number;
  readonly round: number;
  readonly attempts: number;
  readonly generations: number;
  readonly standardisation?: NonNullable<RoundState['standardisation']>;
}

/** One recorded round. */
export class RecordedRound {
  readonly recording: Recording;
  readonly fields;
  readonly context: Digest;
  readonly base: RoundState;
  readonly terms: UpdateTerms;
  readonly plan;
  readonly institutions: readonly Institution[];
  readonly members: readonly RecordedMember[];
  readonly roster: readonly number[];
  readonly threshold: number;
  readonly seed = 7;
  readonly #messages: object[] = [];

  constructor(recording: Recording) {
    const { name, members = 4, parameters, round, attempts, generations, standardisation } = recording;
    const base = { ordinal: round, parameters: baseParameters(parameters), ...(standardisation ? { standardisation } : {}) };
    this.recording = recording;
    this.base = base;
    this.institutions = institutions(name, members);
    this.roster = this.institutions.map((_, index) => index);
    this.threshold = Math.floor((2 * members) / 3) + 1;
    this.terms = { parameters, members, clipNorm: 1, weightCap: 1_024, maxLoss: 64 };
    this.plan = updatePlan(round, this.terms);
    this.fields = {
      chainId: 4_711,
      contract: `0x${'c0'.repeat(20)}` as Account,
      study: digestOf(utf8(name)),
      run: 3,
      round,
      base: stateDigest(stateBytes(base)),
      plan: planDigest(this.plan),
      roster: this.institutions.map(({ account }) => account),
    };
    this.context = roundContext(this.fields);
    const ground = { context: this.context, roster: this.roster, threshold: this.threshold, attempts, generations, seed: this.seed, base };
    this.members = this.institutions.map((one, index) => new RecordedMember(index, one, { ...ground, terms: this.terms, plan: this.plan }));
  }

  /** A message on its way: encoded, recorded, decoded by the receiver. */
  send<Body extends MessageBody>(from: number, to: readonly number[], body: Body): Body {
    const bytes = encodeMessage({ context: this.context, body }, 2);
    this.#messages.push({ from, to, bytes: toHex(bytes) });
    return decodeMessage(bytes, [2]).body as Body;
  }

  /** A request and its answer. */
  ask<Body extends MessageBody>(by: number, of: number, item: Item, answer: Body): Body {
    this.send(by, [of], { kind: 'request', item });
    return this.send(of, [by], answer);
  }

  /** All custodians of `set` but one. */
  others(self: number, set: readonly number[] = this.roster): readonly RecordedMember[] {
    return this.members.filter(({ index }) => index !== self && set.includes(index));
  }

  /** JOIN and SHARE: bundles, then shares, the lower of a pair first. */
  meet(): void {
    for (const { index, custodian } of this.members) {
      const others = this.others(index);
      for (const other of others) this.send(other.index, [index], { kind: 'request', item: { kind: 'bundle' } });
      const to = others.map((other) => other.index);
      const bundle = this.send(index, to, { kind: 'bundle', ...custodian.bundle() });
      for (const other of others) other.custodian.acceptBundle(index, bundle);
    }
    for (const { index, custodian } of this.members)
      for (const other of this.others(index)) {
        const shares = custodian.sharesFor(other.index);
        if (!shares) throw new Error('shares come in order of their senders');
        other.custodian.acceptShares(index, this.ask(other.index, index, { kind: 'shares' }, { kind: 'shares', ...shares }));
      }
  }

  /** COMMIT: the masked vectors of a set, in its order. */
  masked(attempt: number, set: readonly number[]): readonly Uint8Array[] {
    return this.members
      .filter(({ index }) => set.includes(index))
      .map(({ custodian, words }) => masked(custodian, words, { slots: planSlots(this.plan), attempt, set }));
  }

  /** The digest that READY signs. */
  readyDigest(attempt: number, set: readonly number[], sum: Digest): string {
    const { chainId, contract } = this.fields;
    return readyHash(chainId, contract, { context: attemptContext(this.context, attempt, set), members: this.#accounts(set), sum });
  }

  /** What an attempt is bound to and what its vectors are. */
  attempt(attempt: number, set: readonly number[], vectors: readonly Uint8Array[]): object {
    const roots = vectors.map((vector) => toHex(merkleRoot(leavesOf(vector))));
    const members = set.map((member, at) => ({ member, masked: bulk(vectors[at] ?? new Uint8Array(0)), root: roots[at] }));
    return { attempt, set, context: attemptContext(this.context, attempt, set), membersHash: membersHash(this.#accounts(set)), vectors: members };
  }

  /** The end of the round, by the real decoding of the plain sum, or of the merged vector. */
  result(sum: Uint8Array, name: 'plainSum' | 'merged' = 'plainSum'): object {
    const { parameters, rows, meanLoss, saturated } = decodeUpdate(this.plan, this.terms, sum, this.base.parameters);
    const next = stateBytes({ ...this.base, ordinal: this.base.ordinal + 1, parameters });
    const hashes = { state: stateDigest(next), model: modelDigest(parameters), nextPlan: planDigest(updatePlan(this.base.ordinal + 1, this.terms)) };
    return { [name]: bulk(sum), rows, meanLoss, saturated, stateBytes: bulk(next), ...hashes };
  }

  /** What a second implementation starts from, and what it should find in JOIN. */
  plain(): object {
    const { fields, context, terms, threshold, seed, base, recording } = this;
    const { roster: accounts, ...rest } = fields;
    const { standardisation } = base;
    const statistics = standardisation && { rows: standardisation.rows, mean: [...standardisation.mean], sd: [...standardisation.sd] };
    return {
      what: 'A recorded round, all secrets included. proto/README.md says how to read it.',
      version: 2,
      exchange: recording.generations > 0 ? 'reduce-scatter' : 'broadcast',
      ...rest,
      accounts,
      context,
      threshold,
      attempts: recording.attempts,
      terms,
      studySeed: seed,
      state: { ordinal: base.ordinal, ...(statistics ? { standardisation: statistics } : {}) },
      members: this.members.map((member) => ({
        ...member.plain(),
        words: bulk(member.words),
        bundleHash: bundleDigest(context, member.index, member.custodian.bundle()),
      })),
      messages: this.#messages,
    };
  }

  /** The same in open mode, with the words that each member put in: nothing but those is between them. */
  plainOpen(words: readonly Uint8Array[]): object {
    const members = this.members.map((member, at) => ({ ...member.plain('open'), words: bulk(words[at] ?? new Uint8Array(0)) }));
    return { ...this.plain(), exchange: 'open', threshold: undefined, members, messages: undefined };
  }

  #accounts(set: readonly number[]): readonly Account[] {
    return this.fields.roster.filter((_, index) => set.includes(index));
  }
}
