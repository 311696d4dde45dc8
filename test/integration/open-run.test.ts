/** Open mode on real peers: five members see each other's updates; one of them poisons. The median holds where the mean does not. */
import { expect, test } from 'vitest';
import { createNetwork } from '../../src/network/index.ts';
import type { Peer, PeerParts } from '../../src/peer/index.ts';
import { createOnnxTrainer } from '../../src/training/index.ts';
import { decodeMessage, protocolVersions } from '../../src/wire/index.ts';
import { wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

const poisoner = 4;

/** Trains as if all that matters were to make every parameter large, and says that it has more rows than anybody. */
const poisoning: NonNullable<PeerParts['trainer']> = (options, parts) => {
  const trainer = createOnnxTrainer(options, parts);
  return {
    prepare: (task, given) => trainer.prepare(task, given),
    train: async (training, given) => {
      const { lossSum, steps } = await trainer.train(training, given);
      return { parameters: training.parameters.map((value) => value - 100), rows: 2 ** 20, lossSum, steps };
    },
    score: (query, given) => trainer.score(query, given),
    [Symbol.asyncDispose]: () => trainer[Symbol.asyncDispose](),
  };
};

const openly = (rule: string) => (toml: string) => `${toml.replace(/^rounds = .*$/m, 'rounds = 10')}\n[terms]\nmode = "open"\nminMembers = 5\nrule = ${rule}\n`;

/** One run to its end: the hash of each member's model, and the mean accuracy of the honest on their own test rows. */
async function runWith(rule: string, own: (peer: number) => Partial<PeerParts>) {
  await using stack = new AsyncDisposableStack();
  const { peers, study } = await heartPeers(stack, own, { members: poisoner + 1, edit: openly(rule) });
  const first = peers[0] as Peer;
  const run = await first.runs.start(study);
  while (peers.some((peer) => peer.context.consortium.runs.get(run)?.outcome === undefined)) await wait(50);
  const status = first.runs.status(first.runs.find(run));
  const held = await Promise.all(peers.map(async (peer) => (await peer.runs.held(run)).model));
  const reports = await Promise.all(peers.slice(0, poisoner).map((peer) => peer.runs.report(run)));
  const right = reports.reduce((sum, { swarm }) => sum + swarm.accuracy * swarm.rows, 0);
  const vaults = peers.map((peer) => peer.context.vault.load({ run, round: 1 }));
  return { status, held, accuracy: right / reports.reduce((sum, { swarm }) => sum + swarm.rows, 0), vaults };
}

test('an open run of five with one poisoner: every member holds one model; the median holds, the mean does not', { timeout: 300_000 }, async () => {
  const kinds = new Set<string>();
  const watched: typeof createNetwork = async (...given) => {
    const network = await createNetwork(...given);
    const send = network.send.bind(network);
    network.send = (to, bytes) => {
      kinds.add(decodeMessage(bytes, protocolVersions).body.kind);
      send(to, bytes);
    };
    return network;
  };
  const own = (peer: number): Partial<PeerParts> => ({ network: watched, ...(peer === poisoner ? { trainer: poisoning } : {}) });
  const median = await runWith('{ kind = "coordinate-median", f = 1 }', own);
  const mean = await runWith('{ kind = "mean" }', own);
  console.log(`accuracy of the honest on their own test rows: median ${median.accuracy.toFixed(3)}, mean ${mean.accuracy.toFixed(3)}`);
  for (const { status, held, vaults } of [median, mean]) {
    expect(status.outcome).toBe('complete');
    expect(new Set([...held, status.model]).size).toBe(1);
    expect(status.exposure[0]).toMatch(/^OPEN: every other member/);
    expect(vaults).toEqual(Array(5).fill(undefined));
  }
  expect([...kinds]).toEqual([]);
  expect(median.accuracy).toBeGreaterThan(0.75);
  expect(mean.accuracy).toBeLessThan(0.6);
});

test('a steward has to agree to open mode expressly', { timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const { peers, study } = await heartPeers(stack, () => ({}), { members: 3, edit: (toml) => `${toml}\n[terms]\nmode = "open"\n` });
  const decisions = () => peers[0]?.context.consortium.studies.get(study)?.decisions.size;
  await peers[0]?.studies.decline(study);
  await expect(peers[0]?.studies.approve(study, 'heart')).rejects.toMatchObject({ code: 'PEER_OPEN_STUDY' });
  while (peers[0]?.context.consortium.approvers(study).length !== 2) await wait(20);
  expect(decisions()).toBe(3);
  await peers[0]?.studies.approve(study, 'heart', { open: true });
  while (peers[0]?.context.consortium.approvers(study).length !== 3) await wait(20);
});
