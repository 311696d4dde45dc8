import { expect } from 'vitest';
import { violations } from '../oracles.ts';
import { runWorld } from '../world.ts';
import { type Case, quiet } from './case.ts';

export const found: Case = {
  by: 'a test on real peers, then seeds 483, 817 and 970',
  wrong: 'What a member had asked for came after the run was stopped: the keys were gone, the peer called it a defect of its own and ended.',
  fix: 'A run that is over has no live rounds (src/peer/driver.ts).',
  check: async () => {
    for (const fromMs of [1_500, 2_500, 4_500]) {
      const { seen } = await runWorld({ ...quiet, members: 4, latencyMs: [10, 200], ledgerDelayMs: [100, 2_500], acts: [{ fromMs, member: 0, kind: 'stop' }] });
      expect(violations(seen)).toEqual([]);
    }
  },
};
