/** `dataset dummy` as people call it: from the guide's record to files, and what it says where that cannot be. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { command, project } from '../support/demo.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-dummy-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const guide = readFileSync(join(project, 'deploy/README.md'), 'utf8');
const record = /```toml\n(format = "schwarm\.record\/1"[\s\S]*?)```/.exec(guide)?.[1] ?? '';
const line = /npx schwarm (dataset dummy .*)/.exec(guide)?.[1] ?? '';

function schwarm(...args: readonly string[]) {
  return spawnSync(process.execPath, [command, ...args], { cwd: folder, encoding: 'utf8' });
}

test('the line of the guide writes the tables of its record', () => {
  writeFileSync(join(folder, 'record.toml'), record);
  const { status, stdout, stderr } = schwarm(...line.split(' '));
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  expect(stdout).toMatch(/wrote patients\.csv, cases\.csv to dummy · 500 made-up rows each/);
  expect(
    readFileSync(join(folder, 'dummy', 'patients.csv'), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(501);
});

test('a record with a mistake, and a folder that is there, are said and nothing is written', () => {
  writeFileSync(join(folder, 'wrong.toml'), record.replace('maximum = 500\n', ''));
  const wrong = schwarm('dataset', 'dummy', 'wrong.toml', '--out', 'other');
  expect(wrong.status).not.toBe(0);
  expect(wrong.stderr).toMatch(/table "cases", column "crp": found no range; allowed: minimum and maximum/);
  expect(existsSync(join(folder, 'other'))).toBe(false);
  const twice = schwarm('dataset', 'dummy', 'record.toml', '--out', 'dummy');
  expect(twice.stderr).toMatch(/the folder is .*dummy, allowed: a folder that does not exist/);
});
