/**
 * READY in reduce-scatter (protocol 3.6): which shards this member sums, announces, checks, and what it does when one fails. Pure.
 * A generation ends when each of its shards is checked or has failed. Those that failed go to the next aggregator in order with fresh points;
 * after the last generation everybody sums them for itself. A member gives its point secret away only once nothing can be announced to it any more.
 */
import { aggregatorOf, aggregatorOrder, auditorOf, type Exchange, pointGenerations, shardsOf } from '../aggregation/index.ts';
import type { Digest } from '../common/index.ts';
import { type MemberSet, withMember } from '../wire/index.ts';
import type { Input, RoundConfig } from './io.ts';
import type { Gather, Ground, RoundState, ShardState } from './state.ts';

type Ready = RoundState & { readonly phase: 'ready' };
/** What the performer reports while shards are summed and checked. */
export type GatherInput = Extract<
  Input,
  { readonly kind: 'partHeld' | 'shardSummed' | 'shardAnnounced' | 'pointHeld' | 'printed' | 'printsHeld' | 'shardChecked' | 'partAudited' }
>;

const untouched: ShardState = { parts: [], summed: undefined, announced: undefined, claims: [], verified: undefined, failed: false };

/** The shards of a new attempt; undefined in broadcast mode. */
export function openGather(exchange: Exchange, context: Digest, beacon: Digest, set: MemberSet, openedS: number): Gather | undefined {
  if (exchange.kind === 'broadcast') return undefined;
  const none = Array.from({ length: pointGenerations }, (): MemberSet => []);
  const shards = shardsOf(exchange.sizeBytes, set.length).map(() => untouched);
  return {
    openedS,
    order: aggregatorOrder(context, beacon, set),
    generation: 0,
    shards,
    points: none,
    printed: [],
    prints: none,
    audit: undefined,
    blamed: [],
  };
}

/** Whether this member sums a shard in the generation that is open. */
export function sums(config: RoundConfig, gather: Gather, shard: number): boolean {
  const aggregator = aggregatorOf(gather.order, shard, gather.generation);
  return aggregator === undefined || aggregator === config.self;
}

/** Whether nothing of a generation can be announced to this member any more, so that its point secret may leave. */
export function pointIsDue(gather: Gather, generation: number): boolean {
  if (generation < gather.generation) return true;
  const open = gather.shards.filter((shard) => shard.verified === undefined && !shard.failed);
  return open.length === 0 || (generation === gather.generation && open.every((shard) => shard.announced !== undefined));
}

/** Whether every shard is checked, and the aggregator that this member looks after has put in what it committed to. */
export function gathered(config: RoundConfig, gather: Gather): boolean {
  return gather.shards.every((shard) => shard.verified !== undefined) && (!audits(config, gather) || gather.audit?.right === true);
}

/** Whether this member is the one that looks at the audited aggregator's own part. */
export function audits(config: RoundConfig, { order, audit }: Gather): boolean {
  return audit !== undefined && auditorOf(order, audit.shard) === config.self && aggregatorOf(order, audit.shard, 0) !== config.self;
}

/** The state after something about shards, with the next generation begun where this one is over. */
export function gatherOutcome(config: RoundConfig, state: Ready, input: GatherInput): Ready {
  return state.gather === undefined ? state : { ...state, gather: nextGeneration(config, reduceGather(config, state.gather, input)) };
}

/** Time passes over aggregators that announce nothing, or that do not give what they announced: each generation has a quarter of the phase. */
export function gatherTime(config: RoundConfig, state: Ready, { timeS }: Ground): Ready {
  const { gather, deadlineS } = state;
  if (gather === undefined || gather.generation >= pointGenerations) return state;
  const endS = gather.openedS + ((deadlineS - gather.openedS) * (gather.generation + 1)) / 4;
  const printed = gather.prints[gather.generation]?.length === gather.order.length - 1;
  const silent = (shard: ShardState): boolean => (shard.announced === undefined || printed) && shard.verified === undefined && !shard.failed;
  if (timeS < endS || !gather.shards.some(silent)) return state;
  const shards = gather.shards.map((shard) => (silent(shard) ? { ...shard, failed: true } : shard));
  return { ...state, gather: nextGeneration(config, { ...gather, shards }) };
}

function reduceGather(config: RoundConfig, gather: Gather, input: GatherInput): Gather {
  const of = (sets: readonly MemberSet[], generation: number, member: number): readonly MemberSet[] =>
    sets.map((set, at) => (at === generation ? withMember(set, member) : set));
  switch (input.kind) {
    case 'partHeld':
      return onShard(gather, input.shard, (shard) => ({ ...shard, parts: withMember(shard.parts, input.member) }));
    case 'shardSummed':
      return onShard(gather, input.shard, (shard) => summed(config, gather, shard, input));
    case 'shardAnnounced':
      return onShard(gather, input.shard, (shard) => (isAwaited(gather, shard, input.generation) ? claimed(shard, input.from, input.root) : shard));
    case 'pointHeld':
      return { ...gather, points: of(gather.points, input.generation, input.from) };
    case 'printsHeld':
      return { ...gather, prints: of(gather.prints, input.generation, input.from) };
    case 'printed':
      return {
        ...gather,
        printed: [...new Set([...gather.printed, input.generation])],
        audit: gather.audit ?? (input.generation === 0 ? { shard: input.audited, right: undefined } : undefined),
      };
    case 'shardChecked':
      return checked(gather, input);
    case 'partAudited':
      return audited(gather, input);
  }
}

function audited(gather: Gather, { right, member }: GatherInput & { kind: 'partAudited' }): Gather {
  if (gather.audit === undefined) return gather;
  return { ...gather, audit: { ...gather.audit, right }, blamed: right ? gather.blamed : withMember(gather.blamed, member) };
}

function onShard(gather: Gather, at: number, change: (shard: ShardState) => ShardState): Gather {
  return { ...gather, shards: gather.shards.map((shard, index) => (index === at ? change(shard) : shard)) };
}

function isAwaited(gather: Gather, shard: ShardState, generation: number): boolean {
  return generation === gather.generation && shard.announced === undefined && shard.verified === undefined && !shard.failed;
}

function claimed(shard: ShardState, by: number, root: Digest): ShardState {
  return { ...shard, announced: root, claims: [...shard.claims, { by, root }] };
}

/** Own sums need no proof to oneself in the last generation; before it they are announced and checked like any other. */
function summed(config: RoundConfig, gather: Gather, shard: ShardState, { root }: { readonly root: Digest }): ShardState {
  const own = { ...shard, summed: root };
  if (gather.generation >= pointGenerations) return { ...own, verified: root };
  return shard.announced === undefined && !shard.failed ? claimed(own, config.self, root) : own;
}

/** A sum that stands shows which earlier claims were wrong; one that does not fails this generation. */
function checked(gather: Gather, { shard: at, root, right, blamed }: GatherInput & { kind: 'shardChecked' }): Gather {
  const shard = gather.shards[at];
  if (shard === undefined || shard.verified !== undefined || shard.announced !== root) return gather;
  const wrong = right ? shard.claims.filter((claim) => claim.root !== root).map(({ by }) => by) : [];
  const after = onShard(gather, at, (one) => (right ? { ...one, verified: root } : { ...one, failed: true }));
  return { ...after, blamed: [...blamed, ...wrong].reduce(withMember, gather.blamed) };
}

function nextGeneration(config: RoundConfig, gather: Gather): Gather {
  const over = gather.shards.every((shard) => shard.verified !== undefined || shard.failed) && gather.shards.some((shard) => shard.failed);
  if (!over || gather.generation >= pointGenerations) return gather;
  const generation = gather.generation + 1;
  const again = { ...gather, generation };
  const shards = gather.shards.map((shard, at): ShardState => {
    if (!shard.failed) return shard;
    const open = { ...shard, failed: false, announced: undefined };
    if (shard.summed === undefined || !sums(config, again, at)) return open;
    return generation >= pointGenerations ? { ...open, verified: shard.summed } : claimed(open, config.self, shard.summed);
  });
  return { ...again, shards };
}
