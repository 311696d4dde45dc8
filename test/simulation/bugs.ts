/**
 * Seeded bugs: each `bugs/*.patch` is applied to a copy of `src` in a temporary folder, and the simulation in that copy must find it.
 * `node test/simulation/bugs.ts [NAME…]` prints what found each, and ends with exit code 1 where more than one in twenty was not found.
 */
import { fileURLToPath } from 'node:url';
import { bugsIn, type SeededBug, SourceCopy } from '../support/seeded-bugs.ts';

/** Seeds within which a bug must be found. */
const seedsAllowed = 1_000;
/** Share of the bugs that must be found within them. */
const shareToFind = 0.95;

/** All seeded bugs. */
export const bugs = bugsIn(fileURLToPath(new URL('bugs', import.meta.url)));

/** What the simulation says of the code with a bug, or of the code as it is: violations with their seed; empty where it found nothing. */
export async function simulateWith(bug: SeededBug | undefined, schedules = seedsAllowed): Promise<readonly string[]> {
  using copy = new SourceCopy('src', 'test/simulation');
  if (bug) copy.apply(bug.patch);
  const lines = await copy.run('test/simulation/simulate.ts', ['--schedules', String(schedules), '--stop', '1', '--quiet'], /\nseed \d/);
  return lines.filter((line) => /^seed \d/.test(line) || line.startsWith('  '));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const chosen = bugs.filter(({ name }) => process.argv.length === 2 || process.argv.includes(name));
  let found = 0;
  for (const bug of chosen) {
    const wrong = await simulateWith(bug);
    if (wrong.length > 0) found++;
    console.log([`${bug.name}: ${bug.what}`, ...(wrong.length > 0 ? wrong.slice(0, 3) : [`NOT FOUND within ${seedsAllowed} seeds`])].join('\n    '));
  }
  console.log(`${found} of ${chosen.length} seeded bugs found within ${seedsAllowed} seeds each`);
  if (found < shareToFind * chosen.length) process.exitCode = 1;
}
