/** Four peers under four system users with homes of mode 0700, and the whole demo as a user without rights: nothing travels through files. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, parse } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DemoDocument, project } from '../support/demo.ts';

const minutes = 60_000;
const users = ['schwarm-t1', 'schwarm-t2', 'schwarm-t3', 'schwarm-t4'];
const isRoot = process.getuid?.() === 0;
const reason = isRoot ? undefined : 'only root can make system users and start peers as them';
const folder = mkdtempSync(join(tmpdir(), 'schwarm-users-'));

/** Whether others may enter a folder and all above it. */
function openToOthers(path: string): boolean {
  const { root } = parse(path);
  for (let at = path; at !== root; at = dirname(at)) if ((statSync(at).mode & 0o001) === 0) return false;
  return true;
}

/** The project where every user can read it: in its own place, or as a copy with the installed packages. */
function readableProject(): string {
  const bare = project.replace(/\/$/, '');
  if (openToOthers(bare) && openToOthers(dirname(process.execPath))) return bare;
  const copy = join(folder, 'project');
  mkdirSync(copy);
  for (const name of ['src', 'deploy', 'contracts', 'proto', 'package.json', 'tsconfig.json']) cpSync(join(bare, name), join(copy, name), { recursive: true });
  cpSync(join(bare, 'node_modules'), join(copy, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  execFileSync('chmod', ['-R', 'a+rX', copy]);
  return copy;
}

function removeUser(name: string): void {
  try {
    execFileSync('userdel', [name], { stdio: 'ignore' });
  } catch {
    // it was not there
  }
}

interface Ended {
  readonly code: number | null;
  readonly document: DemoDocument | undefined;
  readonly log: string;
}

function demo(where: string, args: readonly string[], before: readonly string[] = []): Promise<Ended> {
  const node = where === project.replace(/\/$/, '') ? process.execPath : process.execPath.replace(project.replace(/\/$/, ''), where);
  const [file = node, ...rest] = [...before, node, join(where, 'deploy', 'demo', 'main.ts'), '--exit', '--json', ...args];
  const child = spawn(file, rest, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: '/nonexistent' } });
  let [out, log] = ['', ''];
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    log += data;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, log, document: out.trim() ? JSON.parse(out) : undefined })));
}

function expectComplete({ code, document, log }: Ended): void {
  expect(document?.outcome, log).toBe('complete');
  expect(new Set([document?.ledger.finalModelSha256, ...(document?.members.map(({ modelSha256 }) => modelSha256) ?? [])]).size).toBe(1);
  expect(code).toBe(0);
}

describe('system users', () => {
  let where = '';

  beforeAll(() => {
    if (!isRoot) return;
    chmodSync(folder, 0o755);
    where = readableProject();
    for (const name of users) {
      removeUser(name);
      execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', name]);
    }
  }, 5 * minutes);

  afterAll(() => {
    if (isRoot) for (const name of users) removeUser(name);
    rmSync(folder, { recursive: true, force: true });
  });

  test('four peers under four users, each with a home that nobody else can read', { timeout: 5 * minutes }, async (context) => {
    if (reason) return context.skip(reason);
    const homes = join(folder, 'four');
    mkdirSync(homes, { mode: 0o755 });
    const ended = demo(where, ['--folder', join(homes, 'demo'), '--users', users.join(',')]);
    const home = (at: number): string => join(homes, 'demo', `peer-${at + 1}`);
    while (!users.every((_, at) => existsSync(join(home(at), 'console.json')))) {
      const over = await Promise.race([ended, new Promise<undefined>((resolve) => setTimeout(resolve, 200))]);
      if (over) break;
    }
    for (const [at, name] of users.entries()) {
      const { mode, uid } = statSync(home(at));
      expect([(mode & 0o777).toString(8), String(uid)]).toEqual(['700', execFileSync('id', ['-u', name], { encoding: 'utf8' }).trim()]);
      const other = users[(at + 1) % users.length] ?? '';
      expect(() => execFileSync('runuser', ['-u', other, '--', 'ls', home(at)], { stdio: 'ignore' })).toThrow();
    }
    const done = await ended;
    expectComplete(done);
    const owners = done.document?.members.map(({ pid }) => pid) ?? [];
    expect(new Set(owners).size).toBe(4);
  });

  test('the whole demo as a user without rights', { timeout: 5 * minutes }, async (context) => {
    if (reason) return context.skip(reason);
    const [name = ''] = users;
    const own = join(folder, 'own');
    mkdirSync(own);
    execFileSync('chown', [name, own]);
    const copy = join(own, 'project');
    mkdirSync(copy);
    for (const part of ['src', 'deploy', 'contracts', 'proto', 'package.json', 'tsconfig.json'])
      cpSync(join(where, part), join(copy, part), { recursive: true });
    symlinkSync(join(where, 'node_modules'), join(copy, 'node_modules'));
    execFileSync('chown', ['-R', '--no-dereference', name, own]);
    expectComplete(await demo(copy, ['--folder', join(own, 'demo')], ['runuser', '-u', name, '--']));
  });
});
