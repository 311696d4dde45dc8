/** The machine as a whole at its borders: what a round begins with, what asking changes, and contexts that are kept. */
import { expect, it } from 'vitest';
import { attemptContext } from '../../src/aggregation/index.ts';
import { contextOf } from '../../src/round/context.ts';
import { initialState, step, take } from '../../src/round/machine.ts';
import type { RoundState } from '../../src/round/state.ts';
import { attempt, config, everyone, ground, word } from '../support/rounds.ts';

it('knows nothing at first, and wants nothing', () => {
  const { phase, ground: first } = initialState();
  expect(phase).toBe('waiting');
  expect([first.roster, first.bundles, first.refused, first.shares, first.asked, first.gone.members]).toEqual([[], [], [], [], [], []]);
  expect([first.bundle, first.base, first.opened, first.context, first.released]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  expect(step(config, initialState(), { kind: 'time', timeS: 5 }).effects).toEqual([]);
});

it('is left as it was by a request that is answered at once, so that asking fills no journal; one that waits is noted, once', () => {
  const state: RoundState = {
    phase: 'share',
    ground: { ...ground, bundle: word('bundle') },
    sinceS: 0,
    deadlineS: 9,
    joined: everyone,
    vouched: [],
    holds: [],
  };
  const now = take(config, state, { kind: 'requested', by: 1, item: { kind: 'bundle' } });
  expect(now.effects).toEqual([{ kind: 'answer', to: 1, item: { kind: 'bundle' } }]);
  expect(now.state).toBe(state);
  const waits = take(config, state, { kind: 'requested', by: 1, item: { kind: 'seed', attempt: 0 } });
  expect(waits.effects).toEqual([]);
  expect(waits.state.ground.asked).toEqual([{ by: 1, item: { kind: 'seed', attempt: 0 } }]);
  expect(take(config, waits.state, { kind: 'requested', by: 1, item: { kind: 'seed', attempt: 0 } }).state).toBe(waits.state);
});

it('has the context of the round and attempt that it is asked for, also for one and the same list', () => {
  const { set } = attempt;
  const expected = (of: string, number: number) => attemptContext(word(of), number, set);
  expect(contextOf(ground, attempt)).toBe(expected('context', 0));
  expect(contextOf(ground, { ...attempt, attempt: 1 })).toBe(expected('context', 1));
  expect(contextOf({ ...ground, context: word('other') }, { ...attempt, attempt: 1 })).toBe(expected('other', 1));
  expect(contextOf(ground, attempt)).toBe(expected('context', 0));
  expect(contextOf({ ...ground, context: undefined }, attempt)).toBeUndefined();
});
