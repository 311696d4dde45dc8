/** The round under a thousand seeded schedules, first half: what must hold is in `oracles.ts`, what happens in `schedule.ts`. */
import { describe, expect, it } from 'vitest';
import { drawSchedule } from './schedule.ts';
import { holdsOver } from './thousand.ts';
import { runWorld } from './world.ts';

describe('the round', () => {
  it('holds over 500 schedules of crash, loss, delay, doubling, garbling, partitions, late members and a lying ledger', { timeout: 900_000 }, async () => {
    await holdsOver(1);
  });

  it('goes the same way for the same seed, and another for another', async () => {
    const traceOf = async (seed: number): Promise<string> => (await runWorld(drawSchedule(seed))).trace;
    const first = [await traceOf(11), await traceOf(12), await traceOf(13)];
    expect([await traceOf(11), await traceOf(12), await traceOf(13)]).toEqual(first);
    expect(new Set(first).size).toBe(3);
  });
});
