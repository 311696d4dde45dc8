/** Real peer processes that know one address each. */
import { expect, test } from 'vitest';
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
