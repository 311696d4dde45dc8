/** Members with real keys, and their networks on loopback with everything that they said and heard. */
import { randomBytes } from 'node:crypto';
import {
  type Account,
  account,
  chunkSizeBytes,
  type Digest,
  digest,
  type LogFields,
  type Logger,
  leavesOf,
  merkleRoot,
  type PeerId,
  toHex,
} from '../../src/common/index.ts';
import { type AccountKey, freshAccountKey, signAccountMessage, verifyAccountSignature } from '../../src/ledger/index.ts';
import {
  type Content,
  type ContentReader,
  type ContentSink,
  createNetwork,
  type FetchOptions,
  type Network,
  type NetworkIdentity,
  type NetworkOptions,
  peerIdOfKey,
  signWithPeerKey,
} from '../../src/network/index.ts';
import { bindingStatement, type Hello, protocolVersions } from '../../src/wire/index.ts';
import { realClock } from './clock.ts';

export const consortium = { chainId: 4_711, contract: account(`0x${'5c'.repeat(20)}`) };

/** An institution with both keys. */
export interface Institution {
  readonly key: AccountKey;
  readonly account: Account;
  readonly peerKey: Uint8Array;
  readonly peerId: PeerId;
}

export function institution(): Institution {
  const key = freshAccountKey();
  const peerKey = new Uint8Array(randomBytes(32));
  return { key, account: key.account, peerKey, peerId: peerIdOfKey(peerKey) };
}

/** The hello of an institution; `by` may put other signers in the place of its own keys. */
export async function helloOf(
  of: Institution,
  by: { readonly account?: AccountKey; readonly peer?: Uint8Array; readonly contract?: Account; readonly versions?: readonly number[] } = {},
): Promise<Hello> {
  const binding = { ...consortium, ...(by.contract ? { contract: by.contract } : {}), account: of.account, peerId: of.peerId };
  const statement = bindingStatement(binding);
  return {
    ...binding,
    accountSignature: await signAccountMessage(by.account ?? of.key, statement),
    peerSignature: signWithPeerKey(by.peer ?? of.peerKey, statement),
    versions: by.versions ?? protocolVersions,
  };
}

export function membersOf(...institutions: readonly Institution[]): ReadonlyMap<PeerId, Account> {
  return new Map(institutions.map(({ peerId, account: of }) => [peerId, of]));
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps every line. */
export function keptLogger(lines: LogLine[], always: LogFields = {}): Logger {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields: { ...always, ...fields } });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: (fields) => keptLogger(lines, { ...always, ...fields }) };
}

/** Content under its root. */
export function contentOf(bytes: Uint8Array): Content & { readonly bytes: Uint8Array } {
  return { root: digest(toHex(merkleRoot(leavesOf(bytes)))), sizeBytes: bytes.length, bytes };
}

/** Random content of so many whole chunks and a rest of 100 bytes. */
export function freshContent(chunks: number): ReturnType<typeof contentOf> {
  return contentOf(new Uint8Array(randomBytes(chunks * chunkSizeBytes + 100)));
}

/** Content in memory as it is offered. */
export function readerOf(bytes: Uint8Array): ContentReader {
  return {
    sizeBytes: bytes.length,
    leaves: () => Buffer.concat(leavesOf(bytes)),
    chunk: (index) => bytes.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes),
  };
}

/** A sink in memory that counts what was written, and where. */
export class MemorySink implements ContentSink {
  readonly bytes: Uint8Array;
  readonly written: number[] = [];
  leaves: Uint8Array | undefined;

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes);
  }

  begin(leaves: Uint8Array): void {
    this.leaves = new Uint8Array(leaves);
  }

  has(index: number): boolean {
    return this.written.includes(index);
  }

  write(index: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, index * chunkSizeBytes);
    this.written.push(index);
  }
}

/** All bytes of a content, fetched into memory. */
export async function fetchWhole(network: Network, content: Content, holders: readonly PeerId[], options: FetchOptions): Promise<Uint8Array> {
  const sink = new MemorySink(content.sizeBytes);
  await network.fetch(content, sink, holders, options);
  return sink.bytes;
}

/** An institution's network with what arrived, what it logged, and what it offers. */
export interface NetworkPeer extends AsyncDisposable {
  readonly of: Institution;
  readonly network: Network;
  readonly received: { readonly from: PeerId; readonly text: string }[];
  readonly log: LogLine[];
  /** Requests for content so far, the lists of leaf hashes included. */
  asked: number;
  /** What is given for a root; each request, for the list or for one chunk, asks once. */
  offer: (root: Digest, request: number) => Uint8Array | undefined;
  readonly address: string;
}

/** The adapter under test. */
export type StartNetwork = typeof createNetwork;

export interface PeerOptions extends Partial<NetworkOptions> {
  readonly knows?: NetworkPeer | string;
  readonly hello?: Hello;
}

/** Starts the network of an institution; `knows` is the one other that it is told of. */
export async function startPeer(of: Institution, options: PeerOptions = {}, start: StartNetwork = createNetwork): Promise<NetworkPeer> {
  const { knows, hello, ...given } = options;
  const log: LogLine[] = [];
  const received: NetworkPeer['received'] = [];
  const handlers = {
    message: (from: PeerId, bytes: Uint8Array) => void received.push({ from, text: Buffer.from(bytes).toString('utf8') }),
    content: (root: Digest) => {
      const bytes = peer.offer(root, ++peer.asked);
      return bytes && readerOf(bytes);
    },
  };
  const identity: NetworkIdentity = { peerKey: of.peerKey, hello: hello ?? (await helloOf(of)) };
  const bootstrap = knows === undefined ? [] : [typeof knows === 'string' ? knows : knows.address];
  const network = await start(identity, { listen: ['/ip4/127.0.0.1/tcp/0'], announce: [], bootstrap, ...given }, handlers, {
    clock: realClock,
    logger: keptLogger(log),
    accountSigner: verifyAccountSignature,
  });
  const peer: NetworkPeer = {
    of,
    network,
    received,
    log,
    asked: 0,
    offer: () => undefined,
    address: network.addresses[0] ?? '',
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
  return peer;
}

/** Resolves once `holds`; rejects after ten seconds with the words. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const end = realClock.nowMs() + limitMs;
  while (!(await holds())) {
    if (realClock.nowMs() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await realClock.sleep(10, { signal: new AbortController().signal });
  }
}

/** Whether `from` has an open connection, after both hellos, with each of `to`. */
export function reaches(from: NetworkPeer, ...to: readonly NetworkPeer[]): boolean {
  const connected = new Set(from.network.connections().map(({ peerId }) => peerId));
  return to.every(({ of }) => connected.has(of.peerId));
}
