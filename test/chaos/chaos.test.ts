/** Eight real peers, the embedded ledger, and everything that goes wrong with machines and lines: afterwards one model, one story, no secrets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { smallDisk } from '../support/disk.ts';
import { boundaries, killAt, type Resumed } from './boundaries.ts';
import { judge } from './oracles.ts';
import { fillDisk, newestRound, scenarios, together } from './scenarios.ts';
import { ChaosSwarm } from './swarm.ts';

const minutes = 60_000;
const complete = { outcome: 'complete', missing: [] };
/** Moves which member meets which fault. */
const seed = Number(process.env['CHAOS_SEED'] ?? 1);

test('killed at each of nine places of a round, each time another member: back within 30 seconds, and counted', { timeout: 10 * minutes }, async () => {
  await using swarm = await ChaosSwarm.found({ members: 8, rounds: 28 });
  await swarm.start();
  await swarm.rounds(1, 0);
  const resumed: Resumed[] = [];
  for (const [at, boundary] of boundaries.entries()) resumed.push(await killAt(swarm, (at + seed) % 8, boundary));
  expect(resumed.filter(({ seconds, counted, leftover }) => seconds > 30 || !counted || leftover > 0)).toEqual([]);
  await swarm.over(5 * minutes);
  expect(await judge(swarm, complete)).toEqual([]);
});

test('stopped, cut, half-open, slow, with its clock moved and its disk full: the swarm goes on, and all are counted again', {
  timeout: 12 * minutes,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-chaos-'));
  using afterwards = new DisposableStack();
  afterwards.defer(() => rmSync(folder, { recursive: true, force: true }));
  using disk = smallDisk(join(folder, 'disk'), 16_384);
  if (!disk) context.annotate('no small disk can be mounted here (root is needed): the full disk is left out');
  const full = 3;
  await using swarm = await ChaosSwarm.found({
    members: 8,
    rounds: 60,
    homeOf: (member) => join(disk && member === full ? disk.path : folder, `peer-${member}`),
  });
  await swarm.start();
  await swarm.rounds(1, 0);
  const names = ['stopped and continued', 'cut', 'half-open', 'slow line', 'clock ahead and back', "the ledger's clock ahead and back"] as const;
  for (const [at, name] of names.entries()) {
    await scenarios[name](swarm, { member: (3 * at + seed) % 8, lastsMs: 5_000 });
    await together(swarm, await newestRound(swarm));
  }
  if (disk) {
    await fillDisk(swarm, full, disk.path);
    await together(swarm, await newestRound(swarm));
  }
  await swarm.over(5 * minutes);
  expect(await judge(swarm, complete)).toEqual([]);
});
