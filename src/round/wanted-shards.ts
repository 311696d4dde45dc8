/** What a member wants in reduce-scatter: parts to sum, announcements, points, fingerprints, and sums to check. A function of the state alone. */
import { aggregatorOf, pointGenerations } from '../aggregation/index.ts';
import type { MemberSet } from '../wire/index.ts';
import { audits, pointIsDue, sums } from './gather.ts';
import type { Effect, RoundConfig } from './io.ts';
import type { Gather, RoundState, ShardState } from './state.ts';

type Ready = RoundState & { readonly phase: 'ready' };

const othersOf = (config: RoundConfig, set: MemberSet): MemberSet => set.filter((member) => member !== config.self);

/** Everything that is due for this member's own READY. */
export function wantedShards(config: RoundConfig, state: Ready, gather: Gather): readonly Effect[] {
  const shards = gather.shards.flatMap((shard, at) => (shard.verified === undefined && !shard.failed ? wantedShard(config, state, gather, shard, at) : []));
  const checking = gather.generation < pointGenerations && pointIsDue(gather, gather.generation) && gather.shards.some(isAnnounced);
  return [...shards, ...(checking ? wantedPrints(config, state, gather) : []), ...wantedAudit(config, state, gather)];
}

const isAnnounced = (shard: ShardState): boolean => shard.verified === undefined && !shard.failed && shard.announced !== undefined;

function wantedShard(config: RoundConfig, state: Ready, gather: Gather, shard: ShardState, at: number): readonly Effect[] {
  const { attempt } = state;
  const { generation } = gather;
  if (shard.announced !== undefined) return [];
  if (sums(config, gather, at)) return wantedSum(config, state, shard, at);
  const from = aggregatorOf(gather.order, at, generation);
  return from === undefined ? [] : [{ kind: 'request', from, item: { kind: 'shardSum', attempt, generation, shard: at } }];
}

function wantedSum(config: RoundConfig, { attempt, set, roots }: Ready, { parts }: ShardState, shard: number): readonly Effect[] {
  const missing = othersOf(config, set).filter((member) => !parts.includes(member));
  if (missing.length === 0) return [{ kind: 'sumShard', attempt, shard, set }];
  return missing.flatMap((member) => {
    const root = roots[member];
    return root === undefined ? [] : [{ kind: 'fetchPart', attempt, shard, member, root }];
  });
}

function wantedPoints(config: RoundConfig, { attempt, set }: Ready, gather: Gather, generation: number): readonly Effect[] {
  const missing = othersOf(config, set).filter((from) => !gather.points[generation]?.includes(from));
  if (missing.length > 0) return missing.map((from) => ({ kind: 'request', from, item: { kind: 'point', attempt, generation } }));
  return gather.printed.includes(generation) ? [] : [{ kind: 'print', attempt, generation, set }];
}

function wantedPrints(config: RoundConfig, state: Ready, gather: Gather): readonly Effect[] {
  const { attempt, set } = state;
  const { generation } = gather;
  const missing = othersOf(config, set).filter((from) => !gather.prints[generation]?.includes(from));
  const requests = missing.map((from): Effect => ({ kind: 'request', from, item: { kind: 'prints', attempt, generation } }));
  const ready = missing.length === 0 && gather.printed.includes(generation);
  const checks = gather.shards.flatMap((shard, at): Effect[] => {
    if (!ready || !isAnnounced(shard) || shard.announced === undefined) return [];
    const aggregator = aggregatorOf(gather.order, at, generation);
    const holders = [...set].sort((a, b) => Number(b === aggregator) - Number(a === aggregator) || a - b);
    return [{ kind: 'checkShard', attempt, generation, shard: at, root: shard.announced, set, holders: othersOf(config, holders) }];
  });
  return [...wantedPoints(config, state, gather, generation), ...requests, ...checks];
}

function wantedAudit(config: RoundConfig, { attempt, set, roots }: Ready, gather: Gather): readonly Effect[] {
  const { audit, order, prints } = gather;
  if (audit === undefined || audit.right !== undefined || !audits(config, gather)) return [];
  const member = aggregatorOf(order, audit.shard, 0);
  const root = member === undefined ? undefined : roots[member];
  if (member === undefined || root === undefined) return [];
  if (!prints[0]?.includes(member)) return [{ kind: 'request', from: member, item: { kind: 'prints', attempt, generation: 0 } }];
  return [{ kind: 'auditPart', attempt, shard: audit.shard, member, root, set }];
}

/** Others may need this member's fingerprints of a generation that it does not need itself: it takes them once all points are there. */
export function helping(config: RoundConfig, state: Ready, gather: Gather): readonly Effect[] {
  const { ground, attempt } = state;
  const asked = ground.asked.flatMap(({ item }) => (item.kind === 'prints' && item.attempt === attempt ? [item.generation] : []));
  const own = gather.shards.some(isAnnounced) ? gather.generation : undefined;
  const due = [...new Set(asked)].filter((generation) => generation !== own && !gather.printed.includes(generation) && pointIsDue(gather, generation));
  return due.flatMap((generation) => wantedPoints(config, state, gather, generation));
}

/** Members from which something is still missing that only they can give, and those that were caught: what HAVE leaves out. */
export function silentMembers(config: RoundConfig, gather: Gather): MemberSet {
  const { generation, order, shards, points, prints, blamed } = gather;
  const others = othersOf(config, order);
  const awaited = shards.flatMap((shard, at) => awaitedFor(config, gather, shard, at));
  const printing = generation < pointGenerations && pointIsDue(gather, generation);
  const unprinted = printing ? others.filter((member) => !points[generation]?.includes(member) || !prints[generation]?.includes(member)) : [];
  const silent = new Set([...blamed, ...awaited, ...unprinted]);
  return others.filter((member) => silent.has(member)).sort((a, b) => a - b);
}

/** Whose part, or whose announcement, an open shard waits for. */
function awaitedFor(config: RoundConfig, gather: Gather, shard: ShardState, at: number): MemberSet {
  if (shard.verified !== undefined || shard.failed || shard.announced !== undefined) return [];
  if (sums(config, gather, at)) return othersOf(config, gather.order).filter((member) => !shard.parts.includes(member));
  const aggregator = aggregatorOf(gather.order, at, gather.generation);
  return aggregator === undefined ? [] : [aggregator];
}
