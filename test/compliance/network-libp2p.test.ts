/** The network suite on libp2p over TCP on loopback, and what only this adapter can be asked: nodes that follow no rule of ours. */
import { randomBytes } from 'node:crypto';
import type { Connection, MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { type Clock, chunkSizeBytes, digestBytes } from '../../src/common/index.ts';
import { createNetwork } from '../../src/network/index.ts';
import { maxConnectionsPerPeer, maxInboundStreams, maxWriteBufferBytes } from '../../src/network/limits.ts';
import { encodeHello } from '../../src/wire/index.ts';
import { messageType } from '../../src/wire/messages.ts';
import { bareNode, framed, Heard, protocolsOf } from '../support/bare-node.ts';
import { realClock } from '../support/clock.ts';
import { consortium, eventually, freshContent, helloOf, institution, membersOf, type NetworkPeer, reaches, startPeer } from '../support/network.ts';
import { Relay } from '../support/relay.ts';
import { networkCompliance } from './network.ts';

networkCompliance('libp2p over TCP', createNetwork);

const open = { signal: new AbortController().signal };
const names = protocolsOf(consortium);
const listIndex = 0xffff_ffff;

/** A member's network and a bare node that has the keys of another member. */
async function facing(
  owned: AsyncDisposableStack,
  clock?: Clock,
  raw: (connection: MessageStream) => void = () => undefined,
  made: (muxer: StreamMuxer) => void = () => undefined,
) {
  const muxers = (): StreamMuxerFactory => {
    const factory: StreamMuxerFactory = yamux()();
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      raw(connection);
      const muxer = create(connection);
      made(muxer);
      return muxer;
    };
    return factory;
  };
  const [one, two] = [institution(), institution()];
  const start: typeof createNetwork = (identity, options, handlers, parts) =>
    createNetwork(identity, options, handlers, { ...parts, ...(clock ? { clock } : {}) });
  const member = owned.use(await startPeer(one, {}, start));
  member.network.setMembers(membersOf(one, two));
  const bare = owned.use(await bareNode(two.peerKey, undefined, muxers));
  const dial = (): Promise<Connection> => bare.dial(multiaddr(member.address));
  return { member, bare, two, dial };
}

async function sayHello(connection: Connection, bytes: Uint8Array): Promise<Heard> {
  const stream = await connection.newStream(names.hello);
  const heard = new Heard(stream);
  stream.send(framed(bytes));
  return heard;
}

function request(root: string, index: number): Uint8Array {
  const bytes = Buffer.alloc(36);
  Buffer.from(root, 'hex').copy(bytes);
  bytes.writeUInt32BE(index, 32);
  return new Uint8Array(bytes);
}

function reasons(peer: NetworkPeer): readonly string[] {
  return peer.log.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields['reason'] ?? ''));
}

describe('libp2p, faced with a node that follows no rule', () => {
  it('answers nothing before a hello: neither messages nor content', async () => {
    await using owned = new AsyncDisposableStack();
    const { member, dial } = await facing(owned);
    const content = freshContent(1);
    member.offer = () => content.bytes;
    const connection = await dial();
    for (const name of [names.control, names.content]) {
      const stream = await connection.newStream(name).catch(() => undefined);
      if (!stream) continue;
      const heard = new Heard(stream);
      if (stream.status === 'open') stream.send(framed(name === names.control ? Buffer.from('x') : request(content.root, 0)));
      await eventually('the stream was ended', () => heard.end !== 'open' || stream.status !== 'open');
      expect(heard.bytes.byteLength).toBe(0);
    }
    expect([member.asked, member.received]).toEqual([0, []]);
  });

  it('ends a connection on which no hello comes', async () => {
    await using owned = new AsyncDisposableStack();
    const hurried: Clock = {
      ...realClock,
      sleep: (ms, options) => realClock.sleep(ms / 20, options),
      timeout: (ms, options) => realClock.timeout(ms / 20, options),
    };
    const { member, bare, dial } = await facing(owned, hurried);
    const connection = await dial();
    await eventually('it is closed', () => connection.status !== 'open');
    expect(bare.getConnections()).toEqual([]);
    expect(reasons(member)).toContainEqual(expect.stringContaining('none came in time'));
  });

  it.for([
    ['of another consortium', 'it belongs to another consortium'],
    ['of another peer id', 'it names another peer id than the connection'],
    ['that is no hello', 'hello'],
    ['that is empty', 'hello'],
  ] as const)('refuses a hello %s and ends the connection', async ([what, reason]) => {
    await using owned = new AsyncDisposableStack();
    const { member, two, dial } = await facing(owned);
    const bytes = {
      'of another consortium': encodeHello(await helloOf(two, { contract: institution().account })),
      'of another peer id': encodeHello(await helloOf({ ...two, peerId: institution().peerId })),
      'that is no hello': new Uint8Array(randomBytes(300)),
      'that is empty': new Uint8Array(0),
    }[what];
    const connection = await dial();
    const heard = await sayHello(connection, bytes);
    await eventually('it is closed', () => connection.status !== 'open');
    expect(heard.bytes.byteLength).toBe(0);
    expect(member.network.counters().refusedHellos).toBe(1);
    expect(member.network.connections()).toEqual([]);
    expect(reasons(member)).toContainEqual(expect.stringContaining(reason));
  });

  it('accepts the hello of a peer that knows no list of versions, and answers so that such a peer can read it', async () => {
    await using owned = new AsyncDisposableStack();
    const { member, two, dial } = await facing(owned);
    const { versions: _, ...hello } = await helloOf(two);
    const type = messageType('Hello');
    const heard = await sayHello(await dial(), type.encode(type.fromObject({ ...hello, version: 1 })).finish());
    await eventually('it is connected', () => member.network.connections().length === 1);
    expect(member.network.connections()[0]?.versions).toEqual([1]);
    await eventually('the hello was answered', () => heard.bytes.byteLength > 100);
    expect(type.toObject(type.decode(heard.frame() ?? new Uint8Array(0)))['version']).toBe(1);
  });

  it('keeps nothing of a frame whose stated length is over the limit, and ends that stream only', async () => {
    await using owned = new AsyncDisposableStack();
    const { member, two, dial } = await facing(owned);
    const connection = await dial();
    const hello = await sayHello(connection, encodeHello(await helloOf(two)));
    await eventually('the hello was answered', () => hello.bytes.byteLength > 100);
    for (const [name, limit] of [[names.control, 65_536] as const, [names.content, 36] as const]) {
      const stream = await connection.newStream(name);
      const heard = new Heard(stream);
      stream.send(framed(new Uint8Array(10), limit + 1));
      await eventually('the stream was ended', () => heard.end !== 'open');
    }
    expect(connection.status).toBe('open');
    const stream = await connection.newStream(names.control);
    const cut = framed(Buffer.from('in three pieces')).subarray();
    for (const [from, to] of [
      [0, 2],
      [2, 9],
      [9, cut.length],
    ] as const) {
      stream.send(cut.slice(from, to));
      await realClock.sleep(30, open);
    }
    await eventually('a message in pieces arrives whole', () => member.received.length > 0);
    expect(member.received).toEqual([{ from: two.peerId, text: 'in three pieces' }]);
  });

  it('ends a connection by the header of a frame that states more than it may, and keeps nothing of it', async () => {
    await using owned = new AsyncDisposableStack();
    const raw: MessageStream[] = [];
    const { member, bare, dial } = await facing(owned, undefined, (connection) => raw.push(connection));
    await dial();
    const head = Buffer.alloc(12);
    head.writeUInt32BE(1, 4);
    head.writeUInt32BE(1024 ** 3, 8);
    const before = process.memoryUsage().rss;
    raw[0]?.send(new Uint8Array(head));
    for (let piece = 0; piece < 3_000 && raw[0]?.status === 'open'; piece++) {
      raw[0].send(new Uint8Array(64 * 1024));
      if (piece % 20 === 0) await realClock.sleep(1, open);
    }
    await eventually('the connection was ended', () => bare.getConnections().length === 0);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    expect(member.network.connections()).toEqual([]);
  });

  it('ends a connection whose streams bring much without a protocol that may, and refuses streams over their number', async () => {
    await using owned = new AsyncDisposableStack();
    const muxers: StreamMuxer[] = [];
    const { bare, two, dial } = await facing(owned, undefined, undefined, (muxer) => muxers.push(muxer));
    const connection = await dial();
    const hello = await sayHello(connection, encodeHello(await helloOf(two)));
    await eventually('the hello was answered', () => hello.bytes.byteLength > 100);
    const streams = await Promise.all(Array.from({ length: maxInboundStreams + 20 }, () => muxers[0]?.createStream()));
    await eventually('those over the number are reset', () => streams.filter((stream) => stream?.status === 'reset').length >= 20);
    expect(connection.status).toBe('open');
    for (const stream of streams) stream?.abort(new Error('enough'));
    const talker = await connection.newStream(names.dht);
    talker.send(new Uint8Array([0xc0, 0x8d, 0xb7, 0x01]));
    for (let piece = 0; piece < 40 && talker.status === 'open'; piece++) talker.send(new Uint8Array(1_000));
    await eventually('the connection was ended', () => bare.getConnections().length === 0);
  });

  it('lives on where the other side ends the stream of the hello at once', async () => {
    await using owned = new AsyncDisposableStack();
    const rejected: unknown[] = [];
    const note = (reason: unknown): void => void rejected.push(reason);
    process.on('unhandledRejection', note);
    owned.defer(() => void process.off('unhandledRejection', note));
    const [one, two] = [institution(), institution()];
    const bare = owned.use(await bareNode(two.peerKey));
    await bare.handle(names.hello, (stream) => stream.abort(new Error('no')));
    const member = owned.use(await startPeer(one, { knows: bare.getMultiaddrs()[0]?.toString() ?? '' }));
    member.network.setMembers(membersOf(one, two));
    await eventually('the connection was ended', () => member.log.filter(({ message }) => message === 'a connection was ended').length > 1);
    expect(rejected).toEqual([]);
  });

  it('lets one member have no more than a few connections', async () => {
    await using owned = new AsyncDisposableStack();
    const { member, bare } = await facing(owned);
    for (let time = 0; time < 6; time++) await bare.dial(multiaddr(member.address), { force: true }).catch(() => undefined);
    await eventually('the others are closed', () => bare.getConnections().length <= maxConnectionsPerPeer);
    expect(bare.getConnections().length).toBeGreaterThan(0);
  });

  it('keeps little in memory for a receiver that does not read, and serves it all once it does', async () => {
    await using owned = new AsyncDisposableStack();
    const { member, two, dial } = await facing(owned);
    const content = freshContent(200);
    member.offer = () => content.bytes;
    const connection = await dial();
    const hello = await sayHello(connection, encodeHello(await helloOf(two)));
    await eventually('the hello was answered', () => hello.bytes.byteLength > 100);
    const streams = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const stream = await connection.newStream(names.content);
        stream.pause();
        const heard = new Heard(stream);
        for (let index = 0; index < 60; index++) stream.send(framed(request(content.root, index)));
        return { stream, heard };
      }),
    );
    await realClock.sleep(1_500, open);
    const waiting = member.asked;
    await realClock.sleep(1_000, open);
    expect(member.asked).toBe(waiting);
    expect(waiting).toBeGreaterThan(0);
    const onTheWay = 512 * 1024;
    expect(waiting * chunkSizeBytes).toBeLessThanOrEqual(4 * (maxWriteBufferBytes + 2 * onTheWay + chunkSizeBytes));
    for (const { stream } of streams) stream.resume();
    const [first] = streams;
    let frames = 0;
    await eventually('the first stream brings all', () => {
      while (first?.heard.frame()) frames++;
      return frames === 60;
    });
  });

  it('ends a stream that asks for more at once than the holder queues', async () => {
    await using owned = new AsyncDisposableStack();
    const { member, two, dial } = await facing(owned);
    const content = freshContent(200);
    member.offer = () => content.bytes;
    const connection = await dial();
    const hello = await sayHello(connection, encodeHello(await helloOf(two)));
    await eventually('the hello was answered', () => hello.bytes.byteLength > 100);
    const stream = await connection.newStream(names.content);
    stream.pause();
    const heard = new Heard(stream);
    for (let index = 0; index < 400 && stream.status === 'open'; index++) stream.send(framed(request(content.root, index % 200)));
    await eventually('the stream was ended', () => heard.end !== 'open');
    expect(connection.status).toBe('open');
    expect(member.asked).toBeLessThan(400);
  });

  it('gives nothing for content that it does not have, for an index beyond it, or for a request of another size', async () => {
    await using owned = new AsyncDisposableStack();
    const { member, two, dial } = await facing(owned);
    const content = freshContent(1);
    member.offer = (root) => (root === content.root ? content.bytes : undefined);
    const connection = await dial();
    const hello = await sayHello(connection, encodeHello(await helloOf(two)));
    await eventually('the hello was answered', () => hello.bytes.byteLength > 100);
    const stream = await connection.newStream(names.content);
    const heard = new Heard(stream);
    for (const [root, index] of [
      ['ab'.repeat(32), listIndex],
      [content.root, 7],
    ] as const)
      stream.send(framed(request(root, index)));
    const answers: Uint8Array[] = [];
    await eventually('both are answered', () => {
      for (let frame = heard.frame(); frame; frame = heard.frame()) answers.push(frame);
      return answers.length === 2;
    });
    expect(answers.map(({ length }) => length)).toEqual([4, 4]);
    stream.send(framed(digestBytes(content.root)));
    await eventually('a short request ends the stream', () => heard.end !== 'open');
  });

  it('tells an outsider no address: it has no more than the one it came with', async () => {
    await using owned = new AsyncDisposableStack();
    const [one, two, three] = [institution(), institution(), institution()];
    const a = owned.use(await startPeer(one));
    const b = owned.use(await startPeer(two, { knows: a }));
    for (const peer of [a, b]) peer.network.setMembers(membersOf(one, two));
    await eventually('the members are connected', () => a.network.connections().length === 1);
    const outsider = owned.use(await bareNode(three.peerKey, names.dht));
    for (let time = 0; time < 5; time++) {
      await outsider.dial(multiaddr(a.address)).catch(() => undefined);
      await realClock.sleep(200, open);
    }
    expect(outsider.getConnections()).toEqual([]);
    const known = await outsider.peerStore.all();
    const addresses = known
      .filter(({ id }) => !id.equals(outsider.peerId))
      .flatMap((peer) => peer.addresses.map(({ multiaddr: address }) => address.toString()));
    expect(addresses.every((address) => a.address.startsWith(address))).toBe(true);
    expect(known.some(({ id }) => id.toString() === two.peerId)).toBe(false);
    expect(a.network.counters().refusedOutsiders).toBeGreaterThanOrEqual(5);
  });
});

describe('a line that falls silent without a word', () => {
  it('is noticed at both ends, and messages go through again once it carries', { timeout: 180_000 }, async () => {
    await using owned = new AsyncDisposableStack();
    const institutions = [institution(), institution()] as const;
    const a = owned.use(await startPeer(institutions[0], {}, createNetwork));
    const line: { state: 'open' | 'silent' } = { state: 'open' };
    const relay = owned.use(await Relay.listen({ port: Number(/tcp\/(\d+)/.exec(a.address)?.[1]), callerOf: () => 0, lineOf: () => line }));
    const b = owned.use(await startPeer(institutions[1], { knows: a.address.replace(/tcp\/\d+/, `tcp/${relay.port}`) }, createNetwork));
    for (const peer of [a, b]) peer.network.setMembers(membersOf(...institutions));
    await eventually('they are connected', () => reaches(a, b) && reaches(b, a));
    line.state = 'silent';
    relay.enforce();
    const noticed = (peer: NetworkPeer): boolean => peer.log.some(({ message }) => message.includes('fallen silent'));
    await eventually('both notice', () => noticed(a) && noticed(b), 90_000);
    line.state = 'open';
    const sent = (): boolean => {
      a.network.send(b.of.peerId, new Uint8Array([97]));
      b.network.send(a.of.peerId, new Uint8Array([98]));
      return a.received.length > 0 && b.received.length > 0;
    };
    await eventually('messages go through', sent, 60_000);
  });
});
