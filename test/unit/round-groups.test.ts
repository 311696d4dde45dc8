/** A round in groups by its single rules: which groups there are, which root stands for a group, what READY is on, and who is said to be missing. */
import { describe, expect, it } from 'vitest';
import { digest, digestBytes, hashFields, toHex } from '../../src/common/index.ts';
import { contextOf } from '../../src/round/context.ts';
import { groupOutcome, groupsOf, missingElsewhere, ownGroup, readySum, rootOf, treeOf } from '../../src/round/groups.ts';
import type { Grouped } from '../../src/round/state.ts';
import { namedGroups } from '../../src/wire/index.ts';
import { config, everyone, ground, terms, word } from '../support/rounds.ts';

const named = { ...config, terms: { ...terms, groupSize: namedGroups } };
const halves = { children: [{ members: [0, 1, 2] }, { members: [3, 4, 5] }] };
const known = { ...ground, groups: halves };
const nothing: Grouped = { stated: {}, held: [], said: {} };

describe('which groups there are', () => {
  it('one where the run has none, or where their names are not known', () => {
    expect(treeOf(config, known, everyone)).toEqual({ members: everyone });
    expect(treeOf(named, {}, everyone)).toEqual({ members: everyone });
    expect(treeOf(named, known, everyone)).toEqual(halves);
  });
  it('those of the names that are known now, for one and the same list', () => {
    const set = [...everyone];
    expect(groupsOf(named, known, set)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const others = { children: [{ members: [0, 2, 4] }, { members: [1, 3, 5] }] };
    expect(groupsOf(named, { groups: others }, set)).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
  });
  it('none for who is not in the list', () => {
    expect(ownGroup(named, known, everyone)).toEqual([0, 1, 2]);
    expect(ownGroup({ ...named, self: 9 }, known, everyone)).toEqual([]);
  });
});

describe('the root of a group', () => {
  const rootIn = (stated: Grouped['stated'], group: readonly number[]) =>
    rootOf(named, { attempt: 0, set: everyone, sum: word('own'), groups: { ...nothing, stated } }, group);
  it('is the own one of the own group, whatever others say', () => expect(rootIn({ 1: word('lie'), 2: word('lie') }, [0, 1, 2])).toBe(word('own')));
  it('is what more than half of its members say', () => {
    expect(rootIn({ 3: word('a'), 4: word('a') }, [3, 4, 5])).toBe(word('a'));
    expect(rootIn({ 3: word('a'), 4: word('b'), 5: word('b') }, [3, 4, 5])).toBe(word('b'));
  });
  it('is none on half of them or less, or where all say something else', () => {
    expect(rootIn({ 3: word('a') }, [3, 4, 5])).toBeUndefined();
    expect(rootIn({ 2: word('a'), 3: word('a') }, [2, 3, 4, 5])).toBeUndefined();
    expect(rootIn({ 3: word('a'), 4: word('b'), 5: word('c') }, [3, 4, 5])).toBeUndefined();
  });
  it('is none before anything was said', () => expect(rootOf(named, { attempt: 0, set: everyone, sum: undefined }, [3, 4, 5])).toBeUndefined());
});

describe('what a member is READY on', () => {
  const inGroups = (sum: 'own' | undefined, stated: Grouped['stated']) => ({
    ...{ attempt: 0, set: everyone, groups: { ...nothing, stated } },
    sum: sum && word(sum),
  });
  const both = { 3: word('other'), 4: word('other') };
  it('is its sum where there are no groups', () => expect(readySum(config, ground, { attempt: 0, set: everyone, sum: word('sum') })).toBe(word('sum')));
  it('is a hash over the context and the roots of all groups in order', () => {
    const context = contextOf(known, { attempt: 0, set: everyone }) ?? word('');
    const expected = hashFields('cgss/1/groups', digestBytes(context), digestBytes(word('own')), digestBytes(word('other')));
    expect(readySum(named, known, inGroups('own', both))).toBe(digest(toHex(expected)));
  });
  it('is nothing while a root is missing, or before the round is open', () => {
    expect(readySum(named, known, inGroups(undefined, both))).toBeUndefined();
    expect(readySum(named, known, inGroups('own', {}))).toBeUndefined();
    expect(readySum(named, { ...known, context: undefined }, inGroups('own', both))).toBeUndefined();
  });
});

describe('what others say', () => {
  const taken = (groups: Grouped | undefined, input: Parameters<typeof groupOutcome>[3]) =>
    groupOutcome(named, known, { attempt: 0, set: everyone, sum: undefined, ...(groups ? { groups } : {}) }, input);
  it('is nothing where there are no groups', () => expect(taken(undefined, { kind: 'groupHeld', attempt: 0, group: 1 })).toBeUndefined());
  it('of groups that are stored is kept in order, once', () => {
    const held = { ...nothing, held: [1, 2] };
    expect(taken(held, { kind: 'groupHeld', attempt: 0, group: 0 })?.held).toEqual([0, 1, 2]);
    expect(taken({ ...nothing, held: [2, 10] }, { kind: 'groupHeld', attempt: 0, group: 3 })?.held).toEqual([2, 3, 10]);
    expect(taken(held, { kind: 'groupHeld', attempt: 0, group: 2 })).toBe(held);
  });
  it('of roots counts once, from a member of the set and of another group', () => {
    const first = taken(nothing, { kind: 'groupStated', attempt: 0, from: 3, root: word('a') });
    expect(first?.stated).toEqual({ 3: word('a') });
    expect(taken(first, { kind: 'groupStated', attempt: 0, from: 3, root: word('b') })?.stated).toEqual({ 3: word('a') });
    expect(taken(nothing, { kind: 'groupStated', attempt: 0, from: 1, root: word('a') })?.stated).toEqual({});
    expect(taken(nothing, { kind: 'groupStated', attempt: 0, from: 7, root: word('a') })?.stated).toEqual({});
  });
});

describe('who is missing elsewhere', () => {
  const missing = (said: Grouped['said'] | undefined) =>
    missingElsewhere(named, known, { attempt: 0, set: everyone, sum: undefined, ...(said ? { groups: { ...nothing, said } } : {}) });
  it('is whom more than half of the others of its group say not to hold', () => {
    expect(missing({ 3: [3, 4], 4: [3, 4] })).toEqual([5]);
    expect(missing({ 3: [3], 4: [4], 5: [5] })).toEqual([3, 4, 5]);
  });
  it('is nobody on one word, on its own word, or on none', () => {
    expect(missing({ 3: [3, 4] })).toEqual([]);
    expect(missing({ 3: [3, 4], 5: [3, 4] })).toEqual([]);
    expect(missing({ 3: [3, 4, 5], 4: [3, 4, 5], 5: [3, 4, 5] })).toEqual([]);
    expect(missing({})).toEqual([]);
    expect(missing(undefined)).toEqual([]);
  });
  it('is nobody of the own group, of which a member speaks for itself', () => expect(missing({ 1: [0, 1], 0: [0, 1] })).toEqual([]));
});
