import { expect } from 'vitest';
import { storageIsBounded } from '../oracles-bounds.ts';
import { runWorld } from '../world.ts';
import { type Case, quiet } from './case.ts';

export const found: Case = {
  by: "Byzantine members of the kind 'flood of requests', under the bound on what is stored",
  wrong:
    'Every request was journalled before it was answered, and synced to disk: whoever asked again and again filled the journal and wore the disk out, a few hundred entries a second and member.',
  fix: 'A request that is answered at once or waits already changes nothing and is not stored (src/round/machine.ts, src/peer/driver.ts).',
  check: async () => {
    const { seen } = await runWorld({
      ...quiet,
      members: 4,
      slow: [{ member: 0, ordinal: 0, workMs: 14_000 }],
      traitors: [{ member: 3, kind: 'flood of requests' }],
    });
    expect(seen.counts.get('treason: flood of requests')).toBeGreaterThan(200);
    expect(storageIsBounded(seen)).toEqual([]);
  },
};
