/** Answers to requests: the only place that lets bundles, shares and seeds leave. */
import { aggregatorOf } from '../aggregation/index.ts';
import type { Item } from '../wire/index.ts';
import { pointIsDue } from './gather.ts';
import type { Effect, RoundConfig } from './io.ts';
import { certified } from './rules.ts';
import type { Gather, RoundState } from './state.ts';

/** Whether an item may be sent now: nothing once the round is over, and in open mode, which has no secrets. Seeds and shares of seeds: only behind the consent gate and after R1. */
function available(config: RoundConfig, state: RoundState, by: number, item: Item): boolean {
  const { ground } = state;
  if (config.terms.open || state.phase === 'final' || state.phase === 'void' || ground.abandoned) return false;
  switch (item.kind) {
    case 'bundle':
      return ground.bundle !== undefined;
    case 'bundleOf':
      return ground.bundles.includes(item.owner);
    case 'shares':
      return ground.bundles.includes(by) && (config.self < by || ground.shares.includes(by));
    case 'groupSum':
      return 'sum' in state && state.attempt === item.attempt && state.sum !== undefined;
    case 'seed':
    case 'seedShare':
      return state.phase === 'reveal' && releasable(config, state, item);
    case 'shardSum':
    case 'point':
    case 'prints':
      return state.phase === 'ready' && item.attempt === state.attempt && state.set.includes(by) && gatherItem(config, state.gather, item);
  }
}

function gatherItem(config: RoundConfig, gather: Gather | undefined, item: Item & { kind: 'shardSum' | 'point' | 'prints' }): boolean {
  if (gather === undefined) return false;
  if (item.kind === 'point') return pointIsDue(gather, item.generation);
  if (item.kind === 'prints') return gather.printed.includes(item.generation);
  return gather.shards[item.shard]?.summed !== undefined && aggregatorOf(gather.order, item.shard, item.generation) === config.self;
}

function releasable(config: RoundConfig, state: RoundState & { phase: 'reveal' }, item: Item & { kind: 'seed' | 'seedShare' }): boolean {
  const { ground } = state;
  if (item.attempt !== state.attempt || ground.erasedBelow < state.attempt || !certified(config, ground, state)) return false;
  if (ground.released && ground.released.attempt !== state.attempt) return false;
  if (item.kind === 'seed') return state.set.includes(config.self);
  return state.set.includes(item.owner) && ground.shares.includes(item.owner);
}

/** Splits what was asked into answers for now and requests that wait. That something may leave was recorded (R3) when READY closed. */
export function answers(config: RoundConfig, state: RoundState): { readonly state: RoundState; readonly effects: readonly Effect[] } {
  const { ground } = state;
  const due = ground.asked.filter(({ by, item }) => available(config, state, by, item));
  if (due.length === 0) return { state, effects: [] };
  const asked = ground.asked.filter((request) => !due.includes(request));
  return { state: { ...state, ground: { ...ground, asked } }, effects: due.map(({ by, item }) => ({ kind: 'answer', to: by, item })) };
}
