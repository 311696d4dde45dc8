/** The rules that decide whether this member takes part, and whether a list is certified. Each is named as in proto/README.md. */
import { attemptContext, fewestMembers } from '../aggregation/index.ts';
import type { Account, Digest } from '../common/index.ts';
import type { MemberSet } from '../wire/index.ts';
import type { RoundConfig } from './io.ts';
import type { Attempt, Ground, ReadyFacts, Watching } from './state.ts';

/** The accounts of a set in the order of the roster. */
export function accountsOf(config: RoundConfig, set: MemberSet): readonly Account[] {
  return set.flatMap((member) => config.accounts[member] ?? []);
}

/** Why this member only watches the round; undefined where it takes part. */
export function watching(config: RoundConfig, ground: Ground): Watching | undefined {
  if (!ground.opened || !ground.roster.includes(config.self)) return 'not-expected';
  if (ground.base === undefined || ground.plan === undefined) return 'catching-up';
  if (ground.base !== ground.opened.base) return 'other-base';
  return ground.plan === ground.opened.plan ? undefined : 'other-plan';
}

function difference(a: MemberSet, b: MemberSet): number {
  return a.filter((member) => !b.includes(member)).length + b.filter((member) => !a.includes(member)).length;
}

/** R6: after something was released on this base and the round ended VOID, only an equal set or one that differs by n_min or more may be summed. */
export function differencingRisk(config: RoundConfig, ground: Ground, set: MemberSet): boolean {
  return config.earlierReleases.some((release) => {
    const changed = difference(release.set, set);
    return release.base === ground.opened?.base && changed > 0 && changed < fewestNeeded(config);
  });
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

/** The context of an attempt; undefined before the round opened. */
export function contextOf(ground: Ground, attempt: Pick<Attempt, 'attempt' | 'set'>): Digest | undefined {
  return ground.context === undefined ? undefined : attemptContext(ground.context, attempt.attempt, attempt.set);
}

/**
 * The consent gate (R2): n of n READY over this member's own context of the attempt and one sum, which is its own sum where it is in the set.
 * What the contract says about closing is not asked.
 */
export function certified(config: RoundConfig, ground: Ground, reveal: Attempt & { readonly ready: ReadyFacts; readonly sum: Digest | undefined }): boolean {
  const context = contextOf(ground, reveal);
  const first = reveal.ready[reveal.set[0] ?? -1]?.sum;
  if (context === undefined || first === undefined || reveal.set.length < fewestNeeded(config)) return false;
  const agreed = reveal.set.every((member) => reveal.ready[member]?.context === context && reveal.ready[member]?.sum === first);
  return agreed && (!reveal.set.includes(config.self) || reveal.sum === first);
}
