// `npm run night`: what takes hours and belongs to a release. `npm run night -- NAME…` runs the named steps. Each step is a command of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, node24 } from '../deploy/install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const binary = (await ensureInstalled({ dev: true })) ? node24() : undefined;
if (!binary) process.exit(5);

/** Name, then the arguments of Node. */
const steps = [
  ['seeded bugs', 'test/simulation/bugs.ts'],
  ['a million schedules', 'test/simulation/simulate.ts', '--seed', '1000000', '--schedules', '1000000'],
  ['large groups', 'test/simulation/simulate.ts', '--seed', '5000000', '--schedules', '10000', '--members', '8..16'],
  ['chaos matrix', 'test/chaos/main.ts', 'matrix'],
  ['chaos random', 'test/chaos/main.ts', 'random', '--seeds', '20'],
  ['killed for good', 'test/chaos/main.ts', 'killed'],
  ['busy machine', 'test/chaos/main.ts', 'busy'],
  ['six minutes cut', 'test/chaos/main.ts', 'cut'],
  ['real lines', 'test/chaos/main.ts', 'lines'],
  ['soak', 'test/chaos/main.ts', 'soak', '--rounds', '500'],
  ['exploration', 'test/exploration/main.ts', 'night'],
  ['mutation', 'node_modules/@stryker-mutator/core/bin/stryker.js', 'run', 'test/mutation.mjs'],
];
/** How a step ends that cannot run on this machine, and has said why. */
const cannotRun = 77;
const chosen = process.argv.slice(2);
let failed = 0;
for (const [name, ...args] of steps) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const started = Date.now();
  const { status } = spawnSync(binary, args, { cwd: root, stdio: 'inherit' });
  const word = status === 0 ? 'ok    ' : status === cannotRun ? 'cannot' : 'FAILED';
  process.stdout.write(`${word} ${name} (${((Date.now() - started) / 60_000).toFixed(1)} min)\n`);
  if (word === 'FAILED') failed++;
}
process.exit(failed === 0 ? 0 : 1);
