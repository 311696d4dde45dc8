/** The simulation is not blind: it finds seeded bugs. A few here; all of them, within a thousand seeds each, in `npm run night`. */
import { describe, expect, it } from 'vitest';
import { bugs, simulateWith } from './bugs.ts';

/** Bugs that a few seeds show. */
const quick = ['sign', 'shares-rebuilt-too-early', 'shares-dealt-too-weak', 'one-signature-short', 'key-used-twice', 'vector-left-out', 'deadlines-not-called'];

describe('seeded bugs', () => {
  it('are at least twenty-five', () => {
    expect(bugs.length).toBeGreaterThanOrEqual(25);
    expect(bugs.map(({ name }) => name)).toEqual(expect.arrayContaining(quick));
  });

  it.each(bugs.filter(({ name }) => quick.includes(name)))('$name is found', { timeout: 600_000 }, async (bug) => {
    const found = await simulateWith(bug, 400);
    console.log([bug.what, ...found.slice(0, 3)].join('\n  '));
    expect(found.length).toBeGreaterThan(0);
  });

  it('and none is seen where there is none', async () => {
    expect(await simulateWith(undefined, 20)).toEqual([]);
  });
});
