/** What the schema cannot see in the groups that a study names. */
import type { StudyProblem } from './errors.ts';
import { mergedLists, namedGroupsOf, type PlacedName, placedMembers, type StudyGroup } from './groups.ts';
import { studyLimits } from './limits.ts';
import type { TrainingManifest } from './manifest.ts';

/** Vectors that a rule needs: 2f + 1, or 2f + 3 where it counts neighbours. */
export function fewestMerged(rule: NonNullable<TrainingManifest['terms']['rule']>): number {
  if (rule.kind === 'mean') return 1;
  return 2 * rule.f + (rule.kind === 'krum' || rule.kind === 'multi-krum' ? 3 : 1);
}

/** Named groups: each member once, names that tell neighbours apart, and a rule that has enough groups to merge somewhere. */
export function groupProblems({ terms }: TrainingManifest): StudyProblem[] {
  const groups = namedGroupsOf(terms.groups);
  if (groups === undefined) return [];
  const members = placedMembers(groups);
  const { minMembers, rule } = terms;
  const needed = rule ? fewestMerged(rule) : 1;
  const widest = Math.max(...mergedLists(groups).map((list) => list.groups.length));
  const problem = (place: string, found: number, allowed: string): StudyProblem => ({ file: 'study.toml', place, found: String(found), allowed });
  return [
    ...twice(members, 'each member in one group'),
    ...mergedLists(groups).flatMap((list) => twice(namesIn(list), 'another name than its neighbours have')),
    ...(members.length > studyLimits.members ? [problem('terms.groups', members.length, `at most ${studyLimits.members} members in all groups`)] : []),
    ...(members.length < minMembers ? [problem('terms.minMembers', minMembers, `at most ${members.length}, the members that the groups name`)] : []),
    ...(widest < needed ? [problem('terms.groups', widest, `at least ${needed} groups side by side somewhere, for "${rule?.kind}"`)] : []),
  ];
}

function namesIn({ place, groups }: { readonly place: string; readonly groups: readonly StudyGroup[] }): readonly PlacedName[] {
  return groups.map(({ name }, at) => ({ name, place: `${place}[${at + 1}].name` }));
}

/** Each place where a name stands again. */
function twice(names: readonly PlacedName[], allowed: string): StudyProblem[] {
  const first = new Map<string, string>();
  return names.flatMap(({ name, place }) => {
    const before = first.get(name);
    first.set(name, before ?? place);
    return before === undefined ? [] : [{ file: 'study.toml', place, found: `"${name}", as in ${before}`, allowed }];
  });
}
