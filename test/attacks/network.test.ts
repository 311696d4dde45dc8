/** Attacks on who is connected with whom, and by size, speed and number of messages, with nodes that follow no rule of ours. */

import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { expect } from 'vitest';
import { chunkSizeBytes } from '../../src/common/index.ts';
import { freshAccountKey } from '../../src/ledger/index.ts';
import { encodeHello, maxControlSizeBytes } from '../../src/wire/index.ts';
import { bareNode, framed, Heard, protocolsOf } from '../support/bare-node.ts';
import { realClock } from '../support/clock.ts';
import { Consortium, founderOf } from '../support/ledger.ts';
import { consortium, eventually, freshContent, helloOf, institution, membersOf, reaches, startPeer } from '../support/network.ts';
import { attack } from './attack.ts';

const open = { signal: new AbortController().signal };
const names = protocolsOf(consortium);

attack(11, 'Sybil: one member brings three institutions of its own', 'refused', async () => {
  await using ledger = await Consortium.create({ members: 4 });
  const fakes = Array.from({ length: 3 }, (_, at) => ({ key: freshAccountKey(), name: `City Hospital ${at}` }));
  for (const { key, name } of fakes) {
    const { account, peerId } = founderOf(key, name);
    await ledger.submit(3, { kind: 'propose', action: { kind: 'admit', account, peerId, name } });
  }
  for (const { key } of fakes) {
    await ledger.refused(key, { kind: 'voteProposal', proposal: 1, support: true }, 'NotActive');
    await ledger.refused(key, { kind: 'propose', action: { kind: 'revoke', account: ledger.key(0).account } }, 'NotActive');
  }
  await ledger.refused(3, { kind: 'voteProposal', proposal: 1, support: true }, 'AlreadyVoted');
  const twin = {
    account: freshAccountKey().account,
    peerId: ledger.founders[3]?.peerId ?? founderOf(freshAccountKey(), '').peerId,
    name: 'the same peer again',
  };
  await ledger.refused(3, { kind: 'propose', action: { kind: 'admit', ...twin } }, 'PeerKeyTaken');
  const admitted = (await ledger.events()).filter((event) => event.scope === 'consortium' && event.fact.kind === 'admitted');
  expect(admitted.length, 'only the founders are members').toBe(4);

  await using owned = new AsyncDisposableStack();
  const [one, fake] = [institution(), institution()];
  const member = owned.use(await startPeer(one));
  member.network.setMembers(membersOf(one));
  const node = owned.use(await bareNode(fake.peerKey));
  const connection = await node.dial(multiaddr(member.address)).catch(() => undefined);
  await eventually('who is not on the ledger has no connection', () => connection === undefined || connection.status !== 'open');
  expect(member.network.counters().refusedOutsiders).toBeGreaterThan(0);
  expect(member.log.filter(({ message }) => message.includes('not an active member')).map(({ fields }) => fields['peer'])).toContain(fake.peerId);
});

attack(12, 'eclipse: all that a member knows is a liar and its crowd', 'refused', async () => {
  await using owned = new AsyncDisposableStack();
  const [victim, liar, honest] = [institution(), institution(), institution()];
  const crowd = await Promise.all(Array.from({ length: 3 }, async () => owned.use(await bareNode(institution().peerKey, names.dht))));
  const lying = owned.use(await bareNode(liar.peerKey, names.dht));
  const addressOf = (node: (typeof crowd)[number]) => node.getMultiaddrs()[0] ?? multiaddr('/ip4/127.0.0.1/tcp/1');
  await lying.handle(names.hello, async (stream) => {
    stream.send(framed(encodeHello(await helloOf(liar))));
  });
  for (const node of crowd) await lying.peerStore.merge(node.peerId, { multiaddrs: [addressOf(node)] });
  await lying.peerStore.merge(peerIdFromString(honest.peerId), {
    multiaddrs: crowd.map((node) =>
      multiaddr(
        addressOf(node)
          .toString()
          .replace(/\/p2p\/.*/, ''),
      ),
    ),
  });
  const peer = owned.use(await startPeer(victim, { knows: addressOf(lying).toString() }));
  peer.network.setMembers(membersOf(victim, liar, honest));
  await eventually('the victim talks to the liar', () => peer.network.connections().length === 1);
  await realClock.sleep(3_000, open);
  expect(
    peer.network.connections().map(({ peerId }) => peerId),
    'nobody of the crowd stands in for the honest member',
  ).toEqual([liar.peerId]);
  for (const node of crowd) await node.dial(multiaddr(peer.address)).catch(() => undefined);
  await eventually('the crowd is refused by peer id', () => peer.network.counters().refusedOutsiders >= crowd.length);
  const other = owned.use(await startPeer(honest, { knows: peer }));
  other.network.setMembers(membersOf(victim, liar, honest));
  await eventually('one true address is enough', () => reaches(peer, other));
});

attack(15, 'giant, slow and countless messages', 'bounded', async () => {
  await using owned = new AsyncDisposableStack();
  const [victim, flooder, honest] = [institution(), institution(), institution()];
  const peer = owned.use(await startPeer(victim));
  const other = owned.use(await startPeer(honest, { knows: peer }));
  for (const each of [peer, other]) each.network.setMembers(membersOf(victim, flooder, honest));
  const node = owned.use(await bareNode(flooder.peerKey));
  const connection = await node.dial(multiaddr(peer.address));
  const hello = await connection.newStream(names.hello);
  const answered = new Heard(hello);
  hello.send(framed(encodeHello(await helloOf(flooder))));
  await eventually('the flooder is let in as the member that it is', () => answered.bytes.byteLength > 100 && reaches(peer, other));

  const memory = () => process.memoryUsage().arrayBuffers;
  const before = memory();
  for (const stated of [maxControlSizeBytes + 1, 2 ** 31, 2 ** 32 - 1]) {
    const giant = await connection.newStream(names.control);
    const heard = new Heard(giant);
    giant.send(framed(new Uint8Array(1_000), stated));
    await eventually('a giant frame ends its stream before anything is kept', () => heard.end !== 'open');
  }
  expect(memory() - before, 'bytes that a stated length made the peer allocate').toBeLessThan(16 * 2 ** 20);

  const slow = await Promise.all(Array.from({ length: 12 }, () => connection.newStream(names.control).catch(() => undefined)));
  for (const stream of slow) if (stream?.status === 'open') stream.send(new Uint8Array([0, 0]));
  await realClock.sleep(200, open);
  const stillOpen = slow.filter((stream) => stream?.status === 'open').length;
  expect(stillOpen, 'streams of one connection').toBeLessThanOrEqual(4);

  const content = freshContent(64);
  peer.offer = () => content.bytes;
  const reading = await connection.newStream(names.content);
  const ended = new Heard(reading);
  reading.pause();
  const request = Buffer.concat([Buffer.from(content.root, 'hex'), Buffer.from([0, 0, 0, 1])]);
  for (let at = 0; at < 500 && reading.status === 'open'; at++) reading.send(framed(request));
  await eventually('who asks for more than is queued loses the stream', () => ended.end !== 'open');
  expect(memory() - before, 'bytes kept for one that does not read').toBeLessThan(16 * 2 ** 20 + content.sizeBytes + chunkSizeBytes);

  other.network.send(victim.peerId, Buffer.from('meanwhile'));
  await eventually('the honest are heard', () => peer.received.some(({ from, text }) => from === honest.peerId && text === 'meanwhile'));
});
