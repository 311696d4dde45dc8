/**
 * `npm run simulate -- --seed N --schedules K --members 3..16 [--jobs J] [--honest] [--stop V] [--quiet]`: runs K schedules from seed N on in J processes
 * (one a core), prints throughput, coverage, the shares of FINAL and VOID rounds, and every violation with its seed and the command that repeats it;
 * ends with exit code 1 where there was one, after V of them. `--honest` leaves out Byzantine members.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runJobs } from './jobs.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    schedules: { type: 'string', default: '1000' },
    members: { type: 'string', default: '3..16' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    stop: { type: 'string', default: '20' },
    honest: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});
const [low = 3, high = low] = values.members.split('..').map(Number);
const numbers = [low, high, values.seed, values.schedules, values.jobs, values.stop].map(Number);
if (numbers.some((value) => !Number.isSafeInteger(value) || value < 0) || low < 3 || high > 16 || low > high) {
  console.error('npm run simulate -- --seed N --schedules K --members A..B [--jobs J] with whole numbers and 3 <= A <= B <= 16');
  process.exit(2);
}
const startedMs = performance.now();
const { coverage, found } = await runJobs({
  firstSeed: Number(values.seed),
  schedules: Number(values.schedules),
  jobs: Math.max(1, Number(values.jobs)),
  members: [low, high],
  traitors: !values.honest,
  stopAfter: Number(values.stop),
});
const seconds = (performance.now() - startedMs) / 1_000;
if (!values.quiet) for (const line of coverage.lines()) console.log(line);
console.log(`${coverage.schedules} schedules in ${seconds.toFixed(1)} s: ${(coverage.schedules / seconds).toFixed(1)} a second, ${found.length} violated`);
for (const { seed, wrong } of found) {
  const again = `npm run simulate -- --seed ${seed} --schedules 1 --members ${values.members}${values.honest ? ' --honest' : ''}`;
  console.log([`seed ${seed}: ${again}`, ...wrong].join('\n  '));
}
process.exitCode = found.length > 0 ? 1 : 0;
