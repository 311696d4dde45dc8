/** From names in a study to members of a run: who is meant, who is missing, and a region of a hundred sites that everybody sees alike. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawnGroups, encodeUpdate, type GroupTree, type MergeRule, mergeTree, planSlots, roundingKey, updatePlan } from '../../src/aggregation/index.ts';
import { type Account, account, type Digest, digest, silentLogger } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import { Consortium, type NamedMember } from '../../src/peer/consortium.ts';
import { groupsOfRun, groupsOnRecord } from '../../src/peer/groups.ts';
import type { LiveRound } from '../../src/peer/live-round.ts';
import { Performer, type RunParts } from '../../src/peer/performer.ts';
import { groupsOf, initialState, type RoundConfig, step, treeOf } from '../../src/round/index.ts';
import type { Study, StudyGroup } from '../../src/study/index.ts';
import { namedGroups, type RunTerms } from '../../src/wire/index.ts';
import { type PlainPart, type PlainTree, plainCut, plainLeaves, plainMedian, plainMerge, plainSum } from '../simulation/plain-groups.ts';
import { sumVectors } from '../support/custodians.ts';

const accountOf = (member: number): Account => account(`0x${(member + 1).toString(16).padStart(40, '0')}`);
const contract = account(`0x${'c'.repeat(40)}`);
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);
const leaf = (name: string, ...members: string[]): StudyGroup => ({ name, members });
const studyOf = (groups: StudyGroup[] | { size: number } | undefined): Study =>
  ({ id: 'a'.repeat(64), manifest: { kind: 'training', terms: { groups } } }) as unknown as Study;
const alone = (...names: string[]): NamedMember[] => names.map((name) => ({ name, isShared: false }));
const twoCities = studyOf([leaf('North', 'a', 'b', 'c'), { name: 'South', groups: [leaf('one', 'd', 'e', 'f'), leaf('two', 'g', 'h', 'i')] }]);

describe('names', () => {
  it('become the indexes of the run, in whatever order it has its members; who did not approve is absent', () => {
    expect(groupsOfRun(twoCities, alone('i', 'h', 'g', 'f', 'd', 'c', 'b', 'a'))).toEqual({
      children: [{ members: [5, 6, 7] }, { children: [{ members: [3, 4] }, { members: [0, 1, 2] }] }],
    });
    expect(groupsOfRun(studyOf({ size: 3 }), alone('a', 'b', 'c'))).toBeUndefined();
    expect(groupsOfRun(studyOf(undefined), alone('a', 'b', 'c'))).toBeUndefined();
  });

  it('are refused where a member is in no group, or has a name that is not its alone; all of them are named', () => {
    const members = [...alone('a', 'b', 'stranger', 'd'), { name: 'c', isShared: true }, ...alone('another')];
    expect(() => groupsOfRun(twoCities, members)).toThrow(
      expect.objectContaining({
        code: 'PEER_GROUPS_DO_NOT_FIT',
        detail: { unnamed: ['stranger', 'another'], shared: ['c'] },
        message: expect.stringMatching(/in no group: stranger, another; names that several members have: c/),
      }),
    );
    expect(() => groupsOfRun(twoCities, [...alone('a', 'b', 'd'), { name: 'elsewhere', isShared: true }])).toThrow(/in no group: elsewhere$/m);
  });

  it('are those of the ledger when the run started: who is renamed, admitted or revoked later changes nothing', () => {
    const consortium = new Consortium(1);
    const apply = (event: Partial<LedgerEvent>): void => consortium.apply({ id: '', block: 0, timeS: 0, transaction: '', ...event } as LedgerEvent);
    const admit = (member: number, name: string): void =>
      apply({ scope: 'consortium', fact: { kind: 'admitted', account: accountOf(member), name, peerId: `peer ${member}` } } as Partial<LedgerEvent>);
    const start = (run: number, roster: readonly number[]): void =>
      apply({ scope: 'run', run, fact: { kind: 'runStarted', roster: roster.map(accountOf) } } as unknown as Partial<LedgerEvent>);
    for (const [member, name] of ['a', 'b', 'c', 'b'].entries()) admit(member, name);
    start(1, [0, 1, 2]);
    apply({ scope: 'consortium', fact: { kind: 'revoked', account: accountOf(3) } } as Partial<LedgerEvent>);
    start(2, [0, 1, 2]);
    admit(0, 'renamed');
    admit(4, 'c');
    const b = { name: 'b', isShared: false };
    expect(consortium.namedAtStart(1)).toEqual([
      { name: 'a', isShared: false },
      { ...b, isShared: true },
      { name: 'c', isShared: false },
    ]);
    expect(consortium.namedAtStart(2)).toEqual([{ name: 'a', isShared: false }, b, { name: 'c', isShared: false }]);
    expect(consortium.named([0, 2].map(accountOf))).toEqual([
      { name: 'renamed', isShared: false },
      { name: 'c', isShared: true },
    ]);
    expect(consortium.namedAtStart(3)).toBeUndefined();
  });
});

describe('the groups of a run', () => {
  it('an auditor works out from the ledger, and from the study where that names the groups', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    const start = { contract, study: twoCities.id, roster: numbers(9).map(accountOf), names };
    expect(groupsOnRecord({ ...start, terms: { groupSize: 0 } }, undefined)).toBeUndefined();
    expect(groupsOnRecord({ ...start, terms: { groupSize: 3 } }, undefined)).toEqual(drawnGroups(start.roster, contract, 3));
    const named = { ...start, terms: { groupSize: namedGroups } };
    expect(groupsOnRecord(named, twoCities)).toEqual(groupsOfRun(twoCities, alone(...names)));
    expect(() => groupsOnRecord(named, undefined)).toThrow(/names the groups of the run: give its folder with --study$/m);
    expect(() => groupsOnRecord(named, { ...twoCities, id: 'b'.repeat(64) as Study['id'] })).toThrow(/the one given is bbbb/);
    expect(() => groupsOnRecord({ ...named, names: [...names.slice(0, 8), 'a'] }, twoCities)).toThrow(/names that several members have: a/);
  });
});

describe('a region of a hundred sites', () => {
  const hash: Digest = digest('d'.repeat(64));
  const terms: RunTerms = {
    ...{ rounds: 1, minMembers: 3, maxAttempts: 3, joinS: 9, shareS: 9, commitS: 9, readyS: 9, revealS: 9, open: false },
    groupSize: namedGroups,
    protocol: 2,
  };
  /** Ten cities: in each two chains of three houses, and a house group of four. */
  const cities = numbers(10).map((city): StudyGroup => {
    const house = (at: number): string => `house ${10 * city + at}`;
    const chain = (name: string, from: number): StudyGroup => leaf(name, ...numbers(3, from).map(house));
    return { name: `city ${city}`, groups: [{ name: 'chains', groups: [chain('A', 0), chain('B', 3)] }, leaf('alone', ...numbers(4, 6).map(house))] };
  });
  const region = studyOf(cities);
  /** Members in the order of their accounts, which is not that of the houses. */
  const memberOf = (house: number): number => (37 * house) % 100;
  const names = numbers(100).map((member) => `house ${numbers(100).find((house) => memberOf(house) === member)}`);
  const plainTree: PlainTree = {
    below: numbers(10).map((city) => {
      const houses = (count: number, from: number): number[] => numbers(count, 10 * city + from).map(memberOf);
      return { below: [{ below: [houses(3, 0), houses(3, 3)] }, houses(4, 6)] };
    }),
  };
  const tree = groupsOfRun(region, alone(...names));
  const configOf = (self: number): RoundConfig => ({
    ...{ chainId: 1, contract, study: hash as RoundConfig['study'], run: 1, round: 0, self, terms, shareGraceS: 3, earlierReleases: [] },
    accounts: numbers(100).map(accountOf),
  });
  /** A member's state once it holds the base; through the journal's form, as after a restart. */
  const groundOf = (config: RoundConfig) => {
    const input = { kind: 'baseReady', base: hash, plan: hash, exchange: { kind: 'broadcast' }, ...(tree ? { groups: tree } : {}) } as const;
    return step(config, initialState(), JSON.parse(JSON.stringify(input))).state.ground;
  };
  const updateTerms = { parameters: 12, members: 100, clipNorm: 4, weightCap: 64, maxLoss: 4 };
  const plan = updatePlan(1, updateTerms);
  const slots = planSlots(plan).map((slot) => ({ ...slot, most: Math.floor(slot.range * slot.scale) }));
  const base = new Float32Array(12).fill(0.5);
  const vectors = numbers(100).map((member) => {
    const trained = base.map((value, at) => value + 0.01 * Math.sin(member * (at + 1)));
    const rows = 8 + (member % 50);
    return encodeUpdate(plan, updateTerms, { base, trained, rows, lossSum: rows }, roundingKey(1, `m${member}`, 1));
  });
  const of = (members: readonly number[]): Uint8Array[] => members.flatMap((member) => vectors[member] ?? []);
  const ascending = (leaves: readonly (readonly number[])[]): readonly (readonly number[])[] => leaves.map((group) => [...group].sort((a, b) => a - b));
  const plainly = (set: readonly number[], rule: MergeRule): Uint8Array => {
    const merge = (parts: readonly PlainPart[]): Uint8Array =>
      rule.kind === 'mean' || parts.length < 3
        ? plainSum(
            slots,
            parts.map(({ bytes }) => bytes),
          )
        : plainMedian(slots, updateTerms.weightCap, parts);
    return plainMerge(plainCut(plainTree, set), (group) => plainSum(slots, of(group)), merge).bytes;
  };
  const merged = (whole: GroupTree, rule: MergeRule): Uint8Array =>
    mergeTree(plan, { rule, weightCap: updateTerms.weightCap }, whole, (group) => sumVectors(of(group), planSlots(plan)));

  it('is the same partition at each member, whoever is missing, and it is the plain one', () => {
    const members = numbers(100).map((self) => ({ config: configOf(self), ground: groundOf(configOf(self)) }));
    fc.assert(
      fc.property(fc.subarray(numbers(100), { minLength: 3 }), (set) => {
        const expected = ascending(plainLeaves(plainCut(plainTree, set)));
        expect(expected.flat().sort((a, b) => a - b)).toEqual(set);
        for (const group of expected) expect(group.length).toBeGreaterThanOrEqual(3);
        for (const { config, ground } of members) expect(groupsOf(config, ground, [...set])).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('is seen by a member from when it knows the names on, also within an attempt', () => {
    const [config, set] = [configOf(0), numbers(100)];
    expect(groupsOf(config, {}, set)).toEqual([set]);
    expect(groupsOf(config, groundOf(config), set)).toEqual(ascending(plainLeaves(plainTree)));
  });

  it('gives everybody the plain sums and merges, by the mean and by the median, whoever is missing', () => {
    const [config, ground] = [configOf(0), groundOf(configOf(0))];
    for (const rule of [{ kind: 'mean' }, { kind: 'coordinate-median', f: 1 }] as const)
      fc.assert(
        fc.property(fc.subarray(numbers(100), { minLength: 3 }), (set) => {
          expect(merged(treeOf(config, ground, set), rule)).toEqual(new Uint8Array(plainly(set, rule)));
        }),
        { numRuns: 30 },
      );
    expect(merged(treeOf(config, ground, numbers(100)), { kind: 'mean' })).toEqual(plainSum(slots, vectors));
  });
});

it('asks for no secret of a group once the round is over, though it has opened another (found by seed 353 of the simulation)', async () => {
  const nine = numbers(9);
  const base = digest('b'.repeat(64));
  const ground = { ...initialState().ground, base };
  const stated = Object.fromEntries(nine.map((member) => [member, base]));
  const reveal = { phase: 'reveal', ground, attempt: 0, set: nine, sum: base, groups: { stated, held: [], said: {} } };
  let state: object = reveal;
  let opened = 0;
  const unmask = async (): Promise<Uint8Array> => {
    opened++;
    state = { ...reveal, phase: 'final' };
    return new Uint8Array(8);
  };
  const terms = { groupSize: 3 };
  const config = { accounts: nine.map(accountOf), contract, self: 0, terms };
  const live = {
    config,
    custody: { unmask },
    get state() {
      return state;
    },
  } as unknown as LiveRound;
  const question = { plan: () => undefined, mergeGroups: async () => undefined };
  const performer = new Performer({ question, logger: silentLogger, stateOf: () => ({ ordinal: 0 }) } as unknown as RunParts);
  expect(await performer.perform(live, { kind: 'unmask', attempt: 0, set: nine }, new AbortController().signal)).toBeUndefined();
  expect(opened).toBe(1);
});
