/** What a found case says, and a schedule in which nothing goes wrong to build cases on. */
import type { Schedule } from '../schedule.ts';

/** One defect that was found, in its smallest form. */
export interface Case {
  /** What found it: the seed of then (schedules change, so the case is written down and not the seed), or what else. */
  readonly by: string;
  readonly wrong: string;
  readonly fix: string;
  /** Fails where the defect is back. */
  readonly check: () => void | Promise<void>;
}

/** Three members, two rounds, no fault. */
export const quiet: Schedule = {
  seed: 1,
  members: 3,
  exact: false,
  rounds: 2,
  statistics: false,
  latencyMs: [5, 20],
  ledgerDelayMs: [5, 50],
  loss: 0,
  doubles: 0,
  garble: 0,
  ledgerLoss: 0,
  faultsUntilMs: 90_000,
  crashes: [],
  partitions: [],
  deaf: [],
  silences: [],
  late: [],
  slow: [],
  lostTrainings: [],
  curious: 0,
  lieInRound: undefined,
  clocks: [],
  finalityMs: 0,
  reorganises: 0,
  traitors: [],
  openRule: undefined,
  groups: undefined,
  acts: [],
};
