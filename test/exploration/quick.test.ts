/** Every state of one round of the real machine, for three members with each fault and four with most: what a mutant of `round` meets too. */
import { expect, it } from 'vitest';
import { explore } from './explore.ts';
import { quick } from './settings.ts';

it.each(quick)('$name', ({ setting }) => {
  const { states, wrong, way } = explore(setting);
  expect(wrong, way.join('\n')).toEqual([]);
  expect(states).toBeGreaterThan(30);
});
