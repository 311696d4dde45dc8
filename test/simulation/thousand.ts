/** Half of the thousand schedules of `npm test`: two test files share them, so that two workers do. */
import { expect } from 'vitest';
import { runSeeds } from './coverage.ts';

export const half = 500;
/** Per half: schedules with a crash, with a loss, with a retry. */
const least = { crashes: 150, 'messages lost': 150, retries: 100 };

/** Runs `half` schedules from `firstSeed`, prints what they went through, and expects no violation and enough of everything. */
export async function holdsOver(firstSeed: number): Promise<void> {
  const { coverage, found } = await runSeeds(firstSeed, half);
  console.log([`seeds ${firstSeed} to ${firstSeed + half - 1}: ${found.length} violated`, ...coverage.lines()].join('\n'));
  expect(found).toEqual([]);
  for (const [what, schedules] of Object.entries(least)) expect(coverage.inSchedules(what), what).toBeGreaterThanOrEqual(schedules);
  for (const rare of ['input maskLost', 'seedShare', 'late members', 'forged READY', 'garbled', 'rounds of a smaller roster', 'transactions lost']) {
    expect(coverage.total(rare), rare).toBeGreaterThan(0);
  }
  for (const action of ['journal', 'vault', 'blob', 'send', 'submit']) expect(coverage.total(`crash after ${action}`), action).toBeGreaterThan(0);
  expect(coverage.total('keys watched')).toBeGreaterThanOrEqual(3 * coverage.total('masked vectors'));
}
