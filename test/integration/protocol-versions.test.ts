/** Peers that speak different versions of the protocol, in one run on one real ledger. */
import { expect, test } from 'vitest';
import { createNetwork, type Network } from '../../src/network/index.ts';
import type { Peer } from '../../src/peer/index.ts';
import { decodeMessage } from '../../src/wire/index.ts';
import { wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

test('a run of three members that speak versions 1 and 2 with one that speaks only 1 is spoken in version 1, with all of them in every round', async () => {
  const sent = new Set<number>();
  const watched: typeof createNetwork = async (identity, options, handlers, parts) => {
    const network = await createNetwork(identity, options, handlers, parts);
    const send = network.send.bind(network);
    const watching: Network['send'] = (to, bytes) => {
      sent.add(decodeMessage(bytes, [1, 2]).version);
      send(to, bytes);
    };
    return Object.assign(network, { send: watching });
  };
  await using stack = new AsyncDisposableStack();
  const { peers, study } = await heartPeers(stack, (peer) => ({ network: watched, ...(peer === 3 ? { versions: [1] } : {}) }));
  const [first, , , old] = peers;
  if (!first || !old) throw new Error('four peers');
  const seen = first.context.network.connections().map(({ account, versions }) => ({ old: account === old.context.account, versions }));
  expect(seen).toContainEqual({ old: true, versions: [1] });
  expect(seen.filter((one) => !one.old).map(({ versions }) => versions)).toEqual([
    [1, 2],
    [1, 2],
  ]);
  const run = await first.runs.start(study);
  const finals = (peer: Peer) => peer.runs.status(peer.runs.find(run)).view.rounds.filter(({ phase }) => phase === 'final');
  while (peers.some((peer) => finals(peer).length < 4)) await wait(50);
  for (const peer of peers) {
    expect(
      finals(peer)
        .slice(0, 4)
        .map(({ set }) => set?.length),
    ).toEqual([4, 4, 4, 4]);
    expect(peer.runs.status(peer.runs.find(run)).trouble).toBeUndefined();
  }
  expect([...sent]).toEqual([1]);
});

test('a study whose sums travel in shards is not started with a member that speaks only version 1, and the refusal names it', async () => {
  await using stack = new AsyncDisposableStack();
  const edit = (text: string): string => `${text}\n[terms]\nexchange = "reduce-scatter"\n`;
  const { peers, study } = await heartPeers(stack, (peer) => (peer === 3 ? { versions: [1] } : {}), { edit });
  const name = peers[3]?.context.config.name ?? '';
  await expect(peers[0]?.runs.start(study)).rejects.toThrow(/2 or later/);
  await expect(peers[0]?.runs.start(study)).rejects.toThrow(`${name} 1`);
  expect(peers[0]?.runs.list()).toEqual([]);
});
