/** What the others learn of one member's update under the terms of a study, in sentences for the person who approves it. */
import { fewestMerged } from './group-problems.ts';
import { leafGroups, mergedLists, namedGroupsOf, type StudyGroup } from './groups.ts';
import type { TrainingManifest } from './manifest.ts';
import { isTraining, type Study } from './package.ts';
import type { StatisticsManifest } from './statistics-manifest.ts';

const ruleWords = {
  mean: 'the mean, weighted by rows',
  'coordinate-median': 'the median of each parameter',
  'trimmed-mean': 'the trimmed mean of each parameter',
  'geometric-median': 'the geometric median',
  krum: 'Krum: the update closest to its neighbours',
  'multi-krum': 'multi-Krum: the mean of the updates closest to their neighbours',
  'centred-clipping': 'centred clipping around the last step',
} as const;

/** Sentences in the order of their weight; shown before approval, on the page and in reports. */
export function exposureOf(study: Study): readonly string[] {
  if (!isTraining(study)) return countingExposure(study.manifest);
  const { terms } = study.manifest;
  const named = namedGroupsOf(terms.groups);
  if (named) return namedExposure(named, terms.rule);
  if (terms.groups && 'size' in terms.groups) {
    const { size } = terms.groups;
    return [
      `Secure in groups: nobody sees this site's update; the sums of groups of ${size} or more members are opened one by one (never fewer than three).`,
      `In a group of ${size}, ${size - 1} members that work together learn the update of the last one. Group sums are merged by ${ruleWords[terms.rule?.kind ?? 'mean']}.`,
    ];
  }
  if (terms.mode === 'secure') return [`Secure: nobody sees this site's update; only the sum over at least ${terms.minMembers} members is opened.`];
  const { kind } = terms.rule ?? { kind: 'mean' };
  const bound = terms.rule && 'f' in terms.rule ? `, so that ${terms.rule.f} of them may be wrong or hostile` : '';
  return [
    "OPEN: every other member of the run will see this site's own update and row count in every round; nothing hides them.",
    `Updates are merged by ${ruleWords[kind]}${bound}.`,
  ];
}

/** Who sees which numbers of a study that counts. */
function countingExposure({ disclosure, terms, dimension, variable, model }: StatisticsManifest): readonly string[] {
  const { minSites, minCount, dominance, rounding } = disclosure;
  const levels = ['everything', ...dimension.map(({ name }) => name)].join(' › ');
  return [
    `Secure: nobody sees this site's own counts; only sums over at least ${terms.minMembers} members are opened. The rows, and who they are about, stay here.`,
    `Cells (${levels}) are opened where at least ${minSites} sites contribute and ${minCount} different persons are counted${dominance < 1 ? `, and no site has more than ${Math.round(100 * dominance)} % of them` : ''}. How many sites contribute to a cell is summed first, and everybody learns whether there are none, too few or enough.`,
    ...(rounding > 1 ? [`Counts are rounded to multiples of ${rounding}.`] : []),
    ...(variable.some(({ table }) => table)
      ? [
          `In each cell also: ${variable.flatMap(({ name, table, quantiles }) => (table ? [`mean${quantiles ? ', quantiles' : ''} of ${name}`] : [])).join('; ')}.`,
        ]
      : []),
    ...model.map(({ name, kind, outcome, predictors }) => `Over all rows: ${kind} regression "${name}" of ${outcome} on ${predictors.join(', ')}.`),
  ];
}

/** With whom this site sums, where a group's sum is seen, and where the rule gives way to the mean. */
function namedExposure(groups: readonly StudyGroup[], rule: TrainingManifest['terms']['rule']): readonly string[] {
  const leaves = leafGroups(groups);
  const needed = rule ? fewestMerged(rule) : 1;
  const short = mergedLists(groups).filter((list) => list.groups.length < needed);
  const places = short.map((list) => list.groups.map(({ name }) => name).join(', ')).join('; ');
  return [
    `Secure in groups: nobody sees this site's update; the sums of the ${leaves.length} groups below are opened one by one (never of fewer than three members).`,
    "All others of its group, if they work together, learn this site's update. Who has not approved is absent, and what is left of a group of fewer than three joins its neighbour.",
    `Group sums are merged by ${ruleWords[rule?.kind ?? 'mean']}${short.length > 0 ? `; by their mean where fewer than ${needed} meet: ${places}` : ''}.`,
    `Groups: ${leaves.map(({ title, members }) => `${title} (${members.join(', ')})`).join('; ')}.`,
  ];
}
