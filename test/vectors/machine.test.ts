/** The round machine, step by step: `machine-*.json` holds every input with the full state and all effects after it. */
import { describe, expect, it } from 'vitest';
import { attemptContext } from '../../src/aggregation/index.ts';
import type { Account, Digest } from '../../src/common/index.ts';
import { type Input, initialState, itemKey, type RoundConfig, type RoundState, step } from '../../src/round/index.ts';
import type { Item, MemberSet, RoundFact } from '../../src/wire/index.ts';
import { expectVector } from './rewrite.ts';

const accounts = [1, 2, 3, 4].map((member) => `0x${String(member).repeat(40)}` as Account);
const terms = { rounds: 3, minMembers: 3, maxAttempts: 3, joinS: 10, shareS: 10, commitS: 20, readyS: 10, revealS: 10 };
const configOf = (self: number, members: number, earlierReleases: RoundConfig['earlierReleases'] = []): RoundConfig => ({
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
function hash(word: string): Digest {
  return Buffer.from(word).toString('hex').padEnd(64, '0').slice(0, 64) as Digest;
}

const fact = (one: RoundFact): Input => ({ kind: 'fact', fact: one });
const time = (timeS: number): Input => ({ kind: 'time', timeS });
const requested = (by: number, item: Item): Input => ({ kind: 'requested', by, item });
const others = (set: MemberSet, self: number): MemberSet => set.filter((member) => member !== self);

/** Opens the round at 1,000 s for `roster`, with the base at hand. */
const opening = (roster: MemberSet): readonly Input[] => [
  fact({ kind: 'opened', base: hash('base'), plan: hash('plan'), roster, deadlineS: 1_010 }),
  { kind: 'baseReady', base: hash('base'), plan: hash('plan') },
];

/** JOIN and SHARE of everybody, as `self` sees it: the set of attempt 0 is the roster. */
const joining = (roster: MemberSet, self: number): readonly Input[] => [
  { kind: 'bundleMade', bundle: hash(`bundle ${self}`) },
  ...roster.map((member) => fact({ kind: 'joined', member, bundle: hash(`bundle ${member}`) })),
  ...others(roster, self).map((from): Input => ({ kind: 'bundleHeld', from })),
  { kind: 'inputReady' },
  fact({ kind: 'joinClosed', joined: roster, deadlineS: 1_012 }),
  ...others(roster, self).map((by) => requested(by, { kind: 'shares' })),
  ...others(roster, self).map((from): Input => ({ kind: 'sharesHeld', from })),
  ...roster.map((member) => fact({ kind: 'vouched', member, holds: roster })),
  fact({ kind: 'attemptOpened', attempt: 0, set: roster, deadlineS: 1_023 }),
];

const committing = (set: MemberSet, self: number, attempt: number, committed = set): readonly Input[] => [
  { kind: 'masked', attempt, root: hash(`root ${self} ${attempt}`) },
  ...committed.map((member) => fact({ kind: 'committed', attempt, member, root: hash(`root ${member} ${attempt}`) })),
];

const summing = (set: MemberSet, self: number, attempt: number): readonly Input[] => [
  fact({ kind: 'commitClosed', attempt, deadlineS: 1_050 }),
  ...others(set, self).map((member): Input => ({ kind: 'vectorHeld', attempt, member })),
  { kind: 'summed', attempt, sum: hash(`sum ${attempt}`) },
];

/** A genuine READY is over the context of the attempt that is open: taken from the state that it comes into. */
type Script = readonly (Input | ((state: RoundState) => Input))[];

const ready =
  (member: number, attempt: number): Script[number] =>
  (state) => {
    const context = 'set' in state && state.ground.context ? attemptContext(state.ground.context, attempt, state.set) : hash('');
    return fact({ kind: 'ready', attempt, member, context, sum: hash(`sum ${attempt}`), signature: '0x' });
  };

const opened = { state: hash('state'), model: hash('model'), nextPlan: hash('next plan') };
const revealing = (attempt: number): Input => fact({ kind: 'readyClosed', attempt, sum: hash(`sum ${attempt}`), deadlineS: 1_060 });
const voting = (set: MemberSet, attempt: number): readonly Input[] => [
  { kind: 'unmasked', attempt, ...opened },
  ...set.map((member) => fact({ kind: 'voted', member, ...opened })),
  fact({ kind: 'final', attempt, set, ...opened }),
];
const erasedAll: Input = { kind: 'erased', below: terms.maxAttempts };

const three = [0, 1, 2];
const four = [0, 1, 2, 3];

/** `releases`: what unmasks, to whom, in order: said here by hand, so that renewing the files cannot change it unseen. */
interface Scenario {
  readonly what: string;
  readonly config: RoundConfig;
  readonly releases: readonly string[];
  readonly script: Script;
}

const scripts: Readonly<Record<string, Scenario>> = {
  'clean-round': {
    what: 'Three members, nothing lost: member 0 from the opening to the destroyed keys.',
    config: configOf(0, 3),
    releases: ['seed/0 to 2', 'seed/0 to 1'],
    script: [
      ...opening(three),
      requested(1, { kind: 'bundle' }),
      ...joining(three, 0),
      ...committing(three, 0, 0),
      requested(2, { kind: 'seed', attempt: 0 }),
      ...summing(three, 0, 0),
      ...three.map((member) => ready(member, 0)),
      revealing(0),
      requested(1, { kind: 'seed', attempt: 0 }),
      { kind: 'seedHeld', attempt: 0, from: 1 },
      { kind: 'seedHeld', attempt: 0, from: 2 },
      ...voting(three, 0),
      erasedAll,
    ],
  },
  'retry-after-a-loss': {
    what: 'Four members; member 3 is lost before it commits. Secrets of attempt 0 go before attempt 1 is masked; a request for attempt 0 stays unanswered.',
    config: configOf(0, 4),
    releases: ['seedShare/1/2 to 3', 'seed/1 to 2'],
    script: [
      ...opening(four),
      ...joining(four, 0),
      ...committing(four, 0, 0, three),
      time(1_023),
      time(1_024),
      fact({ kind: 'attemptOpened', attempt: 1, set: three, deadlineS: 1_044 }),
      { kind: 'erased', below: 1 },
      ...committing(three, 0, 1),
      ...summing(three, 0, 1),
      ...three.map((member) => ready(member, 1)),
      revealing(1),
      requested(1, { kind: 'seed', attempt: 0 }),
      requested(3, { kind: 'seedShare', attempt: 1, owner: 2 }),
      requested(2, { kind: 'seed', attempt: 1 }),
      { kind: 'seedHeld', attempt: 1, from: 1 },
      { kind: 'seedHeld', attempt: 1, from: 2 },
      ...voting(three, 1),
      erasedAll,
    ],
  },
  'silent-revealer': {
    what: 'Four members; member 3 is silent after its READY. After the grace time its seed is rebuilt from shares, and shares are served to others.',
    config: configOf(0, 4),
    releases: ['seedShare/0/3 to 1'],
    script: [
      ...opening(four),
      ...joining(four, 0),
      ...committing(four, 0, 0),
      ...summing(four, 0, 0),
      ...four.map((member) => ready(member, 0)),
      time(1_050),
      revealing(0),
      { kind: 'seedHeld', attempt: 0, from: 1 },
      { kind: 'seedHeld', attempt: 0, from: 2 },
      time(1_052),
      time(1_053),
      requested(1, { kind: 'seedShare', attempt: 0, owner: 3 }),
      { kind: 'seedHeld', attempt: 0, from: 3 },
      ...voting(four, 0),
      erasedAll,
    ],
  },
  'holder-outside': {
    what: 'Member 3 was left out of attempt 1. It serves its share of a seed all the same, but only after it destroyed what it held of attempt 0 (R1, R2).',
    config: configOf(3, 4),
    releases: ['seedShare/1/2 to 0'],
    script: [
      ...opening(four),
      ...joining(four, 3),
      fact({ kind: 'attemptOpened', attempt: 1, set: three, deadlineS: 1_044 }),
      ...three.map((member) => fact({ kind: 'committed', attempt: 1, member, root: hash(`root ${member} 1`) })),
      fact({ kind: 'commitClosed', attempt: 1, deadlineS: 1_050 }),
      ...three.map((member) => ready(member, 1)),
      revealing(1),
      requested(0, { kind: 'seedShare', attempt: 1, owner: 2 }),
      requested(0, { kind: 'seedShare', attempt: 0, owner: 2 }),
      requested(1, { kind: 'seed', attempt: 1 }),
      requested(1, { kind: 'seedShare', attempt: 1, owner: 3 }),
      { kind: 'erased', below: 1 },
    ],
  },
  'late-joiner': {
    what: 'Member 3 comes when the others are in their round: it is not expected, fetches the base by its hash, watches, and fetches the new state at FINAL.',
    config: configOf(3, 4),
    releases: [],
    script: [
      fact({ kind: 'opened', base: hash('base'), plan: hash('plan'), roster: three, deadlineS: 1_010 }),
      { kind: 'baseReady', base: hash('base'), plan: hash('plan') },
      ...three.map((member) => fact({ kind: 'joined', member, bundle: hash(`bundle ${member}`) })),
      fact({ kind: 'joinClosed', joined: three, deadlineS: 1_012 }),
      fact({ kind: 'attemptOpened', attempt: 0, set: three, deadlineS: 1_023 }),
      requested(0, { kind: 'seedShare', attempt: 0, owner: 1 }),
      fact({ kind: 'final', attempt: 0, set: three, ...opened }),
      { kind: 'stateHeld', state: hash('another') },
      { kind: 'stateHeld', state: opened.state },
    ],
  },
  'other-base': {
    what: 'The ledger opens the round on another base, or with another plan, than this member holds: it does not take part.',
    config: configOf(1, 3),
    releases: [],
    script: [
      fact({ kind: 'opened', base: hash('other base'), plan: hash('plan'), roster: three, deadlineS: 1_010 }),
      { kind: 'baseReady', base: hash('base'), plan: hash('plan') },
      time(1_020),
    ],
  },
  'forged-ready': {
    what: 'The ledger closes READY although a READY of member 2 that this member could verify never came: nothing that unmasks leaves, until the round is VOID.',
    config: configOf(0, 3),
    releases: [],
    script: [
      ...opening(three),
      ...joining(three, 0),
      ...committing(three, 0, 0),
      ...summing(three, 0, 0),
      ready(0, 0),
      ready(1, 0),
      revealing(0),
      requested(1, { kind: 'seed', attempt: 0 }),
      requested(2, { kind: 'seedShare', attempt: 0, owner: 1 }),
      time(1_055),
      time(1_061),
      fact({ kind: 'void', attempt: 0, reason: 'no-agreement' }),
      erasedAll,
    ],
  },
  'other-sum': {
    what: 'All are READY, but the certificate names another sum than this member computed: it releases nothing.',
    config: configOf(0, 3),
    releases: [],
    script: [
      ...opening(three),
      ...joining(three, 0),
      ...committing(three, 0, 0),
      fact({ kind: 'commitClosed', attempt: 0, deadlineS: 1_050 }),
      { kind: 'vectorHeld', attempt: 0, member: 1 },
      { kind: 'vectorHeld', attempt: 0, member: 2 },
      { kind: 'summed', attempt: 0, sum: hash('my own sum') },
      ...three.map((member) => ready(member, 0)),
      revealing(0),
      requested(1, { kind: 'seed', attempt: 0 }),
    ],
  },
  'interrupted-mask': {
    what: 'A crash left the masked vector incomplete: it is never computed again; the member sits out attempt 0, is left out, and holds the state at FINAL.',
    config: configOf(0, 4),
    releases: [],
    script: [
      ...opening(four),
      ...joining(four, 0),
      { kind: 'maskLost', attempt: 0 },
      { kind: 'masked', attempt: 0, root: hash('too late') },
      fact({ kind: 'attemptOpened', attempt: 1, set: [1, 2, 3], deadlineS: 1_044 }),
      { kind: 'erased', below: 1 },
      fact({ kind: 'commitClosed', attempt: 1, deadlineS: 1_050 }),
      ...[1, 2, 3].map((member) => ready(member, 1)),
      fact({ kind: 'final', attempt: 1, set: [1, 2, 3], ...opened }),
      { kind: 'stateHeld', state: opened.state },
    ],
  },
  'released-before': {
    what: 'Something of {0, 1, 2, 3} was released on this base in a round that ended VOID: a sum over {0, 1, 2} would show member 3, so member 0 takes no part (R6).',
    config: configOf(0, 4, [{ base: hash('base'), set: four }]),
    releases: [],
    script: [
      ...opening(four),
      ...joining(four, 0),
      fact({ kind: 'attemptOpened', attempt: 1, set: three, deadlineS: 1_044 }),
      { kind: 'erased', below: 1 },
      { kind: 'masked', attempt: 1, root: hash('root 0 1') },
    ],
  },
};

describe('the round machine', () => {
  it.each(Object.entries(scripts))('%s', (name, { what, config, releases, script }) => {
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
