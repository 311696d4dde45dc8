/** What groups must give in a simulated round: the partition from the names or the draw, and the merged sum by plain integers. */
import { drawnGroups, mergeVectors, planSlots, type SumPlan, wholeSource } from '../../src/aggregation/index.ts';
import type { StudyGroup } from '../../src/study/index.ts';
import type { Oracle } from './facts.ts';
import { contractAddress } from './ledger.ts';
import { accountOf } from './named.ts';
import { type PlainPart, type PlainSlot, type PlainTree, plainCut, plainLeaves, plainMedian, plainMerge, plainSum } from './plain-groups.ts';
import { planOf } from './question.ts';
import type { Seen } from './seen.ts';

/** The lists that an attempt's set is summed in: the groups, or the set itself. */
export function listsOf(seen: Seen, set: readonly number[]): readonly (readonly number[])[] {
  return seen.schedule.groups && set.length >= 3 ? plainLeaves(plainCut(wholeTree(seen), set)) : [set];
}

/** Groups are opened one by one, each is the plain sum of its members' words, and they are those that the ledger and the study say. */
export const groupsAreSummedAlone: Oracle = (seen) =>
  seen.opened.flatMap(({ member, round, set, groups, base }) => {
    if (!seen.schedule.groups) return [];
    const slots = slotsOf(planOf(seen.schedule, base.ordinal).plan);
    const words = (members: readonly number[]): Uint8Array[] => members.flatMap((one) => seen.words.get(`${round}/${one}`) ?? []);
    const [found, due] = [(groups ?? []).map((group) => group.members), listsOf(seen, set)].map((lists) => lists.map((list) => list.join()).join(' and '));
    if (found !== due) return [`member ${member} opened the groups ${found} in round ${round}, and they are ${due}`];
    const wrong = (groups ?? []).filter((group) => Buffer.compare(plainSum(slots, words(group.members)), group.sum) !== 0);
    return wrong.map((group) => `member ${member} opened a wrong sum of the group ${group.members.join()} in round ${round}`);
  });

/** Where the words of a plan stand. */
export function slotsOf(plan: SumPlan): readonly PlainSlot[] {
  return planSlots(plan).map((slot) => ({ ...slot, most: Math.floor(slot.range * slot.scale) }));
}

/** The plain sums of the groups, merged again from the leaves up, give the same bytes. Simulated studies merge by the mean or by the median with f = 1, which needs three. */
export function groupsMergeRight(seen: Seen, { base, sum, set, round }: Pick<Seen['opened'][number], 'base' | 'sum' | 'set' | 'round'>): boolean {
  const { plan, question } = planOf(seen.schedule, base.ordinal);
  const { rule, weightCap } = question.mergeTerms(base);
  const slots = slotsOf(plan);
  const sumOf = (leaf: readonly number[]): Uint8Array =>
    plainSum(
      slots,
      leaf.map((one) => seen.words.get(`${round}/${one}`) ?? new Uint8Array(sum.length)),
    );
  const merge = (parts: readonly PlainPart[]): Uint8Array => {
    const vectors = parts.map(({ bytes }) => bytes);
    if (rule.kind === 'mean' || parts.length < 3) return plainSum(slots, vectors);
    if (plan.purpose === 'update') return plainMedian(slots, weightCap, parts);
    const sources = parts.map((part) => wholeSource(part.bytes, part.members));
    return mergeVectors(plan, { rule, weightCap }, sources);
  };
  return Buffer.compare(plainMerge(plainCut(wholeTree(seen), set), sumOf, merge).bytes, sum) === 0;
}

function wholeTree({ schedule, events }: Seen): PlainTree {
  if (schedule.groups?.named) return { below: schedule.groups.named.map(treeOfNames) };
  const started = events.find((event) => event.scope === 'run' && event.fact.kind === 'runStarted');
  if (started?.scope !== 'run' || started.fact.kind !== 'runStarted') throw new Error('no run');
  const drawn = drawnGroups(started.fact.roster, contractAddress, schedule.groups?.size ?? 0);
  return { below: 'children' in drawn ? drawn.children.map((leaf) => ('members' in leaf ? leaf.members : [])) : [] };
}

function treeOfNames(group: StudyGroup): PlainTree {
  if ('groups' in group) return { below: group.groups.map(treeOfNames) };
  return Array.from({ length: 128 }, (_, member) => member).filter((member) => group.members.includes(accountOf(member)));
}
