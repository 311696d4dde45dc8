/** Nine real peers in groups of three: one model, merged by the median of the three group sums. */
import { expect, test } from 'vitest';
import type { PeerParts } from '../../src/peer/index.ts';
import { wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

const grouped = (toml: string): string =>
  `${toml.replace(/^rounds = .*$/m, 'rounds = 2')}\n[terms]\nminMembers = 9\ngroups = { size = 3 }\nrule = { kind = "coordinate-median", f = 1 }\n`;

test('a grouped run of nine real peers is FINAL with one model', { timeout: 400_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const { peers, study } = await heartPeers(stack, (): Partial<PeerParts> => ({}), { members: 9, edit: grouped });
  const [first] = peers;
  const run = (await first?.runs.start(study)) ?? 0;
  const outcome = (): (string | undefined)[] => peers.map((peer) => peer.context.consortium.runs.get(run)?.outcome);
  while (outcome().some((one) => one === undefined)) await wait(100);
  expect(outcome()).toEqual(Array(9).fill('complete'));
  const held = await Promise.all(peers.map(async (peer) => (await peer.runs.held(run)).model));
  expect(new Set(held).size).toBe(1);
  const status = first?.runs.status(first.runs.find(run));
  expect(status?.model).toBe(held[0]);
  expect(status?.exposure[0]).toMatch(/^Secure in groups: .* groups of 3 or more/);
  expect(status?.finalRounds).toBe(3);
});
