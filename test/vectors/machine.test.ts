/** The round machine, step by step: `machine-*.json` holds every input with the full state and all effects after it. */
import { describe, expect, it } from 'vitest';
import { initialState, itemKey, step } from '../../src/round/index.ts';
import { modes } from './machine-modes.ts';
import { refusals } from './machine-refusals.ts';
import { rounds } from './machine-rounds.ts';
import { shards } from './machine-shards.ts';
import { expectVector } from './rewrite.ts';

describe('the round machine', () => {
  it.each(Object.entries({ ...rounds, ...refusals, ...shards, ...modes }))('%s', (name, { what, config, releases, script }) => {
    let state = initialState();
    const steps = script.map((next) => {
      const input = typeof next === 'function' ? next(state) : next;
      const { state: after, effects } = step(config, state, input);
      state = after;
      return { input, state, effects };
    });
    const released = steps.flatMap((one) =>
      one.effects.flatMap((effect) => (effect.kind === 'answer' && 'attempt' in effect.item ? [`${itemKey(effect.item)} to ${effect.to}`] : [])),
    );
    expect(released).toEqual(releases);
    expectVector(`machine-${name}.json`, { what, config, steps });
  });
});
