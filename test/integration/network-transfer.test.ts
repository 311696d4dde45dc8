/** 64 MiB over libp2p on loopback between real stores: what is lost when a holder, a receiver or its process goes, in bytes on the wire. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Clock, chunkCount, chunkSizeBytes } from '../../src/common/index.ts';
import { createNetwork, type NetworkHandlers } from '../../src/network/index.ts';
import { chunksAhead, widenMs } from '../../src/network/limits.ts';
import { BlobStore } from '../../src/peer/store/blobs.ts';
import { realClock } from '../support/clock.ts';
import { contentOf, eventually, institution, membersOf, type NetworkPeer, reaches, startPeer } from '../support/network.ts';

const sizeBytes = 64 * 1024 * 1024 + 1_000;
const count = chunkCount(sizeBytes);
const listBytes = 32 * count;
const open = { signal: new AbortController().signal };
const aheadBytes = chunksAhead.most * (chunkSizeBytes + 4);

interface Site {
  readonly peer: NetworkPeer;
  readonly store: BlobStore;
  /** Called before each answer with the number of answers so far. */
  before: (answers: number) => void;
  answers: number;
}

function home(owned: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-transfer-'));
  owned.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Sites with real stores, all connected with all; `clock` is that of the first one. */
async function sites(owned: AsyncDisposableStack, number: number, clock: Clock = realClock): Promise<readonly [Site, Site, Site]> {
  const institutions = Array.from({ length: number }, institution);
  const all: Site[] = [];
  for (const of of institutions) {
    const store = new BlobStore(home(owned));
    const start: typeof createNetwork = (identity, options, handlers, parts) => {
      const content: NetworkHandlers['content'] = (root) => {
        site.before(++site.answers);
        return store.reader(root);
      };
      return createNetwork(identity, options, { ...handlers, content }, { ...parts, clock: all.length === 0 ? clock : realClock });
    };
    const site: Site = { peer: undefined as never, store, before: () => undefined, answers: 0 };
    const known = all.at(-1)?.peer;
    all.push(Object.assign(site, { peer: owned.use(await startPeer(of, known ? { knows: known } : {}, start)) }));
  }
  for (const { peer } of all) peer.network.setMembers(membersOf(...institutions));
  await eventually('all are connected', () => all.every((site) => reaches(site.peer, ...all.filter((other) => other !== site).map(({ peer }) => peer))));
  return all as unknown as readonly [Site, Site, Site];
}

describe('64 MiB', () => {
  const content = contentOf(new Uint8Array(randomBytes(sizeBytes)));

  it('come whole when the holder is killed in the middle, and beyond what was in flight no chunk comes twice', async () => {
    await using owned = new AsyncDisposableStack();
    const [a, b, c] = await sites(owned, 3);
    for (const { store } of [b, c]) store.put(content.bytes);
    const killed = Promise.withResolvers<void>();
    b.before = (answers) => {
      if (answers === 500) b.peer.network[Symbol.asyncDispose]().then(killed.resolve, killed.reject);
    };
    const partial = a.store.partial(content);
    await a.peer.network.fetch(content, partial, [b.peer.of.peerId, c.peer.of.peerId], open);
    expect(await partial.complete()).toBe(true);
    await killed.promise;
    expect(Buffer.compare(a.store.get(content.root) ?? new Uint8Array(0), content.bytes)).toBe(0);
    const { bytesIn } = a.peer.network.counters();
    expect(bytesIn).toBeGreaterThanOrEqual(sizeBytes + listBytes);
    expect(bytesIn, 'bytes on the wire').toBeLessThanOrEqual(sizeBytes + listBytes + 4 * (count + 2) + aheadBytes);
    expect(c.answers).toBeLessThan(count - 400);
  });

  it('go on after the receiver was stopped in the middle, from its disk, at another holder', async () => {
    await using owned = new AsyncDisposableStack();
    const [a, b, c] = await sites(owned, 3);
    for (const { store } of [b, c]) store.put(content.bytes);
    const stop = new AbortController();
    b.before = (answers) => {
      if (answers === 700) stop.abort();
    };
    const folder = home(owned);
    await expect(a.peer.network.fetch(content, new BlobStore(folder).partial(content), [b.peer.of.peerId], stop)).rejects.toMatchObject({
      code: 'NETWORK_NOT_FETCHED',
    });
    const store = new BlobStore(folder);
    const partial = store.partial(content);
    await a.peer.network.fetch(content, partial, [c.peer.of.peerId], open);
    expect(await partial.complete()).toBe(true);
    expect(Buffer.compare(store.get(content.root) ?? new Uint8Array(0), content.bytes)).toBe(0);
    expect(c.answers, 'neither the list nor what was there is asked for again').toBeLessThanOrEqual(count - 700 + chunksAhead.most);
    expect(a.peer.network.counters().bytesIn).toBeLessThanOrEqual(sizeBytes + listBytes + 4 * (count + 2) + aheadBytes);
  });

  it('come from several holders at one time where it lasts, from one that has a part of them, and in spite of one that is damaged', async () => {
    await using owned = new AsyncDisposableStack();
    const hurried: Clock = { ...realClock, sleep: (ms, options) => realClock.sleep(ms === widenMs ? 2 : ms, options) };
    const [a, b, c, d, e] = (await sites(owned, 5, hurried)) as unknown as readonly [Site, Site, Site, Site, Site];
    for (const { store } of [b, c]) store.put(content.bytes);
    const part = d.store.partial(content);
    part.begin(new Uint8Array(b.store.reader(content.root)?.leaves() ?? []));
    for (let index = 0; index < 200; index++) part.write(index, content.bytes.slice(index * chunkSizeBytes, (index + 1) * chunkSizeBytes));
    const wrong = contentOf(content.bytes.map((byte) => byte ^ 1));
    e.store.put(wrong.bytes);
    const lying = e.store.reader.bind(e.store);
    e.store.reader = () => lying(wrong.root);
    const partial = a.store.partial(content);
    await a.peer.network.fetch(
      content,
      partial,
      [d, e, b, c].map(({ peer }) => peer.of.peerId),
      open,
    );
    expect(await partial.complete()).toBe(true);
    expect(Buffer.compare(a.store.get(content.root) ?? new Uint8Array(0), content.bytes)).toBe(0);
    for (const site of [b, c]) expect(site.answers).toBeGreaterThan(50);
    expect(d.answers, 'what a holder lacks is asked of it once').toBeLessThanOrEqual(1 + count);
    expect(a.peer.network.counters().badChunks).toBe(1);
    expect(reaches(a.peer, e.peer)).toBe(true);
  });

  it('are fetched by a range, and nothing else is asked for', async () => {
    await using owned = new AsyncDisposableStack();
    const [a, b] = await sites(owned, 2);
    b.store.put(content.bytes);
    const partial = a.store.partial(content);
    await a.peer.network.fetch(content, partial, [b.peer.of.peerId], { ...open, range: { first: 300, count: 100 } });
    expect(b.answers).toBe(101);
    const from = 300 * chunkSizeBytes;
    expect(
      Buffer.compare(a.store.read(content.root, from, 100 * chunkSizeBytes) ?? new Uint8Array(0), content.bytes.subarray(from, from + 100 * chunkSizeBytes)),
    ).toBe(0);
    expect([299, 400].map((index) => partial.has(index))).toEqual([false, false]);
  });
});
