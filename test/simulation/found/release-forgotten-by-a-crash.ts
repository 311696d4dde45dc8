import { expect } from 'vitest';
import { releasesAreRemembered } from '../oracles.ts';
import { runWorld } from '../world.ts';
import { type Case, quiet } from './case.ts';

export const found: Case = {
  by: 'seed 36',
  wrong: 'The driver stored the inputs of a step and then, as a second entry, the release; a crash between the two forgot the release for good.',
  fix: 'A restarted driver remembers every release of its live rounds again (src/peer/driver.ts).',
  check: async () => {
    const wrong: string[] = [];
    for (let action = 1; action <= 24; action++) {
      const crash = { member: 1, action, inPhase: 'reveal', before: false, downMs: 2_000 };
      wrong.push(...releasesAreRemembered((await runWorld({ ...quiet, crashes: [crash] })).seen));
    }
    expect(wrong).toEqual([]);
  },
};
