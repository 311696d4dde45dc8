/** What a member wants in each phase: at the half times, beside members that left, in groups, and after a mask that was lost. */
import { describe, expect, it } from 'vitest';
import { contextOf } from '../../src/round/context.ts';
import { effectKey, type RoundConfig } from '../../src/round/index.ts';
import type { Ground, RoundState } from '../../src/round/state.ts';
import { wanted } from '../../src/round/wanted.ts';
import { namedGroups } from '../../src/wire/index.ts';
import { attempt, config, everyone, ground, terms, word } from '../support/rounds.ts';

type Phase<Name extends RoundState['phase']> = RoundState & { readonly phase: Name };

const when = { sinceS: 0, deadlineS: 8 };
const known: Ground = { ...ground, bundle: word('bundle'), inputReady: true, bundles: [1, 2, 3, 4, 5], shares: [1, 2, 3, 4, 5] };
const all = { joined: known.joined, votes: everyone, vouched: everyone };
const roots = Object.fromEntries(everyone.map((member) => [member, word(`root ${member}`)]));
const join = (change: Partial<Ground> = {}): RoundState => ({ phase: 'join', ground: { ...known, ...change }, ...when });
const share = (change: Partial<Phase<'share'>> = {}): RoundState => ({
  phase: 'share',
  ground: known,
  ...when,
  joined: everyone,
  vouched: [],
  holds: [],
  ...change,
});
const commit = (change: Partial<Phase<'commit'>> = {}): RoundState => ({ phase: 'commit', ground: known, ...attempt, ...when, ...change });
const ready = (change: Partial<Phase<'ready'>> = {}): RoundState => ({
  ...{ phase: 'ready', ground: known, ...attempt, ...when, roots, masked: word('root 0') },
  ...{ vectors: [], sum: undefined, gather: undefined, ready: {}, haves: [] },
  ...change,
});
const consent = Object.fromEntries([0, 1, 2].map((member) => [member, { context: contextOf(ground, attempt) ?? word(''), sum: word('sum') }]));
const reveal = (change: Partial<Phase<'reveal'>> = {}): RoundState => ({
  ...{ phase: 'reveal', ground: known, ...attempt, ...when, sum: word('sum'), gather: undefined, ready: consent, seeds: [] },
  ...{ unmasked: undefined, votes: [] },
  ...change,
});
const at = (timeS: number, change: Partial<Ground> = {}): Ground => ({ ...known, ...change, timeS });
const keys = (state: RoundState, of: RoundConfig = config): readonly string[] => wanted(of, state).map(effectKey);
const posts = (state: RoundState, kind: string, of: RoundConfig = config) =>
  wanted(of, state).flatMap((effect) => (effect.kind === 'post' && effect.post.kind === kind ? [effect.post] : []));

describe('closing a phase that is over', () => {
  const closes = (timeS: number, self: number, change: Partial<Ground> = {}): boolean =>
    posts(join({ ...at(timeS), joined: {}, ...change }), 'advance', { ...config, self }).length > 0;
  it('is for one after the other, a second apart', () => {
    expect([closes(8, 0), closes(9, 0), closes(9, 1), closes(10, 1)]).toEqual([false, true, false, true]);
  });
  it('is for whom the round does not expect last', () => {
    const others = { roster: [3, 4, 5] };
    expect([closes(9, 3, others), closes(9, 0, others), closes(11, 0, others), closes(12, 0, others), closes(12, 1, others), closes(13, 1, others)]).toEqual([
      ...[true, false, false],
      ...[true, false, true],
    ]);
  });
  it('leaves out who has left, and is not for it', () => {
    const gone = { gone: { members: [0], sinceS: 100 } };
    expect([closes(9, 1, gone), closes(99, 0, gone)]).toEqual([true, false]);
  });
  const left = { gone: { members: [5], sinceS: 3 } };
  it.each<[string, (done: boolean) => RoundState]>([
    ['JOIN', (done) => join({ ...at(4, left), joined: Object.fromEntries(Object.entries(all.joined).slice(0, done ? 5 : 4)) })],
    ['SHARE', (done) => share({ ground: at(4, left), vouched: done ? [0, 1, 2, 3, 4] : [0, 1, 2, 3] })],
    ['COMMIT', (done) => commit({ ground: at(4, left), set: everyone, roots: Object.fromEntries(Object.entries(roots).slice(0, done ? 5 : 4)) })],
    [
      'READY',
      (done) =>
        ready({
          ground: at(4, left),
          set: everyone,
          ready: Object.fromEntries((done ? [0, 1, 2, 3, 4] : [0, 1, 2, 3]).map((member) => [member, { context: word('c'), sum: word('s') }])),
        }),
    ],
    ['REVEAL', (done) => reveal({ ground: at(4, left), set: everyone, votes: done ? [0, 1, 2, 3, 4] : [0, 1, 2, 3] })],
  ])('%s is over at once where only those are missing that left, and not where one more is', (_, state) => {
    expect(posts(state(true), 'advance')).toHaveLength(1);
    expect(posts(state(false), 'advance')).toEqual([]);
  });
  it('waits for the deadline where nobody is missing', () => expect(posts(join(at(4, left)), 'advance')).toEqual([]));
});

describe('a member without the state of the round', () => {
  it('fetches it from all others, once the round is open', () => {
    const behind = { base: undefined, plan: undefined };
    expect(wanted(config, join(behind))).toContainEqual({ kind: 'fetchState', state: word('base'), holders: [1, 2, 3, 4, 5] });
    expect(keys(join({ ...behind, opened: undefined }))).toEqual([]);
    expect(keys({ phase: 'waiting', ground: { ...known, ...behind } })).toEqual([]);
  });
});

describe('SHARE', () => {
  it('is nothing for who only watches, or has not joined', () => {
    expect(keys(share({ joined: [1, 2, 3] }))).toEqual([]);
    expect(keys(share({ ground: { ...known, base: word('other') } }))).toEqual([]);
    expect(posts(share(), 'vouch')).toEqual([{ kind: 'vouch', holds: everyone }]);
  });
  it('is keys, once the round is open', () => {
    const fresh = { ...known, bundle: undefined };
    expect(keys(share({ ground: fresh }))).toContain('makeBundle');
    expect(keys(share({ ground: { ...fresh, context: undefined } }))).not.toContain('makeBundle');
  });
});

describe('COMMIT', () => {
  it('asks for what is missing of the set, and masks once all is here', () => {
    const lacking = { ...known, bundles: [2, 3, 4, 5], shares: [3, 4, 5] };
    expect(keys(commit({ ground: lacking }))).toEqual(expect.arrayContaining(['request/1/bundle', 'request/2/shares']));
    expect(keys(commit({ ground: lacking }))).not.toContain('mask/0');
    expect(keys(commit())).toContain('mask/0');
  });
  it('needs the bundle of a higher member and the shares of a lower one', () => {
    const masks = (self: number, change: Partial<Ground>): boolean => keys(commit({ ground: { ...known, ...change } }), { ...config, self }).includes('mask/0');
    expect([masks(0, { bundles: [1, 2], shares: [] }), masks(0, { bundles: [1], shares: [1, 2] })]).toEqual([true, false]);
    expect([masks(2, { bundles: [], shares: [0, 1] }), masks(2, { bundles: [0, 1], shares: [0] })]).toEqual([true, false]);
  });
});

describe('READY', () => {
  it('is nothing without a masked vector of its own', () => {
    for (const masked of [undefined, 'lost'] as const) expect(keys(ready({ masked }))).toEqual([]);
    expect(keys(ready())).toEqual(['fetchVector/0/1', 'fetchVector/0/2']);
    expect(keys(ready({ set: [1, 2, 3] }))).toEqual([]);
  });
  it('is a vector from its owner first, where a root is known', () => {
    expect(wanted(config, ready())).toContainEqual({ kind: 'fetchVector', attempt: 0, member: 2, root: word('root 2'), holders: [2, 1] });
    expect(keys(ready({ roots: { 1: word('root 1') } }))).toEqual(['fetchVector/0/1']);
  });
  it('says at half time what is here, once', () => {
    expect(posts(ready({ ground: at(3), vectors: [2] }), 'have')).toEqual([]);
    expect(posts(ready({ ground: at(4), vectors: [2] }), 'have')).toEqual([{ kind: 'have', attempt: 0, holds: [0, 2] }]);
    expect(posts(ready({ ground: at(4), vectors: [2], haves: [0] }), 'have')).toEqual([]);
  });
  it('sums, and signs for exactly its own context, list and sum', () => {
    expect(keys(ready({ vectors: [1, 2] }))).toEqual(['sum/0']);
    expect(posts(ready({ vectors: [1, 2], sum: word('sum') }), 'ready')).toEqual([
      { kind: 'ready', attempt: 0, context: contextOf(ground, attempt), members: config.accounts.slice(0, 3), sum: word('sum') },
    ]);
    expect(keys(ready({ vectors: [1, 2], sum: word('sum'), ready: consent }))).toEqual([]);
  });
  it('still takes the bundles that REVEAL needs, after its own READY', () => {
    expect(keys(ready({ ground: { ...known, bundles: [1] }, ready: consent }))).toEqual(['request/2/bundle']);
  });
});

describe('in groups', () => {
  const inGroups = { ...config, terms: { ...terms, groupSize: namedGroups } };
  const grouped: Ground = { ...known, groups: { children: [{ members: [0, 1, 2] }, { members: [3, 4, 5] }] } };
  const nothing = { stated: {}, held: [], said: {} };
  const state = (change: Partial<Phase<'ready'>> = {}): RoundState =>
    ready({ ground: grouped, set: everyone, vectors: [1, 2], sum: word('own'), groups: nothing, ...change });

  it("a bundle is asked for from the rest of its owner's group too", () => {
    const asked = keys(commit({ ground: { ...grouped, bundles: [1, 2, 3, 4] }, set: everyone }), inGroups);
    expect(asked).toEqual(expect.arrayContaining(['request/5/bundle', 'request/3/bundleOf/5', 'request/4/bundleOf/5']));
    expect(asked).not.toContain('request/5/bundleOf/5');
    expect(asked).not.toContain('request/1/bundleOf/5');
    expect(keys(commit({ ground: { ...grouped, bundles: [1, 3, 4, 5] }, set: everyone }), inGroups)).toEqual(
      expect.arrayContaining(['request/2/bundle', 'request/1/bundleOf/2']),
    );
  });
  it('the own group is summed, then the roots of others are asked for, then their sums', () => {
    expect(wanted(inGroups, state({ sum: undefined }))).toContainEqual({ kind: 'sum', attempt: 0, set: [0, 1, 2] });
    expect(keys(state(), inGroups)).toEqual(['request/3/groupSum/0', 'request/4/groupSum/0', 'request/5/groupSum/0']);
    expect(keys(state({ groups: { ...nothing, stated: { 4: word('other') } } }), inGroups)).toEqual(['request/3/groupSum/0', 'request/5/groupSum/0']);
    const stated = { ...nothing, stated: { 3: word('other'), 4: word('other') } };
    expect(wanted(inGroups, state({ groups: stated }))).toEqual([{ kind: 'fetchGroup', attempt: 0, group: 1, root: word('other'), holders: [3, 4, 5] }]);
    expect(posts(state({ groups: { ...stated, held: [1] } }), 'ready', inGroups)).toHaveLength(1);
  });
  it('says late who is missing elsewhere, once', () => {
    const said = { ...nothing, said: { 3: [3, 4], 4: [3, 4] } };
    expect(posts(state({ ground: { ...grouped, timeS: 5 }, groups: said }), 'have', inGroups)).toEqual([]);
    expect(posts(state({ ground: { ...grouped, timeS: 6 }, groups: said }), 'have', inGroups)).toEqual([{ kind: 'have', attempt: 0, holds: [0, 1, 2, 3, 4] }]);
    expect(posts(state({ ground: { ...grouped, timeS: 6 }, groups: said, haves: [0] }), 'have', inGroups)).toEqual([]);
  });
});

describe('REVEAL', () => {
  it('asks for seeds where their bundle is here, and late for the shares of all holders', () => {
    expect(keys(reveal())).toEqual(['request/1/seed/0', 'request/2/seed/0']);
    expect(keys(reveal({ ground: { ...known, bundles: [1] } }))).toEqual(['request/2/bundle', 'request/1/seed/0']);
    expect(keys(reveal({ ground: at(3), seeds: [1] }))).toEqual([
      ...['request/2/seed/0', 'request/1/seedShare/0/2', 'request/3/seedShare/0/2'],
      ...['request/4/seedShare/0/2', 'request/5/seedShare/0/2'],
    ]);
  });
  it('opens, and votes once', () => {
    const unmasked = { accept: true, state: word('state'), model: word('model'), nextPlan: word('plan') };
    expect(keys(reveal({ seeds: [1, 2] }))).toEqual(['unmask/0']);
    expect(posts(reveal({ unmasked }), 'vote')).toEqual([{ kind: 'vote', ...unmasked }]);
    expect(keys(reveal({ unmasked, votes: [0] }))).toEqual([]);
  });
  it('is nothing without consent', () => expect(keys(reveal({ ready: {} }))).toEqual([]));
});

describe('the end', () => {
  const final: RoundState = {
    phase: 'final',
    ground: known,
    attempt: 0,
    set: [0, 1, 2],
    state: word('state'),
    model: word('model'),
    nextPlan: word('plan'),
    held: false,
    differs: false,
  };
  it('destroys every secret, and fetches the state where it is not here', () => {
    expect(keys(final)).toEqual(['erase/3', 'fetchState']);
    expect(keys({ ...final, held: true })).toEqual(['erase/3']);
    expect(keys({ ...final, differs: true, ground: { ...known, erasedBelow: 3 } })).toEqual([]);
    expect(keys({ phase: 'void', ground: known, attempt: 0, reason: 'no-agreement' })).toEqual(['erase/3']);
  });
  it('of a round that a member has abandoned comes at once', () => {
    expect(keys(commit({ ground: { ...known, abandoned: true, base: undefined } }))).toEqual(['erase/3', 'fetchState']);
  });
});
