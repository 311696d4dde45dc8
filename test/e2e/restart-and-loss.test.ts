/** Peers and ledger stopped and started in the middle of a run, as real processes. */
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Demo, wait } from '../support/demo.ts';

const minutes = 60_000;

function hashes(document: Awaited<Demo['ended']>['document']): ReadonlySet<string | null> {
  return new Set([document?.ledger.finalModelSha256 ?? '', ...(document?.members.map(({ modelSha256 }) => modelSha256) ?? [])]);
}

test.for([0, 1, 2, 3])('peer %i killed in the middle of a run and started again: complete, one model everywhere', { timeout: 4 * minutes }, async (victim) => {
  await using demo = new Demo();
  await demo.rounds(5, (victim + 1) % 4);
  demo.kill(victim);
  await wait(1_000);
  demo.startAgain(victim);
  const { code, document, log } = await demo.ended;
  expect(log).not.toContain('defect');
  expect(document?.outcome).toBe('complete');
  expect(hashes(document).size).toBe(1);
  expect(code).toBe(0);
});

test.for([0, 2])('peer %i killed for good: the next round is FINAL within 15 s, and the run says who is missing', { timeout: 5 * minutes }, async (victim) => {
  await using demo = new Demo();
  await demo.rounds(5, 1);
  const name = demo.processes().peers[victim]?.name;
  const killedMs = performance.now();
  const before = await demo.finalRounds(1);
  demo.kill(victim);
  await demo.rounds(before + 1, 1);
  const nextS = (performance.now() - killedMs) / 1_000;
  await demo.until(1, ({ history }) => history.some(({ phase, absent }) => phase === 'final' && absent.includes(name ?? '')));
  console.log(`next FINAL ${nextS.toFixed(1)} s after the kill, first one without the victim ${((performance.now() - killedMs) / 1_000).toFixed(1)} s`);
  expect(nextS).toBeLessThan(15);
  const { code, document } = await demo.ended;
  expect(document?.outcome).toBe('complete 3 of 4');
  expect(document?.missing).toEqual([name]);
  expect(performance.now() - killedMs).toBeLessThan(3 * minutes);
  expect(hashes(document).size).toBe(2);
  expect(code).toBe(1);
});

test('the ledger stopped in the middle of a run: nothing becomes final until it goes on', { timeout: 4 * minutes }, async () => {
  await using demo = new Demo();
  await demo.rounds(4);
  const { ledger } = demo.processes();
  process.kill(ledger, 'SIGSTOP');
  await wait(1_500);
  const before = await demo.finalRounds(0);
  await wait(8_000);
  expect(await demo.finalRounds(0)).toBe(before);
  process.kill(ledger, 'SIGCONT');
  const { document } = await demo.ended;
  expect(document?.outcome).toBe('complete');
  expect(hashes(document).size).toBe(1);
});

test('the ledger killed in the middle of a run: the launcher starts it again and the run ends complete', { timeout: 4 * minutes }, async () => {
  await using demo = new Demo();
  await demo.rounds(4);
  const { ledger } = demo.processes();
  process.kill(ledger, 'SIGKILL');
  const { code, document } = await demo.ended;
  expect(document?.outcome).toBe('complete');
  expect(hashes(document).size).toBe(1);
  expect(code).toBe(0);
});

/** Ends a peer in the middle of a round, while it holds secrets, and gives the files in which it keeps them. */
async function killWithSecrets(demo: Demo, victim: number): Promise<readonly string[]> {
  const folder = join(demo.processes().peers[victim]?.home ?? '', 'vault', 'sealed');
  for (;;) {
    demo.kill(victim, 'SIGSTOP');
    const files = readdirSync(folder).filter((name) => /^[0-9]+-[0-9]+$/.test(name));
    demo.kill(victim, files.length > 0 ? 'SIGKILL' : 'SIGCONT');
    if (files.length > 0) return files.map((name) => join(folder, name));
    await wait(20);
  }
}

test('a peer whose stored secrets were damaged says so and ends; the others go on without it', { timeout: 4 * minutes }, async () => {
  await using demo = new Demo();
  await demo.rounds(5, 0);
  for (const file of await killWithSecrets(demo, 3))
    writeFileSync(
      file,
      readFileSync(file).map((byte, at) => (at < 40 ? byte : byte ^ 1)),
    );
  const [code] = await once(demo.startAgain(3), 'exit');
  expect(code).toBe(5);
  const { document } = await demo.ended;
  expect(document?.outcome).toBe('complete 3 of 4');
});
