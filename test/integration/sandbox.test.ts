import { spawn } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/index.ts';
import { type Child, type ChildOptions, startChild, startProgram, walls } from '../../src/sandbox/index.ts';
import { realClock } from '../support/clock.ts';

const parts = { clock: realClock, logger: silentLogger };
const open = { signal: new AbortController().signal };
const started: AsyncDisposable[] = [];

async function start(options: Partial<ChildOptions> = {}): Promise<Child> {
  const child = await startChild({ module: new URL('./children/sandbox.ts', import.meta.url), name: 'test child', memoryLimitMb: 64, ...options }, parts);
  started.push(child);
  return child;
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await realClock.sleep(20, open);
}

afterEach(async () => {
  for (const each of started.splice(0)) await each[Symbol.asyncDispose]();
});

describe('a child process', () => {
  it('answers overlapping requests, each with its own answer', async () => {
    const child = await start();
    const bodies = [1, 2, 3].map((fill) => new Uint8Array(100_000 * fill).fill(fill));
    const answers = await Promise.all(bodies.map((body, at) => child.request('echo', { at }, body, open)));
    answers.forEach((answer, at) => {
      expect(answer.header).toEqual({ at });
      expect(Buffer.compare(answer.body, bodies[at] ?? new Uint8Array())).toBe(0);
    });
    expect((await child.request('alignment', null, new Uint8Array(16), open)).header).toBe(0);
  });

  it('sees an empty environment and an empty folder, and may print without harm', async () => {
    const child = await start();
    const { header } = await child.request('surroundings', null, undefined, open);
    expect(header).toMatchObject({ environment: ['HOME', 'TMPDIR'], files: [] });
    await child.request('print', null, undefined, open);
    expect(walls().filter((wall) => wall.stands)).toHaveLength(4);
  });

  it('hands on errors with their code', async () => {
    const child = await start();
    await expect(child.request('refuse', null, undefined, open)).rejects.toMatchObject({
      code: 'COMMON_BAD_IDENTITY',
      blame: 'operator',
      detail: { found: 'x' },
    });
    await expect(child.request('stumble', null, undefined, open)).rejects.toMatchObject({
      code: 'SANDBOX_HANDLER_FAILED',
      message: expect.stringContaining('a plain mistake'),
    });
    await expect(child.request('constructor', null, undefined, open)).rejects.toMatchObject({ code: 'SANDBOX_UNKNOWN_KIND' });
    expect((await child.request('echo', 1, undefined, open)).header).toBe(1);
  });

  it('that dies fails all that wait, and all that ask later', async () => {
    const child = await start();
    const waiting = child.request('hang', null, undefined, open);
    const dying = child.request('die', null, undefined, open);
    await expect(waiting).rejects.toMatchObject({ code: 'SANDBOX_CHILD_DIED', detail: { code: 7, output: 'last words' } });
    await expect(dying).rejects.toMatchObject({ code: 'SANDBOX_CHILD_DIED' });
    await expect(child.request('echo', null, undefined, open)).rejects.toMatchObject({ code: 'SANDBOX_CHILD_DIED' });
    expect(await child.exited).toEqual({ code: 7, signal: null });
  });

  it('over its heap limit dies alone', async () => {
    const child = await start({ memoryLimitMb: 32 });
    await expect(child.request('fill', null, undefined, open)).rejects.toMatchObject({ code: 'SANDBOX_CHILD_DIED' });
  });

  it('that is silent for too long is ended', async () => {
    const child = await start({ requestTimeoutMs: 100 });
    await expect(child.request('hang', null, undefined, open)).rejects.toMatchObject({ code: 'SANDBOX_TIMEOUT' });
    await child.exited;
  });

  it('lives on when one caller gives up', async () => {
    const child = await start();
    const giveUp = new AbortController();
    const waiting = child.request('hang', null, undefined, { signal: giveUp.signal });
    giveUp.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'COMMON_CANCELLED' });
    expect((await child.request('echo', 2, undefined, open)).header).toBe(2);
  });

  it('that cannot start says so', async () => {
    await expect(start({ module: new URL('./children/missing.ts', import.meta.url) })).rejects.toMatchObject({
      code: 'SANDBOX_START_FAILED',
      message: expect.stringContaining('missing.ts'),
    });
  });
});

describe('a foreign program', () => {
  it('runs until disposed and leaves no process', async () => {
    const program = await startProgram({ command: '/bin/sleep', args: ['1000'], name: 'sleeper' }, parts);
    expect(lives(program.pid)).toBe(true);
    await program[Symbol.asyncDispose]();
    expect(lives(program.pid)).toBe(false);
    await until(() => !existsSync(`/proc/${program.pid}`));
  });

  it('reports its own end and its last words', async () => {
    const program = await startProgram({ command: '/bin/sh', args: ['-c', 'echo sorry; exit 3'], name: 'failing' }, parts);
    expect(await program.exited).toEqual({ code: 3, signal: null });
    await until(() => program.lastOutput() !== '');
    expect(program.lastOutput()).toBe('sorry');
  });

  it('and a child end when their parent is killed', async () => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('./children/sandbox-parent.ts', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pids: number[] = await new Promise((resolve) => parent.stdout.once('data', (line) => resolve(JSON.parse(String(line)))));
    expect(pids.map(lives)).toEqual([true, true]);
    const folder = readlinkSync(`/proc/${pids[0]}/cwd`);
    parent.kill('SIGKILL');
    await until(() => !pids.some(lives));
    expect(existsSync(folder)).toBe(false);
  });
});
