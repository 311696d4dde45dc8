/** Peers and ledger stopped and started in the middle of a run, as real processes. */
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

test.for([0, 2])('peer %i killed for good: the run goes on without it and says so, within three minutes', { timeout: 5 * minutes }, async (victim) => {
  await using demo = new Demo();
  await demo.rounds(5, 1);
  const name = demo.processes().peers[victim]?.name;
  const killedMs = performance.now();
  demo.kill(victim);
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
