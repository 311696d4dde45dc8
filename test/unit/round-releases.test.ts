/** Rule R6 between sums and open rounds on one base: what two openings give together by subtraction. */
import { expect, test } from 'vitest';
import type { Account, Digest } from '../../src/common/index.ts';
import type { RunView } from '../../src/peer/consortium.ts';
import { Releases } from '../../src/peer/releases.ts';
import type { Journal } from '../../src/peer/store/journal.ts';
import { differencingRisk, initialState, type RoundConfig } from '../../src/round/index.ts';
import { namedGroups } from '../../src/wire/index.ts';

const base = 'b'.repeat(64) as Digest;
const configOf = (open: boolean, earlier: RoundConfig['earlierReleases']): RoundConfig => ({
  chainId: 1,
  contract: `0x${'c'.repeat(40)}` as Account,
  study: base,
  run: 1,
  round: 0,
  accounts: Array.from({ length: 9 }, (_, member) => `0x${String(member).repeat(40)}` as Account),
  self: 0,
  terms: { rounds: 1, minMembers: 3, maxAttempts: 3, joinS: 9, shareS: 9, commitS: 9, readyS: 9, revealS: 9, open, groupSize: 0, protocol: 2 },
  shareGraceS: 3,
  earlierReleases: earlier,
});
const ground = { ...initialState().ground, opened: { base, plan: base } };

test.each([
  ['a sum after a sum that differs by one', false, [0, 1, 2, 3], false, [0, 1, 2], true],
  ['a sum after a sum that differs by three', false, [0, 1, 2, 3], false, [0, 1, 2, 3, 4, 5, 6], false],
  ['an open round after a sum with one member more: its values follow', false, [0, 1, 2, 3], true, [0, 1, 2, 5, 6], true],
  ['an open round after a sum of the same and fewer', false, [0, 1, 2], true, [0, 1, 2, 3], false],
  ['an open round after a sum with three members more', false, [0, 1, 2, 3, 4, 5], true, [0, 1, 2], false],
  ['a sum after an open round, with one member that was not in it', true, [0, 1, 2, 3, 4], false, [0, 1, 2, 5], true],
  ['a sum after an open round of all its members', true, [0, 1, 2, 3, 4], false, [0, 1, 2], false],
  ['an open round after an open round', true, [0, 1, 2, 3], true, [0, 1, 2], false],
])('%s', (_what, wasOpen, before, isOpen, now, risk) => {
  expect(differencingRisk(configOf(isOpen, [{ base, set: before, open: wasOpen }]), ground, now)).toBe(risk);
});

test.each([
  ['the same groups', [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8], false],
  [
    'groups that differ by three or more, of one member more: its value is the difference of all groups together',
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
    [0, 3, 6, 1, 4, 7, 2, 5, 8, 9],
    true,
  ],
  ['groups that differ by three or more, of the same members', [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 3, 6, 1, 4, 7, 2, 5, 8], false],
  ['a group that lacks a member', [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 4, 5, 6, 7, 8], true],
])('in groups of three, after a run in groups: %s', (_what, before, now, risk) => {
  const threes = (list: readonly number[]): number[][] => [list.slice(0, 3), list.slice(3, 6), list.slice(6)].map((group) => [...group].sort((a, b) => a - b));
  const sorted = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);
  const config = configOf(
    false,
    [...threes(before), sorted(before)].map((set) => ({ base, set })),
  );
  const inGroups = { ...config, terms: { ...config.terms, groupSize: namedGroups } };
  const groups = { children: threes(now).map((members) => ({ members })) };
  expect(differencingRisk(inGroups, { ...ground, groups }, sorted(now))).toBe(risk);
});

test('the memory has each group and what they add up to', () => {
  const lists: (readonly Account[])[] = [];
  const accounts = configOf(false, []).accounts;
  const run = { run: 1, roster: accounts, base, terms: configOf(false, []).terms } as unknown as RunView;
  const journal = { addRelease: (_key: Digest, list: readonly Account[]) => lists.push(list) } as unknown as Journal;
  const released = {
    attempt: 0,
    set: [0, 1, 2, 3, 4, 5],
    groups: [
      [0, 2, 4],
      [1, 3, 5],
    ],
  };
  new Releases(run, journal, undefined).remember({ ...ground, released });
  expect(lists.map((list) => list.map((one) => accounts.indexOf(one)))).toEqual([
    [0, 2, 4],
    [1, 3, 5],
    [0, 1, 2, 3, 4, 5],
  ]);
});
