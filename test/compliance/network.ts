/** What every network must do, whatever carries the bytes. An adapter's test file calls `networkCompliance` with its factory. */
import { describe, expect, it } from 'vitest';
import { chunkSizeBytes, isSwarmError } from '../../src/common/index.ts';
import { chunksAhead } from '../../src/network/limits.ts';
import { realClock } from '../support/clock.ts';
import {
  contentOf,
  eventually,
  fetchWhole,
  freshContent,
  helloOf,
  type Institution,
  institution,
  membersOf,
  type NetworkPeer,
  reaches,
  type StartNetwork,
  startPeer,
} from '../support/network.ts';

const open = { signal: new AbortController().signal };
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export function networkCompliance(name: string, start: StartNetwork): void {
  const startWith = (of: Institution, options: Parameters<typeof startPeer>[1] = {}) => startPeer(of, options, start);

  /** Members in a row, each told of the one before it, all connected with all. */
  async function connected(owned: AsyncDisposableStack, count: number): Promise<readonly [NetworkPeer, NetworkPeer, ...NetworkPeer[]]> {
    const institutions = Array.from({ length: count }, institution);
    const peers: NetworkPeer[] = [];
    for (const of of institutions) {
      const before = peers.at(-1);
      peers.push(owned.use(await startWith(of, before ? { knows: before } : {})));
    }
    for (const peer of peers) peer.network.setMembers(membersOf(...institutions));
    await eventually('everybody is connected', () => peers.every((peer) => reaches(peer, ...peers.filter((other) => other !== peer))));
    const [first, second, ...others] = peers;
    if (!first || !second) throw new Error('at least two');
    return [first, second, ...others];
  }

  describe(`the network on ${name}`, () => {
    it('carries messages both ways, in order, and tells who sent them', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b] = await connected(owned, 2);
      for (let at = 0; at < 50; at++) {
        a.network.send(b.of.peerId, bytesOf(`to b ${at}`));
        b.network.send(a.of.peerId, bytesOf(`to a ${at}`));
      }
      await eventually('all have arrived', () => a.received.length === 50 && b.received.length === 50);
      expect(b.received).toEqual(Array.from({ length: 50 }, (_, at) => ({ from: a.of.peerId, text: `to b ${at}` })));
      expect(a.received).toEqual(Array.from({ length: 50 }, (_, at) => ({ from: b.of.peerId, text: `to a ${at}` })));
      expect(a.network.counters()).toMatchObject({ messagesOut: 50, messagesIn: 50, messagesDropped: 0 });
      expect(a.network.connections()).toMatchObject([{ peerId: b.of.peerId, account: b.of.account }]);
    });

    it('drops and counts a message to somebody who is not connected', async () => {
      await using owned = new AsyncDisposableStack();
      const [a] = await connected(owned, 2);
      a.network.send(institution().peerId, bytesOf('nobody'));
      expect(a.network.counters().messagesDropped).toBe(1);
    });

    it.for([0, 1, 5, 40])('fetches content of %i whole chunks and a rest by its root', async (chunks) => {
      await using owned = new AsyncDisposableStack();
      const [a, b] = await connected(owned, 2);
      const content = freshContent(chunks);
      b.offer = (root) => (root === content.root ? content.bytes : undefined);
      expect(Buffer.compare(await fetchWhole(a.network, content, [b.of.peerId], open), content.bytes)).toBe(0);
      expect(b.asked).toBe(1 + chunks + 1);
    });

    it('goes on with the next holder where one does not have the content', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b, c] = (await connected(owned, 3)) as [NetworkPeer, NetworkPeer, NetworkPeer];
      const content = freshContent(3);
      c.offer = () => content.bytes;
      const bytes = await fetchWhole(a.network, content, [institution().peerId, b.of.peerId, c.of.peerId], open);
      expect(Buffer.compare(bytes, content.bytes)).toBe(0);
      expect(b.asked).toBe(1);
    });

    it('refuses a wrong list and a wrong chunk, says who sent it, and goes on with the next holder', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b, c] = (await connected(owned, 3)) as [NetworkPeer, NetworkPeer, NetworkPeer];
      const content = freshContent(6);
      const forged = new Uint8Array(content.bytes);
      forged.set([(forged.at(3 * chunkSizeBytes + 17) ?? 0) ^ 1], 3 * chunkSizeBytes + 17);
      c.offer = () => content.bytes;
      for (const offer of [() => forged, (_: string, request: number) => (request === 1 ? content.bytes : forged)]) {
        b.asked = 0;
        b.offer = offer;
        expect(Buffer.compare(await fetchWhole(a.network, content, [b.of.peerId, c.of.peerId], open), content.bytes)).toBe(0);
      }
      const refusals = a.log.filter(({ message }) => message === 'a wrong chunk was refused');
      expect(refusals.map(({ fields }) => fields['peer'])).toEqual([b.of.peerId, b.of.peerId]);
      expect(reaches(a, b, c)).toBe(true);
    });

    it('refuses content of another length than was asked for', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b] = await connected(owned, 2);
      const content = freshContent(2);
      b.offer = () => content.bytes;
      for (const sizeBytes of [content.sizeBytes - 1, content.sizeBytes + 1, content.sizeBytes + chunkSizeBytes]) {
        const outcome = await fetchWhole(a.network, { root: content.root, sizeBytes }, [b.of.peerId], open).catch((error: unknown) => error);
        expect(isSwarmError(outcome, 'NETWORK_NOT_FETCHED')).toBe(true);
      }
    });

    it('goes on with the next holder where one dies in the middle', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b, c] = (await connected(owned, 3)) as [NetworkPeer, NetworkPeer, NetworkPeer];
      const content = freshContent(60);
      const ended = Promise.withResolvers<void>();
      b.offer = (_, request) => {
        if (request === 30) b.network[Symbol.asyncDispose]().then(ended.resolve, ended.reject);
        return content.bytes;
      };
      c.offer = () => content.bytes;
      expect(Buffer.compare(await fetchWhole(a.network, content, [b.of.peerId, c.of.peerId], open), content.bytes)).toBe(0);
      await ended.promise;
      expect(b.asked).toBeGreaterThanOrEqual(30);
      expect(b.asked).toBeLessThan(62);
      expect(c.asked, 'only what was missing is asked of the next').toBeLessThan(62);
      expect(b.asked + c.asked).toBeGreaterThanOrEqual(62);
      expect(b.asked + c.asked, 'beyond what was in flight nothing comes twice').toBeLessThanOrEqual(62 + chunksAhead.most);
    });

    it('says what went wrong at every holder where none gave it, and ends at once when cancelled', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b] = await connected(owned, 2);
      const content = freshContent(1);
      const outcome = await fetchWhole(a.network, content, [b.of.peerId], open).catch((error: unknown) => error);
      expect(outcome).toMatchObject({ code: 'NETWORK_NOT_FETCHED', detail: { holders: 1, reasons: [expect.stringContaining(b.of.peerId)] } });
      const cancel = new AbortController();
      b.offer = () => {
        cancel.abort();
        return content.bytes;
      };
      await expect(fetchWhole(a.network, content, [b.of.peerId], cancel)).rejects.toMatchObject({ code: 'NETWORK_NOT_FETCHED' });
    });

    it('serves many fetches at one time', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b, c] = (await connected(owned, 3)) as [NetworkPeer, NetworkPeer, NetworkPeer];
      const contents = Array.from({ length: 12 }, () => freshContent(4));
      b.offer = (root) => contents.find((content) => content.root === root)?.bytes;
      const fetched = await Promise.all([a, c].flatMap((peer) => contents.map((content) => fetchWhole(peer.network, content, [b.of.peerId], open))));
      for (const [at, bytes] of fetched.entries()) expect(contentOf(bytes).root).toBe(contents[at % contents.length]?.root);
    });

    it('lets nobody in before it knows members, and a member in as soon as it does', async () => {
      await using owned = new AsyncDisposableStack();
      const [one, two] = [institution(), institution()];
      const a = owned.use(await startWith(one));
      const b = owned.use(await startWith(two, { knows: a }));
      b.network.setMembers(membersOf(one, two));
      await eventually('b was refused', () => a.network.counters().refusedOutsiders > 0);
      expect([reaches(a, b), reaches(b, a)]).toEqual([false, false]);
      a.network.setMembers(membersOf(one, two));
      await eventually('b was admitted', () => reaches(a, b) && reaches(b, a));
    });

    it('closes the connection of a member at once when it is revoked, and refuses it from then on', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b, c] = (await connected(owned, 3)) as [NetworkPeer, NetworkPeer, NetworkPeer];
      a.network.setMembers(membersOf(a.of, c.of));
      expect(a.network.connections().map(({ peerId }) => peerId)).toEqual([c.of.peerId]);
      b.network.send(a.of.peerId, bytesOf('still here'));
      await eventually('the connection is closed at the other side too', () => !reaches(b, a));
      const { refusedOutsiders } = a.network.counters();
      await eventually('it tried again and was refused', () => a.network.counters().refusedOutsiders > refusedOutsiders);
      await expect(fetchWhole(b.network, freshContent(1), [a.of.peerId], open)).rejects.toMatchObject({ code: 'NETWORK_NOT_FETCHED' });
      expect(a.received).toEqual([]);
      expect(a.asked).toBe(0);
      expect(reaches(a, c) && reaches(c, a, b)).toBe(true);
      await realClock.sleep(2_000, open);
      expect(a.network.counters().refusedOutsiders, 'it does not call all the time').toBeLessThan(refusedOutsiders + 20);
      const named = a.log.filter(({ level, fields }) => level === 'warn' && fields['peer'] === b.of.peerId);
      expect(named.length).toBeGreaterThanOrEqual(2);
    });

    it('refuses an outsider with a valid key pair in both directions, and counts and logs it', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b] = await connected(owned, 2);
      const outsider = owned.use(await startWith(institution(), { knows: a }));
      outsider.network.setMembers(membersOf(a.of, b.of, outsider.of));
      await eventually('it came more than once', () => a.network.counters().refusedOutsiders > 1);
      const caller = owned.use(await startWith(institution(), { knows: outsider.address.replace(outsider.of.peerId, b.of.peerId) }));
      caller.network.setMembers(membersOf(caller.of, b.of));
      await eventually('a member that calls an address where an outsider answers turns away', () =>
        caller.log.some(({ message }) => message === 'not reached'),
      );
      await realClock.sleep(500, open);
      expect(outsider.network.connections()).toEqual([]);
      expect(caller.network.connections()).toEqual([]);
      expect([reaches(a, outsider), reaches(b, outsider)]).toEqual([false, false]);
      expect(a.log).toContainEqual({
        level: 'warn',
        message: 'a peer that is not an active member was refused',
        fields: { peer: outsider.of.peerId, direction: 'inbound' },
      });
      for (const peer of [a, b]) expect([peer.asked, peer.received]).toEqual([0, []]);
    });

    it.for(['account', 'peer'] as const)('refuses a hello that another %s key signed', async (which) => {
      await using owned = new AsyncDisposableStack();
      const [one, two] = [institution(), institution()];
      const a = owned.use(await startWith(one));
      const hello = await helloOf(two, which === 'account' ? { account: institution().key } : { peer: institution().peerKey });
      const b = owned.use(await startWith(two, { knows: a, hello }));
      for (const peer of [a, b]) peer.network.setMembers(membersOf(one, two));
      await eventually('it came more than once', () => a.network.counters().refusedHellos > 1);
      expect(reaches(a, b)).toBe(false);
      const reasons = a.log.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields['reason']));
      expect(reasons.some((reason) => reason.includes(which === 'account' ? 'the account did not sign it' : 'the peer key did not sign it'))).toBe(true);
    });

    it('refuses a member whose ledger account is another than its hello says', async () => {
      await using owned = new AsyncDisposableStack();
      const [one, two] = [institution(), institution()];
      const a = owned.use(await startWith(one));
      const b = owned.use(await startWith(two, { knows: a }));
      b.network.setMembers(membersOf(one, two));
      a.network.setMembers(new Map([...membersOf(one, two), [two.peerId, institution().account]]));
      await eventually('it was refused', () => a.network.counters().refusedHellos > 0);
      expect(reaches(a, b)).toBe(false);
    });

    it('finds no common ground with a peer of another consortium', async () => {
      await using owned = new AsyncDisposableStack();
      const [one, two] = [institution(), institution()];
      const a = owned.use(await startWith(one));
      const b = owned.use(await startWith(two, { knows: a, hello: await helloOf(two, { contract: institution().account }) }));
      for (const peer of [a, b]) peer.network.setMembers(membersOf(one, two));
      await eventually('the connection was ended', () => b.log.some(({ message }) => message === 'a connection was ended'));
      expect([reaches(a, b), reaches(b, a)]).toEqual([false, false]);
    });

    it('lets peers speak that have a version in common, whichever else they speak, and says which', async () => {
      await using owned = new AsyncDisposableStack();
      const [one, two] = [institution(), institution()];
      const a = owned.use(await startWith(one, { hello: await helloOf(one, { versions: [1] }) }));
      const b = owned.use(await startWith(two, { knows: a, hello: await helloOf(two, { versions: [1, 2] }) }));
      for (const peer of [a, b]) peer.network.setMembers(membersOf(one, two));
      await eventually('both are connected', () => reaches(a, b) && reaches(b, a));
      expect([a.network.connections()[0]?.versions, b.network.connections()[0]?.versions]).toEqual([[1, 2], [1]]);
      a.network.send(two.peerId, bytesOf('hello'));
      await eventually('a message arrives', () => b.received.length === 1);
    });

    it('refuses a member without a version in common, at both sides, and names both lists', async () => {
      await using owned = new AsyncDisposableStack();
      const [one, two] = [institution(), institution()];
      const a = owned.use(await startWith(one, { hello: await helloOf(one, { versions: [1, 2] }) }));
      const b = owned.use(await startWith(two, { knows: a, hello: await helloOf(two, { versions: [3] }) }));
      for (const peer of [a, b]) peer.network.setMembers(membersOf(one, two));
      await eventually('both have refused', () => [a, b].every(({ network }) => network.counters().refusedVersions > 0));
      expect([reaches(a, b), reaches(b, a)]).toEqual([false, false]);
      expect([[...a.network.incompatible()], [...b.network.incompatible()]]).toEqual([[[two.peerId, [3]]], [[one.peerId, [1, 2]]]]);
      for (const [peer, words] of [
        [a, `${two.peerId} speaks protocol version 3, this peer 1, 2: none in common`],
        [b, `${one.peerId} speaks protocol version 1, 2, this peer 3: none in common`],
      ] as const) {
        const reasons = peer.log.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields['reason']));
        expect(reasons).toContainEqual(expect.stringContaining(words));
      }
      a.network.setMembers(membersOf(one));
      expect([...a.network.incompatible()], 'who is no member any more is not listed').toEqual([]);
    });

    it('survives a message over the limit: the stream ends, the connection and later messages do not', async () => {
      await using owned = new AsyncDisposableStack();
      const [a, b] = await connected(owned, 2);
      a.network.send(b.of.peerId, new Uint8Array(65_537));
      await realClock.sleep(300, open);
      expect(reaches(a, b) && reaches(b, a)).toBe(true);
      await eventually('a later message arrives', () => {
        a.network.send(b.of.peerId, bytesOf('later'));
        return b.received.length > 0;
      });
      expect(new Set(b.received.map(({ text }) => text))).toEqual(new Set(['later']));
      const content = freshContent(2);
      b.offer = () => content.bytes;
      expect((await fetchWhole(a.network, content, [b.of.peerId], open)).length).toBe(content.sizeBytes);
    });

    /** Peer k is told only of peer k-1; peer 1 is gone before peer 4 starts. */
    async function row(owned: AsyncDisposableStack, dht: boolean): Promise<readonly [NetworkPeer, NetworkPeer]> {
      const institutions = Array.from({ length: 4 }, institution);
      const [one, two, three, four] = institutions as [Institution, Institution, Institution, Institution];
      const begin = async (of: Institution, knows?: NetworkPeer): Promise<NetworkPeer> => {
        const peer = owned.use(await startWith(of, { dht, ...(knows ? { knows } : {}) }));
        peer.network.setMembers(membersOf(...institutions));
        if (knows) await eventually('the one it was told of is connected', () => reaches(peer, knows) && reaches(knows, peer));
        return peer;
      };
      const first = await begin(one);
      const second = await begin(two, first);
      const third = await begin(three, second);
      await first.network[Symbol.asyncDispose]();
      await eventually('the first is gone', () => !reaches(second, first));
      return [second, await begin(four, third)];
    }

    it('finds by the DHT a member whose address nobody gave it, after the first member is gone', async () => {
      await using owned = new AsyncDisposableStack();
      const [second, fourth] = await row(owned, true);
      await eventually('the fourth finds the second', () => reaches(fourth, second) && reaches(second, fourth), 20_000);
      fourth.network.send(second.of.peerId, bytesOf('found'));
      await eventually('and speaks with it', () => second.received.some(({ text }) => text === 'found'));
    });

    it('does not find it where the DHT is switched off', async () => {
      await using owned = new AsyncDisposableStack();
      const [second, fourth] = await row(owned, false);
      await realClock.sleep(8_000, open);
      expect([reaches(fourth, second), reaches(second, fourth)]).toEqual([false, false]);
    });
  });
}
