/** Oracles of presence: no round ends in vain, who is well takes part, who comes back is expected again, and everybody is at the newest round. */
import type { LedgerEvent } from '../../src/ledger/index.ts';
import type { RoundFact } from '../../src/wire/index.ts';
import { type FactOf, factsOf, type Oracle } from './facts.ts';
import { genesisS } from './ledger.ts';
import { listsOf } from './oracles-groups.ts';
import type { Seen } from './seen.ts';
import { terms } from './terms.ts';

/** Members of which shares open a seed, and votes that close a round: more than two thirds. */
const quorum = (members: number): number => Math.floor((2 * members) / 3) + 1;

const atMs = ({ timeS }: { readonly timeS: number }): number => (timeS - genesisS) * 1_000;

/** A round from its opening to its FINAL or VOID. */
interface WholeRound {
  readonly round: number;
  readonly opened: RoundFact & { readonly kind: 'opened' };
  readonly end: RoundFact & { readonly kind: 'final' | 'void' };
  readonly fromMs: number;
  readonly toMs: number;
}

function wholeRounds(seen: Seen): readonly WholeRound[] {
  const ends = new Map<number, { readonly end: WholeRound['end']; readonly toMs: number }>();
  for (const event of seen.events) {
    if (event.scope !== 'round' || (event.fact.kind !== 'final' && event.fact.kind !== 'void') || ends.has(event.round)) continue;
    ends.set(event.round, { end: event.fact, toMs: atMs(event) });
  }
  return seen.events.flatMap((event) => {
    const ended = event.scope === 'round' ? ends.get(event.round) : undefined;
    if (event.scope !== 'round' || event.fact.kind !== 'opened' || !ended) return [];
    return [{ round: event.round, opened: event.fact, fromMs: atMs(event), ...ended }];
  });
}

/** Whether messages, transactions or blocks come so badly that phases of some seconds are too short for anybody. */
function isTooSlow({ schedule }: Seen): boolean {
  const { loss, ledgerLoss, garble, ledgerDelayMs, finalityMs } = schedule;
  return loss > 0.05 || ledgerLoss > 0.05 || garble > 0.05 || ledgerDelayMs[1] + finalityMs > 1_000;
}

/** Whether a member was down, cut off, silent or late at some time between; `slow` counts long training too. */
function isImpaired(seen: Seen, member: number, fromMs: number, toMs: number, { slow }: { readonly slow: boolean }): boolean {
  return seen.impaired.some((span) => span.member === member && span.fromMs <= toMs + 1_000 && span.toMs >= fromMs && (slow || !span.slow));
}

/** Members of a round's roster that have an excuse for it. */
function impairedIn(seen: Seen, { opened, fromMs, toMs }: WholeRound): readonly number[] {
  const settleMs = 20_000;
  return opened.roster.filter((member) => isImpaired(seen, member, fromMs - settleMs, toMs, { slow: true }));
}

/** Whether nothing burdens a round but what the protocol promises to bear: n - t lost for the self masks, n - 3 for the set, no lie, and no sum on its base before. */
function isBearable(seen: Seen, one: WholeRound): boolean {
  const { roster, base } = one.opened;
  if (seen.lies.includes(one.round) || roster.some((member) => seen.faulty.has(member))) return false;
  if (seen.released.some(({ round }) => round < one.round && factsOf(seen, 'opened').some((fact) => fact.round === round && fact.base === base))) return false;
  return impairedIn(seen, one).length <= Math.min(roster.length - quorum(roster.length), roster.length - terms.minMembers);
}

/**
 * No round is VOID without cause. A cause is a lying ledger, rule R6 after an earlier round on the same base, or more members down, cut off or late in
 * the round than it can spare. Losing more than 5 % of messages counts as a cause, and so does a ledger that takes up to 2.5 s each way: phases last
 * 10 to 15 s here, and a member says at half time what it holds. Below that every request is made often enough to arrive. In groups a member may be in the
 * set whose shares just enough hold, itself among them: what is lost in REVEAL there is for `sharesSuffice` to judge, which counts the holders.
 */
export const noVoidWithoutCause: Oracle = (seen) => {
  if (isTooSlow(seen)) return [];
  return voidsWithoutExcuse(seen).map(({ round, reason }) => `round ${round} is void (${reason}) without cause`);
};

/** FINAL and VOID rounds that nothing burdens but what the protocol promises to bear. */
export function roundsByBurden(seen: Seen): { readonly final: number; readonly void: number } {
  if (seen.faulty.size > 0 || isTooSlow(seen)) return { final: 0, void: 0 };
  return { final: factsOf(seen, 'final').length, void: voidsWithoutExcuse(seen).length };
}

/** VOID rounds for which no lie and no number of impaired members is an excuse. */
export function voidsWithoutExcuse(seen: Seen): readonly FactOf<'void'>[] {
  return wholeRounds(seen).flatMap((one) =>
    one.end.kind === 'void' && one.end.reason !== 'rolled-back' && !(one.end.reason === 'no-agreement' && seen.schedule.groups) && isBearable(seen, one)
      ? [{ ...one.end, round: one.round }]
      : [],
  );
}

/**
 * Whether a member was left out after an attempt in which it could not know the root of a group, because words of the group's members had been garbled on their
 * way. A root cannot be checked by itself: what more than half of a group states counts, the first word of each (proto/README.md, 13). So it has heard more than
 * half, and no more than half of them as they were sent.
 */
function isMisled(seen: Seen, round: number, member: number): boolean {
  const attempts = factsOf(seen, 'attemptOpened').filter((fact) => fact.round === round);
  const isLeftOut = (attempt: number): boolean => attempts.some((next) => next.attempt === attempt + 1 && !next.set.includes(member));
  return attempts.some(({ attempt, set }) => {
    const heard = seen.stated.filter((one) => one.member === member && one.round === round && one.attempt === attempt);
    if (!set.includes(member) || heard.every(({ isTrue }) => isTrue) || !isLeftOut(attempt)) return false;
    return listsOf(seen, set).some((list) => {
      const words = heard.filter(({ from }) => list.includes(from));
      return 2 * words.length > list.length && 2 * words.filter(({ isTrue }) => isTrue).length <= list.length;
    });
  });
}

/** Who is well from before a round to its end, and was not misled, is in the set of its FINAL. */
export const whoIsWellTakesPart: Oracle = (seen) => {
  if (isTooSlow(seen) || seen.faulty.size > 0) return [];
  return wholeRounds(seen).flatMap((one) => {
    const { round, end, opened } = one;
    if (end.kind !== 'final' || !isBearable(seen, one)) return [];
    const impaired = impairedIn(seen, one);
    const missing = opened.roster.filter((member) => !end.set.includes(member) && !impaired.includes(member) && !isMisled(seen, round, member));
    return missing.map((member) => `member ${member} is well, but was left out of round ${round}`);
  });
};

/**
 * After n of n READY a round needs a quorum of its set for the votes, and of each silent member's seed the shares of t holders, whether or not these
 * are in the set: who was left out for slowness holds shares too. Byzantine members count for nothing: neither their votes nor the shares that they hold
 * or give, right or wrong, are needed where the honest ones suffice. Only where one kept its READY back behind a closed phase was there no consent.
 */
export const sharesSuffice: Oracle = (seen) => {
  if (isTooSlow(seen) || seen.schedule.openRule) return [];
  return wholeRounds(seen).flatMap(({ round, opened: { roster }, end, toMs }) => {
    const closing = seen.events.findLast((event) => event.scope === 'round' && event.round === round && event.fact.kind === 'readyClosed');
    if (end.kind !== 'void' || end.reason !== 'no-agreement' || !closing || seen.lies.includes(round)) return [];
    if (seen.faulty.size > 0 && !seen.released.some((released) => released.round === round)) return [];
    const set = factsOf(seen, 'attemptOpened').findLast((fact) => fact.round === round)?.set ?? [];
    const holds = new Map(factsOf(seen, 'vouched').flatMap((fact) => (fact.round === round ? [[fact.member, fact.holds] as const] : [])));
    const well = roster.filter((member) => !seen.faulty.has(member) && !isImpaired(seen, member, atMs(closing) - 5_000, toMs, { slow: false }));
    const opens = (owner: number): boolean => well.filter((member) => holds.get(member)?.includes(owner)).length >= quorum(roster.length);
    const votes = well.filter((member) => set.includes(member)).length >= quorum(set.length);
    return votes && set.every((member) => well.includes(member) || opens(member)) ? [`round ${round} is void, though enough members held all shares`] : [];
  });
};

/** The time of a round until the next one opens or the run ends. */
function openTimes(seen: Seen): readonly { readonly round: number; readonly roster: readonly number[]; readonly fromMs: number; readonly toMs: number }[] {
  const marks = seen.events.filter(
    (event) => (event.scope === 'round' && event.fact.kind === 'opened') || (event.scope === 'run' && event.fact.kind === 'runEnded'),
  );
  return marks.flatMap((event, at) => {
    const next = marks[at + 1];
    return next && event.scope === 'round' && event.fact.kind === 'opened'
      ? [{ round: event.round, roster: event.fact.roster, fromMs: atMs(event), toMs: atMs(next) }]
      : [];
  });
}

/** A member that is not expected in a round and was well for its last 12 seconds has caught up by hash and has asked to be expected again. */
export const whoIsBackAsksToReturn: Oracle = (seen) => {
  if (isTooSlow(seen) || seen.faulty.size > 0) return [];
  const settleMs = 12_000;
  const said = (what: (event: LedgerEvent) => boolean, toMs: number): boolean => seen.events.some((event) => atMs(event) <= toMs && what(event));
  return openTimes(seen).flatMap(({ round, roster, fromMs, toMs }) => {
    const isWell = (member: number): boolean => !isImpaired(seen, member, toMs - settleMs, toMs, { slow: false });
    if (toMs - fromMs < settleMs || !roster.some(isWell)) return [];
    return Array.from({ length: seen.schedule.members }, (_, member) => member).flatMap((member) => {
      const asked = said((event) => event.scope === 'run' && event.fact.kind === 'rejoined' && event.fact.member === member && atMs(event) >= fromMs, toMs);
      const out = said(
        ({ scope, fact }) =>
          scope === 'run' && ((fact.kind === 'left' && fact.member === member) || (fact.kind === 'struck' && fact.suspended.includes(member))),
        toMs,
      );
      return roster.includes(member) || asked || out || !isWell(member)
        ? []
        : [`member ${member} was back in round ${round} and did not ask to be expected again`];
    });
  });
};

/** A member that has been well for half a minute is not missing from two rosters in a row: it catches up by hash and asks to be expected again. */
export const whoIsWellIsExpected: Oracle = (seen) => {
  const { members } = seen.schedule;
  if (isTooSlow(seen) || seen.faulty.size > 0) return [];
  const openings = seen.events.flatMap((event) =>
    event.scope === 'round' && event.fact.kind === 'opened' ? [{ round: event.round, timeS: event.timeS, roster: event.fact.roster }] : [],
  );
  const well = (member: number, timeS: number): boolean => {
    const nowMs = atMs({ timeS });
    return nowMs > 30_000 && !seen.impaired.some((span) => span.member === member && span.fromMs <= nowMs && span.toMs > nowMs - 30_000);
  };
  return openings.slice(1).flatMap(({ round, timeS, roster }, at) => {
    const before = openings[at];
    if (!before || timeS - before.timeS < 5) return [];
    const missing = Array.from({ length: members }, (_, member) => member).filter((member) => !roster.includes(member) && !before.roster.includes(member));
    return missing.filter((member) => well(member, timeS)).map((member) => `member ${member} is well, but not expected in rounds ${before.round} and ${round}`);
  });
};

/** A member works at the newest round that its ledger shows, also after a restart and whatever came late. */
export const everybodyIsAtTheNewestRound: Oracle = (seen) =>
  seen.behind.map(({ member, round, newest }) => `member ${member} works at round ${round}, though round ${newest} is open`);
