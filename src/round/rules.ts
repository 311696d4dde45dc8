/** The rules that decide whether this member takes part, and whether a list is certified. Each is named as in proto/README.md. */
import { fewestMembers } from '../aggregation/index.ts';
import type { Account } from '../common/index.ts';
import type { MemberSet, RoundFact } from '../wire/index.ts';
import { contextOf } from './context.ts';
import { type GroupedAttempt, groupsOf, isGrouped, lacksGroups, readySum } from './groups.ts';
import type { Release, RoundConfig } from './io.ts';
import type { Attempt, Ground, ReadyFacts, RoundState, Watching } from './state.ts';

/** The accounts of a set in the order of the roster. */
export function accountsOf(config: RoundConfig, set: MemberSet): readonly Account[] {
  return set.flatMap((member) => config.accounts[member] ?? []);
}

/** Why this member only watches the round; undefined where it takes part. */
export function watching(config: RoundConfig, ground: Ground): Watching | undefined {
  if (ground.abandoned) return 'abandoned';
  if (!ground.opened || !ground.roster.includes(config.self)) return 'not-expected';
  if (ground.base === undefined || ground.plan === undefined || lacksGroups(config, ground)) return 'catching-up';
  if (ground.base !== ground.opened.base) return 'other-base';
  return ground.plan === ground.opened.plan ? undefined : 'other-plan';
}

function difference(a: MemberSet, b: MemberSet): number {
  return a.filter((member) => !b.includes(member)).length + b.filter((member) => !a.includes(member)).length;
}

/**
 * How many members' values a new opening and an earlier one give together by subtraction: those between two sums; where one of the two was open and
 * its members' values are known one by one, those of the sum that are not among them; none where both were open.
 */
function exposed(release: Release, set: MemberSet, open: boolean): number {
  if (release.open) return open ? 0 : set.filter((member) => !release.set.includes(member)).length;
  return open ? release.set.filter((member) => !set.includes(member)).length : difference(release.set, set);
}

/**
 * R6: after a sum on this base was opened, only an equal set or one that differs by n_min or more may be summed on it. In open mode the sums before it count. In
 * groups each group is a sum, and so is what all of them add up to.
 */
export function differencingRisk(config: RoundConfig, ground: Pick<Ground, 'opened' | 'groups'>, set: MemberSet): boolean {
  if (lacksGroups(config, ground)) return false;
  const fewest = fewestApart(config);
  const opening = config.earlierReleases.filter(({ base }) => base === ground.opened?.base);
  const risks = (release: Release, list: MemberSet): boolean => {
    const changed = exposed(release, list, config.terms.open);
    return changed > 0 && changed < fewest;
  };
  const lists = isGrouped(config) ? [...groupsOf(config, ground, set), set] : [set];
  return lists.some((list) => opening.some((release) => risks(release, list)));
}

/** By how many members two lists have to differ where sums over both are opened on one base (R6). In groups a sum may be of few members. */
export function fewestApart(config: RoundConfig): number {
  return isGrouped(config) ? fewestMembers : fewestNeeded(config);
}

/** n_min: the study's minimum, never below three. */
export function fewestNeeded(config: RoundConfig): number {
  return Math.max(fewestMembers, config.terms.minMembers);
}

/** Whether this member takes part in an attempt: it is in the set, the set is large enough, and R3 and R6 permit it. */
export function takesPart(config: RoundConfig, ground: Ground, attempt: Pick<Attempt, 'attempt' | 'set'>): boolean {
  if (watching(config, ground) || !attempt.set.includes(config.self) || attempt.set.length < fewestNeeded(config)) return false;
  if (attempt.set.some((member) => ground.joined[member] === undefined)) return false;
  if (ground.released && ground.released.attempt !== attempt.attempt) return false;
  return !differencingRisk(config, ground, attempt.set);
}

/** n of n READY over this member's own context of the attempt and one sum: from here on any member may open it. What the contract says about closing is not asked. */
export function consented(config: RoundConfig, ground: Ground, reveal: Attempt & { readonly ready: ReadyFacts }): boolean {
  const context = contextOf(ground, reveal);
  const first = reveal.ready[reveal.set[0] ?? -1]?.sum;
  if (context === undefined || first === undefined || reveal.set.length < fewestNeeded(config)) return false;
  return reveal.set.every((member) => reveal.ready[member]?.context === context && reveal.ready[member]?.sum === first);
}

/** The consent gate (R2): all consented, and to this member's own sum where it is in the set. */
export function certified(config: RoundConfig, ground: Ground, reveal: Attempt & { readonly ready: ReadyFacts } & GroupedAttempt): boolean {
  return consented(config, ground, reveal) && (!reveal.set.includes(config.self) || readySum(config, ground, reveal) === reveal.ready[config.self]?.sum);
}

/**
 * R9: a transaction of this member for which its journal holds no cause. Everything is stored before it is sent, so the disk was set back
 * to an earlier state, and keys on it may have been used for something that it does not know of. In open mode there are no keys.
 */
export function isForgotten(config: RoundConfig, state: RoundState, fact: RoundFact): boolean {
  const { ground } = state;
  const { self } = config;
  if (config.terms.open || !('member' in fact) || fact.member !== self) return false;
  switch (fact.kind) {
    case 'joined':
      return ground.bundle !== fact.bundle;
    case 'vouched':
      return fact.holds.some((member) => member !== self && !ground.shares.includes(member));
    case 'committed':
      return 'roots' in state && state.attempt === fact.attempt && state.masked !== fact.root;
    case 'have':
      return false;
    case 'ready':
      return state.phase === 'ready' && state.attempt === fact.attempt && state.sum === undefined;
    case 'voted':
      return state.phase === 'reveal' && state.unmasked === undefined;
  }
}
