/** The simulation is not blind: it finds each seeded bug within 200 seeds, and nothing in the same copy without one. */
import { describe, expect, it } from 'vitest';
import { allBugs, simulateWith } from './bugs.ts';

const bugs = await allBugs();

describe('seeded bugs', () => {
  it('are at least the five that the round must never have', () => {
    expect(bugs.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['sign', 'shares-rebuilt-too-early', 'one-signature-short', 'key-used-twice', 'root-unchecked']),
    );
  });

  it.each(bugs)('$name is found', { timeout: 600_000 }, async ({ name, what }) => {
    const found = await simulateWith(name);
    console.log([what, ...found.slice(0, 3)].join('\n  '));
    expect(found.length).toBeGreaterThan(0);
  });

  it('and none is seen where there is none', async () => {
    expect(await simulateWith(undefined, 20)).toEqual([]);
  });
});
