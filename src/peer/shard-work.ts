/**
 * The work of one member on shards (reduce-scatter): parts are fetched and summed, fingerprints taken, announced sums and an audited part compared.
 * Everything is read in shards from where it is stored; nothing here decides when something is due.
 */
import {
  auditedShard,
  type Fingerprint,
  fingerprintPoints,
  packPrints,
  planSizeBytes,
  type Shard,
  type SumPlan,
  shardSumSizeBytes,
  shardsOf,
} from '../aggregation/index.ts';
import type { Digest } from '../common/index.ts';
import type { ChunkRange } from '../network/index.ts';
import { contextOf, type Effect, type Input } from '../round/index.ts';
import type { MemberSet } from '../wire/index.ts';
import type { Bulk, SumSource } from './bulk/bulk.ts';
import type { LiveRound } from './live-round.ts';

/** Fetches content, or a range of its chunks; false where nobody gave it. */
export type Fetch = (content: { readonly root: Digest; readonly sizeBytes: number }, holders: MemberSet, range?: ChunkRange) => Promise<boolean>;

type Of<Kind extends Effect['kind']> = Effect & { readonly kind: Kind };
type Cancellable = { readonly signal: AbortSignal };
type Gathering = LiveRound['state'] & { readonly phase: 'ready' };

/** Shards of one plan in one live round. */
export class ShardWork {
  readonly #live: LiveRound;
  readonly #bulk: Bulk;
  readonly #sizeBytes: number;

  constructor(live: LiveRound, plan: SumPlan, bulk: Bulk) {
    this.#live = live;
    this.#bulk = bulk;
    this.#sizeBytes = planSizeBytes(plan);
  }

  /** Fetches a member's part of a shard. */
  async fetchPart({ attempt, shard, member, root }: Of<'fetchPart'>, set: MemberSet, fetch: Fetch): Promise<Input | undefined> {
    this.#live.custody.addVector(root);
    const held = await this.#fetchShard(root, member, this.#shard(shard, set), fetch);
    return held ? { kind: 'partHeld', attempt, shard, member } : undefined;
  }

  /** Sums a shard over everybody's parts; undefined where one is missing. */
  async sum({ attempt, shard: at, set }: Of<'sumShard'>, options: Cancellable): Promise<Input | undefined> {
    const known = this.#ready(attempt)?.roots ?? {};
    const roots = set.flatMap((member) => known[member] ?? []);
    const root = roots.length === set.length ? await this.#bulk.run('sumShard', { roots, shard: this.#shard(at, set) }, options) : undefined;
    if (root === undefined) return undefined;
    this.#live.custody.addVector(root);
    return { kind: 'shardSummed', attempt, shard: at, root };
  }

  /** Takes the fingerprints of this member's own masked vector; undefined where a point secret is missing. */
  async print({ attempt, generation, set }: Of<'print'>, options: Cancellable): Promise<Input | undefined> {
    const { custody, config } = this.#live;
    const secrets = custody.pointSecrets(attempt, generation, set);
    const own = this.#ready(attempt)?.roots[config.self];
    const context = contextOf(this.#live.state.ground, { attempt, set });
    if (!secrets || !context || own === undefined) return undefined;
    const points = fingerprintPoints(context, generation, secrets);
    const shards = shardsOf(this.#sizeBytes, set.length);
    const prints = await this.#bulk.run('prints', { root: own, shards, points }, options);
    if (!prints) return undefined;
    custody.setPrints(config.self, attempt, generation, packPrints(prints));
    return { kind: 'printed', attempt, generation, audited: auditedShard(context, secrets, shards.length) };
  }

  /** Fetches an announced sum and compares it with everybody's fingerprints; where all parts are here, says whose do not fit. */
  async check({ attempt, generation, shard: at, root, set, holders }: Of<'checkShard'>, fetch: Fetch, options: Cancellable): Promise<Input | undefined> {
    const shard = this.#shard(at, set);
    const sizeBytes = shardSumSizeBytes(shard, set.length);
    this.#live.custody.addVector(root);
    if (!(await fetch({ root, sizeBytes }, holders))) return undefined;
    const points = this.#points(attempt, generation, set);
    const prints = this.#prints(attempt, generation, set, at);
    const right = points && prints && (await this.#bulk.run('checkSum', { root, shard, prints, points }, options));
    if (!points || !prints || right === undefined) return undefined;
    return { kind: 'shardChecked', attempt, shard: at, root, right, blamed: await this.#liars(attempt, shard, set, prints, points, options) };
  }

  /** Fetches the audited aggregator's own part and compares it with its fingerprint. */
  async audit({ attempt, shard: at, member, root, set }: Of<'auditPart'>, fetch: Fetch, options: Cancellable): Promise<Input | undefined> {
    const shard = this.#shard(at, set);
    this.#live.custody.addVector(root);
    if (!(await this.#fetchShard(root, member, shard, fetch))) return undefined;
    const points = this.#points(attempt, 0, set);
    const print = this.#prints(attempt, 0, [member], at, set.length)?.[0];
    const found = points && print && (await this.#print(root, shard, points, options));
    return found && print && { kind: 'partAudited', attempt, member, right: same(found, print) };
  }

  /** The shards that stand, of which the masked sum is put together; undefined where one is missing. */
  source(set: MemberSet): SumSource | undefined {
    const { state } = this.#live;
    const gather = state.phase === 'ready' || state.phase === 'reveal' ? state.gather : undefined;
    const parts = shardsOf(this.#sizeBytes, set.length).map((shard, at) => ({ shard, root: gather?.shards[at]?.verified }));
    const found = parts.flatMap(({ shard, root }) => (root === undefined ? [] : [{ shard, root }]));
    return found.length === parts.length ? { kind: 'shards', parts: found, members: set.length } : undefined;
  }

  #ready(attempt: number): Gathering | undefined {
    const { state } = this.#live;
    return state.phase === 'ready' && state.attempt === attempt ? state : undefined;
  }

  #shard(at: number, set: MemberSet): Shard {
    return shardsOf(this.#sizeBytes, set.length)[at] ?? { firstChunk: 0, chunks: 0, offsetBytes: 0, sizeBytes: 0 };
  }

  #fetchShard(root: Digest, member: number, { firstChunk, chunks }: Shard, fetch: Fetch): Promise<boolean> {
    return fetch({ root, sizeBytes: this.#sizeBytes }, [member], { first: firstChunk, count: chunks });
  }

  /** The fingerprint of one part; undefined where it is not here. */
  async #print(root: Digest, shard: Shard, points: Fingerprint, options: Cancellable): Promise<Fingerprint | undefined> {
    return (await this.#bulk.run('prints', { root, shards: [shard], points }, options))?.[0];
  }

  #points(attempt: number, generation: number, set: MemberSet): Fingerprint | undefined {
    const secrets = this.#live.custody.pointSecrets(attempt, generation, set);
    const context = contextOf(this.#live.state.ground, { attempt, set });
    return secrets && context && fingerprintPoints(context, generation, secrets);
  }

  /** Fingerprints of one shard by the members of `of`, in order; undefined where one is missing. */
  #prints(attempt: number, generation: number, of: MemberSet, shard: number, members = of.length): readonly Fingerprint[] | undefined {
    const shards = shardsOf(this.#sizeBytes, members).length;
    const prints = of.map((member) => this.#live.custody.prints(member, attempt, generation, shards)?.[shard]);
    return prints.every((print) => print !== undefined) ? prints : undefined;
  }

  async #liars(attempt: number, shard: Shard, set: MemberSet, prints: readonly Fingerprint[], points: Fingerprint, options: Cancellable): Promise<MemberSet> {
    const roots = this.#ready(attempt)?.roots ?? {};
    const liars: number[] = [];
    for (const [at, member] of set.entries()) {
      const [root, print] = [roots[member], prints[at]];
      if (member === this.#live.config.self || root === undefined || print === undefined) continue;
      const found = await this.#print(root, shard, points, options);
      if (found && !same(found, print)) liars.push(member);
    }
    return liars;
  }
}

function same(a: Fingerprint, b: Fingerprint): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
