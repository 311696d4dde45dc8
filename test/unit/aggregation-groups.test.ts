/** Groups: partitions of any set, and trees of group sums. Oracles: the plain sum, medians by sorting, counts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeUpdate,
  drawnGroups,
  encodeUpdate,
  type GroupTree,
  groupsOfSet,
  leavesOfTree,
  mergeTree,
  planSlots,
  roundingKey,
  updatePlan,
} from '../../src/aggregation/index.ts';
import type { Account } from '../../src/common/index.ts';
import { sumVectors } from '../support/custodians.ts';

const accountsOf = (count: number): Account[] => Array.from({ length: count }, (_, member) => `0x${(member + 1).toString(16).padStart(40, '0')}` as Account);
const contract = `0x${'c'.repeat(40)}` as Account;
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);
const leaf = (...members: number[]): GroupTree => ({ members });

describe('a partition', () => {
  it('of nine and more has every member once, in groups of at least the size asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 128 }), fc.integer({ min: 3, max: 12 }), (members, size) => {
        const leaves = leavesOfTree(drawnGroups(accountsOf(members), contract, size));
        expect(leaves.flat().sort((a, b) => a - b)).toEqual(numbers(members));
        if (members >= size) for (const group of leaves) expect(group.length).toBeGreaterThanOrEqual(size);
        expect(leaves.length).toBe(Math.max(1, Math.floor(members / size)));
      }),
    );
  });

  it('depends on who takes part and on the contract, not on the order of asking', () => {
    const nine = drawnGroups(accountsOf(9), contract, 3);
    expect(drawnGroups(accountsOf(9), contract, 3)).toEqual(nine);
    const others = [1, 2, 3, 4].map((digit) => drawnGroups(accountsOf(9), `0x${String(digit).repeat(40)}` as Account, 3));
    expect(new Set([nine, ...others].map((tree) => JSON.stringify(tree))).size).toBeGreaterThan(1);
  });

  it('cut to any set of three or more keeps groups of at least three, each member once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 40 }), fc.integer({ min: 3, max: 6 }), fc.array(fc.nat()), (members, size, lost) => {
        const set = numbers(members).filter((member) => !lost.some((one) => one % members === member));
        if (set.length < 3) return;
        const leaves = leavesOfTree(groupsOfSet(drawnGroups(accountsOf(members), contract, size), set));
        expect(leaves.flat().sort((a, b) => a - b)).toEqual(set);
        for (const group of leaves) expect(group.length).toBeGreaterThanOrEqual(3);
      }),
    );
  });

  it('joins a small leaf to the next one, the last to the one before, and keeps the tree above', () => {
    const city = { children: [{ children: [leaf(0, 1, 2), leaf(3, 4, 5)] }, { children: [leaf(6, 7, 8), leaf(9, 10, 11)] }] };
    expect(groupsOfSet(city, numbers(12))).toEqual(city);
    expect(
      groupsOfSet(
        city,
        numbers(12).filter((member) => member !== 1),
      ),
    ).toEqual({
      children: [leaf(0, 2, 3, 4, 5), { children: [leaf(6, 7, 8), leaf(9, 10, 11)] }],
    });
    expect(groupsOfSet(city, numbers(11))).toEqual({ children: [{ children: [leaf(0, 1, 2), leaf(3, 4, 5)] }, leaf(6, 7, 8, 9, 10)] });
    expect(groupsOfSet(city, [0, 3, 6, 9])).toEqual(leaf(0, 3, 6, 9));
  });

  it('joins two small leaves at the end to the one before both: nobody sums with one other alone', () => {
    const three = { children: [leaf(0, 1, 2), leaf(3, 4, 5), leaf(6, 7, 8)] };
    expect(groupsOfSet(three, [0, 1, 2, 5, 8])).toEqual(leaf(0, 1, 2, 5, 8));
    expect(groupsOfSet({ children: [leaf(0, 1, 2), leaf(9, 10, 11), ...three.children.slice(1)] }, [0, 1, 2, 5, 8, 9, 10, 11])).toEqual({
      children: [leaf(0, 1, 2), leaf(5, 8, 9, 10, 11)],
    });
  });

  it('puts members that no list names into a group of their own', () => {
    expect(groupsOfSet({ children: [leaf(0, 1, 2)] }, numbers(6))).toEqual({ children: [leaf(0, 1, 2), leaf(3, 4, 5)] });
    expect(groupsOfSet({ children: [leaf(0, 1, 2)] }, numbers(4))).toEqual(leaf(0, 1, 2, 3));
  });

  it('of nobody is one group without members', () => {
    expect(groupsOfSet({ children: [leaf(0, 1, 2), leaf(3, 4, 5)] }, [])).toEqual(leaf());
  });
});

describe('a tree of group sums', () => {
  const parameters = 20;
  const terms = { parameters, members: 100, clipNorm: 4, weightCap: 64, maxLoss: 4 };
  const plan = updatePlan(1, terms);
  const base = new Float32Array(parameters).fill(0.5);
  const rowsOf = (member: number): number => 8 + (member % 50);
  const vectorOf = (member: number, step: number): Uint8Array => {
    const trained = base.map((value, at) => value + step * (1 + at / parameters));
    return encodeUpdate(plan, terms, { base, trained, rows: rowsOf(member), lossSum: rowsOf(member) }, roundingKey(1, `m${member}`, 1));
  };
  const sumOver = (vectors: readonly Uint8Array[]) => (members: readonly number[]) =>
    sumVectors(
      members.map((member) => vectors[member]!),
      planSlots(plan),
    );
  /** A region of a hundred sites: five cities of five chains of four houses. */
  const region: GroupTree = {
    children: numbers(5).map((city) => ({ children: numbers(5).map((chain) => leaf(...numbers(4, 20 * city + 4 * chain))) })),
  };

  it('of a hundred sites with means all the way is the plain sum of all, by every byte', () => {
    const vectors = numbers(100).map((member) => vectorOf(member, 0.001 * (member % 7)));
    const merged = mergeTree(plan, { rule: { kind: 'mean' }, weightCap: 64 }, region, sumOver(vectors));
    expect(merged).toEqual(sumOver(vectors)(numbers(100)));
    expect(decodeUpdate(plan, terms, merged, base).rows).toBe(numbers(100).reduce((sum, member) => sum + rowsOf(member), 0));
  });

  it('of a hundred sites with medians stands one hostile chain in each of two cities, and a hostile city; the mean does not', () => {
    const hostile = (member: number): boolean => member >= 80 || (member >= 0 && member < 4) || (member >= 20 && member < 24);
    const vectors = numbers(100).map((member) => vectorOf(member, hostile(member) ? -0.9 : 0.01));
    const stepOf = (rule: Parameters<typeof mergeTree>[1]['rule']): number =>
      (decodeUpdate(plan, terms, mergeTree(plan, { rule, weightCap: 64 }, region, sumOver(vectors)), base).parameters[0] ?? 0) - 0.5;
    expect(stepOf({ kind: 'coordinate-median', f: 2 })).toBeCloseTo(0.01, 3);
    expect(stepOf({ kind: 'krum', f: 1 })).toBeCloseTo(0.01, 3);
    expect(stepOf({ kind: 'mean' })).toBeLessThan(-0.1);
  });

  it('takes the mean where a node has fewer children than the rule needs', () => {
    const vectors = numbers(6).map((member) => vectorOf(member, 0.01 * member));
    const two = { children: [leaf(0, 1, 2), leaf(3, 4, 5)] };
    const merged = mergeTree(plan, { rule: { kind: 'coordinate-median', f: 1 }, weightCap: 64 }, two, sumOver(vectors));
    expect(merged).toEqual(sumOver(vectors)(numbers(6)));
  });
});
