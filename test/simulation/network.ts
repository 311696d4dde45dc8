/** The simulated network: control messages that are late, lost, doubled, out of order or garbled, and content by its root from whoever can be reached. */
import {
  type Chance,
  chunkCount,
  chunkSizeBytes,
  type Digest,
  digestBytes,
  equalBytes,
  leafHash,
  leavesOf,
  merkleRoot,
  type PeerId,
} from '../../src/common/index.ts';
import { networkErrors } from '../../src/network/errors.ts';
import type { Content, ContentSink, Network } from '../../src/network/index.ts';
import type { Access } from './disk.ts';
import type { Events } from './events.ts';

const letters = 'ABCDEFGHJKLMNPQR';

/** The peer id of a member in the simulation: its letter, 44 times. */
export function peerIdOf(member: number): PeerId {
  return `12D3KooW${(letters[member] ?? 'Z').repeat(44)}` as PeerId;
}

/** The member behind a peer id. */
export function memberOf(peer: PeerId): number {
  return letters.indexOf(peer.slice(-1));
}

/** What happens to messages, as the world draws it. */
export interface NetworkWays {
  readonly latencyMs: () => number;
  readonly loses: () => boolean;
  readonly doubles: () => boolean;
  /** The bytes as they arrive: the same ones, or garbled ones. */
  readonly garble: (bytes: Uint8Array) => Uint8Array;
  /** Whether two members can reach each other now. */
  readonly reachable: (from: number, to: number) => boolean;
  readonly sent: (from: number, to: number, bytes: Uint8Array) => void;
  readonly lost: (from: number, to: number) => void;
  readonly arrive: (from: number, to: number, bytes: Uint8Array, original: Uint8Array) => void;
  readonly offered: (by: number, root: Digest) => Uint8Array | undefined;
}

/** One incarnation's network. */
export function networkPort(self: number, time: Events, access: Access, ways: NetworkWays): Network {
  const deliver = (to: number, bytes: Uint8Array): void => {
    if (ways.loses() || !ways.reachable(self, to)) return ways.lost(self, to);
    time.after(ways.latencyMs(), () => {
      if (ways.reachable(self, to)) ways.arrive(self, to, ways.garble(bytes), bytes);
      else ways.lost(self, to);
    });
  };
  const send = (peer: PeerId, bytes: Uint8Array): void =>
    access.act('send', () => {
      const to = memberOf(peer);
      ways.sent(self, to, bytes);
      deliver(to, bytes);
      if (ways.doubles()) deliver(to, bytes);
    });
  const wait = (): Promise<void> => new Promise((resolve) => time.after(ways.latencyMs(), resolve));
  /** One chunk from one holder, written where it fits; what was written stays when the next one is lost. */
  const fetched = async ({ root, sizeBytes }: Content, sink: ContentSink, there: number, index: number): Promise<boolean> => {
    await wait();
    const bytes = ways.reachable(self, there) && !ways.loses() ? ways.offered(there, root) : undefined;
    await wait();
    if (!bytes || !ways.reachable(self, there)) return false;
    const start = index * chunkSizeBytes;
    const chunk = ways.garble(bytes.subarray(start, start + chunkSizeBytes));
    const list = leavesOf(bytes);
    const fits = bytes.length === sizeBytes && equalBytes(merkleRoot(list), digestBytes(root)) && equalBytes(leafHash(chunk), list[index] ?? new Uint8Array(0));
    if (!fits) return false;
    if (!sink.leaves) sink.begin(Buffer.concat(list));
    sink.write(index, chunk);
    return true;
  };
  return {
    peerId: peerIdOf(self),
    addresses: [],
    setMembers: () => undefined,
    send,
    fetch: async (content, sink, holders, { range }) => {
      const first = range?.first ?? 0;
      const wanted = Array.from({ length: range?.count ?? chunkCount(content.sizeBytes) }, (_, at) => first + at);
      const missing = wanted.filter((index) => !sink.has(index));
      for (const holder of holders) {
        while (missing.length > 0 && (await fetched(content, sink, memberOf(holder), missing[0] ?? 0))) missing.shift();
        if (missing.length === 0) return;
      }
      throw networkErrors.NETWORK_NOT_FETCHED({ root: content.root, holders: holders.length, reasons: ['simulated'] });
    },
    connections: () => [],
    counters: () => ({
      refusedOutsiders: 0,
      refusedHellos: 0,
      refusedVersions: 0,
      messagesIn: 0,
      messagesOut: 0,
      messagesDropped: 0,
      bytesIn: 0,
      bytesOut: 0,
      contentBytesOut: 0,
      badChunks: 0,
    }),
    incompatible: () => new Map(),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A copy with one bit turned. */
export function garbled(bytes: Uint8Array, chance: Chance): Uint8Array {
  const copy = new Uint8Array(bytes);
  const at = chance.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
  return copy;
}
