/** Answers to requests: the only place that lets bundles, shares and seeds leave, and that remembers a release. */
import type { Item } from '../wire/index.ts';
import type { Effect, RoundConfig } from './io.ts';
import { certified } from './rules.ts';
import type { RoundState } from './state.ts';

/** Whether an item may be sent now: nothing once the round is over. Seeds and shares of seeds: only behind the consent gate and after R1. */
function available(config: RoundConfig, state: RoundState, by: number, item: Item): boolean {
  const { ground } = state;
  if (state.phase === 'final' || state.phase === 'void') return false;
  switch (item.kind) {
    case 'bundle':
      return ground.bundle !== undefined;
    case 'shares':
      return ground.bundles.includes(by) && (config.self < by || ground.shares.includes(by));
    case 'seed':
    case 'seedShare':
      return state.phase === 'reveal' && releasable(config, state, item);
  }
}

function releasable(config: RoundConfig, state: RoundState & { phase: 'reveal' }, item: Item & { kind: 'seed' | 'seedShare' }): boolean {
  const { ground } = state;
  if (item.attempt !== state.attempt || ground.erasedBelow < state.attempt || !certified(config, ground, state)) return false;
  if (ground.released && ground.released.attempt !== state.attempt) return false;
  if (item.kind === 'seed') return state.set.includes(config.self);
  return state.set.includes(item.owner) && ground.shares.includes(item.owner);
}

/** Splits what was asked into answers for now and requests that wait, and records the release (R3) in the same step. */
export function answers(config: RoundConfig, state: RoundState): { readonly state: RoundState; readonly effects: readonly Effect[] } {
  const { ground } = state;
  const due = ground.asked.filter(({ by, item }) => available(config, state, by, item));
  if (due.length === 0) return { state, effects: [] };
  const releases = due.some(({ item }) => item.kind === 'seed' || item.kind === 'seedShare');
  const released = releases && state.phase === 'reveal' ? { attempt: state.attempt, set: state.set } : ground.released;
  const asked = ground.asked.filter((request) => !due.includes(request));
  return { state: { ...state, ground: { ...ground, asked, released } }, effects: due.map(({ by, item }) => ({ kind: 'answer', to: by, item })) };
}
