/** Groups that a study names: a tree of member names as the ledger has them. Leaves sum among themselves, and what they give is merged from the leaves up. */
import { z } from 'zod';
import { utf8 } from '../common/index.ts';
import { maxNameSizeBytes } from '../wire/index.ts';
import { studyLimits as limits } from './limits.ts';

/** Several groups that are merged into one. */
interface Branch {
  name: string;
  groups: StudyGroup[];
}

/** A group of a study: members that sum among themselves, or groups that are merged. `name` is for people. */
export type StudyGroup = { name: string; members: string[] } | Branch;

/** Where a name stands in `study.toml`. */
export interface PlacedName {
  readonly name: string;
  readonly place: string;
}

const name = z
  .string()
  .regex(/^[^\p{Cc}]+$/u, 'a name without control characters')
  .refine((text) => utf8(text).length <= maxNameSizeBytes, `a name of at most ${maxNameSizeBytes} bytes`);

const leaf = z.strictObject({ name, members: z.array(name).min(3, 'at least three members: a sum of fewer gives them away').max(limits.members) });

/** A schema for each depth: what is nested deeper is refused before it is walked. */
function groupAt(depth: number): z.ZodType<StudyGroup> {
  const groups = depth < limits.groupDepth ? listOf(groupAt(depth + 1)) : z.never(`groups at most ${limits.groupDepth} deep`);
  return z.union([leaf, z.strictObject({ name, groups })], 'a name with members, or a name with groups');
}

function listOf(group: z.ZodType<StudyGroup>) {
  return z.array(group).min(2, 'at least two groups').max(limits.members);
}

/** `terms.groups`: groups of one size, drawn by the ledger, or a list of named ones. */
export const groupsSchema = z.union(
  [z.strictObject({ size: z.int().min(3).max(limits.members) }), listOf(groupAt(1))],
  '{ size = 3 }, or a list [[terms.groups]] of named groups',
);

/** Either form of `terms.groups`. */
export type StudyGroups = z.output<typeof groupsSchema>;

/** The groups that a study names; undefined where it names none. */
export function namedGroupsOf(groups: StudyGroups | undefined): readonly StudyGroup[] | undefined {
  return Array.isArray(groups) ? groups : undefined;
}

/** Lists of groups that are merged with each other, from the top down, each under its place; `terms.groups` is the first. */
export function mergedLists(
  groups: readonly StudyGroup[],
  place = 'terms.groups',
): readonly { readonly place: string; readonly groups: readonly StudyGroup[] }[] {
  const below = groups.flatMap((group, at) => ('groups' in group ? mergedLists(group.groups, `${place}[${at + 1}].groups`) : []));
  return [{ place, groups }, ...below];
}

/** Groups that sum, from left to right: their names from the top down, and their members. */
export function leafGroups(groups: readonly StudyGroup[], above = ''): readonly { readonly title: string; readonly members: readonly string[] }[] {
  return groups.flatMap((group) => {
    const title = `${above}${group.name}`;
    return 'members' in group ? [{ title, members: group.members }] : leafGroups(group.groups, `${title} / `);
  });
}

/** Every member with its place. */
export function placedMembers(groups: readonly StudyGroup[]): readonly PlacedName[] {
  return mergedLists(groups).flatMap(({ place, groups: list }) =>
    list.flatMap((group, at) =>
      'members' in group ? group.members.map((member, of) => ({ name: member, place: `${place}[${at + 1}].members[${of + 1}]` })) : [],
    ),
  );
}
