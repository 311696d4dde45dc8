/**
 * Runs the gate model through Spin in each configuration of the safety argument. `node test/exploration/gate.ts` prints the table.
 * Needs `spin` and `cc`. Source of the expected column: t >= T + 2 where the ledger may lie, t >= T + 1 where it does not, and R1 in both.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const model = fileURLToPath(new URL('gate.pml', import.meta.url));

/** One configuration, and whether a leak must be found in it. */
export interface Configuration {
  readonly honest: number;
  readonly colluders: number;
  readonly threshold: number;
  readonly lies: boolean;
  readonly erases: boolean;
  readonly strict: boolean;
  readonly leaks: boolean;
}

const row = (honest: number, colluders: number, threshold: number, lies: boolean, leaks: boolean, erases = true, strict = false): Configuration => ({
  honest,
  colluders,
  threshold,
  lies,
  erases,
  strict,
  leaks,
});

/** Six that must be found unsafe, and those that must be safe. */
export const configurations: readonly Configuration[] = [
  row(3, 1, 2, true, true),
  row(3, 1, 3, true, false),
  row(3, 1, 2, false, false),
  row(3, 1, 3, true, true, false),
  row(3, 2, 3, true, true),
  row(3, 2, 4, true, false),
  row(5, 2, 3, true, true),
  row(5, 2, 4, true, false),
  row(5, 2, 3, false, false),
  row(5, 2, 2, false, true),
  row(6, 3, 4, true, true),
  row(6, 3, 5, true, false),
];

/** What Spin found. */
export interface Verdict {
  readonly leaks: boolean;
  readonly states: number;
}

/** A configuration in words. */
export function configurationName({ honest, colluders, threshold, lies, erases, strict }: Configuration): string {
  const rules = `${erases ? 'R1' : 'without R1'}${strict ? ', strict R3' : ''}`;
  return `${honest} honest, ${colluders} colluding, t = ${threshold}, ledger ${lies ? 'lies' : 'is honest'}, ${rules}`;
}

/** Searches all states of a configuration, or as far as the first leak. */
export function verify({ honest, colluders, threshold, lies, erases, strict }: Configuration): Verdict {
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-gate-'));
  const defined = { H: honest, T: colluders, NEEDED: threshold, LIES: Number(lies), ERASE: Number(erases), STRICT: Number(strict) };
  try {
    const run = (command: string, ...args: string[]): string => execFileSync(command, args, { cwd: folder, encoding: 'utf8' });
    run('spin', '-a', ...Object.entries(defined).map(([name, value]) => `-D${name}=${value}`), model);
    run('cc', '-O1', '-w', '-DSAFETY', '-DBFS', '-o', 'pan', 'pan.c');
    const report = run('./pan', '-E');
    const [errors, states] = [/errors: (\d+)/, /(\d+) states, stored/].map((pattern) => pattern.exec(report)?.[1]);
    if (errors === undefined || states === undefined || /search not completed/i.test(errors)) throw new Error(`Spin's report is not understood:\n${report}`);
    return { leaks: errors !== '0', states: Number(states) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const configuration of [...configurations, row(3, 1, 3, true, false, false, true)]) {
    const { leaks, states } = verify(configuration);
    console.log(
      `${configurationName(configuration)}: ${leaks ? 'LEAK' : 'safe'}, ${states} states${leaks === configuration.leaks ? '' : ' (NOT as expected)'}`,
    );
    if (leaks !== configuration.leaks) process.exitCode = 1;
  }
}
