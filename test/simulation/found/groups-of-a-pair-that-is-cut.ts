import { expect } from 'vitest';
import { violations } from '../oracles.ts';
import { runWorld } from '../world.ts';
import { type Case, quiet } from './case.ts';

/** Two of different groups each, so that fewer than a vote needs can open the round before shares are asked for. */
const pairs = [[0, 1] as const, [3, 6] as const, [7, 2] as const];
const untilMs = 60_000;

export const found: Case = {
  by: 'seeds 1141 and 1345',
  wrong:
    'In groups two members that could not reach each other came to REVEAL without each other’s bundle, asked for shares of seeds that they could not check, and refused every one of them.',
  fix: 'The rest of the owner’s group passes its bundle on, and a seed is asked for once its bundle is held (src/round/wanted.ts).',
  check: async () => {
    const deaf = pairs.map((pair) => ({ fromMs: 0, toMs: untilMs, pair }));
    const { seen } = await runWorld({ ...quiet, members: 9, groups: { size: 3, rule: { kind: 'mean' } }, deaf, faultsUntilMs: untilMs });
    expect(seen.counts.get('retries')).toBe(undefined);
    expect(violations(seen)).toEqual([]);
  },
};
