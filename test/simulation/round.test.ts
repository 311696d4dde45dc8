/** The round under many seeded schedules: what must hold is in `oracles.ts`, what happens in `schedule.ts`. `.ci/run` runs ten thousand of them. */
import { describe, expect, it } from 'vitest';
import { runJobs } from './jobs.ts';
import { violations } from './oracles.ts';
import { drawSchedule } from './schedule.ts';
import { treasonNames } from './traitors.ts';
import { runWorld } from './world.ts';

/** So many fit into a minute of two cores. */
const schedules = 1_500;
/** Of a hundred schedules, how many at least have this. */
const least = { crashes: 40, 'messages lost': 40, retries: 20, 'with Byzantine members': 20, 'with wrong clocks': 15 };
const rare = [
  ...['input maskLost', 'seedShare', 'late members', 'forged READY', 'garbled', 'rounds of a smaller roster', 'transactions lost', 'reorganisations'],
  ...['all', 'others', 'nobody'].map((side) => `partition, ledger with ${side}`),
  ...['journal', 'vault', 'blob', 'send', 'submit'].flatMap((action) => [`crash before ${action}`, `crash within ${action}`, `crash after ${action}`]),
  'with the protocol’s own key agreement',
];

describe('the round', () => {
  it('holds over many schedules of crash, loss, partition, reorganisation, wrong clocks, a lying ledger and Byzantine members', {
    timeout: 900_000,
  }, async () => {
    const { coverage, found } = await runJobs({ firstSeed: 1, schedules, jobs: 2 });
    console.log(coverage.lines().join('\n'));
    expect(found).toEqual([]);
    for (const [what, share] of Object.entries(least)) expect(coverage.inSchedules(what), what).toBeGreaterThanOrEqual((share * schedules) / 100);
    expect(rare.filter((what) => coverage.total(what) === 0)).toEqual([]);
    expect(coverage.light.void).toBeLessThanOrEqual(0.01 * (coverage.light.void + coverage.light.final));
    expect(coverage.total('keys watched')).toBeGreaterThanOrEqual(3 * coverage.total('masked vectors'));
  });

  it('is betrayed in every way that there is, and holds', { timeout: 300_000 }, async () => {
    const wrong: string[] = [];
    for (const kind of treasonNames) {
      const schedule = { ...drawSchedule(1, { members: [4, 4], traitors: false }), crashes: [], late: [], traitors: [{ member: 2, kind }] };
      const { seen } = await runWorld({ ...schedule, loss: 0.02 });
      wrong.push(...violations(seen).map((one) => `${kind}: ${one}`));
    }
    expect(wrong).toEqual([]);
  });

  it('holds in groups, drawn ones of three and nested ones that the study names, nine to twelve members', { timeout: 600_000 }, async () => {
    const { coverage, found } = await runJobs({ firstSeed: 1, schedules: 60, jobs: 2, members: [9, 12] });
    expect(found).toEqual([]);
    for (const rule of ['mean', 'coordinate-median']) {
      expect(coverage.inSchedules(`final in groups by ${rule}`), rule).toBeGreaterThan(8);
      expect(coverage.inSchedules(`final in named groups by ${rule}`), rule).toBeGreaterThan(3);
    }
    expect(coverage.total('retries')).toBeGreaterThan(5);
  });

  it('goes the same way for the same seed, and another for another', async () => {
    const traceOf = async (seed: number): Promise<string> => (await runWorld(drawSchedule(seed))).trace;
    const first = [await traceOf(11), await traceOf(12), await traceOf(13)];
    expect([await traceOf(11), await traceOf(12), await traceOf(13)]).toEqual(first);
    expect(new Set(first).size).toBe(3);
  });
});
