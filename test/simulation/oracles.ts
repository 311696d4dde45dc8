/**
 * The oracles: what must hold in every world, each a small function from what was seen to what is wrong (nothing, as a rule).
 * They take no word of the code under test for it: sums are added up again in plain integers, READY signatures are counted on the ledger,
 * shares are opened by arithmetic of their own.
 */
import { planSlots } from '../../src/aggregation/index.ts';
import type { RoundFact } from '../../src/wire/index.ts';
import { genesisS, readySigner } from './ledger.ts';
import { planOf } from './question.ts';
import type { ReleasedSecret, Seen } from './seen.ts';
import { longestMs, terms } from './world.ts';

/** Says what is wrong, in words with the place. */
export type Oracle = (seen: Seen) => readonly string[];

type FactOf<Kind extends RoundFact['kind']> = Extract<RoundFact, { readonly kind: Kind }> & { readonly round: number };

function factsOf<Kind extends RoundFact['kind']>(seen: Seen, kind: Kind, before = seen.events.length): FactOf<Kind>[] {
  return seen.events
    .slice(0, before)
    .flatMap((event) =>
      event.scope === 'round' && event.fact.kind === kind ? [{ ...(event.fact as Extract<RoundFact, { kind: Kind }>), round: event.round }] : [],
    );
}

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
    const { plan } = planOf(seen.schedule.members, seen.schedule.statistics, base.ordinal);
    const vectors = set.map((one) => seen.words.get(`${round}/${one}`));
    if (vectors.some((words) => words === undefined)) return [`round ${round}: a member of the set never stored its words`];
    const plain = new Uint8Array(sum.length);
    for (const { offsetBytes, length, wordBits } of planSlots(plan)) {
      for (let at = 0; at < length; at++) addWord(plain, offsetBytes + (at * wordBits) / 8, wordBits, vectors as Uint8Array[]);
    }
    return Buffer.compare(plain, sum) === 0 ? [] : [`member ${member} opened a wrong sum of round ${round}`];
  });

function addWord(into: Uint8Array, offset: number, bits: number, vectors: readonly Uint8Array[]): void {
  let total = 0n;
  for (const vector of vectors) for (let byte = 0; byte < bits / 8; byte++) total += BigInt(vector[offset + byte] ?? 0) << BigInt(8 * byte);
  for (let byte = 0; byte < bits / 8; byte++) into[offset + byte] = Number((total >> BigInt(8 * byte)) & 0xffn);
}

/** The recorded state is what the rule of the study makes of the plain sum. */
export const finalFollowsFromTheSum: Oracle = (seen) =>
  factsOf(seen, 'final').flatMap(({ round, state }) => {
    const opened = seen.opened.find((one) => one.round === round && one.state === state);
    if (!opened) return [`round ${round} is final on a state that nobody computed`];
    return planOf(seen.schedule.members, seen.schedule.statistics, opened.base.ordinal).question.next(opened.base, opened.sum).hash === state
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

function genuineReady(seen: Seen, { round, attempt, eventsBefore }: ReleasedSecret, set: readonly number[]): number {
  const { roster } = accountsOf(seen);
  const members = set.flatMap((member) => roster[member] ?? []);
  const facts = factsOf(seen, 'ready', eventsBefore).filter((fact) => fact.round === round && fact.attempt === attempt);
  const [first] = facts;
  return facts.filter((fact) => fact.context === first?.context && fact.sum === first.sum && readySigner({ ...fact, members }) === roster[fact.member]).length;
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
export const nothingBeforeConsent: Oracle = (seen) =>
  seen.released.flatMap((released) => {
    const { member, round, attempt, item, seedsKept } = released;
    const set = setOf(seen, round, attempt);
    const wrong: string[] = [];
    if (set.length < terms.minMembers || genuineReady(seen, released, set) !== set.length)
      wrong.push(`member ${member} released a ${item} of round ${round} before n of n READY`);
    if (seedsKept.some((kept) => kept < attempt)) wrong.push(`member ${member} released attempt ${attempt} of round ${round} with an earlier seed on its disk`);
    return wrong;
  });

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
      const differ = one.set.filter((member) => !other.set.includes(member)).length + other.set.filter((member) => !one.set.includes(member)).length;
      return differ === 0 || differ >= terms.minMembers
        ? []
        : [`member ${one.member} was summed in rounds ${one.round} and ${other.round} on one base with ${differ} members between`];
    }),
  );
};

/** No sum is of fewer than three. */
export const setsAreLargeEnough: Oracle = (seen) => [
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

/** Honest members are READY on one sum. */
export const oneSumIsReady: Oracle = (seen) => {
  const first = new Map<string, string>();
  return factsOf(seen, 'ready').flatMap(({ round, attempt, member, sum }) => {
    const name = `${round}/${attempt}`;
    const before = first.get(name) ?? sum;
    first.set(name, before);
    return before === sum ? [] : [`member ${member} is READY on another sum in attempt ${attempt} of round ${round}`];
  });
};

/** t shares open a seed, t-1 do not. */
export const sharesNeedTheThreshold: Oracle = (seen) =>
  seen.dealt.flatMap(({ member, round, threshold, seed, shares }) => {
    const opens = (count: number): boolean => Buffer.compare(interpolated(shares.slice(0, count)), seed) === 0;
    return opens(threshold) && !opens(threshold - 1)
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

/**
 * No round is VOID without cause. A cause is a lying ledger, rule R6 after an earlier round on the same base, or more members down, cut off or late in
 * the round than it can spare: n - t for the self masks, n - 3 for the set. Losing more than 5 % of messages counts as a cause, and so does a ledger that takes up to 2.5 s each way: phases last
 * 10 to 15 s here, and a member says at half time what it holds. Below that every request is made often enough to arrive.
 */
export const noVoidWithoutCause: Oracle = (seen) => {
  const { loss, ledgerLoss, garble, ledgerDelayMs } = seen.schedule;
  if (loss > 0.05 || ledgerLoss > 0.05 || garble > 0.05 || ledgerDelayMs[1] > 1_000) return [];
  return voidsWithoutExcuse(seen).map(({ round, reason }) => `round ${round} is void (${reason}) without cause`);
};

/** VOID rounds for which no lie and no number of impaired members is an excuse. */
export function voidsWithoutExcuse(seen: Seen): FactOf<'void'>[] {
  const opened = new Map(seen.events.flatMap((event) => (event.scope === 'round' && event.fact.kind === 'opened' ? [[event.round, event] as const] : [])));
  return factsOf(seen, 'void').filter(({ round }) => {
    const opening = opened.get(round);
    const end = seen.events.find((event) => event.scope === 'round' && event.round === round && event.fact.kind === 'void');
    if (opening?.scope !== 'round' || opening.fact.kind !== 'opened' || !end || seen.lies.includes(round)) return false;
    const { roster, base } = opening.fact;
    if (seen.released.some((one) => one.round < round && factsOf(seen, 'opened').some((fact) => fact.round === one.round && fact.base === base))) return false;
    const [fromMs, toMs] = [opening, end].map(({ timeS }) => (timeS - genesisS) * 1_000) as [number, number];
    const settleMs = 20_000;
    const lost = roster.filter((member) =>
      seen.impaired.some((span) => span.member === member && span.fromMs <= toMs + 1_000 && span.toMs + settleMs >= fromMs),
    );
    const spare = Math.min(roster.length - (Math.floor((2 * roster.length) / 3) + 1), roster.length - terms.minMembers);
    return lost.length <= spare;
  });
}

/** A member that has been well for half a minute is not missing from two rosters in a row: it catches up by hash and asks to be expected again. */
export const whoIsWellIsExpected: Oracle = (seen) => {
  const { loss, ledgerLoss, garble, ledgerDelayMs, members } = seen.schedule;
  if (loss > 0.05 || ledgerLoss > 0.05 || garble > 0.05 || ledgerDelayMs[1] > 1_000) return [];
  const openings = seen.events.flatMap((event) =>
    event.scope === 'round' && event.fact.kind === 'opened' ? [{ round: event.round, timeS: event.timeS, roster: event.fact.roster }] : [],
  );
  const well = (member: number, timeS: number): boolean => {
    const nowMs = (timeS - genesisS) * 1_000;
    return nowMs > 30_000 && !seen.impaired.some((span) => span.member === member && span.fromMs <= nowMs && span.toMs > nowMs - 30_000);
  };
  return openings.slice(1).flatMap(({ round, timeS, roster }, at) => {
    const before = openings[at];
    if (!before || timeS - before.timeS < 5) return [];
    const missing = Array.from({ length: members }, (_, member) => member).filter((member) => !roster.includes(member) && !before.roster.includes(member));
    return missing.filter((member) => well(member, timeS)).map((member) => `member ${member} is well, but not expected in rounds ${before.round} and ${round}`);
  });
};

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
  nobodyWaitsForEver,
  replayGivesTheSameState,
  releasesAreRemembered,
  nobodyFails,
  garbledIsNotKept,
  oneSumIsReady,
  sharesNeedTheThreshold,
  noVoidWithoutCause,
  whoIsWellIsExpected,
};

/** Everything that is wrong in one world, each with the oracle's name. */
export function violations(seen: Seen): readonly string[] {
  return Object.entries(oracles).flatMap(([name, oracle]) => oracle(seen).map((wrong) => `${name}: ${wrong}`));
}
