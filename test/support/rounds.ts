/** A round of six members as member 0 sees it, for tests of single rules. */
import type { Account, Digest } from '../../src/common/index.ts';
import { initialState, type RoundConfig } from '../../src/round/index.ts';
import type { Attempt, Ground } from '../../src/round/state.ts';

/** A digest that reads like a word. */
export const word = (text: string): Digest => Buffer.from(text).toString('hex').padEnd(64, '0') as Digest;

export const accounts = [1, 2, 3, 4, 5, 6].map((member) => `0x${String(member).repeat(40)}` as Account);

export const terms = {
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

export const config: RoundConfig = {
  ...{ chainId: 1, contract: accounts[0] as Account, study: word('study'), run: 1, round: 0, self: 0, shareGraceS: 3 },
  accounts,
  terms,
  earlierReleases: [],
};

export const everyone = [0, 1, 2, 3, 4, 5];

/** All have joined a round that is open on the base and plan that this member has too. */
export const ground: Ground = {
  ...initialState().ground,
  base: word('base'),
  plan: word('plan'),
  opened: { base: word('base'), plan: word('plan') },
  context: word('context'),
  roster: everyone,
  joined: Object.fromEntries(everyone.map((member) => [member, word(`bundle ${member}`)])),
};

/** Attempt 0 over the first three. */
export const attempt: Attempt = { attempt: 0, set: [0, 1, 2], sinceS: 0, deadlineS: 10, roots: {}, masked: undefined };
