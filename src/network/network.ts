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

/** Neighbouring chunks of a content: `first` and how many. */
export interface ChunkRange {
  readonly first: number;
  readonly count: number;
}

/** Content that this peer offers, whole or in part, read piece by piece. */
export interface ContentReader {
  readonly sizeBytes: number;
  /** The leaf hashes one after another, 32 bytes a chunk; undefined where they are not known. */
  leaves(): Uint8Array | undefined;
  /** The bytes of chunk `index`; undefined where it is not here. */
  chunk(index: number): Uint8Array | undefined;
}

/** Where fetched chunks go. It may outlive the fetch: what it has is not asked for again. */
export interface ContentSink {
  /** The leaf hashes, 32 bytes a chunk, where they are known from an earlier fetch. */
  readonly leaves: Uint8Array | undefined;
  /** Takes the leaf hashes, checked against the root, before any chunk. */
  begin(leaves: Uint8Array): void;
  /** Whether chunk `index` is here, and fits its leaf. */
  has(index: number): boolean;
  /** Takes a chunk, checked against its leaf. */
  write(index: number, bytes: Uint8Array): void;
}

/** A member that is connected now, after both hellos were checked. */
export interface Connection {
  readonly peerId: PeerId;
  readonly account: Account;
  /** Versions of the protocol that it speaks; at least one is spoken here too. */
  readonly versions: readonly number[];
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
  /** Connections of members that speak no version of the protocol in common with this peer. */
  readonly refusedVersions: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Messages that were dropped because no connection or no room in the queue was there. */
  readonly messagesDropped: number;
  /** Bytes of control messages and of content that arrived. */
  readonly bytesIn: number;
  /** Bytes of control messages that were sent. */
  readonly bytesOut: number;
  /** Bytes of content that were given to others. */
  readonly contentBytesOut: number;
  /** Chunks and lists of leaf hashes that did not fit their root. */
  readonly badChunks: number;
}

/** What a network is made for. */
export interface NetworkHandlers {
  /** A control message of a member; its size is within `maxControlSizeBytes`, nothing else about it is checked yet. */
  readonly message: (from: PeerId, bytes: Uint8Array) => void;
  /** Content that this peer offers; undefined where it has none under this root. Asked once a request. */
  readonly content: (root: Digest) => ContentReader | undefined;
}

/** Which chunks of a content are fetched, all where no range is given, and until when. */
export interface FetchOptions {
  readonly range?: ChunkRange;
  readonly signal: AbortSignal;
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
   * Fetches the chunks of a content, or of a range of it, that `sink` does not have yet, each checked against the root before it is
   * written. Begins with the first of `holders` that is connected, takes more of them at a time where it lasts, and leaves one that is
   * gone, slow or wrong for the next. What was written stays. Throws NETWORK_NOT_FETCHED after all failed, and what the sink throws.
   */
  fetch(content: Content, sink: ContentSink, holders: readonly PeerId[], options: FetchOptions): Promise<void>;
  connections(): readonly Connection[];
  counters(): NetworkCounters;
  /** Members that were refused because no version of the protocol is spoken at both sides, with the versions that they speak. */
  incompatible(): ReadonlyMap<PeerId, readonly number[]>;
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
