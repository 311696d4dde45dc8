/** `npm start`, from the very script that a newcomer's npm runs: complete, again with what it kept, and nothing left behind. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { project } from '../support/demo.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return await promisify(execFile)(process.execPath, [join(project, 'deploy', 'start.mjs'), '--exit', '--json', '--folder', join(folder, 'kept'), ...args], {
    cwd: tmpdir(),
  });
}

/** Processes whose command line names this test's folder. */
function leftOver(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(folder) && !line.includes('vitest') ? [line] : [];
      } catch {
        return [];
      }
    });
}

test('one JSON document on stdout, outcome complete, one model, a folder with the run, no process left', async () => {
  const { stdout, stderr } = await start();
  const document = JSON.parse(stdout);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  expect(document).toMatchObject({ format: 'schwarm.demo/1', outcome: 'complete', missing: [] });
  expect(new Set([document.ledger.finalModelSha256, ...document.members.map((member: { modelSha256: string }) => member.modelSha256)]).size).toBe(1);
  expect(readdirSync(document.folder).sort()).toEqual(['metrics.csv', 'model.onnx', 'report.html', 'run.json']);
  expect(readFileSync(join(document.folder, 'report.html'), 'utf8')).not.toMatch(/https?:|<script/);
  expect(stderr).toContain('embedded, one process');
  expect(leftOver()).toEqual([]);
});

test('a second start works with what the first one kept, and says so', async () => {
  const { stdout, stderr } = await start();
  expect(JSON.parse(stdout).outcome).toBe('complete');
  expect(stderr).toContain('Kept from the last start');
  expect(leftOver()).toEqual([]);
});

test.for([
  [['no-such-study'], 'There is no study'],
  [['--seed', 'x'], '--seed'],
  [['--unknown'], 'Usage'],
] as const)('%s is refused in one sentence with exit code 2', async ([args, said]) => {
  await expect(start(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(said), stdout: '' });
});
