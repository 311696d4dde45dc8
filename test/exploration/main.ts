/**
 * `node test/exploration/main.ts [quick|patient|any-time|night] [--most STATES]` explores settings by hand: states, steps, CPU time and ends of each; exits with 1
 * where something is wrong, with the shortest way there.
 */
import { parseArgs } from 'node:util';
import { explore } from './explore.ts';
import { anyTime, type Named, night, patient, quick } from './settings.ts';

const groups: Readonly<Record<string, readonly Named[]>> = { quick, patient, 'any-time': anyTime, night };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { most: { type: 'string', default: '20000000' }, only: { type: 'string', default: '' } },
});
let [states, steps, seconds] = [0, 0, 0];

for (const { name, setting } of (groups[positionals[0] ?? 'patient'] ?? []).filter((one) => one.name.includes(values.only))) {
  const found = explore(setting, Number(values.most));
  states += found.states;
  steps += found.steps;
  seconds += found.seconds;
  console.log(`${name}: ${found.states} states, ${found.steps} steps, ${found.seconds.toFixed(1)} s; ends: ${JSON.stringify(found.ends)}`);
  if (found.wrong.length === 0) continue;
  console.log([`WRONG: ${found.wrong.join('; ')}`, ...found.way].join('\n  '));
  process.exitCode = 1;
  if (found.steps > 0 && !found.wrong[0]?.startsWith('more than')) break;
}
console.log(`${states} states, ${steps} steps, ${seconds.toFixed(1)} s of CPU time`);
