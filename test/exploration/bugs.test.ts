/** The search is not blind: it finds each seeded bug. That it finds nothing where there is none, the other tests here say. */
import { expect, it } from 'vitest';
import { bugs, exploreWith } from './bugs.ts';

it('has eight seeded bugs at least', () => {
  expect(bugs.length).toBeGreaterThanOrEqual(8);
});

it.each(bugs)('$name is found', async (bug) => {
  const found = await exploreWith(bug);
  console.log([bug.what, ...found.slice(0, 2)].join('\n  '));
  expect(found.length).toBeGreaterThan(0);
});
