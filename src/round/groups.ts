/**
 * A round in groups: each group sums among its own members, states the root of its masked sum, and everybody holds all of them before READY.
 * READY is over the whole list of the attempt and over all roots at once, so nothing opens before every member of every group has agreed to all. Pure.
 */
import { drawnGroups, type GroupTree, groupsOfSet, leavesOfTree } from '../aggregation/index.ts';
import { type Digest, digest, digestBytes, hashFields, toHex } from '../common/index.ts';
import { type MemberSet, namedGroups } from '../wire/index.ts';
import { contextOf } from './context.ts';
import type { Input, RoundConfig } from './io.ts';
import type { Attempt, Ground, Grouped } from './state.ts';

/** An attempt with what is known of its groups' sums; `sum` is the root of this member's own group. */
export type GroupedAttempt = Pick<Attempt, 'attempt' | 'set'> & { readonly sum: Digest | undefined; readonly groups?: Grouped };

/** What is known of groups that a study names. */
export type NamedGroups = Pick<Ground, 'groups'>;

/** The groups of a set as a tree: drawn, or those that the study names. One leaf where the run has none, or where its names are not known here. */
export function treeOf(config: RoundConfig, { groups }: NamedGroups, set: MemberSet): GroupTree {
  const { groupSize } = config.terms;
  if (groupSize === 0) return { members: set };
  const tree = groupSize === namedGroups ? groups : drawnGroups(config.accounts, config.contract, groupSize);
  return tree ? groupsOfSet(tree, set) : { members: set };
}

/** Whether the study names the groups and this member does not know them yet: then it knows neither whom it sums with nor the context of its masks. */
export function lacksGroups({ terms }: RoundConfig, { groups }: NamedGroups): boolean {
  return terms.groupSize === namedGroups && groups === undefined;
}

/** Whether sums are made in groups. */
export function isGrouped(config: RoundConfig): boolean {
  return config.terms.groupSize > 0;
}

/** The lists that are summed each for itself, by the set that they make up, which lives as long as its attempt. */
const lists = new WeakMap<MemberSet, { readonly of: RoundConfig; readonly tree: GroupTree | undefined; readonly groups: readonly MemberSet[] }>();

/** The lists that are summed each for itself: the groups, or the whole set. */
export function groupsOf(config: RoundConfig, named: NamedGroups, set: MemberSet): readonly MemberSet[] {
  const known = lists.get(set);
  if (known?.of === config && known.tree === named.groups) return known.groups;
  const groups = isGrouped(config) ? leavesOfTree(treeOf(config, named, set)) : [set];
  lists.set(set, { of: config, tree: named.groups, groups });
  return groups;
}

/** The members that this member sums with. */
export function ownGroup(config: RoundConfig, named: NamedGroups, set: MemberSet): MemberSet {
  return groupsOf(config, named, set).find((group) => group.includes(config.self)) ?? [];
}

/** The root that more than half of a group's members state, or of the own group the own; undefined as long as there is none. */
export function rootOf(config: RoundConfig, { sum, groups }: GroupedAttempt, group: MemberSet): Digest | undefined {
  if (group.includes(config.self)) return sum;
  const stated = group.flatMap((member) => groups?.stated[member] ?? []);
  return stated.find((root) => 2 * stated.filter((other) => other === root).length > group.length);
}

/** What a member is READY on: its masked sum, or in groups HF("cgss/1/groups", ctx_a, the groups' roots in order); undefined until all are known. */
export function readySum(config: RoundConfig, ground: Ground, attempt: GroupedAttempt): Digest | undefined {
  if (!isGrouped(config)) return attempt.sum;
  const context = contextOf(ground, attempt);
  const roots = groupsOf(config, ground, attempt.set).map((group) => rootOf(config, attempt, group));
  if (context === undefined || roots.some((root) => root === undefined)) return undefined;
  return digest(toHex(hashFields('cgss/1/groups', digestBytes(context), ...roots.flatMap((root) => (root ? [digestBytes(root)] : [])))));
}

/** What others said about groups and vectors, taken in; the first word of each counts. */
export function groupOutcome(
  config: RoundConfig,
  named: NamedGroups,
  attempt: GroupedAttempt,
  input: Extract<Input, { readonly kind: 'groupStated' | 'groupHeld' }>,
): Grouped | undefined {
  const { groups, set } = attempt;
  if (!groups) return undefined;
  if (input.kind === 'groupHeld') return groups.held.includes(input.group) ? groups : { ...groups, held: [...groups.held, input.group].sort((a, b) => a - b) };
  const foreign = set.includes(input.from) && !ownGroup(config, named, set).includes(input.from);
  return !foreign || groups.stated[input.from] !== undefined ? groups : { ...groups, stated: { ...groups.stated, [input.from]: input.root } };
}

/** Members of other groups whose vector more than half of their own group's others say not to hold: HAVE says so for them. */
export function missingElsewhere(config: RoundConfig, named: NamedGroups, { set, groups }: GroupedAttempt): MemberSet {
  const said = groups?.said ?? {};
  return groupsOf(config, named, set)
    .filter((group) => !group.includes(config.self))
    .flatMap((group) =>
      group.filter((member) => 2 * group.filter((other) => other !== member && said[other]?.includes(member) === false).length > group.length - 1),
    );
}
