/**
 * Seeded bugs: each `bugs/*.patch` is a defect that somebody could write, with a first line that says which. A patch is applied to a copy of `src`
 * in a temporary folder, and the simulation in that copy must find it. `node test/simulation/bugs.ts [NAME]` prints what found each.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = fileURLToPath(new URL('bugs', import.meta.url));

/** Seeds within which every bug must be found. */
export const seedsAllowed = 200;

/** A bug by the name of its patch, and what it does. */
export interface Bug {
  readonly name: string;
  readonly what: string;
}

/** All seeded bugs. */
export async function allBugs(): Promise<readonly Bug[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.patch')).sort();
  return await Promise.all(
    names.map(async (name) => ({ name: basename(name, '.patch'), what: (await readFile(join(folder, name), 'utf8')).split('\n', 1)[0] ?? '' })),
  );
}

/** What the simulation says of the code with a bug, or of the code as it is: violations with their seed; empty where it found nothing. */
export async function simulateWith(bug: string | undefined, schedules = seedsAllowed): Promise<readonly string[]> {
  const copy = await mkdtemp(join(tmpdir(), 'schwarm-bug-'));
  try {
    await cp(join(root, 'src'), join(copy, 'src'), { recursive: true });
    await cp(join(root, 'test/simulation'), join(copy, 'test/simulation'), { recursive: true });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    await writeFile(join(copy, 'package.json'), '{ "type": "module" }\n');
    if (bug !== undefined) await run('git', ['apply', join(folder, `${bug}.patch`)], { cwd: copy, env: { ...process.env, GIT_CEILING_DIRECTORIES: copy } });
    const simulate = [join(copy, 'test/simulation/simulate.ts'), '--schedules', String(schedules), '--stop', '1', '--quiet'];
    const { stdout } = await run(process.execPath, simulate).catch(foundSomething);
    return stdout.split('\n').filter((line) => line.startsWith('seed ') || line.startsWith('  '));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** Exit code 1 with a report is what a find looks like; anything else is an error. */
function foundSomething(error: unknown): { readonly stdout: string } {
  if (error instanceof Error && 'stdout' in error && /\nseed \d/.test(String(error.stdout))) return { stdout: String(error.stdout) };
  throw error;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, what } of await allBugs()) {
    if (process.argv[2] !== undefined && process.argv[2] !== name) continue;
    const found = await simulateWith(name);
    console.log([what, ...(found.length > 0 ? found.slice(0, 4) : [`NOT FOUND within ${seedsAllowed} seeds`])].join('\n    '));
  }
}
