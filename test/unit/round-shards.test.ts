/** Reduce-scatter by its single rules: who sums, what is awaited, when a point may leave, how a generation ends, and who is named. */
import { describe, expect, it } from 'vitest';
import { pointGenerations } from '../../src/aggregation/index.ts';
import { audits, gathered, gatherOutcome, gatherTime, pointIsDue } from '../../src/round/gather.ts';
import { effectKey } from '../../src/round/index.ts';
import type { Gather, RoundState, ShardState } from '../../src/round/state.ts';
import { helping, silentMembers, wantedShards } from '../../src/round/wanted-shards.ts';
import { attempt, config, ground, word } from '../support/rounds.ts';

type Ready = RoundState & { readonly phase: 'ready' };

const root = word('sum');
const none: ShardState = { parts: [], summed: undefined, announced: undefined, claims: [], verified: undefined, failed: false };
const announced: ShardState = { ...none, announced: root, claims: [{ by: 1, root }] };
const failed: ShardState = { ...none, failed: true };
const verified: ShardState = { ...none, announced: root, verified: root };
/** Member 0 sums shard 0, member 1 shard 1, member 2 shard 2 in the first generation; the next one in order in the second. */
const open: Gather = {
  ...{ openedS: 0, order: [0, 1, 2], generation: 0, points: [[], []], printed: [], prints: [[], []], audit: undefined, blamed: [] },
  shards: [none, none, none],
};
const gather = (change: Partial<Gather>): Gather => ({ ...open, ...change });
const shards = (...all: readonly ShardState[]): Gather => gather({ shards: all });
const roots = Object.fromEntries([0, 1, 2].map((member) => [member, word(`root ${member}`)]));
const ready = (of: Gather, change: Partial<Ready> = {}): Ready => ({
  ...{ phase: 'ready', ground, ...attempt, roots, deadlineS: 40, masked: word('root 0'), vectors: [], sum: undefined, gather: of, ready: {}, haves: [] },
  ...change,
});
const wishes = (of: Gather, change: Partial<Ready> = {}): readonly string[] => wantedShards(config, ready(of, change), of).map(effectKey);
const silent = (of: Gather): readonly number[] => silentMembers(config, of);

describe('a point', () => {
  it('is due once each open shard is announced, and of earlier generations', () => {
    expect(pointIsDue(open, 0)).toBe(false);
    expect(pointIsDue(shards(announced, announced, announced), 0)).toBe(true);
    expect(pointIsDue(shards(announced, none, announced), 0)).toBe(false);
    expect(pointIsDue(shards(announced, failed, verified), 0)).toBe(true);
    expect(pointIsDue(gather({ generation: 1 }), 0)).toBe(true);
    expect(pointIsDue(shards(announced, announced, announced), 1)).toBe(false);
  });
  it('is due where nothing is open any more, and not because of a sum that stands', () => {
    expect(pointIsDue(shards(verified, verified, failed), 1)).toBe(true);
    expect(pointIsDue(shards({ ...verified, announced: undefined }, announced, announced), 0)).toBe(true);
  });
});

describe('everything is gathered', () => {
  it('where every sum stands', () => {
    expect(gathered(config, shards(verified, verified, verified))).toBe(true);
    expect(gathered(config, shards(verified, announced, verified))).toBe(false);
  });
  it('and the auditor has found the part of its aggregator right', () => {
    const audit = (right: boolean | undefined) => gather({ shards: [verified, verified, verified], audit: { shard: 1, right } });
    expect([gathered(config, audit(undefined)), gathered(config, audit(false)), gathered(config, audit(true))]).toEqual([false, false, true]);
    expect(gathered({ ...config, self: 1 }, audit(undefined))).toBe(true);
    expect(gathered(config, gather({ shards: [verified, verified, verified], order: [0, 1], audit: { shard: 0, right: undefined } }))).toBe(true);
  });
  it('the auditor is the second after the aggregator, and never the aggregator itself', () => {
    const of = (self: number, order: readonly number[] = [0, 1, 2]): boolean =>
      audits({ ...config, self }, gather({ order, audit: { shard: 1, right: undefined } }));
    expect([of(0), of(1), of(2)]).toEqual([true, false, false]);
    expect([of(0, [0, 1]), of(1, [0, 1])]).toEqual([false, false]);
    expect(audits(config, open)).toBe(false);
  });
});

describe('what is wanted', () => {
  it('is the parts of the own shard, and the announcements of others', () => {
    expect(wishes(open)).toEqual(['fetchPart/0/0/1', 'fetchPart/0/0/2', 'request/1/shardSum/0/0/1', 'request/2/shardSum/0/0/2']);
    expect(wishes(open, { roots: { 1: word('root 1') } })).toEqual(['fetchPart/0/0/1', 'request/1/shardSum/0/0/1', 'request/2/shardSum/0/0/2']);
    expect(wishes(shards({ ...none, parts: [1, 2] }, announced, verified))).toEqual(['sumShard/0/0']);
    expect(wishes(shards({ ...none, parts: [1] }, failed, verified))).toEqual(['fetchPart/0/0/2']);
  });
  it('is all shards of the last generation, which nobody announces', () => {
    expect(wishes(gather({ generation: pointGenerations, shards: [verified, { ...none, parts: [1, 2] }, failed] }))).toEqual(['sumShard/0/1']);
    expect(wishes(gather({ generation: pointGenerations, shards: [announced, announced, announced] }))).toEqual([]);
  });
  it('is points, then fingerprints of its own and of others, then a check of each sum, at its aggregator first', () => {
    const all = shards(announced, announced, { ...verified });
    expect(wishes(all)).toEqual(['request/1/point/0/0', 'request/2/point/0/0', 'request/1/prints/0/0', 'request/2/prints/0/0']);
    expect(wishes({ ...all, points: [[1, 2], []], prints: [[1], []] })).toEqual(['print/0/0', 'request/2/prints/0/0']);
    const printed = { ...all, points: [[1, 2], []], printed: [0], prints: [[1, 2], []] };
    expect(wishes(printed)).toEqual([`checkShard/0/0/${root}`, `checkShard/0/1/${root}`]);
    const elsewhere = { ...printed, points: [[0, 1], []], prints: [[0, 1], []] };
    const [, second] = wantedShards({ ...config, self: 2 }, ready(elsewhere), elsewhere);
    expect(second).toMatchObject({ shard: 1, holders: [1, 0] });
    expect(wishes({ ...all, points: [], prints: [] })).toHaveLength(4);
  });
  it('is a look at the aggregator that this member audits, once its fingerprints are here', () => {
    const audit = gather({ shards: [verified, verified, verified], audit: { shard: 1, right: undefined } });
    expect(wishes(audit)).toEqual(['request/1/prints/0/0']);
    expect(wishes({ ...audit, prints: [[1], []] })).toEqual(['auditPart/0/1']);
    expect(wishes({ ...audit, prints: [[1], []] }, { roots: {} })).toEqual([]);
    expect(wishes({ ...audit, audit: { shard: 1, right: true } })).toEqual([]);
    expect(wishes({ ...audit, prints: [] })).toEqual(['request/1/prints/0/0']);
  });
});

describe('fingerprints that only others need', () => {
  const past = gather({ generation: 1, shards: [verified, verified, verified], points: [[1, 2], []] });
  const help = (of: Gather, item: object): readonly string[] => {
    const asked = [{ by: 1, item: { kind: 'prints', attempt: 0, generation: 0, ...item } }] as const;
    return helping(config, ready(of, { ground: { ...ground, asked: asked as never } }), of).map(effectKey);
  };
  it('are taken once they are asked for and their points are there', () => {
    expect(help(past, {})).toEqual(['print/0/0']);
    expect(help({ ...past, points: [[1], []] }, {})).toEqual(['request/2/point/0/0']);
    expect(helping(config, ready(past), past)).toEqual([]);
  });
  it('are not, of another attempt, for another question, or where they are taken', () => {
    expect(help(past, { attempt: 1 })).toEqual([]);
    expect(help(past, { kind: 'point' })).toEqual([]);
    expect(help({ ...past, printed: [0] }, {})).toEqual([]);
  });
  it('are not, where this member takes them for itself, or where their points may not leave yet', () => {
    expect(help(shards(announced, announced, verified), {})).toEqual([]);
    expect(help(open, {})).toEqual([]);
    expect(help(shards(verified, verified, verified), {})).toEqual(['request/1/point/0/0', 'request/2/point/0/0']);
  });
});

describe('who is silent', () => {
  it('is whose part of the own shard is missing, and whose announcement', () => {
    expect(silent(shards(none, verified, verified))).toEqual([1, 2]);
    expect(silent(shards({ ...none, parts: [2] }, verified, verified))).toEqual([1]);
    expect(silent(shards({ ...verified }, none, verified))).toEqual([1]);
    expect(silent(shards({ ...verified }, failed, none))).toEqual([2]);
    expect(silent(gather({ shards: [verified, verified, verified], points: [[1, 2], []], prints: [[1, 2], []] }))).toEqual([]);
  });
  it('is whose point or fingerprints are missing once they are due', () => {
    const due = shards(announced, announced, verified);
    expect(silent(due)).toEqual([1, 2]);
    expect(silent({ ...due, points: [[1, 2], []], prints: [[1], []] })).toEqual([2]);
    expect(silent({ ...due, points: [[1], []], prints: [[1, 2], []] })).toEqual([2]);
    expect(silent({ ...due, points: [[1, 2], []], prints: [[1, 2], []] })).toEqual([]);
    expect(silent({ ...due, points: [], prints: [] })).toEqual([1, 2]);
    expect(silent(gather({ generation: pointGenerations, shards: [verified, verified, announced], points: [], prints: [] }))).toEqual([]);
  });
  it('is who was caught, in order, and never this member', () => {
    expect(silent(gather({ shards: [verified, verified, verified], blamed: [2, 1, 0] }))).toEqual([1, 2]);
    const ten = { ...config, self: 0, accounts: [] };
    expect(silentMembers(ten, gather({ order: [10, 2, 0], shards: [verified], points: [[2, 10], []], prints: [[2, 10], []], blamed: [10, 2] }))).toEqual([
      2, 10,
    ]);
  });
});

describe('what comes of what comes', () => {
  const took = (of: Gather, input: Parameters<typeof gatherOutcome>[2]): Gather => gatherOutcome(config, ready(of), input).gather ?? open;
  const says = (change: object) => ({ kind: 'shardAnnounced', attempt: 0, generation: 0, shard: 1, from: 1, root, ...change }) as const;

  it('is nothing in a round without shards', () => {
    const state = ready(open, { gather: undefined });
    expect(gatherOutcome(config, state, { kind: 'partHeld', attempt: 0, shard: 0, member: 1 })).toBe(state);
  });
  it('an announcement counts once, of the generation that is open, for a shard that is', () => {
    expect(took(open, says({})).shards[1]).toEqual({ ...none, announced: root, claims: [{ by: 1, root }] });
    expect(took(open, says({ generation: 1 })).shards[1]).toEqual(none);
    expect(took(shards(none, announced, none), says({ root: word('other') })).shards[1]).toEqual(announced);
    expect(took(shards(none, verified, none), says({ root: word('other') })).shards[1]).toEqual(verified);
    expect(took(shards(none, { ...verified, announced: undefined }, none), says({})).shards[1]?.announced).toBeUndefined();
    expect(took(shards(none, failed, none), says({})).shards[1]).toEqual(failed);
  });
  it('the own sum is announced, unless another one is or the shard has failed, and in the last generation stands by itself', () => {
    const own = { kind: 'shardSummed', attempt: 0, shard: 0, root } as const;
    expect(took(open, own).shards[0]).toMatchObject({ summed: root, announced: root, claims: [{ by: 0, root }], verified: undefined });
    const before = { ...none, announced: word('other') };
    expect(took(shards(before, none, none), own).shards[0]).toEqual({ ...before, summed: root });
    expect(took(shards(failed, none, none), own).shards[0]).toEqual({ ...failed, summed: root });
    expect(took(gather({ generation: pointGenerations }), own).shards[0]).toMatchObject({ summed: root, verified: root, claims: [] });
  });
  it('the first fingerprints say which aggregator is looked at', () => {
    const printed = (generation: number) => took(open, { kind: 'printed', attempt: 0, generation, audited: 2 });
    expect(printed(0)).toMatchObject({ printed: [0], audit: { shard: 2, right: undefined } });
    expect(printed(1)).toMatchObject({ printed: [1], audit: undefined });
    const looked = { kind: 'partAudited', attempt: 0, member: 1, right: false } as const;
    expect(took(open, looked)).toEqual(open);
    const audit = gather({ audit: { shard: 1, right: undefined } });
    expect(took(audit, looked)).toMatchObject({ audit: { shard: 1, right: false }, blamed: [1] });
    expect(took(audit, { ...looked, right: true })).toMatchObject({ audit: { shard: 1, right: true }, blamed: [] });
  });
  it('a sum is checked once, and a right one shows whose claims were wrong', () => {
    const checked = (shard: number, right: boolean, of: Gather, sum = root) =>
      took(of, { kind: 'shardChecked', attempt: 0, shard, root: sum, right, blamed: [] });
    const two: ShardState = {
      ...announced,
      claims: [
        { by: 2, root: word('lie') },
        { by: 1, root },
      ],
    };
    expect(checked(1, true, shards(none, two, none))).toMatchObject({ blamed: [2], shards: [none, { verified: root }, none] });
    expect(checked(1, false, shards(none, two, none))).toMatchObject({ blamed: [], shards: [none, { verified: undefined, failed: true }, none] });
    for (const of of [shards(none, announced, none), shards(none, none, none)]) expect(checked(1, true, of, word('other'))).toEqual(of);
    expect(checked(1, false, shards(none, verified, none))).toEqual(shards(none, verified, none));
    expect(checked(7, true, open)).toEqual(open);
  });
});

describe('the end of a generation', () => {
  const next = (of: Gather): Gather => gatherOutcome(config, ready(of), { kind: 'partHeld', attempt: 0, shard: 1, member: 2 }).gather ?? open;
  it('comes once every shard stands or has failed, where one has', () => {
    expect(next(shards(verified, failed, verified)).generation).toBe(1);
    expect(next(shards(none, failed, verified)).generation).toBe(0);
    expect(next(shards(verified, verified, verified)).generation).toBe(0);
    expect(next(gather({ generation: pointGenerations, shards: [verified, failed, verified] })).generation).toBe(pointGenerations);
  });
  it('opens what has failed anew; a sum that was made before is announced where it is this member\\u2019s turn', () => {
    const made: ShardState = { ...none, summed: root, announced: word('lie'), failed: true };
    expect(next(shards(verified, failed, made)).shards).toEqual([
      verified,
      { ...none, parts: [2] },
      { ...made, failed: false, announced: root, claims: [{ by: 0, root }] },
    ]);
    expect(next(shards(verified, made, verified)).shards[1]).toMatchObject({ failed: false, announced: undefined, verified: undefined, claims: [] });
  });
  it('the last one takes what this member has summed itself', () => {
    const last = gather({ generation: pointGenerations - 1, shards: [verified, { ...none, summed: root, failed: true }, failed] });
    expect(next(last)).toMatchObject({ generation: pointGenerations, shards: [verified, { verified: root }, { verified: undefined, failed: false }] });
  });
});

describe('time', () => {
  const later = (of: Gather, timeS: number): Gather | undefined => gatherTime(config, ready(of), { ...ground, timeS }).gather;
  it('passes over aggregators that announce nothing: a quarter of the phase for each generation', () => {
    const waits = shards(verified, none, verified);
    expect(later(waits, 9)).toBe(waits);
    expect(later(waits, 10)?.generation).toBe(1);
    const second = gather({ generation: 1, openedS: 0, shards: [verified, none, verified] });
    expect([later(second, 19)?.generation, later(second, 20)?.generation]).toEqual([1, 2]);
    const begun = gather({ openedS: 20, shards: [verified, none, verified] });
    expect([later(begun, 24)?.generation, later(begun, 25)?.generation]).toEqual([0, 1]);
  });
  it('passes over an announced sum only once all fingerprints are there and it did not come', () => {
    const waits = shards(verified, announced, verified);
    expect(later(waits, 99)).toBe(waits);
    expect(later({ ...waits, prints: [[1, 2], []] }, 99)?.generation).toBe(1);
    expect(later({ ...waits, prints: [[1], []] }, 99)?.generation).toBe(0);
  });
  it('changes nothing where every sum stands, in the last generation, or without shards', () => {
    for (const of of [shards(verified, verified, verified), gather({ generation: pointGenerations, prints: [] })]) expect(later(of, 99)).toBe(of);
    expect(later(gather({ shards: [failed, none, verified], prints: [] }), 10)).toMatchObject({ generation: 1 });
    expect(gatherTime(config, ready(open, { gather: undefined }), { ...ground, timeS: 99 }).gather).toBeUndefined();
  });
});
