/** Every state of one round of the real machine under each single fault, with time that waits and with deadlines that pass at any point. */
import { expect, it } from 'vitest';
import { explore } from './explore.ts';
import { anyTime, patient, quick } from './settings.ts';

const slow = [...patient.filter((one) => !quick.some(({ name }) => name === one.name)), ...anyTime];

it.each(slow)('$name', ({ name, setting }) => {
  const { states, steps, seconds, ends, wrong, way } = explore(setting);
  console.log(`${name}: ${states} states, ${steps} steps, ${seconds.toFixed(1)} s ${JSON.stringify(ends)}`);
  expect(wrong, way.join('\n')).toEqual([]);
});
