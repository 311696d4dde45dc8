/** Schedules one after the other in this process: what was covered, and what was violated. */
import { Coverage } from './coverage.ts';
import { violations } from './oracles.ts';
import { drawSchedule, type ScheduleOptions } from './schedule.ts';
import { runWorld } from './world.ts';

/** A schedule in which an oracle was violated. */
export interface Found {
  readonly seed: number;
  readonly wrong: readonly string[];
}

/** Which schedules to run, and when to stop early. */
export interface BatchOptions extends ScheduleOptions {
  readonly stopAfter?: number;
}

/** Runs the schedules of `count` seeds from `firstSeed`; stops after `stopAfter` of them were violated. */
export async function runSeeds(
  firstSeed: number,
  count: number,
  { stopAfter = Number.POSITIVE_INFINITY, ...options }: BatchOptions = {},
): Promise<{ readonly coverage: Coverage; readonly found: readonly Found[] }> {
  const coverage = new Coverage();
  const found: Found[] = [];
  for (let seed = firstSeed; seed < firstSeed + count && found.length < stopAfter; seed++) {
    const { seen } = await runWorld(drawSchedule(seed, options));
    coverage.add(seen);
    const wrong = violations(seen);
    if (wrong.length > 0) found.push({ seed, wrong });
  }
  return { coverage, found };
}
