/** The rules of the round by themselves, at their borders: R2, R3 and R6 of proto/README.md, and the reasons for watching. */
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/common/index.ts';
import { contextOf } from '../../src/round/context.ts';
import { accountsOf, certified, differencingRisk, isForgotten, takesPart, watching } from '../../src/round/rules.ts';
import type { Ground, RoundState } from '../../src/round/state.ts';
import { namedGroups } from '../../src/wire/index.ts';
import { accounts, attempt, config, everyone, ground, terms, word } from '../support/rounds.ts';

describe('R6, differencing', () => {
  const risk = (before: readonly number[], now: readonly number[], base = word('base')): boolean =>
    differencingRisk({ ...config, earlierReleases: [{ base, set: before }] }, ground, now);

  it.each([
    ['an equal list', [0, 1, 2, 3], [0, 1, 2, 3], false],
    ['one member less', [0, 1, 2, 3], [0, 1, 2], true],
    ['one member more', [0, 1, 2], [0, 1, 2, 3], true],
    ['one for another', [0, 1, 2], [0, 1, 3], true],
    ['n_min members less', [0, 1, 2, 3, 4, 5], [0, 1, 2], false],
    ['n_min members more', [0, 1, 2], [0, 1, 2, 3, 4, 5], false],
    ['two for one', [0, 1, 2, 3], [0, 1, 4, 5, 2], false],
  ])('%s', (_, before, now, risky) => expect(risk(before, now)).toBe(risky));

  it('counts only on the base of this round', () => expect(risk([0, 1, 2, 3], [0, 1, 2], word('another base'))).toBe(false));
  it('counts nothing while the names of the groups are not known: this member takes no part then', () => {
    const named = { ...config, terms: { ...terms, groupSize: namedGroups }, earlierReleases: [{ base: word('base'), set: [0, 1, 2, 3] }] };
    expect(differencingRisk(named, ground, [0, 1, 2])).toBe(false);
    expect(differencingRisk(named, { ...ground, groups: { members: everyone } }, [0, 1, 2])).toBe(true);
  });
  it('counts nothing before the round is open', () =>
    expect(differencingRisk({ ...config, earlierReleases: [{ base: word('base'), set: [0, 1, 2, 3] }] }, { ...ground, opened: undefined }, [0, 1, 2])).toBe(
      false,
    ));
});

describe('who takes part', () => {
  const attempt = { attempt: 1, set: [0, 1, 2] };
  const least = (minMembers: number) => ({ ...config, terms: { ...terms, minMembers } });
  it('nobody in fewer than the study asks for, and never in fewer than three', () => {
    expect(takesPart(least(5), ground, { attempt: 1, set: [0, 1, 2, 3] })).toBe(false);
    expect(takesPart(least(5), ground, { attempt: 1, set: [0, 1, 2, 3, 4] })).toBe(true);
    expect(takesPart(least(2), ground, { attempt: 1, set: [0, 1] })).toBe(false);
  });
  it('a member of a large enough list in which all have joined', () => expect(takesPart(config, ground, attempt)).toBe(true));
  it('nobody where one of the list has not joined', () =>
    expect(takesPart(config, { ...ground, joined: { 0: word('a'), 1: word('b') } }, attempt)).toBe(false));
  it('nobody in a list of two', () => expect(takesPart(config, ground, { attempt: 1, set: [0, 1] })).toBe(false));
  it('nobody outside the list', () => expect(takesPart(config, ground, { attempt: 1, set: [1, 2, 3] })).toBe(false));
  it('R3: nobody who released for another attempt', () => {
    expect(takesPart(config, { ...ground, released: { attempt: 0, set: everyone } }, attempt)).toBe(false);
    expect(takesPart(config, { ...ground, released: { attempt: 1, set: [0, 1, 2] } }, attempt)).toBe(true);
  });
});

it('says why a member watches', () => {
  expect(watching(config, ground)).toBeUndefined();
  expect(watching(config, { ...ground, opened: undefined })).toBe('not-expected');
  expect(watching(config, { ...ground, roster: [1, 2, 3] })).toBe('not-expected');
  expect(watching(config, { ...ground, base: undefined })).toBe('catching-up');
  expect(watching(config, { ...ground, plan: undefined })).toBe('catching-up');
  expect(watching(config, { ...ground, abandoned: true })).toBe('abandoned');
  expect(watching(config, { ...ground, base: word('other') })).toBe('other-base');
  expect(watching(config, { ...ground, plan: word('other') })).toBe('other-plan');
  const named = { ...config, terms: { ...terms, groupSize: 255 } };
  expect(watching(named, ground)).toBe('catching-up');
  expect(watching(named, { ...ground, groups: { members: everyone } })).toBeUndefined();
});

it('leaves out members that the run does not have', () => expect(accountsOf(config, [1, 9])).toEqual([accounts[1]]));

describe('R2, the consent gate', () => {
  const context = contextOf(ground, attempt) as Digest;
  const ready = (sums: readonly string[], of = context) => Object.fromEntries(sums.map((sum, member) => [member, { context: of, sum: word(sum) }]));
  const gate = (self: number, signed: ReturnType<typeof ready>, own = 'sum', known: Ground = ground): boolean =>
    certified({ ...config, self }, known, { ...attempt, ready: signed, sum: word(own) });

  it('opens on n of n over one context and one sum', () => expect(gate(0, ready(['sum', 'sum', 'sum']))).toBe(true));
  it('opens over a list that does not begin with the first member', () => {
    const later = { ...attempt, set: [1, 2, 3] };
    const own = { context: contextOf(ground, later) as Digest, sum: word('sum') };
    expect(certified({ ...config, self: 1 }, ground, { ...later, ready: { 1: own, 2: own, 3: own }, sum: word('sum') })).toBe(true);
  });
  it('stays shut with one missing', () => expect(gate(0, ready(['sum', 'sum']))).toBe(false));
  it('stays shut with none', () => expect(gate(0, {})).toBe(false));
  it('stays shut on two sums', () => expect(gate(0, ready(['sum', 'sum', 'lie']))).toBe(false));
  it('stays shut on a sum that is not its own', () => expect(gate(0, ready(['lie', 'lie', 'lie']))).toBe(false));
  it('opens for a holder outside the list, who has no sum', () => expect(gate(4, ready(['sum', 'sum', 'sum']), 'none')).toBe(true));
  it('stays shut over another context', () => expect(gate(0, ready(['sum', 'sum', 'sum'], word('other')))).toBe(false));
  it('stays shut before the round is open', () => expect(gate(0, ready(['sum', 'sum', 'sum']), 'sum', { ...ground, context: undefined })).toBe(false));
  it('stays shut for a list of two', () =>
    expect(
      certified(config, ground, { ...attempt, set: [0, 1], ready: ready(['sum', 'sum'], contextOf(ground, { attempt: 0, set: [0, 1] })), sum: word('sum') }),
    ).toBe(false));
});

describe('R9, a transaction of its own that the journal does not know', () => {
  const known: Ground = { ...ground, bundle: word('bundle'), shares: [1] };
  const share: RoundState = { phase: 'share', ground: known, sinceS: 0, deadlineS: 9, joined: everyone, vouched: [], holds: [] };
  const commit: RoundState = { phase: 'commit', ground: known, ...attempt, masked: word('root') };
  const before = { gather: undefined, ready: {}, haves: [], vectors: [] };
  const ready = (sum?: Digest): RoundState => ({ phase: 'ready', ground: known, ...attempt, ...before, sum });
  const opened = { accept: true, state: word('state'), model: word('model'), nextPlan: word('plan') };
  const reveal = (unmasked?: typeof opened): RoundState => ({
    ...{ phase: 'reveal', ground: known, ...attempt, sum: undefined, gather: undefined, ready: {}, seeds: [], votes: [] },
    unmasked,
  });
  const posted = { attempt: 0, context: word('context') };

  it.each<[string, RoundState, Parameters<typeof isForgotten>[2], boolean]>([
    ['the bundle that it made', share, { kind: 'joined', member: 0, bundle: word('bundle') }, false],
    ['another bundle', share, { kind: 'joined', member: 0, bundle: word('other') }, true],
    ["another member's bundle", share, { kind: 'joined', member: 1, bundle: word('other') }, false],
    ['shares that it holds, and its own', share, { kind: 'vouched', member: 0, holds: [0, 1] }, false],
    ['its own shares alone', share, { kind: 'vouched', member: 0, holds: [0] }, false],
    ['shares of which it lacks one', share, { kind: 'vouched', member: 0, holds: [0, 1, 2] }, true],
    ['the root of its masked vector', commit, { kind: 'committed', member: 0, attempt: 0, root: word('root') }, false],
    ['another root', commit, { kind: 'committed', member: 0, attempt: 0, root: word('other') }, true],
    ['another root in another attempt', commit, { kind: 'committed', member: 0, attempt: 1, root: word('other') }, false],
    ['a root before it knows of an attempt', share, { kind: 'committed', member: 0, attempt: 0, root: word('other') }, false],
    ['what it says to hold', ready(), { kind: 'have', member: 0, attempt: 0, holds: [0] }, false],
    ['READY on the sum that it has', ready(word('sum')), { kind: 'ready', member: 0, ...posted, sum: word('sum'), signature: '0x' }, false],
    ['READY without a sum', ready(), { kind: 'ready', member: 0, ...posted, sum: word('sum'), signature: '0x' }, true],
    ['READY of another attempt', ready(), { kind: 'ready', member: 0, ...posted, attempt: 1, sum: word('sum'), signature: '0x' }, false],
    ['READY once READY is over', reveal(), { kind: 'ready', member: 0, ...posted, sum: word('sum'), signature: '0x' }, false],
    ['a vote for what it opened', reveal(opened), { kind: 'voted', member: 0, ...opened }, false],
    ['a vote for what it has not opened', reveal(), { kind: 'voted', member: 0, ...opened }, true],
    ['a vote before REVEAL', ready(word('sum')), { kind: 'voted', member: 0, ...opened }, false],
    ['a fact that is no member\u2019s', share, { kind: 'void', attempt: 0, reason: 'no-agreement' }, false],
  ])('%s', (_, state, fact, forgotten) => {
    expect(isForgotten(config, state, fact)).toBe(forgotten);
    expect(isForgotten({ ...config, terms: { ...terms, open: true } }, state, fact), 'in open mode there are no keys').toBe(false);
  });
});
