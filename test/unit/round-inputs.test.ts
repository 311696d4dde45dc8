/** What each input does to a state, and what it leaves alone: late, doubled and foreign ones change nothing. */
import { describe, expect, it } from 'vitest';
import type { Input } from '../../src/round/index.ts';
import { maxAsked } from '../../src/round/limits.ts';
import { reduce } from '../../src/round/reduce.ts';
import type { Ground, RoundState } from '../../src/round/state.ts';
import { namedGroups, type RoundFact } from '../../src/wire/index.ts';
import { attempt, config, everyone, ground, terms, word } from '../support/rounds.ts';

type Phase<Name extends RoundState['phase']> = RoundState & { readonly phase: Name };

const when = { sinceS: 0, deadlineS: 9 };
const join: Phase<'join'> = { phase: 'join', ground: { ...ground, joined: { 1: word('first') } }, ...when };
const share: Phase<'share'> = { phase: 'share', ground, ...when, joined: everyone, vouched: [1], holds: [] };
const commit: Phase<'commit'> = { phase: 'commit', ground, ...attempt, roots: { 1: word('first') } };
const ready: Phase<'ready'> = { phase: 'ready', ground, ...attempt, vectors: [], sum: undefined, gather: undefined, ready: {}, haves: [] };
const reveal: Phase<'reveal'> = {
  ...{ phase: 'reveal', ground, ...attempt, sum: word('sum'), gather: undefined, ready: {}, seeds: [] },
  ...{ unmasked: undefined, votes: [] },
};
const opened = { accept: true, state: word('state'), model: word('model'), nextPlan: word('plan') };
const final: Phase<'final'> = {
  phase: 'final',
  ground,
  attempt: 0,
  set: [0, 1, 2],
  ...{ state: word('state'), model: word('model') },
  nextPlan: word('plan'),
  held: false,
  differs: false,
};
const over: Phase<'void'> = { phase: 'void', ground, attempt: 0, reason: 'no-agreement' };
const took = (state: RoundState, input: Input): RoundState => reduce(config, state, input);
const fact = (state: RoundState, told: RoundFact): RoundState => took(state, { kind: 'fact', fact: told });
const onGround = (input: Input, known: Partial<Ground> = {}): Ground => took({ ...share, ground: { ...ground, ...known } }, input).ground;
const same = (state: RoundState, ...inputs: readonly Input[]): void => {
  for (const input of inputs) expect(took(state, input), JSON.stringify(input)).toBe(state);
};

describe('what stays with a member', () => {
  it('time goes forward only', () => {
    const now = { ...share, ground: { ...ground, timeS: 5 } };
    same(now, { kind: 'time', timeS: 5 }, { kind: 'time', timeS: 4 });
    expect(took(now, { kind: 'time', timeS: 6 }).ground.timeS).toBe(6);
  });
  it('the base is taken once', () => {
    const base = { kind: 'baseReady', base: word('new'), plan: word('new plan'), exchange: { kind: 'broadcast' } } as const;
    same(share, base);
    expect(onGround(base, { base: undefined })).toMatchObject({ base: word('new'), plan: word('new plan') });
  });
  it('who was refused is noted', () => expect(onGround({ kind: 'bundleRefused', from: 3 }, { refused: [1] }).refused).toEqual([1, 3]));
  it('what was erased stays erased', () => expect(onGround({ kind: 'erased', below: 1 }, { erasedBelow: 2 }).erasedBelow).toBe(2));
  it('the state that FINAL names is held once it is here, and no other', () => {
    expect(took(final, { kind: 'stateHeld', state: word('state') })).toEqual({ ...final, held: true });
    same(final, { kind: 'stateHeld', state: word('other') });
    same(reveal, { kind: 'stateHeld', state: word('state') });
  });
});

describe('requests that wait', () => {
  const asks = (by: number, known: Partial<Ground>) => onGround({ kind: 'requested', by, item: { kind: 'seed', attempt: 0 } }, known).asked;
  it('are those of members of the round, or of anybody before it is open', () => {
    expect(asks(1, {})).toHaveLength(1);
    expect(asks(1, { roster: [0, 2, 3] })).toEqual([]);
    expect(asks(1, { roster: [] })).toHaveLength(1);
  });
  it('are never its own', () => {
    expect(asks(0, {})).toEqual([]);
    expect(asks(0, { roster: [] })).toEqual([]);
  });
  it('are bounded for each member, whatever the others ask', () => {
    const many = (by: number, count: number): Ground['asked'] =>
      Array.from({ length: count }, (_, owner) => ({ by, item: { kind: 'seedShare', attempt: 1, owner } }) as const);
    expect(asks(1, { asked: many(1, maxAsked) })).toHaveLength(maxAsked);
    expect(asks(1, { asked: many(1, maxAsked - 1) })).toHaveLength(maxAsked);
    expect(asks(1, { asked: many(2, maxAsked) })).toHaveLength(maxAsked + 1);
  });
});

describe('outcomes of an attempt', () => {
  const masked = { kind: 'masked', attempt: 0, root: word('root') } as const;
  it('of another attempt, or before there is one, change nothing', () => {
    same(share, masked, { kind: 'summed', attempt: 0, sum: word('sum') });
    same(ready, { kind: 'summed', attempt: 1, sum: word('sum') }, { kind: 'vectorHeld', attempt: 1, member: 1 });
    same(reveal, { kind: 'seedHeld', attempt: 1, from: 1 }, { kind: 'unmasked', attempt: 1, ...opened });
    same(commit, { kind: 'maskLost', attempt: 1 });
  });
  it('in another phase change nothing', () => {
    same(commit, { kind: 'summed', attempt: 0, sum: word('sum') }, { kind: 'seedHeld', attempt: 0, from: 1 }, { kind: 'vectorHeld', attempt: 0, member: 1 });
    same(ready, { kind: 'seedHeld', attempt: 0, from: 1 }, { kind: 'unmasked', attempt: 0, ...opened });
    same(reveal, { kind: 'vectorHeld', attempt: 0, member: 1 }, { kind: 'summed', attempt: 0, sum: word('other') });
    same(over, masked, { kind: 'unmasked', attempt: 0, ...opened });
  });
  it('a vector is masked once, or its mask is lost', () => {
    expect(took(commit, masked)).toEqual({ ...commit, masked: word('root') });
    expect(took(commit, { kind: 'maskLost', attempt: 0 })).toEqual({ ...commit, masked: 'lost' });
    same({ ...commit, masked: word('first') }, masked, { kind: 'maskLost', attempt: 0 });
    same({ ...ready, masked: word('first') }, masked);
    expect(took(ready, masked)).toEqual({ ...ready, masked: word('root') });
  });
  it('a sum is taken once', () => {
    const summed = { ...ready, sum: word('first') };
    same(summed, { kind: 'summed', attempt: 0, sum: word('sum') });
    expect(took(ready, { kind: 'summed', attempt: 0, sum: word('sum') })).toEqual({ ...ready, sum: word('sum') });
  });
  it('seeds and the opened sum are taken in REVEAL, the sum once', () => {
    expect(took(reveal, { kind: 'seedHeld', attempt: 0, from: 2 })).toEqual({ ...reveal, seeds: [2] });
    const open = took(reveal, { kind: 'unmasked', attempt: 0, ...opened });
    expect(open).toEqual({ ...reveal, unmasked: opened });
    same(open, { kind: 'unmasked', attempt: 0, ...opened, state: word('other') });
  });
  it('a sum that is open after FINAL shows whether this member holds the state or has another', () => {
    const late = (state: RoundState, computed: string) => took(state, { kind: 'unmasked', attempt: 0, ...opened, state: word(computed) });
    expect(late(final, 'state')).toEqual({ ...final, held: true });
    expect(late(final, 'other')).toEqual({ ...final, differs: true });
    expect(late({ ...final, held: true }, 'other')).toEqual({ ...final, held: true, differs: true });
    expect(late({ ...final, differs: true }, 'state')).toEqual({ ...final, held: true, differs: true });
    same(final, { kind: 'masked', attempt: 0, root: word('root') }, { kind: 'seedHeld', attempt: 0, from: 1 });
  });
});

describe('facts of the ledger', () => {
  it('a round opens once', () => {
    const told: RoundFact = { kind: 'opened', roster: [0, 1, 2, 3], base: word('b'), plan: word('p'), sinceS: 1, deadlineS: 2 };
    expect(fact(share, told)).toBe(share);
    expect(fact({ phase: 'waiting', ground: { ...ground, roster: [] } }, told)).toMatchObject({
      phase: 'join',
      ground: { roster: [0, 1, 2, 3], threshold: 3 },
    });
  });
  it('a member joins once, in JOIN', () => {
    expect(fact(join, { kind: 'joined', member: 1, bundle: word('second') })).toBe(join);
    expect(fact(join, { kind: 'joined', member: 2, bundle: word('own') }).ground.joined).toEqual({ 1: word('first'), 2: word('own') });
    const late = { ...share, ground: { ...ground, joined: {} } };
    expect(fact(late, { kind: 'joined', member: 2, bundle: word('late') })).toBe(late);
  });
  it('JOIN closes once, and vouchers count in SHARE', () => {
    expect(fact(commit, { kind: 'joinClosed', joined: everyone, ...when })).toBe(commit);
    expect(fact(join, { kind: 'joinClosed', joined: [0, 1, 2], ...when })).toMatchObject({ phase: 'share', joined: [0, 1, 2], vouched: [], holds: [] });
    expect(fact(commit, { kind: 'vouched', member: 2, holds: [2] })).toBe(commit);
    expect(fact(share, { kind: 'vouched', member: 2, holds: [2] })).toMatchObject({ vouched: [1, 2], holds: [] });
  });
  it('an attempt follows SHARE, or an earlier attempt; from JOIN only in open mode', () => {
    const told = (number: number): RoundFact => ({ kind: 'attemptOpened', attempt: number, set: [0, 1, 2], ...when });
    expect(fact(share, told(0))).toMatchObject({ phase: 'commit', attempt: 0, roots: {}, masked: undefined });
    expect(fact(join, told(0))).toBe(join);
    expect(reduce({ ...config, terms: { ...terms, open: true } }, join, { kind: 'fact', fact: told(0) }).phase).toBe('commit');
    for (const state of [commit, ready] as const) {
      expect(fact(state, told(0))).toBe(state);
      expect(fact({ ...state, attempt: 2 }, told(1))).toEqual({ ...state, attempt: 2 });
      expect(fact(state, told(1))).toMatchObject({ phase: 'commit', attempt: 1 });
    }
    expect(fact(reveal, told(1))).toBe(reveal);
    expect(fact(over, told(1))).toBe(over);
  });
  it('a root counts once, for its attempt, in COMMIT', () => {
    const told = (member: number, number = 0): RoundFact => ({ kind: 'committed', attempt: number, member, root: word('root') });
    expect(fact(commit, told(1))).toBe(commit);
    expect(fact(commit, told(2))).toEqual({ ...commit, roots: { 1: word('first'), 2: word('root') } });
    expect(fact(commit, told(2, 1))).toBe(commit);
    expect(fact(ready, told(2))).toBe(ready);
    expect(fact(share, told(2))).toBe(share);
  });
  it('COMMIT closes into READY, with shards for who takes part', () => {
    const told: RoundFact = { kind: 'commitClosed', attempt: 0, beacon: word('beacon'), ...when };
    expect(fact(commit, told)).toMatchObject({ phase: 'ready', gather: undefined, vectors: [], haves: [] });
    const scatters = { ...commit, ground: { ...ground, exchange: { kind: 'reduce-scatter', sizeBytes: 400_000 } as const } };
    expect(fact(scatters, told)).toMatchObject({ phase: 'ready', gather: { generation: 0 } });
    expect(fact({ ...scatters, set: [1, 2, 3] }, told)).toMatchObject({ phase: 'ready', gather: undefined });
    expect(fact({ ...scatters, ground: { ...scatters.ground, context: undefined } }, told)).toMatchObject({ gather: undefined });
    expect(fact(ready, told)).toBe(ready);
  });
  it('HAVE is noted; in groups with what it says', () => {
    const told: RoundFact = { kind: 'have', attempt: 0, member: 2, holds: [1, 2] };
    expect(fact(ready, told)).toEqual({ ...ready, haves: [2] });
    const grouped = { ...ready, groups: { stated: {}, held: [], said: { 1: [1] } } };
    const inGroups = { ...config, terms: { ...terms, groupSize: namedGroups } };
    expect(reduce(inGroups, grouped, { kind: 'fact', fact: told })).toEqual({
      ...grouped,
      haves: [2],
      groups: { stated: {}, held: [], said: { 1: [1], 2: [1, 2] } },
    });
  });
  it('READY counts once, and closes into REVEAL', () => {
    const told: RoundFact = { kind: 'ready', attempt: 0, member: 1, context: word('c'), sum: word('sum'), signature: '0x' };
    const one = fact(ready, told);
    expect(one).toEqual({ ...ready, ready: { 1: { context: word('c'), sum: word('sum') } } });
    expect(fact(one, { ...told, sum: word('other') })).toBe(one);
    expect(fact(ready, { kind: 'readyClosed', attempt: 0, sum: word('sum'), ...when })).toMatchObject({ phase: 'reveal', seeds: [], votes: [] });
    expect(fact(commit, { kind: 'readyClosed', attempt: 0, sum: word('sum'), ...when })).toBe(commit);
  });
  it('votes count in REVEAL', () => {
    expect(fact(reveal, { kind: 'voted', member: 2, ...opened })).toEqual({ ...reveal, votes: [2] });
    expect(fact(ready, { kind: 'voted', member: 2, ...opened })).toBe(ready);
  });
  it('FINAL closes once, and says whether what was computed here is what was voted', () => {
    const told: RoundFact = { kind: 'final', attempt: 0, set: [0, 1, 2], state: word('state'), model: word('model'), nextPlan: word('plan') };
    expect(fact(over, told)).toBe(over);
    expect(fact(final, { ...told, state: word('other') })).toBe(final);
    expect(fact(ready, told)).toEqual(final);
    const open = (change: object) => fact({ ...reveal, unmasked: { ...opened, ...change } }, told);
    expect(open({})).toEqual({ ...final, held: true });
    expect(open({ state: word('other') })).toEqual({ ...final, differs: true });
    expect(open({ model: word('other') })).toEqual({ ...final, held: true, differs: true });
    expect(fact(reveal, told)).toEqual(final);
  });
});
