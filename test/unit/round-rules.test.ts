/** The rules of the round by themselves, at their borders: R2, R3 and R6 of proto/README.md, and the reasons for watching. */
import { describe, expect, it } from 'vitest';
import type { Account, Digest } from '../../src/common/index.ts';
import { contextOf } from '../../src/round/context.ts';
import { initialState, type RoundConfig } from '../../src/round/index.ts';
import { accountsOf, certified, differencingRisk, takesPart, watching } from '../../src/round/rules.ts';
import type { Attempt, Ground } from '../../src/round/state.ts';

const word = (text: string): Digest => Buffer.from(text).toString('hex').padEnd(64, '0') as Digest;
const accounts = [1, 2, 3, 4, 5, 6].map((member) => `0x${String(member).repeat(40)}` as Account);
const terms = {
  rounds: 1,
  minMembers: 3,
  maxAttempts: 3,
  joinS: 10,
  shareS: 10,
  commitS: 10,
  readyS: 10,
  revealS: 10,
  open: false,
  groupSize: 0,
  protocol: 2,
} as RoundConfig['terms'];
const config: RoundConfig = {
  ...{ chainId: 1, contract: accounts[0] as Account, study: word('study'), run: 1, round: 0, self: 0, shareGraceS: 3 },
  accounts,
  terms,
  earlierReleases: [],
};
const everyone = [0, 1, 2, 3, 4, 5];
const ground: Ground = {
  ...initialState().ground,
  base: word('base'),
  plan: word('plan'),
  opened: { base: word('base'), plan: word('plan') },
  context: word('context'),
  roster: everyone,
  joined: Object.fromEntries(everyone.map((member) => [member, word(`bundle ${member}`)])),
};

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
  it('counts nothing before the round is open', () =>
    expect(differencingRisk({ ...config, earlierReleases: [{ base: word('base'), set: [0, 1, 2, 3] }] }, { ...ground, opened: undefined }, [0, 1, 2])).toBe(
      false,
    ));
});

describe('who takes part', () => {
  const attempt = { attempt: 1, set: [0, 1, 2] };
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
  expect(watching(config, { ...ground, base: word('other') })).toBe('other-base');
  expect(watching(config, { ...ground, plan: word('other') })).toBe('other-plan');
  const named = { ...config, terms: { ...terms, groupSize: 255 } };
  expect(watching(named, ground)).toBe('catching-up');
  expect(watching(named, { ...ground, groups: { members: everyone } })).toBeUndefined();
});

it('leaves out members that the run does not have', () => expect(accountsOf(config, [1, 9])).toEqual([accounts[1]]));

describe('R2, the consent gate', () => {
  const attempt: Attempt = { attempt: 0, set: [0, 1, 2], sinceS: 0, deadlineS: 10, roots: {}, masked: undefined };
  const context = contextOf(ground, attempt) as Digest;
  const ready = (sums: readonly string[], of = context) => Object.fromEntries(sums.map((sum, member) => [member, { context: of, sum: word(sum) }]));
  const gate = (self: number, signed: ReturnType<typeof ready>, own = 'sum', known: Ground = ground): boolean =>
    certified({ ...config, self }, known, { ...attempt, ready: signed, sum: word(own) });

  it('opens on n of n over one context and one sum', () => expect(gate(0, ready(['sum', 'sum', 'sum']))).toBe(true));
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
