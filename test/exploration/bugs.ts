/**
 * Seeded bugs of the round machine: each `bugs/*.patch` is applied to a copy, and the search in that copy must find it.
 * `node test/exploration/bugs.ts [NAME]` prints what found each, and on which way.
 */
import { fileURLToPath } from 'node:url';
import { bugsIn, type SeededBug, SourceCopy } from '../support/seeded-bugs.ts';

/** All seeded bugs. */
export const bugs = bugsIn(fileURLToPath(new URL('bugs', import.meta.url)));

/** What the search says of the code with a bug: the setting, what is wrong and the way there; empty where it found nothing. */
export async function exploreWith({ patch }: SeededBug): Promise<readonly string[]> {
  using copy = new SourceCopy('src', 'test/exploration', 'test/simulation');
  copy.apply(patch);
  const lines = await copy.run('test/exploration/main.ts', ['patient'], /\nWRONG: /);
  const at = lines.findIndex((line) => line.startsWith('WRONG'));
  return at < 0 ? [] : lines.slice(at - 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const bug of bugs) {
    if (process.argv[2] !== undefined && process.argv[2] !== bug.name) continue;
    const found = await exploreWith(bug);
    console.log([bug.what, ...(found.length > 0 ? found.slice(0, process.argv[2] ? undefined : 2) : ['NOT FOUND'])].join('\n    '));
  }
}
