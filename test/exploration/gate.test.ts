/** The consent gate in all states of its model: the safe configurations are safe, and the six unsafe ones are found unsafe. Needs Spin and a C compiler. */
import { expect, it } from 'vitest';
import { configurationName, configurations, verify } from './gate.ts';

it('knows six configurations that leak and six that do not', () => {
  expect(configurations.map(({ leaks }) => leaks).sort()).toEqual([...Array(6).fill(false), ...Array(6).fill(true)]);
});

it.each(configurations.map((configuration) => ({ name: configurationName(configuration), configuration })))('$name', ({ configuration }) => {
  const { leaks, states } = verify(configuration);
  console.log(`${states} states`);
  expect(leaks).toBe(configuration.leaks);
});
