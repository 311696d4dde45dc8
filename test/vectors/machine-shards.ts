/** Scripts of READY in reduce-scatter. */
import type { Input } from '../../src/round/index.ts';
import { committing, configOf, fact, hash, joining, opening, others, ready, requested, type Scenario, three, time } from './machine-steps.ts';

/** One shard for each of three members: three chunks. */
const scattered = { kind: 'reduce-scatter', sizeBytes: 3 * 65_536 } as const;
const gathering = (shards: readonly number[], generation: number, self: number): readonly Input[] => [
  ...shards.flatMap((shard) => others(three, self).map((member): Input => ({ kind: 'partHeld', attempt: 0, shard, member }))),
  ...shards.map((shard): Input => ({ kind: 'shardSummed', attempt: 0, shard, root: hash(`shard ${shard}`) })),
  ...others(three, self).map((from): Input => ({ kind: 'pointHeld', attempt: 0, generation, from })),
];
const announced = (shard: number, from: number, root = hash(`shard ${shard}`), generation = 0): Input => ({
  kind: 'shardAnnounced',
  attempt: 0,
  generation,
  shard,
  from,
  root,
});
const printing = (generation: number, self: number): readonly Input[] => [
  { kind: 'printed', attempt: 0, generation, audited: 0 },
  ...others(three, self).map((from): Input => ({ kind: 'printsHeld', attempt: 0, generation, from })),
];
const checked = (shard: number, right = true, root = hash(`shard ${shard}`)): Input => ({ kind: 'shardChecked', attempt: 0, shard, root, right, blamed: [] });

export const shards: Readonly<Record<string, Scenario>> = {
  'shards-summed': {
    what: 'Reduce-scatter: member 0 sums shard 2, gives its point away only once the other sums are announced, checks all of them, and audits member 2.',
    config: configOf(0, 3),
    releases: ['shardSum/0/0/2 to 1', 'point/0/0 to 1', 'prints/0/0 to 1'],
    script: [
      ...opening(three, scattered),
      ...joining(three, 0),
      ...committing(three, 0, 0),
      fact({ kind: 'commitClosed', attempt: 0, sinceS: 1_040, deadlineS: 1_050, beacon: hash('beacon') }),
      requested(1, { kind: 'shardSum', attempt: 0, generation: 0, shard: 2 }),
      requested(1, { kind: 'point', attempt: 0, generation: 0 }),
      requested(1, { kind: 'prints', attempt: 0, generation: 0 }),
      ...gathering([2], 0, 0),
      announced(0, 2),
      announced(1, 1),
      ...printing(0, 0),
      ...[0, 1, 2].map((shard) => checked(shard)),
      { kind: 'partAudited', attempt: 0, member: 2, right: true },
      { kind: 'summed', attempt: 0, sum: hash('sum 0') },
      ...three.map((member) => ready(member, 0)),
    ],
  },
  'shards-wrong-sum': {
    what: 'Reduce-scatter: the sum of shard 0 does not fit the fingerprints. The next aggregator sums it again, fresh points are drawn, member 2 is blamed.',
    config: configOf(0, 3),
    releases: ['point/0/1 to 2'],
    script: [
      ...opening(three, scattered),
      ...joining(three, 0),
      ...committing(three, 0, 0),
      time(1_030),
      fact({ kind: 'commitClosed', attempt: 0, sinceS: 1_040, deadlineS: 1_050, beacon: hash('beacon') }),
      ...gathering([2], 0, 0),
      announced(0, 2, hash('wrong')),
      announced(1, 1),
      ...printing(0, 0),
      checked(2),
      checked(0, false, hash('wrong')),
      requested(2, { kind: 'point', attempt: 0, generation: 1 }),
      checked(1),
      announced(0, 1, hash('too late'), 0),
      announced(0, 1, hash('shard 0'), 1),
      ...others(three, 0).map((from): Input => ({ kind: 'pointHeld', attempt: 0, generation: 1, from })),
      ...printing(1, 0),
      checked(0),
      { kind: 'partAudited', attempt: 0, member: 2, right: true },
      { kind: 'summed', attempt: 0, sum: hash('sum 0') },
    ],
  },
  'shards-silent-aggregators': {
    what: 'Reduce-scatter: the aggregators of shard 0 are silent; at half the phase member 0 says whom it heard from, and in the last generation sums the shard itself.',
    config: configOf(0, 3),
    releases: [],
    script: [
      ...opening(three, scattered),
      ...joining(three, 0),
      ...committing(three, 0, 0),
      time(1_030),
      fact({ kind: 'commitClosed', attempt: 0, sinceS: 1_040, deadlineS: 1_050, beacon: hash('beacon') }),
      ...gathering([2], 0, 0),
      announced(1, 1),
      time(1_035),
      ...printing(0, 0),
      checked(1),
      checked(2),
      time(1_040),
      ...others(three, 0).map((member): Input => ({ kind: 'partHeld', attempt: 0, shard: 0, member })),
      { kind: 'shardSummed', attempt: 0, shard: 0, root: hash('shard 0') },
      { kind: 'partAudited', attempt: 0, member: 2, right: false },
    ],
  },
};
