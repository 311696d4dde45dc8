/** The simulated network: control messages that are late, lost, doubled, out of order or garbled, and content by its root from whoever can be reached. */
import { type Digest, digestBytes, equalBytes, leafHash, leavesOf, merkleRoot, type PeerId } from '../../src/common/index.ts';
import { networkErrors } from '../../src/network/errors.ts';
import type { Network } from '../../src/network/index.ts';
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
  return {
    peerId: peerIdOf(self),
    addresses: [],
    setMembers: () => undefined,
    send,
    fetch: async ({ root, sizeBytes }, holders) => {
      for (const holder of holders) {
        await wait();
        const there = memberOf(holder);
        const bytes = ways.reachable(self, there) && !ways.loses() ? ways.offered(there, root) : undefined;
        await wait();
        const arrived = bytes && ways.reachable(self, there) ? ways.garble(bytes) : undefined;
        if (arrived?.length === sizeBytes && fits(arrived, leavesOf(bytes ?? arrived), root)) return new Uint8Array(arrived);
      }
      throw networkErrors.NETWORK_NOT_FETCHED({ root, holders: holders.length, reasons: ['simulated'] });
    },
    connections: () => [],
    counters: () => ({ refusedOutsiders: 0, refusedHellos: 0, messagesIn: 0, messagesOut: 0, messagesDropped: 0, bytesIn: 0, bytesOut: 0 }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The receiver's check as in `src/network/content.ts`: the list against the root, each chunk against its leaf. */
function fits(bytes: Uint8Array, list: readonly Uint8Array[], root: Digest): boolean {
  const chunks = leavesOf(bytes);
  return (
    equalBytes(merkleRoot(list), digestBytes(root)) && chunks.length === list.length && chunks.every((leaf, at) => equalBytes(leaf, list[at] ?? leafHash(leaf)))
  );
}
