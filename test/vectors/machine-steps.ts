/** What scripts of the round machine are written in: a configuration, inputs by phase, and what a script is. */
import { attemptContext, type Exchange, type GroupTree } from '../../src/aggregation/index.ts';
import type { Account, Digest } from '../../src/common/index.ts';
import type { Input, RoundConfig, RoundState } from '../../src/round/index.ts';
import type { Item, MemberSet, RoundFact } from '../../src/wire/index.ts';

export const accounts = [1, 2, 3, 4].map((member) => `0x${String(member).repeat(40)}` as Account);
export const terms = {
  rounds: 3,
  minMembers: 3,
  maxAttempts: 3,
  joinS: 10,
  shareS: 10,
  commitS: 20,
  readyS: 10,
  revealS: 10,
  open: false,
  groupSize: 0,
  protocol: 2,
};
export const configOf = (self: number, members: number, earlierReleases: RoundConfig['earlierReleases'] = []): RoundConfig => ({
  chainId: 4_711,
  contract: `0x${'c'.repeat(40)}` as Account,
  study: hash('study'),
  run: 1,
  round: 2,
  accounts: accounts.slice(0, members),
  self,
  terms,
  shareGraceS: 3,
  earlierReleases,
});

/** A digest that can be read: the word's letters in hexadecimal, filled up with zeros. */
export function hash(word: string): Digest {
  return Buffer.from(word).toString('hex').padEnd(64, '0').slice(0, 64) as Digest;
}

export const fact = (one: RoundFact): Input => ({ kind: 'fact', fact: one });
export const time = (timeS: number): Input => ({ kind: 'time', timeS });
export const requested = (by: number, item: Item): Input => ({ kind: 'requested', by, item });
export const others = (set: MemberSet, self: number): MemberSet => set.filter((member) => member !== self);

/** Opens the round at 1,000 s for `roster`, with the base at hand. */
export const opening = (roster: MemberSet, exchange: Exchange = { kind: 'broadcast' }, groups?: GroupTree): readonly Input[] => [
  fact({ kind: 'opened', base: hash('base'), plan: hash('plan'), roster, sinceS: 1_000, deadlineS: 1_010 }),
  { kind: 'baseReady', base: hash('base'), plan: hash('plan'), exchange, ...(groups ? { groups } : {}) },
];

/** JOIN and SHARE of everybody, as `self` sees it: the set of attempt 0 is the roster. */
export const joining = (roster: MemberSet, self: number): readonly Input[] => [
  { kind: 'bundleMade', bundle: hash(`bundle ${self}`) },
  ...roster.map((member) => fact({ kind: 'joined', member, bundle: hash(`bundle ${member}`) })),
  ...others(roster, self).map((from): Input => ({ kind: 'bundleHeld', from })),
  { kind: 'inputReady' },
  fact({ kind: 'joinClosed', joined: roster, sinceS: 1_002, deadlineS: 1_012 }),
  ...others(roster, self).map((by) => requested(by, { kind: 'shares' })),
  ...others(roster, self).map((from): Input => ({ kind: 'sharesHeld', from })),
  ...roster.map((member) => fact({ kind: 'vouched', member, holds: roster })),
  fact({ kind: 'attemptOpened', attempt: 0, set: roster, sinceS: 1_003, deadlineS: 1_023 }),
];

export const committing = (set: MemberSet, self: number, attempt: number, committed = set): readonly Input[] => [
  { kind: 'masked', attempt, root: hash(`root ${self} ${attempt}`) },
  ...committed.map((member) => fact({ kind: 'committed', attempt, member, root: hash(`root ${member} ${attempt}`) })),
];

export const summing = (set: MemberSet, self: number, attempt: number): readonly Input[] => [
  fact({ kind: 'commitClosed', attempt, sinceS: 1_040, deadlineS: 1_050, beacon: hash('beacon') }),
  ...others(set, self).map((member): Input => ({ kind: 'vectorHeld', attempt, member })),
  { kind: 'summed', attempt, sum: hash(`sum ${attempt}`) },
];

/** A genuine READY is over the context of the attempt that is open: taken from the state that it comes into. */
export type Script = readonly (Input | ((state: RoundState) => Input))[];

export const ready =
  (member: number, attempt: number): Script[number] =>
  (state) => {
    const context = 'set' in state && state.ground.context ? attemptContext(state.ground.context, attempt, state.set) : hash('');
    return fact({ kind: 'ready', attempt, member, context, sum: hash(`sum ${attempt}`), signature: '0x' });
  };

export const opened = { state: hash('state'), model: hash('model'), nextPlan: hash('next plan') };
export const revealing = (attempt: number): Input => fact({ kind: 'readyClosed', attempt, sum: hash(`sum ${attempt}`), sinceS: 1_050, deadlineS: 1_060 });
export const voting = (set: MemberSet, attempt: number): readonly Input[] => [
  { kind: 'unmasked', attempt, accept: true, ...opened },
  ...set.map((member) => fact({ kind: 'voted', member, accept: true, ...opened })),
  fact({ kind: 'final', attempt, set, ...opened }),
];
export const erasedAll: Input = { kind: 'erased', below: terms.maxAttempts };

export const three = [0, 1, 2];
export const four = [0, 1, 2, 3];

/** `releases`: what unmasks, to whom, in order: said here by hand, so that renewing the files cannot change it unseen. */
export interface Scenario {
  readonly what: string;
  readonly config: RoundConfig;
  readonly releases: readonly string[];
  readonly script: Script;
}
