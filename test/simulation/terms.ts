/** How long the phases of the simulated study last, and so how long a world may take. */
import type { RunTerms } from '../../src/wire/index.ts';
import type { Schedule } from './schedule.ts';

/** Terms of every simulated run, but for its rounds. */
export const terms: Omit<RunTerms, 'rounds'> = {
  minMembers: 3,
  maxAttempts: 3,
  joinS: 10,
  shareS: 12,
  commitS: 15,
  readyS: 12,
  revealS: 14,
  open: false,
  groupSize: 0,
  protocol: 2,
};

/** Longest simulated time from the end of faults to the end of the run. */
export function longestMs(schedule: Schedule): number {
  const attemptS = terms.commitS + terms.readyS;
  const roundS = terms.joinS + terms.shareS + terms.maxAttempts * attemptS + terms.revealS + 5 * (schedule.members + 2);
  const lastS = Math.max(0, ...schedule.late.map(({ fromMs }) => (fromMs ?? 0) / 1_000));
  const rounds = (schedule.traitors.length > 0 || schedule.acts.length > 0 ? 3 * schedule.rounds : schedule.rounds) + 3;
  return schedule.faultsUntilMs + 1_000 * (rounds * roundS + lastS) + 90_000 + rounds * 5 * schedule.finalityMs;
}
