/**
 * The network port: members reach each other by peer id, whatever carries the bytes. `libp2p.ts` is the adapter.
 * One compliance suite (`test/compliance/network.ts`) holds for every adapter.
 */
import type { Account, Digest, PeerId } from '../common/index.ts';
import type { Hello } from '../wire/index.ts';

/** Bytes that members may fetch by their Merkle root over chunks of 64 KiB. */
export interface Content {
  readonly root: Digest;
  readonly sizeBytes: number;
}

/** A member that is connected now, after both hellos were checked. */
export interface Connection {
  readonly peerId: PeerId;
  readonly account: Account;
  /** The address it is reached by. */
  readonly address: string;
  /** Newest round trip in milliseconds; undefined before the first. */
  readonly roundTripMs: number | undefined;
}

/** What happened on this peer's network since it started. */
export interface NetworkCounters {
  /** Connections of peer ids that are not active members, refused right after the handshake, in either direction. */
  readonly refusedOutsiders: number;
  /** Connections whose hello did not bind peer id and account of this consortium. */
  readonly refusedHellos: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Messages that were dropped because no connection or no room in the queue was there. */
  readonly messagesDropped: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What a network is made for. */
export interface NetworkHandlers {
  /** A control message of a member; its size is within `maxControlSizeBytes`, nothing else about it is checked yet. */
  readonly message: (from: PeerId, bytes: Uint8Array) => void;
  /** Content that this peer offers, whole; undefined where it has none under this root. */
  readonly content: (root: Digest) => Uint8Array | undefined;
}

/** One member's access to the others. */
export interface Network extends AsyncDisposable {
  readonly peerId: PeerId;
  /** Own addresses to give to others, each ending in `/p2p/<peer id>`. */
  readonly addresses: readonly string[];
  /** Who may connect from now on: connections of anybody else are closed. Before the first call nobody may. */
  setMembers(members: ReadonlyMap<PeerId, Account>): void;
  /** Sends a control message without waiting and without promise: what is lost is asked for again by the round. */
  send(to: PeerId, message: Uint8Array): void;
  /**
   * Fetches content chunk by chunk, each checked against the root, from the first of `holders` that has it; goes on with the next holder
   * where one fails. Throws NETWORK_NOT_FETCHED after all failed.
   */
  fetch(content: Content, holders: readonly PeerId[], options: { readonly signal: AbortSignal }): Promise<Uint8Array>;
  connections(): readonly Connection[];
  counters(): NetworkCounters;
}

/** How a peer presents itself; the hello binds its peer id to its ledger account. */
export interface NetworkIdentity {
  /** Ed25519 seed of the peer key, 32 bytes. */
  readonly peerKey: Uint8Array;
  readonly hello: Hello;
}

/** Where a peer listens and whom it knows. */
export interface NetworkOptions {
  /** Multiaddresses to listen on, such as `/ip4/0.0.0.0/tcp/4001`. */
  readonly listen: readonly string[];
  /** Addresses to give to others in place of the listening ones, such as `/dns4/peer.example.org/tcp/4001`. */
  readonly announce: readonly string[];
  /** One or more addresses of any other members, each with `/p2p/<peer id>`. */
  readonly bootstrap: readonly string[];
  /** Off only to show in a test what the DHT does. */
  readonly dht?: boolean;
}
