/** Real peer processes that know one address each. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DemoConsortium } from '../../deploy/demo/consortium.ts';
import { discover } from '../../deploy/demo/steps.ts';
import { CliConsortium } from '../support/consortium.ts';
import { wait } from '../support/demo.ts';

const minutes = 60_000;

/** Peer k is told of peer k-1 only; peer 1 is killed before peer 4 starts. */
async function row(dht: boolean): Promise<CliConsortium> {
  const consortium = await CliConsortium.found({ founders: 4 });
  if (!dht) for (const member of consortium.homes.keys()) consortium.configure(member, (text) => text.replace('[network]', '[network]\ndht = false'));
  for (const member of [0, 1, 2, 3]) {
    if (member === 3) {
      consortium.peer(0).kill('SIGKILL');
      await consortium.peer(0).ended;
    }
    if (member > 0) consortium.tellOf(member, member - 1);
    await consortium.up(member);
    if (member > 0)
      await consortium.until('the one it was told of is connected', async () => (await consortium.reaches(member)).includes(`Hospital ${member}`));
  }
  return consortium;
}

test('peer 4 was told of peer 3 only, and peer 1 is dead: it finds peer 2', { timeout: 3 * minutes }, async () => {
  await using consortium = await row(true);
  await consortium.until('4 finds 2', async () => (await consortium.reaches(3)).includes('Hospital 2'), 30_000);
  expect(new Set(await consortium.reaches(3))).toEqual(new Set(['Hospital 2', 'Hospital 3']));
  expect(new Set(await consortium.reaches(1))).toEqual(new Set(['Hospital 3', 'Hospital 4']));
});

test('with the DHT switched off it does not find it', { timeout: 3 * minutes }, async () => {
  await using consortium = await row(false);
  await wait(15_000);
  expect(await consortium.reaches(3)).toEqual(['Hospital 3']);
  expect(await consortium.reaches(1)).toEqual(['Hospital 3']);
});

test('a launched consortium of seven: all are admitted, the last by more votes than its founders have, and find each other', {
  timeout: 3 * minutes,
}, async () => {
  await using end = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-seven-'));
  end.defer(() => rmSync(folder, { recursive: true, force: true }));
  const consortium = new DemoConsortium(join(folder, 'demo'));
  end.defer(() => consortium.stop());
  const sites = Array.from({ length: 7 }, (_, at) => ({ name: `Site ${at + 1}`, dataset: 'none', files: [] }));
  await consortium.startPeers(sites, [], await consortium.startLedger(sites.length, []));
  await discover(consortium.peers);
  const [first] = consortium.peers;
  const { members } = (await first?.api().get<{ members: { name: string; active: boolean }[] }>('/v1/members')) ?? { members: [] };
  expect(new Set(members.filter(({ active }) => active).map(({ name }) => name))).toEqual(new Set(sites.map(({ name }) => name)));
});
