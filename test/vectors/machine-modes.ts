/** Scripts of rounds in groups and in open mode. */
import { attemptContext, type GroupTree } from '../../src/aggregation/index.ts';
import type { Account } from '../../src/common/index.ts';
import { readySum } from '../../src/round/groups.ts';
import { groupsOf, type Input, type RoundConfig, type RoundState } from '../../src/round/index.ts';
import type { MemberSet } from '../../src/wire/index.ts';
import {
  committing,
  configOf,
  erasedAll,
  fact,
  four,
  hash,
  joining,
  opening,
  others,
  ready,
  requested,
  revealing,
  type Scenario,
  type Script,
  summing,
  terms,
  three,
  time,
  voting,
} from './machine-steps.ts';

/** JOIN of an open round: no bundle, the context stands in its place; COMMIT follows at once. */
const joiningOpenly = (roster: MemberSet): Script => [
  ...roster.map((member) => (state: RoundState) => fact({ kind: 'joined', member, bundle: state.ground.context ?? hash('') })),
  { kind: 'inputReady' },
  fact({ kind: 'attemptOpened', attempt: 0, set: roster, sinceS: 1_003, deadlineS: 1_023 }),
];
const openly = (config: RoundConfig): RoundConfig => ({ ...config, terms: { ...terms, open: true } });

const nine = Array.from({ length: 9 }, (_, member) => member);
const inGroups = (self: number): RoundConfig => ({
  ...configOf(self, 9),
  accounts: nine.map((member) => `0x${String(member + 1).repeat(40)}` as Account),
  terms: { ...terms, groupSize: 3 },
});
/** A house group, and two chains of one city. */
const twoCities: GroupTree = { children: [{ members: [0, 4, 8] }, { children: [{ members: [1, 2, 3] }, { members: [5, 6, 7] }] }] };
const inNamedGroups = (self: number): RoundConfig => ({ ...inGroups(self), terms: { ...terms, groupSize: 255 } });
/** READY of everybody on what `self` would be READY on. */
const readyInGroups = (config: RoundConfig, set: MemberSet, attempt: number): Script =>
  set.map((member) => (state: RoundState) => {
    const context = 'set' in state && state.ground.context ? attemptContext(state.ground.context, attempt, state.set) : hash('');
    const sum = (state.phase === 'ready' && readySum(config, state.ground, state)) || hash('');
    return fact({ kind: 'ready', attempt, member, context, sum, signature: '0x' });
  });

export const modes: Readonly<Record<string, Scenario>> = {
  'groups-of-three': {
    what: 'Nine members in groups of three: member 0 sums with its own group, learns where the sums of the others are from two of each, and lets its seed go after nine READY over all three.',
    config: inGroups(0),
    releases: ['groupSum/0 to 8', 'seed/0 to 8'],
    script: [
      ...opening(nine),
      ...joining(nine, 0),
      ...committing(nine, 0, 0),
      requested(8, { kind: 'groupSum', attempt: 0 }),
      ...summing(nine, 0, 0),
      requested(8, { kind: 'seed', attempt: 0 }),
      ...others(nine, 0).map(
        (from): Input => ({
          kind: 'groupStated',
          attempt: 0,
          from,
          root: hash(from === 8 ? 'a lie' : `group ${groupsOf(inGroups(0), {}, nine).findIndex((group) => group.includes(from))}`),
        }),
      ),
      ...[0, 1, 2].map((group): Input => ({ kind: 'groupHeld', attempt: 0, group })),
      ...readyInGroups(inGroups(0), nine, 0),
      revealing(0),
      ...others(nine, 0).map((from): Input => ({ kind: 'seedHeld', attempt: 0, from })),
      ...voting(nine, 0),
      erasedAll,
    ],
  },
  'named-groups': {
    what: 'Nine members in groups that the study names, nested: member 3 is lost, and the two that are left of its chain sum with the other chain of their city.',
    config: inNamedGroups(1),
    releases: ['groupSum/1 to 0', 'seed/1 to 0'],
    script: [
      ...opening(nine, { kind: 'broadcast' }, twoCities),
      ...joining(nine, 1),
      ...committing(nine, 1, 0, others(nine, 3)),
      time(1_024),
      fact({ kind: 'attemptOpened', attempt: 1, set: others(nine, 3), sinceS: 1_024, deadlineS: 1_044 }),
      { kind: 'erased', below: 1 },
      ...committing(others(nine, 3), 1, 1),
      requested(0, { kind: 'groupSum', attempt: 1 }),
      ...summing([1, 2, 5, 6, 7], 1, 1),
      requested(0, { kind: 'seed', attempt: 1 }),
      ...[0, 4].map((from): Input => ({ kind: 'groupStated', attempt: 1, from, root: hash('group 0') })),
      { kind: 'groupHeld', attempt: 1, group: 0 },
      ...readyInGroups(inNamedGroups(1), others(nine, 3), 1),
      revealing(1),
      ...others(others(nine, 3), 1).map((from): Input => ({ kind: 'seedHeld', attempt: 1, from })),
      ...voting(others(nine, 3), 1),
      erasedAll,
    ],
  },
  'open-round': {
    what: 'Open mode: no bundles, no shares, no seeds; who asks for them gets nothing. Member 2 is lost, the retry is over the other three.',
    config: openly(configOf(0, 4)),
    releases: [],
    script: [
      ...opening(four),
      requested(1, { kind: 'bundle' }),
      ...joiningOpenly(four),
      ...committing(four, 0, 0, [0, 1, 3]),
      requested(1, { kind: 'shares' }),
      time(1_024),
      fact({ kind: 'attemptOpened', attempt: 1, set: [0, 1, 3], sinceS: 1_025, deadlineS: 1_045 }),
      ...committing([0, 1, 3], 0, 1),
      ...summing([0, 1, 3], 0, 1),
      ...[0, 1, 3].map((member) => ready(member, 1)),
      revealing(1),
      requested(1, { kind: 'seed', attempt: 1 }),
      ...voting([0, 1, 3], 1),
      erasedAll,
    ],
  },
  'open-for-a-secure-run': {
    what: 'A ledger that passes over SHARE in a secure run moves nobody: member 0 stays in JOIN.',
    config: configOf(0, 3),
    releases: [],
    script: [...opening(three), ...joiningOpenly(three)],
  },
};
