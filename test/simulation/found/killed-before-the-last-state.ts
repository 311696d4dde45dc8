import { expect } from 'vitest';
import { runWorld } from '../world.ts';
import { type Case, quiet } from './case.ts';

export const found: Case = {
  by: 'seed 20059',
  wrong: 'A member that was killed between the end of a run and the last state never fetched it: only live runs were taken up again.',
  fix: 'Runs.resume takes up a run that is over and not settled (src/peer/runs.ts).',
  check: async () => {
    const crash = { member: 3, action: 2, inPhase: undefined, before: true, downMs: 3_000 };
    const { seen } = await runWorld({ ...quiet, members: 4, rounds: 1, late: [{ member: 3, fromMs: 20_000 }], crashes: [crash] });
    expect(seen.counts.get('restarts')).toBe(1);
    expect(seen.standing.map(({ holds }) => holds)).toEqual([true, true, true, true]);
  },
};
