import { expect } from 'vitest';
import { violations } from '../oracles.ts';
import { runWorld } from '../world.ts';
import { type Case, quiet } from './case.ts';

export const found: Case = {
  by: 'seed 7746',
  wrong:
    'Nobody could join in time, so the next round expected nobody; who came back asked to be expected, but closing a phase was for those whom the round expects.',
  fix: 'Where too few joined everybody stays expected (contracts/RunBook.sol), and at last any member of the run closes a phase (src/round/wanted.ts).',
  check: async () => {
    const silences = [{ fromMs: 500, toMs: 31_000, member: undefined }];
    const { seen } = await runWorld({ ...quiet, members: 4, ledgerDelayMs: [100, 2_500], silences });
    expect(seen.counts.get('void too-few-joined')).toBe(1);
    expect(seen.counts.get('rounds of a smaller roster')).toBe(undefined);
    expect(violations(seen)).toEqual([]);
  },
};
