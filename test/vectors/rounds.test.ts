/**
 * Whole rounds for another implementation to recompute from the members' keys: `round-broadcast.json` with an attempt that failed and a seed rebuilt
 * from shares, `round-reduce-scatter.json` with a shard whose first aggregator was silent, `round-groups.json` with three groups of three, merged by the
 * mean and by the median, and `round-open.json` with a member that lies, merged by each rule. `decoder/verify.py` does so.
 */
import { it } from 'vitest';
import {
  addShard,
  aggregatorOf,
  aggregatorOrder,
  attemptContext,
  auditedShard,
  auditorOf,
  checkShardSum,
  drawnGroups,
  type Fingerprint,
  fingerprintPoints,
  groupsOfSet,
  leavesOfTree,
  type MergeRule,
  mergeTree,
  mergeVectors,
  packPrints,
  planSizeBytes,
  planSlots,
  type Shard,
  shardPrinter,
  shardsOf,
  sumShard,
  unpackPrints,
  wholeSource,
} from '../../src/aggregation/index.ts';
import { type Digest, digest, digestOf, leavesOf, merkleRoot, toHex, utf8 } from '../../src/common/index.ts';
import { readySum } from '../../src/round/groups.ts';
import type { RoundConfig } from '../../src/round/index.ts';
import type { Ground } from '../../src/round/state.ts';
import { masked, sumVectors, unmasked } from '../support/custodians.ts';
import { type RecordedMember, signed } from './recorded-members.ts';
import { bulk, RecordedRound } from './recorded-round.ts';
import { expectVector } from './rewrite.ts';

/** Statements and signatures of those who are READY. */
function readies(round: RecordedRound, attempt: number, set: readonly number[], ready: readonly number[], sum: Uint8Array): object {
  return { maskedSum: bulk(sum), ...statements(round, attempt, set, ready, digestOf(sum)) };
}

function statements(round: RecordedRound, attempt: number, set: readonly number[], ready: readonly number[], sum: Digest): object {
  const digest = round.readyDigest(attempt, set, sum);
  const signatures = ready.map((member) => ({ member, signature: signed((round.members[member] as RecordedMember).institution.accountKey, digest) }));
  return { sum, readyDigest: digest, ready: signatures };
}

/** REVEAL: the seeds of `set` come to member 0, that of `silent` as shares. */
function reveal(round: RecordedRound, attempt: number, set: readonly number[], silent: readonly number[]): object {
  const [reader] = round.members as [RecordedMember];
  for (const { index, custodian } of round.others(0, set).filter(({ index }) => !silent.includes(index))) {
    const { seed } = round.ask(0, index, { kind: 'seed', attempt }, { kind: 'seed', attempt, seed: custodian.reveal(attempt) } as const);
    reader.custodian.acceptReveal(index, attempt, seed);
  }
  for (const owner of silent)
    for (const { index, custodian } of round.others(0).filter(({ index }) => index !== owner)) {
      const share = custodian.shareOf(owner, attempt);
      if (!share) throw new Error('every member holds a share of every other seed');
      const body = round.ask(0, index, { kind: 'seedShare', attempt, owner }, { kind: 'seedShare', attempt, owner, ...share } as const);
      reader.custodian.acceptShareOf(owner, index, attempt, body);
    }
  return { attempt, reader: 0, rebuilt: silent };
}

it('plays the round of round-broadcast.json', () => {
  const round = new RecordedRound({
    name: 'round-broadcast',
    parameters: 301,
    round: 1,
    attempts: 2,
    generations: 0,
    standardisation: { rows: 3_264, mean: new Float64Array([53.5, 132.1]), sd: new Float64Array([9.4, 19.1]) },
  });
  round.meet();
  const attempts = [
    { attempt: 0, set: [0, 1, 2, 3], ready: [0, 1, 2] },
    { attempt: 1, set: [0, 1, 2], ready: [0, 1, 2] },
  ].map(({ attempt, set, ready }) => {
    for (const { custodian } of round.members) custodian.eraseBelow(attempt);
    const vectors = round.masked(attempt, set);
    const sum = sumVectors(vectors, planSlots(round.plan));
    return { sum, plain: { ...round.attempt(attempt, set, vectors), ...readies(round, attempt, set, ready, sum) } };
  });
  const revealed = reveal(round, 1, [0, 1, 2], [2]);
  const [reader] = round.members as [RecordedMember];
  const plainSum = unmasked(reader.custodian, (attempts[1] as { sum: Uint8Array }).sum, { slots: planSlots(round.plan), attempt: 1, set: [0, 1, 2] });
  expectVector('round-broadcast.json', { ...round.plain(), attemptsPlayed: attempts.map(({ plain }) => plain), revealed, result: round.result(plainSum) });
});

const cut = (vector: Uint8Array, { offsetBytes, sizeBytes }: Shard): Uint8Array => vector.subarray(offsetBytes, offsetBytes + sizeBytes);

/** One generation: who is asked for its shards, the points, everybody's fingerprints, and whether each announced sum stands. */
function generation(round: RecordedRound, vectors: readonly Uint8Array[], order: readonly number[], of: number, announced: readonly number[]) {
  const set = [0, 1, 2, 3];
  const shards = shardsOf(planSizeBytes(round.plan), set.length);
  const sums = announced.map((at) => {
    const shard = shards[at] as Shard;
    const parts = vectors.map((vector) => cut(vector, shard));
    const sum = sumShard(parts, shard, set.length);
    const aggregator = aggregatorOf(order, at, of) as number;
    const root = digest(toHex(merkleRoot(leavesOf(sum))));
    for (const other of round.others(aggregator))
      round.ask(
        other.index,
        aggregator,
        { kind: 'shardSum', attempt: 0, generation: of, shard: at },
        { kind: 'shardSum', attempt: 0, generation: of, shard: at, root },
      );
    return { at, shard, sum, aggregator, root };
  });
  const context = attemptContext(round.context, 0, set);
  for (const { index, custodian } of round.members)
    for (const other of round.others(index)) {
      const { point } = round.ask(other.index, index, { kind: 'point', attempt: 0, generation: of }, {
        kind: 'point',
        attempt: 0,
        generation: of,
        point: custodian.point(0, of),
      } as const);
      other.custodian.acceptPoint(index, 0, of, point);
    }
  const [reader] = round.members as [RecordedMember];
  const secrets = reader.custodian.points(0, of, set) ?? [];
  const points = fingerprintPoints(context, of, secrets);
  const print = shardPrinter(points);
  const prints = vectors.map((vector, member) => {
    const packed = packPrints(shards.map((shard) => print(cut(vector, shard))));
    for (const { index } of round.others(member)) round.send(index, [member], { kind: 'request', item: { kind: 'prints', attempt: 0, generation: of } });
    const to = round.others(member).map(({ index }) => index);
    const { prints: came } = round.send(member, to, { kind: 'prints', attempt: 0, generation: of, prints: packed } as const);
    return unpackPrints(came, shards.length) ?? [];
  });
  const stands = sums.every(({ at, shard, sum }) =>
    checkShardSum(
      sum,
      shard,
      prints.map((print) => print[at] as Fingerprint),
      points,
    ),
  );
  if (!stands) throw new Error('a right sum fits its fingerprints');
  const plainSums = sums.map(({ at, sum, aggregator, root }) => ({ shard: at, aggregator, sum: bulk(sum), root }));
  const audited = auditedShard(context, secrets, shards.length);
  return { sums, audited, plain: { generation: of, sums: plainSums, points: points.map(String), prints: prints.map((print) => print.flat().map(String)) } };
}

it('plays the round of round-reduce-scatter.json', () => {
  const round = new RecordedRound({ name: 'round-reduce-scatter', parameters: 65_600, round: 2, attempts: 1, generations: 2 });
  const set = [0, 1, 2, 3];
  round.meet();
  const vectors = round.masked(0, set);
  const beacon = digestOf(utf8('the block in which COMMIT closed'));
  const order = aggregatorOrder(attemptContext(round.context, 0, set), beacon, set);
  const generations = [generation(round, vectors, order, 0, [0, 2, 3]), generation(round, vectors, order, 1, [1])];
  const sum = new Uint8Array(planSizeBytes(round.plan));
  for (const { shard, sum: part } of generations.flatMap(({ sums }) => sums)) addShard(sum, shard, part, set.length, planSlots(round.plan));
  const audited = generations[0]?.audited ?? 0;
  const played = {
    ...round.attempt(0, set, vectors),
    beacon,
    order,
    shards: shardsOf(planSizeBytes(round.plan), set.length),
    audited,
    auditor: auditorOf(order, audited),
    generations: generations.map(({ plain }) => plain),
    ...readies(round, 0, set, set, sum),
  };
  const revealed = reveal(round, 0, set, []);
  const [reader] = round.members as [RecordedMember];
  const plainSum = unmasked(reader.custodian, sum, { slots: planSlots(round.plan), attempt: 0, set });
  expectVector('round-reduce-scatter.json', { ...round.plain(), attemptsPlayed: [played], revealed, result: round.result(plainSum) });
});

const groupSize = 3;

it('plays the round of round-groups.json', () => {
  const round = new RecordedRound({ name: 'round-groups', members: 9, parameters: 301, round: 1, attempts: 1, generations: 0 });
  const { roster: set, context, fields, terms, plan } = round;
  const slots = planSlots(plan);
  const drawn = drawnGroups(fields.roster, fields.contract, groupSize);
  const partition = (of: readonly number[]): readonly (readonly number[])[] => leavesOfTree(groupsOfSet(drawn, of));
  const tree = groupsOfSet(drawn, set);
  const groups = leavesOfTree(tree);
  round.meet();
  const vectors = round.members.map(({ index, custodian, words }) => {
    const group = groups.find((one) => one.includes(index)) ?? [];
    return masked(custodian, words, { slots, attempt: 0, set: group, within: set });
  });
  const sums = groups.map((group) => {
    const sum = sumVectors(
      group.flatMap((member) => vectors[member] ?? []),
      slots,
    );
    return { group, sum, root: digest(toHex(merkleRoot(leavesOf(sum)))) };
  });
  const [first = [], second = []] = groups;
  const [by = 0, owner = 0, of = 0] = [first[0], second[0], second[1]];
  const bundle = { kind: 'bundleOf', owner, bundle: round.members[owner]?.custodian.bundle() ?? fail() } as const;
  round.ask(by, of, { kind: 'bundleOf', owner }, bundle);
  for (const { group, root } of sums)
    for (const { index } of round.members.filter((member) => !group.includes(member.index)))
      for (const member of group) round.ask(index, member, { kind: 'groupSum', attempt: 0 }, { kind: 'groupSum', attempt: 0, root });
  const stated = Object.fromEntries(sums.flatMap(({ group, root }) => group.map((member) => [member, root])));
  const config = { accounts: fields.roster, contract: fields.contract, self: 0, terms: { groupSize } } as unknown as RoundConfig;
  const own = sums.find(({ group }) => group.includes(0))?.root;
  const ready = readySum(config, { context } as unknown as Ground, { attempt: 0, set, sum: own, groups: { stated, held: [], said: {} } }) ?? fail();
  const silent = first.at(-1) ?? 0;
  const revealed = reveal(round, 0, set, [silent]);
  const opened = sums.map(({ group, sum }) => unmasked(round.members[0]?.custodian, sum, { slots, attempt: 0, set: group, within: set }));
  const rules: readonly MergeRule[] = [{ kind: 'mean' }, { kind: 'coordinate-median', f: 1 }];
  expectVector('round-groups.json', {
    ...round.plain(),
    groupSize,
    partitions: [set, set.slice(1), set.filter((member) => !first.slice(1).includes(member)), groups.at(-1)].map((list = []) => ({
      set: list,
      groups: partition(list),
    })),
    attemptsPlayed: [
      {
        ...round.attempt(0, set, vectors),
        groups: sums.map(({ group, sum, root }) => ({
          members: group,
          context: attemptContext(attemptContext(context, 0, set), 0, group),
          maskedSum: bulk(sum),
          root,
        })),
        ...statements(round, 0, set, set, ready),
      },
    ],
    revealed,
    opened: opened.map(bulk),
    results: rules.map((rule) => {
      const merged = mergeTree(plan, { rule, weightCap: terms.weightCap }, tree, (leaf) => opened[groups.indexOf(leaf)] ?? fail());
      return { rule, ...round.result(merged, 'merged') };
    }),
  });
});

function fail(): never {
  throw new Error('the recording lacks a part');
}

/** Words that no honest member has: more rows than there are, fewer cut values than none, and each word as far out as it goes, up and down in turn. */
function forgedWords(sizeBytes: number): Uint8Array {
  const words = new Uint8Array(sizeBytes);
  const view = new DataView(words.buffer);
  [2n ** 40n, -1n, 2n ** 62n].forEach((header, at) => {
    view.setBigInt64(8 * at, header, true);
  });
  for (let at = 24; at < sizeBytes; at += 4) view.setInt32(at, at % 8 === 0 ? 2 ** 31 - 1 : -(2 ** 31), true);
  return words;
}

it('plays the round of round-open.json', () => {
  const round = new RecordedRound({ name: 'round-open', members: 5, parameters: 301, round: 1, attempts: 1, generations: 0 });
  const { roster: set, terms, plan } = round;
  const words = round.members.map((member) => (member.index === 3 ? forgedWords(member.words.length) : member.words));
  const rules: readonly MergeRule[] = [
    { kind: 'mean' },
    { kind: 'coordinate-median', f: 1 },
    { kind: 'trimmed-mean', f: 1 },
    { kind: 'geometric-median', f: 1 },
    { kind: 'krum', f: 1 },
    { kind: 'multi-krum', f: 1 },
  ];
  const sources = words.map((one) => wholeSource(one));
  expectVector('round-open.json', {
    ...round.plainOpen(words),
    forged: [3],
    attemptsPlayed: [round.attempt(0, set, words)],
    results: rules.map((rule) => {
      const merged = mergeVectors(plan, { rule, weightCap: terms.weightCap }, sources);
      return { rule, ...statements(round, 0, set, set, digestOf(merged)), ...round.result(merged, 'merged') };
    }),
  });
});
