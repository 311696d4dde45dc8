/**
 * Groups: members that sum among themselves first, as a tree whose leaves are lists of members. Which groups an attempt has is a function of the tree
 * and of the attempt's set alone, so every member knows them; what they give together is merged from the leaves up.
 */
import { type Account, fromHex, hashFields, toHex } from '../../common/index.ts';
import { fewestMembers } from '../limits.ts';
import type { SumPlan } from '../plan.ts';
import { type MergeSource, type MergeTerms, mergeVectors, wholeSource } from './merge.ts';
import { fewestVectors } from './rule.ts';

/** A leaf sums its members (indexes in the run's roster); an inner node merges what its children give. */
export type GroupTree = { readonly members: readonly number[] } | { readonly children: readonly GroupTree[] };

/**
 * Groups of `size` members and, where the number does not go up, one more: by the order of a hash over the ledger's contract and each account. The same
 * accounts are grouped the same way in every round, run and study, so that no two sums on one base differ by a member or two.
 */
export function drawnGroups(accounts: readonly Account[], contract: Account, size: number): GroupTree {
  const bytes = (one: Account): Uint8Array => fromHex(one) ?? new Uint8Array(20);
  const ranked = accounts.map((account, member) => ({ member, rank: toHex(hashFields('schwarm/groups/1', bytes(contract), bytes(account))) }));
  const order = ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ member }) => member);
  const count = Math.max(1, Math.floor(order.length / Math.max(size, fewestMembers)));
  const groups = Array.from({ length: count }, (_, group) => order.filter((_, at) => at % count === group).sort((a, b) => a - b));
  return { children: groups.map((members) => ({ members })) };
}

/** All leaves from left to right. */
export function leavesOfTree(tree: GroupTree): readonly (readonly number[])[] {
  return 'members' in tree ? [tree.members] : tree.children.flatMap(leavesOfTree);
}

/**
 * The tree of one attempt: leaves cut to `set`, and one with fewer than three members joined to the next leaf, the last one to the leaf before it.
 * Members of the set that no leaf names form a last leaf.
 */
export function groupsOfSet(tree: GroupTree, set: readonly number[]): GroupTree {
  const named = leavesOfTree(tree);
  const rest = set.filter((member) => !named.some((leaf) => leaf.includes(member)));
  const whole: GroupTree = rest.length > 0 ? { children: [tree, { members: rest }] } : tree;
  const leaves = leavesOfTree(whole).map((leaf) => leaf.filter((member) => set.includes(member)));
  for (let at = 0; at + 1 < leaves.length; at++) if ((leaves[at]?.length ?? 0) < fewestMembers) moveLeaf(leaves, at, at + 1);
  const full = leaves.flatMap((leaf, at) => (leaf.length > 0 ? [at] : []));
  const [before, last] = full.slice(-2);
  if (before !== undefined && last !== undefined && (leaves[last]?.length ?? 0) < fewestMembers) moveLeaf(leaves, last, before);
  return refilled(whole, leaves) ?? { members: [] };
}

function moveLeaf(leaves: (readonly number[])[], from: number, to: number): void {
  leaves[to] = [...(leaves[from] ?? []), ...(leaves[to] ?? [])].sort((a, b) => a - b);
  leaves[from] = [];
}

/** The tree with new leaves, taken from the front of `leaves`; nodes without members go, and a node with one child is that child. */
function refilled(tree: GroupTree, leaves: (readonly number[])[]): GroupTree | undefined {
  if ('members' in tree) {
    const members = leaves.shift() ?? [];
    return members.length > 0 ? { members } : undefined;
  }
  const children = tree.children.flatMap((child) => refilled(child, leaves) ?? []);
  return children.length > 1 ? { children } : children[0];
}

/** How many members a tree has. */
function membersIn(tree: GroupTree): number {
  return leavesOfTree(tree).reduce((sum, leaf) => sum + leaf.length, 0);
}

/**
 * What all groups give together, in the form of a plain sum: leaves by `sumOf` (the opened sum of a leaf), inner nodes by the rule. A node with fewer
 * children than the rule needs takes their mean.
 */
export function mergeTree(plan: SumPlan, terms: MergeTerms, tree: GroupTree, sumOf: (leaf: readonly number[]) => Uint8Array): Uint8Array {
  if ('members' in tree) return sumOf(tree.members);
  const sources = tree.children.map((child): MergeSource => wholeSource(mergeTree(plan, terms, child, sumOf), membersIn(child)));
  const rule = sources.length < fewestVectors(terms.rule) ? ({ kind: 'mean' } as const) : terms.rule;
  return mergeVectors(plan, { ...terms, rule }, sources);
}
