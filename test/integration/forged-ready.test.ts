/** The consent gate on real peers: one whose ledger shows a forged READY releases nothing that unmasks, whatever the ledger says. */
import { expect, test } from 'vitest';
import { connectLedger, type LedgerBatch, type LedgerCursor } from '../../src/ledger/index.ts';
import { createNetwork } from '../../src/network/index.ts';
import { decodeMessage, protocolVersions } from '../../src/wire/index.ts';
import { wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

const victim = 0;
/** Round 0 is left as it is, so that the test sees seeds leave where all is well. */
const forgedFrom = 1;
const forgedTo = 3;

/** The ledger as it is, but the signature of one READY in some rounds is that of another message. */
const lyingLedger: typeof connectLedger = async (options, parts, signal) => {
  const ledger = await connectLedger(options, parts, signal);
  async function* batches(cursor: LedgerCursor | undefined, given: { readonly signal: AbortSignal }): AsyncGenerator<LedgerBatch> {
    for await (const batch of ledger.batches(cursor, given)) yield { ...batch, events: batch.events.map(forged) };
  }
  return {
    chainId: ledger.chainId,
    contract: ledger.contract,
    account: ledger.account,
    batches,
    submit: (transaction, given) => ledger.submit(transaction, given),
    readySigner: (ready) => ledger.readySigner(ready),
    sign: (message) => ledger.sign(message),
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
  };
};

let kept: string | undefined;

function forged(event: LedgerBatch['events'][number]): LedgerBatch['events'][number] {
  if (event.scope !== 'round' || event.fact.kind !== 'ready') return event;
  kept ??= event.fact.signature;
  if (event.round < forgedFrom || event.round > forgedTo || event.fact.member !== 3) return event;
  return { ...event, fact: { ...event.fact, signature: kept } };
}

test('a peer that is shown one forged READY sends no seed and no share in that round, and follows by the hash of the state', { timeout: 120_000 }, async () => {
  const sent = new Map<string, string[]>();
  const watchedNetwork: typeof createNetwork = async (...given) => {
    const network = await createNetwork(...given);
    const send = network.send.bind(network);
    network.send = (to, bytes) => {
      const { context, body } = decodeMessage(bytes, protocolVersions);
      sent.set(context, [...(sent.get(context) ?? []), body.kind]);
      send(to, bytes);
    };
    return network;
  };
  await using stack = new AsyncDisposableStack();
  const { peers, study } = await heartPeers(stack, (peer) => (peer === victim ? { ledger: lyingLedger, network: watchedNetwork } : {}));
  const run = (await peers[1]?.runs.start(study)) ?? 0;
  const view = () => peers[1]?.context.consortium.runs.get(run);
  while ((view()?.rounds.filter(({ phase }) => phase === 'final').length ?? 0) < forgedTo + 3) await wait(50);
  const kinds = [...sent.values()];
  const released = kinds.map((round) => round.some((kind) => kind === 'seed' || kind === 'seedShare'));
  expect(kinds.every((round) => round.includes('shares'))).toBe(true);
  expect(released[0]).toBe(true);
  expect(released.slice(forgedFrom, forgedTo + 1)).toEqual([false, false, false]);
  expect(peers[victim]?.runs.status(peers[victim].runs.find(run)).trouble).toBeUndefined();
});
