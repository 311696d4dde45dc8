/**
 * The oracles: what must hold in every world, each a small function from what was seen to what is wrong (nothing, as a rule).
 * They take no word of the code under test for it: sums are added up again in plain integers, READY signatures are counted on the ledger,
 * shares are opened by arithmetic of their own.
 */
import { mergeVectors, wholeSource } from '../../src/aggregation/index.ts';
import { type FactOf, factsOf, type Oracle } from './facts.ts';
import { readySigner } from './ledger.ts';
import {
  blameIsForTheFaulty,
  honestMessagesAreTaken,
  messagesAreBounded,
  nothingIsAbandoned,
  oldRoundsAreForgotten,
  secretsAreGone,
  storageIsBounded,
} from './oracles-bounds.ts';
import { groupsAreSummedAlone, groupsMergeRight, listsOf, slotsOf } from './oracles-groups.ts';
import {
  everybodyIsAtTheNewestRound,
  noVoidWithoutCause,
  sharesSuffice,
  whoIsBackAsksToReturn,
  whoIsWellIsExpected,
  whoIsWellTakesPart,
} from './oracles-presence.ts';
import { plainSum } from './plain-groups.ts';
import { planOf, stateAfter } from './question.ts';
import type { ReleasedSecret, Seen } from './seen.ts';
import { longestMs, terms } from './terms.ts';

/** Every member computes the state that the ledger calls final, and no two another. */
export const oneStateEverywhere: Oracle = (seen) => {
  const finals = new Map(factsOf(seen, 'final').map((fact) => [fact.round, fact]));
  return seen.opened.flatMap(({ member, round, state }) => {
    const first = finals.get(round)?.state ?? seen.opened.find((other) => other.round === round)?.state;
    return first === state ? [] : [`member ${member} has another state of round ${round}`];
  });
};

/** The opened sum is the plain integer sum of the members' words over the recorded set, modulo the word size. */
export const sumIsThePlainSum: Oracle = (seen) =>
  seen.opened.flatMap(({ member, round, set, base, sum }) => {
    const { plan } = planOf(seen.schedule, base.ordinal);
    const vectors = set.map((one) => seen.words.get(`${round}/${one}`));
    if (vectors.some((words) => words === undefined)) return [`round ${round}: a member of the set never stored its words`];
    const { openRule } = seen.schedule;
    if (openRule && openRule.kind !== 'mean')
      return mergesRight(seen, { base, sum }, vectors as Uint8Array[]) ? [] : [`member ${member} merged round ${round} wrongly`];
    const { groups } = seen.schedule;
    if (groups && groups.rule.kind !== 'mean')
      return groupsMergeRight(seen, { base, sum, set, round }) ? [] : [`member ${member} merged the groups of round ${round} wrongly`];
    return Buffer.compare(plainSum(slotsOf(plan), vectors as Uint8Array[]), sum) === 0 ? [] : [`member ${member} opened a wrong sum of round ${round}`];
  });

/** Whoever merges the vectors again gets the same bytes; of the median also by the definition, word by word. */
function mergesRight(seen: Seen, { base, sum }: Pick<Seen['opened'][number], 'base' | 'sum'>, vectors: readonly Uint8Array[]): boolean {
  const { plan, question } = planOf(seen.schedule, base.ordinal);
  if (seen.schedule.openRule?.kind === 'coordinate-median' && plan.purpose === 'update' && !isMedian(vectors, sum, question.updateTerms().weightCap))
    return false;
  return (
    Buffer.compare(
      mergeVectors(
        plan,
        question.mergeTerms(base),
        vectors.map((bytes) => wholeSource(bytes)),
      ),
      sum,
    ) === 0
  );
}

function isMedian(vectors: readonly Uint8Array[], sum: Uint8Array, weightCap: number): boolean {
  const views = [sum, ...vectors].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset));
  const [total, ...rows] = views.map((view) => Number(view.getBigInt64(0, true)));
  for (let at = 24; at < sum.length; at += 4) {
    const [merged, ...words] = views.map((view) => view.getInt32(at, true));
    const level = words.map((word, one) => (word * weightCap) / (rows[one] ?? 1)).sort((a, b) => a - b);
    const middle = level[Math.floor((level.length - 1) / 2)] ?? 0;
    if (Math.abs((merged ?? 0) - (middle * (total ?? 0)) / weightCap) > (total ?? 0) / weightCap + 1) return false;
  }
  return true;
}

/** The recorded state is what the rule of the study makes of the plain sum. */
export const finalFollowsFromTheSum: Oracle = (seen) =>
  factsOf(seen, 'final').flatMap(({ round, state }) => {
    const opened = seen.opened.find((one) => one.round === round && one.state === state);
    if (!opened) return [`round ${round} is final on a state that nobody computed`];
    return stateAfter(planOf(seen.schedule, opened.base.ordinal), opened.base, opened.sum) === state
      ? []
      : [`round ${round} is final on another state than the sum gives`];
  });

/** A mask key serves one vector, and a share key one message. A pair's two members use their key once each. */
export const oneKeyOneVector: Oracle = (seen) => {
  const first = new Map<string, { readonly vector: string; readonly round: number }>();
  return seen.keyUses.flatMap(({ member, round, kind, key, vector }) => {
    const name = `${kind}/${member}/${key}`;
    const before = first.get(name);
    first.set(name, before ?? { vector, round });
    return before && before.vector !== vector ? [`member ${member} used a ${kind} key for two vectors (rounds ${before.round} and ${round})`] : [];
  });
};

interface PlacedReady {
  readonly at: number;
  readonly fact: FactOf<'ready'>;
}

/** Members whose READY of one attempt, on the ledger by then, is theirs and says what the first one says; who looks twice gets the same answer. */
function genuineReady(
  seen: Seen,
  ready: readonly PlacedReady[],
  known: Map<string, number>,
  { round, attempt, eventsBefore }: ReleasedSecret,
  set: readonly number[],
): number {
  const facts = ready.filter(({ at, fact }) => at < eventsBefore && fact.round === round && fact.attempt === attempt).map(({ fact }) => fact);
  const name = `${round}/${attempt}/${facts.length}`;
  const before = known.get(name);
  if (before !== undefined) return before;
  const [first] = facts;
  const count = facts.filter((fact) => fact.context === first?.context && fact.sum === first.sum && isGenuine(seen, fact, set)).length;
  known.set(name, count);
  return count;
}

/** Whether a READY is signed by the member that it names, over this set. */
function isGenuine(seen: Seen, ready: FactOf<'ready'>, set: readonly number[]): boolean {
  const { roster } = accountsOf(seen);
  const members = set.flatMap((member) => roster[member] ?? []);
  return readySigner({ ...ready, members }) === roster[ready.member];
}

function accountsOf(seen: Seen) {
  const started = seen.events.find((event) => event.scope === 'run' && event.fact.kind === 'runStarted');
  if (started?.scope !== 'run' || started.fact.kind !== 'runStarted') throw new Error('no run');
  return started.fact;
}

function setOf(seen: Seen, round: number, attempt: number): readonly number[] {
  return factsOf(seen, 'attemptOpened').find((fact) => fact.round === round && fact.attempt === attempt)?.set ?? [];
}

/** Nothing that unmasks leaves before n of n genuine READY over one context and one sum (R2), nor after another attempt's seed is still kept (R1). */
export const nothingBeforeConsent: Oracle = (seen) => {
  const known = new Map<string, number>();
  const ready = seen.events.flatMap((event, at): PlacedReady[] =>
    event.scope === 'round' && event.fact.kind === 'ready' ? [{ at, fact: { ...event.fact, round: event.round } }] : [],
  );
  return seen.released.flatMap((released) => {
    const { member, round, attempt, item, seedsKept } = released;
    const set = setOf(seen, round, attempt);
    const wrong: string[] = [];
    if (set.length < terms.minMembers || genuineReady(seen, ready, known, released, set) !== set.length)
      wrong.push(`member ${member} released a ${item} of round ${round} before n of n READY`);
    if (seedsKept.some((kept) => kept < attempt)) wrong.push(`member ${member} released attempt ${attempt} of round ${round} with an earlier seed on its disk`);
    return wrong;
  });
};

/** A member releases for one attempt of a round (R3). */
export const oneAttemptReleased: Oracle = (seen) => {
  const first = new Map<string, number>();
  return seen.released.flatMap(({ member, round, attempt }) => {
    const name = `${round}/${member}`;
    const before = first.get(name) ?? attempt;
    first.set(name, before);
    return before === attempt ? [] : [`member ${member} released for attempts ${before} and ${attempt} of round ${round}`];
  });
};

/** Two sums on one base are over equal sets or sets that differ by n_min members (R6). */
export const noDifferencing: Oracle = (seen) => {
  const opened = factsOf(seen, 'opened');
  const released = new Map(seen.released.map(({ member, round, attempt }) => [`${member}/${round}`, { member, round, set: setOf(seen, round, attempt) }]));
  const all = [...released.values()].map((one) => ({ ...one, base: opened.find((fact) => fact.round === one.round)?.base }));
  return all.flatMap((one, at) =>
    all.slice(at + 1).flatMap((other) => {
      if (one.member !== other.member || one.base !== other.base || one.round === other.round) return [];
      const between = (a: readonly number[], b: readonly number[]): number =>
        a.filter((member) => !b.includes(member)).length + b.filter((member) => !a.includes(member)).length;
      const opened = (set: readonly number[]) => [...listsOf(seen, set), set];
      const differ = opened(one.set).flatMap((list) => opened(other.set).map((earlier) => between(list, earlier)));
      return differ.every((members) => members === 0 || members >= terms.minMembers)
        ? []
        : [
            `member ${one.member} was summed in rounds ${one.round} and ${other.round} on one base with ${Math.min(...differ.filter((members) => members > 0))} members between`,
          ];
    }),
  );
};

/** No sum is of fewer than three. */
export const setsAreLargeEnough: Oracle = (seen) => [
  ...seen.opened.flatMap(({ round, set }) =>
    listsOf(seen, set).flatMap((list) => (list.length < 3 ? [`round ${round} opened a group of ${list.length}`] : [])),
  ),
  ...seen.opened.flatMap(({ round, set }) => (set.length < 3 ? [`round ${round} opened a sum of ${set.length}`] : [])),
  ...factsOf(seen, 'attemptOpened').flatMap(({ round, set }) => (set.length < 3 ? [`round ${round} has a set of ${set.length}`] : [])),
];

/** Once faults have stopped, the run ends within a bound of time, and whoever runs then holds the result of a complete one. */
export const nobodyWaitsForEver: Oracle = (seen) => [
  ...(seen.endedMs === undefined && seen.failures.length === 0 ? [`not over after ${longestMs(seen.schedule) / 1_000} s`] : []),
  ...(seen.endedMs === undefined || !isComplete(seen)
    ? []
    : seen.standing.flatMap(({ member, holds }) => (holds ? [] : [`member ${member} does not hold the result`]))),
];

function isComplete(seen: Seen): boolean {
  return seen.events.some((event) => event.scope === 'run' && event.fact.kind === 'runEnded' && event.fact.outcome === 'complete');
}

/** Folding the journal gives the state that the member was in. */
export const replayGivesTheSameState: Oracle = (seen) =>
  seen.replayed.flatMap(({ member, round, same }) => (same ? [] : [`member ${member}: the journal of round ${round} replays to another state`]));

/** What a member has released is remembered beyond its round, also over a crash (R6). */
export const releasesAreRemembered: Oracle = (seen) => seen.forgotten.map(({ member, round }) => `member ${member} forgot that it released in round ${round}`);

/** Members end by crashes only. */
export const nobodyFails: Oracle = (seen) => seen.failures.map(({ member, error }) => `member ${member} failed: ${error}`);

/** A garbled message changes nothing that is stored. */
export const garbledIsNotKept: Oracle = (seen) => seen.garbledKept.map(({ member, kind }) => `member ${member} stored something after a garbled ${kind}`);

/** Honest members are READY on one sum. What a lying ledger shows in a member's name, with a signature that is not its, is no word of that member. */
export const oneSumIsReady: Oracle = (seen) => {
  const first = new Map<string, string>();
  return factsOf(seen, 'ready').flatMap((ready) => {
    const { round, attempt, member, sum } = ready;
    if (seen.faulty.has(member) || (seen.lies.includes(round) && !isGenuine(seen, ready, setOf(seen, round, attempt)))) return [];
    const name = `${round}/${attempt}`;
    const before = first.get(name) ?? sum;
    first.set(name, before);
    return before === sum ? [] : [`member ${member} is READY on another sum in attempt ${attempt} of round ${round}`];
  });
};

/** t shares open a seed, t-1 do not, and t is what the protocol says for the round's roster. */
export const sharesNeedTheThreshold: Oracle = (seen) =>
  seen.dealt.flatMap(({ member, round, threshold, seed, shares }) => {
    const opens = (count: number): boolean => Buffer.compare(interpolated(shares.slice(0, count)), seed) === 0;
    const roster = factsOf(seen, 'opened').find((fact) => fact.round === round)?.roster.length ?? 0;
    return opens(threshold) && !opens(threshold - 1) && threshold === Math.floor((2 * roster) / 3) + 1
      ? []
      : [`member ${member} dealt shares of round ${round} that ${threshold - 1} members can open, or ${threshold} cannot`];
  });

/** Multiplication in GF(2^8) modulo 0x11b, bit by bit: on purpose not the table that the product uses. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) product = ((product << 1) ^ (product & 0x80 ? 0x11b : 0) ^ ((b >> bit) & 1 ? a : 0)) & 0xff;
  return product;
}

function inverse(a: number): number {
  let power = 1;
  for (let at = 0; at < 254; at++) power = times(power, a);
  return power;
}

function interpolated(shares: readonly Uint8Array[]): Uint8Array {
  const size = (shares[0]?.length ?? 1) - 1;
  const secret = new Uint8Array(size);
  for (const share of shares) {
    const x = share[size] ?? 0;
    const weight = shares.reduce((product, other) => (other === share ? product : times(product, times(other[size] ?? 0, inverse((other[size] ?? 0) ^ x)))), 1);
    for (let at = 0; at < size; at++) secret[at] = (secret[at] ?? 0) ^ times(share[at] ?? 0, weight);
  }
  return secret;
}

/** All oracles by name. */
export const oracles: Readonly<Record<string, Oracle>> = {
  oneStateEverywhere,
  sumIsThePlainSum,
  finalFollowsFromTheSum,
  oneKeyOneVector,
  nothingBeforeConsent,
  oneAttemptReleased,
  noDifferencing,
  setsAreLargeEnough,
  groupsAreSummedAlone,
  nobodyWaitsForEver,
  replayGivesTheSameState,
  releasesAreRemembered,
  nobodyFails,
  garbledIsNotKept,
  oneSumIsReady,
  sharesNeedTheThreshold,
  noVoidWithoutCause,
  whoIsWellIsExpected,
  whoIsWellTakesPart,
  whoIsBackAsksToReturn,
  sharesSuffice,
  everybodyIsAtTheNewestRound,
  secretsAreGone,
  blameIsForTheFaulty,
  messagesAreBounded,
  storageIsBounded,
  honestMessagesAreTaken,
  nothingIsAbandoned,
  oldRoundsAreForgotten,
};

/** What was seen of those who follow the protocol. */
function honestPart(seen: Seen): Seen {
  const isHonest = ({ member }: { readonly member: number }): boolean => !seen.faulty.has(member);
  if (seen.faulty.size === 0) return seen;
  return {
    ...seen,
    opened: seen.opened.filter(isHonest),
    released: seen.released.filter(isHonest),
    keyUses: seen.keyUses.filter(isHonest),
    dealt: seen.dealt.filter(isHonest),
    garbledKept: seen.garbledKept.filter(isHonest),
    failures: seen.failures.filter(isHonest),
    replayed: seen.replayed.filter(isHonest),
    forgotten: seen.forgotten.filter(isHonest),
    standing: seen.standing.filter(isHonest),
    behind: seen.behind.filter(isHonest),
    journals: seen.journals.filter(isHonest),
    refused: seen.refused.filter(isHonest),
  };
}

/** Everything that is wrong in one world, each with the oracle's name. */
export function violations(seen: Seen): readonly string[] {
  const honest = honestPart(seen);
  return Object.entries(oracles).flatMap(([name, oracle]) => oracle(honest).map((wrong) => `${name}: ${wrong}`));
}
