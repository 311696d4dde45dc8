/** The demo on a machine that is busy with something else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { Demo } from '../support/demo.ts';

const minutes = 60_000;

/** Two loops for each core that take all the time they get. */
class BusyLoops implements Disposable {
  readonly #loops: readonly ChildProcess[] = Array.from({ length: 2 * availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(2)'], { stdio: 'ignore' }),
  );

  [Symbol.dispose](): void {
    for (const loop of this.#loops) loop.kill('SIGKILL');
  }
}

test('with two busy loops per core beside it the demo ends complete, with the hash that it has without them', { timeout: 12 * minutes }, async () => {
  const [seed, args] = ['7', ['--seed', '7']];
  const models: (string | null)[] = [];
  {
    await using quiet = new Demo({ args });
    const { document, log } = await quiet.ended;
    expect(document?.outcome, log).toBe('complete');
    models.push(document?.ledger.finalModelSha256 ?? null);
  }
  using _loops = new BusyLoops();
  await using busy = new Demo({ args });
  const { code, document, log } = await busy.ended;
  expect(document?.outcome, log).toBe('complete');
  expect(document?.members.map(({ modelSha256 }) => modelSha256)).toEqual([models[0], models[0], models[0], models[0]]);
  expect(document?.ledger.finalModelSha256, `seed ${seed}`).toBe(models[0]);
  expect(code).toBe(0);
});
