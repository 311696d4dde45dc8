/**
 * `npm run simulate -- --seed N --schedules K --members 3..7 [--stop 1] [--quiet]`: runs K schedules from seed N on, prints throughput, coverage and
 * every violation with its seed, and ends with exit code 1 where there was one.
 */
import { parseArgs } from 'node:util';
import { runSeeds } from './coverage.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    schedules: { type: 'string', default: '1000' },
    members: { type: 'string', default: '3..7' },
    stop: { type: 'string', default: '20' },
    quiet: { type: 'boolean', default: false },
  },
});
const [low = 3, high = low] = values.members.split('..').map(Number);
const startedMs = performance.now();
const { coverage, found } = await runSeeds(Number(values.seed), Number(values.schedules), { members: [low, high], stopAfter: Number(values.stop) });
const seconds = (performance.now() - startedMs) / 1_000;
if (!values.quiet) for (const line of coverage.lines()) console.log(line);
console.log(`${coverage.schedules} schedules in ${seconds.toFixed(1)} s: ${(coverage.schedules / seconds).toFixed(1)} a second, ${found.length} violated`);
for (const { seed, wrong } of found) console.log([`seed ${seed}`, ...wrong].join('\n  '));
process.exitCode = found.length > 0 ? 1 : 0;
