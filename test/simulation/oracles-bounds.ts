/** Oracles of blame and bounds: who is named, how much is sent and stored, what is left at the end. */
import { factsOf, type Oracle } from './facts.ts';
import { genesisS } from './ledger.ts';
import type { Seen } from './seen.ts';
import { longestMs } from './terms.ts';

/** Whoever is through with a run keeps no secret of it. */
export const secretsAreGone: Oracle = (seen) =>
  seen.endedMs === undefined
    ? []
    : seen.standing.flatMap(({ member, secretsLeft }) =>
        secretsLeft > 0 ? [`member ${member} still has secrets of ${secretsLeft} rounds after the run`] : [],
      );

/** Only who is faulty is named: by a member that refuses its keys, or by the ledger where sums differ. */
export const blameIsForTheFaulty: Oracle = (seen) => {
  const named = seen.refused
    .filter(({ from }) => !seen.faulty.has(from))
    .map(({ member, round, from }) => `member ${member} refused member ${from} in round ${round}`);
  const attempts = factsOf(seen, 'attemptOpened');
  const ready = factsOf(seen, 'ready');
  const left = attempts.flatMap(({ round, attempt, set }) => {
    const next = attempts.find((one) => one.round === round && one.attempt === attempt + 1);
    const all = new Set(ready.filter((one) => one.round === round && one.attempt === attempt).map(({ member }) => member));
    if (!next || seen.lies.includes(round) || all.size < set.length) return [];
    return set
      .filter((member) => !next.set.includes(member) && !seen.faulty.has(member))
      .map((member) => `member ${member} was left out for its sum after attempt ${attempt} of round ${round}`);
  });
  return [...named, ...left];
};

/**
 * Where nothing is garbled and nobody lies, no message is refused: an honest member sends nothing wrong, even where another way makes up for it. One may be:
 * who sees a new attempt late is given shares of the attempts that are left, and refuses them until it has given up the earlier one too.
 */
export const honestMessagesAreTaken: Oracle = (seen) =>
  seen.faulty.size > 0 || seen.schedule.garble > 0
    ? []
    : seen.dropped.flatMap(({ member, from, kind, code, givenUp }) => (givenUp ? [] : [`member ${member} refused ${kind} of member ${from}: ${code}`]));

/** A member that never crashed keeps the journals of the newest rounds only: whoever crashed may keep one more until its next start. */
export const oldRoundsAreForgotten: Oracle = (seen) => seen.journals.map(({ member, rounds }) => `member ${member} stores the journals of ${rounds} rounds`);

/** Whose disk was never set back finds each of its transactions in its journal: everything is stored before it is sent (R9). */
export const nothingIsAbandoned: Oracle = (seen) => {
  const times = seen.counts.get('warned: abandoned') ?? 0;
  return times === 0 || seen.faulty.size > 0 || seen.schedule.restores ? [] : [`${times} times a member did not know its own transaction`];
};

/** Seconds from the first to the last event of each round. */
function roundSeconds(seen: Seen): ReadonlyMap<number, number> {
  const seconds = new Map<number, number>();
  const opened = new Map<number, number>();
  const lastS = genesisS + (seen.endedMs ?? longestMs(seen.schedule)) / 1_000;
  for (const event of seen.events) if (event.scope === 'round' && event.fact.kind === 'opened') opened.set(event.round, event.timeS);
  for (const [round, fromS] of opened) seconds.set(round, (opened.get(round + 2) ?? lastS) - fromS);
  return seconds;
}

/** Nobody asks one thing much more often than once a second, and nobody answers what was not asked. */
export const messagesAreBounded: Oracle = (seen) => {
  const seconds = roundSeconds(seen);
  const restarts = seen.counts.get('restarts') ?? 0;
  return [...seen.sent].flatMap(([name, times]) => {
    const [round = '', context = '', from = '', to = '', ...item] = name.split('/');
    if (seen.faulty.has(Number(from))) return [];
    if (item[0] !== 'request') {
      const asked = seen.arrived.get(`${context}/${from}/${to}/${item.join('/')}`) ?? 0;
      return times > asked ? [`member ${from} sent ${item.join(' ')} to member ${to} ${times} times, asked ${asked} times`] : [];
    }
    const bound = (8 + (seconds.get(Number(round)) ?? 0)) * (1 + restarts) * 2;
    return times > bound ? [`member ${from} asked member ${to} ${times} times for ${item.join(' ')} of round ${round}`] : [];
  });
};

/** A round's journal has an entry for each fact, each thing received and each second at most, whatever others send; and disks hold what two rounds need. */
export const storageIsBounded: Oracle = (seen) => {
  const { members } = seen.schedule;
  const facts = new Map<string, number>();
  for (const event of seen.events) if (event.scope === 'round') facts.set(String(event.round), (facts.get(String(event.round)) ?? 0) + 1);
  const journals = [...seen.inputs].flatMap(([name, entries]) => {
    const [round = '', member = ''] = name.split('/');
    const bound = 2 * (facts.get(round) ?? 0) + 20 + 12 * members;
    return entries > bound && !seen.faulty.has(Number(member)) ? [`member ${member} stored ${entries} inputs of round ${round}`] : [];
  });
  const content = seen.mostContent > 6 * members + 8 ? [`${seen.mostContent} pieces of content on one disk`] : [];
  return [...journals, ...content];
};
