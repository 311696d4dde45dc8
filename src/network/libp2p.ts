/** The network port over js-libp2p: TCP, Noise, Yamux, and a Kademlia DHT under the consortium's own prefix as address book. */
import { noise } from '@chainsafe/libp2p-noise';
import { type Identify, identify } from '@libp2p/identify';
import type { Connection as LibConnection, Stream } from '@libp2p/interface';
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { peerIdFromString } from '@libp2p/peer-id';
import { type Ping, ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { type Account, type Clock, type Digest, isSwarmError, type Logger, type PeerId } from '../common/index.ts';
import { encodeHello, maxControlSizeBytes, maxHelloSizeBytes } from '../wire/index.ts';
import { type AccountSignatureCheck, Admission } from './admission.ts';
import { fetchFrom, serveContent } from './content.ts';
import { networkErrors } from './errors.ts';
import { firstFrame, frame, onFrames } from './frames.ts';
import { libp2pKey } from './keys.ts';
import { addressAgeMs, dialMs, helloMs, maxConnections, maxQueuedMessages, maxStreams, maxWriteBufferBytes, searchMs } from './limits.ts';
import type { Connection, Content, Network, NetworkCounters, NetworkHandlers, NetworkIdentity, NetworkOptions } from './network.ts';

/** What a network is made from. */
export interface NetworkParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accountSigner: AccountSignatureCheck;
}

type Services = { identify: Identify; ping: Ping; dht?: KadDHT };

function parsed(address: string): Multiaddr {
  try {
    return multiaddr(address);
  } catch (error) {
    throw networkErrors.NETWORK_BAD_ADDRESS({ address, reason: error instanceof Error ? error.message : 'not a multiaddress' }, error);
  }
}

function peerOf(address: Multiaddr, text: string): string {
  const id = address.getComponents().findLast((component) => component.name === 'p2p')?.value;
  if (!id) throw networkErrors.NETWORK_BAD_ADDRESS({ address: text, reason: 'it does not end in /p2p/ and a peer id' });
  return id;
}

function protocols(identity: NetworkIdentity): Readonly<Record<'hello' | 'control' | 'content' | 'dht', string>> {
  const prefix = `/schwarm/${identity.hello.chainId}-${identity.hello.contract}`;
  return { hello: `${prefix}/hello/1`, control: `${prefix}/control/1`, content: `${prefix}/content/1`, dht: `${prefix}/kad/1.0.0` };
}

async function startNode(identity: NetworkIdentity, options: NetworkOptions, admission: Admission): Promise<Libp2p<Services>> {
  const dht = kadDHT({
    protocol: protocols(identity).dht,
    clientMode: false,
    peerInfoMapper: passthroughMapper,
    initialQuerySelfInterval: 250,
    allowQueryWithZeroPeers: true,
  });
  try {
    return await createLibp2p<Services>({
      privateKey: libp2pKey(identity.peerKey),
      addresses: { listen: [...options.listen], announce: [...options.announce] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: admission.gater(),
      connectionManager: {
        maxConnections: maxConnections.all,
        maxIncomingPendingConnections: maxConnections.pending,
        inboundConnectionThreshold: maxConnections.inboundPerSecond,
      },
      connectionMonitor: { abortConnectionOnPingFailure: false },
      peerStore: { maxAddressAge: addressAgeMs, maxPeerAge: addressAgeMs },
      services: { identify: identify(), ping: ping(), ...(options.dht === false ? {} : { dht }) } as never,
    });
  } catch (error) {
    throw networkErrors.NETWORK_ADDRESS_IN_USE({ addresses: options.listen }, error);
  }
}

/** Starts a peer's network. Nobody may connect before `setMembers`. Throws NETWORK_ADDRESS_IN_USE or NETWORK_BAD_ADDRESS. */
export async function createNetwork(identity: NetworkIdentity, options: NetworkOptions, handlers: NetworkHandlers, parts: NetworkParts): Promise<Network> {
  for (const address of [...options.listen, ...options.announce]) parsed(address);
  const bootstrap = options.bootstrap.map((text) => ({ address: parsed(text), peer: peerOf(parsed(text), text) }));
  const admission = new Admission(identity.hello.peerId, parts);
  const node = await startNode(identity, options, admission);
  const network = new Libp2pNetwork(node, identity, admission, handlers, parts);
  try {
    await network.open(bootstrap);
  } catch (error) {
    await node.stop();
    throw error;
  }
  return network;
}

/** A member behind an open connection whose hello was accepted. */
interface Known {
  readonly account: Account;
  readonly connection: LibConnection;
  control: Stream | undefined;
  opening: boolean;
  readonly queue: Uint8Array[];
}

/** The last try to reach a member. */
interface Try {
  readonly running: boolean;
  readonly dueMs: number;
  readonly waitMs: number;
}

class Libp2pNetwork implements Network {
  readonly peerId: PeerId;
  readonly #node: Libp2p<Services>;
  readonly #identity: NetworkIdentity;
  readonly #names: ReturnType<typeof protocols>;
  readonly #admission: Admission;
  readonly #handlers: NetworkHandlers;
  readonly #parts: NetworkParts;
  readonly #known = new Map<string, Known>();
  readonly #tries = new Map<PeerId, Try>();
  readonly #stop = new AbortController();
  readonly #counts = { messagesIn: 0, messagesOut: 0, messagesDropped: 0, bytesIn: 0, bytesOut: 0 };

  constructor(node: Libp2p<Services>, identity: NetworkIdentity, admission: Admission, handlers: NetworkHandlers, parts: NetworkParts) {
    this.#node = node;
    this.#identity = identity;
    this.#names = protocols(identity);
    this.#admission = admission;
    this.#handlers = handlers;
    this.#parts = parts;
    this.peerId = identity.hello.peerId;
  }

  get addresses(): readonly string[] {
    return this.#node.getMultiaddrs().map(String);
  }

  async open(bootstrap: readonly { readonly address: Multiaddr; readonly peer: string }[]): Promise<void> {
    const options = (kind: keyof typeof maxStreams) => ({ maxInboundStreams: maxStreams[kind], maxOutboundStreams: maxStreams[kind] * 4 });
    await this.#node.handle(this.#names.hello, (stream, connection) => this.#guard(this.#answerHello(stream, connection), connection), options('hello'));
    await this.#node.handle(this.#names.control, (stream, connection) => this.#serveControl(stream, connection), options('control'));
    await this.#node.handle(this.#names.content, (stream, connection) => this.#serveContent(stream, connection), options('content'));
    this.#node.addEventListener('connection:open', ({ detail }) => {
      if (detail.direction === 'outbound') this.#guard(this.#sayHello(detail), detail);
      else this.#guard(this.#expectHello(detail), detail);
    });
    this.#node.addEventListener('connection:close', ({ detail }) => {
      const known = this.#known.get(detail.remotePeer.toString());
      if (known?.connection.id === detail.id) this.#known.delete(detail.remotePeer.toString());
    });
    this.#search(bootstrap).catch((error: unknown) => this.#parts.logger.debug('the search ended', { reason: String(error) }));
  }

  setMembers(members: ReadonlyMap<PeerId, Account>): void {
    this.#admission.setMembers(members);
    this.#searchNow();
    for (const connection of this.#node.getConnections()) {
      if (this.#admission.accountOf(connection.remotePeer.toString())) continue;
      this.#parts.logger.warn('the connection of a peer that is no active member is closed', { peer: connection.remotePeer.toString() });
      this.#admission.refusedOutsiders++;
      connection.abort(networkErrors.NETWORK_BAD_HELLO({ peer: connection.remotePeer.toString(), reason: 'it is not an active member' }));
    }
  }

  send(to: PeerId, message: Uint8Array): void {
    const known = this.#known.get(to);
    if (!known || known.queue.length >= maxQueuedMessages) {
      this.#counts.messagesDropped++;
      return;
    }
    known.queue.push(message);
    this.#flush(known);
  }

  async fetch(content: Content, holders: readonly PeerId[], { signal }: { readonly signal: AbortSignal }): Promise<Uint8Array> {
    const reasons: string[] = [];
    for (const holder of holders) {
      const known = this.#known.get(holder);
      if (!known || signal.aborted) continue;
      try {
        const stream = await known.connection.newStream(this.#names.content, { signal });
        const bytes = await fetchFrom(stream, holder, content, { clock: this.#parts.clock, signal });
        this.#counts.bytesIn += bytes.length;
        return bytes;
      } catch (error) {
        reasons.push(error instanceof Error ? error.message : String(error));
        if (isSwarmError(error, 'NETWORK_BAD_CHUNK')) this.#parts.logger.warn('a wrong chunk was refused', { peer: holder, root: content.root });
      }
    }
    throw networkErrors.NETWORK_NOT_FETCHED({ root: content.root, holders: holders.length, reasons });
  }

  connections(): readonly Connection[] {
    return [...this.#known].map(([peer, { account, connection }]) => ({
      peerId: peer as PeerId,
      account,
      address: connection.remoteAddr.toString(),
      roundTripMs: connection.rtt,
    }));
  }

  counters(): NetworkCounters {
    const { refusedOutsiders, refusedHellos } = this.#admission;
    return { ...this.#counts, refusedOutsiders, refusedHellos };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#node.stop();
  }

  /** A connection whose hello fails, or does not come in time, is ended. */
  #guard(work: Promise<void>, connection: LibConnection): void {
    work.catch((error: unknown) => {
      const peer = connection.remotePeer.toString();
      if (!this.#stop.signal.aborted)
        this.#parts.logger.warn('a connection was ended', { peer, reason: error instanceof Error ? error.message : 'the other side closed it' });
      if (connection.direction === 'outbound') this.#admission.postpone(peer, this.#tries.get(peer as PeerId)?.waitMs ?? searchMs.first);
      connection.abort(networkErrors.NETWORK_BAD_HELLO({ peer, reason: 'no acceptable hello' }));
    });
  }

  #helloSignal(): AbortSignal {
    return this.#parts.clock.timeout(helloMs, { signal: this.#stop.signal });
  }

  async #sayHello(connection: LibConnection): Promise<void> {
    const signal = this.#helloSignal();
    const stream = await connection.newStream(this.#names.hello, { signal });
    const answer = firstFrame(stream, maxHelloSizeBytes, signal);
    stream.send(frame(encodeHello(this.#identity.hello)));
    this.#accept(connection, await answer);
    await stream.close();
  }

  async #answerHello(stream: Stream, connection: LibConnection): Promise<void> {
    this.#accept(connection, await firstFrame(stream, maxHelloSizeBytes, this.#helloSignal()));
    stream.send(frame(encodeHello(this.#identity.hello)));
    await stream.close();
  }

  async #expectHello(connection: LibConnection): Promise<void> {
    await this.#parts.clock.sleep(helloMs, { signal: this.#stop.signal });
    if (connection.status === 'open' && !this.#known.has(connection.remotePeer.toString())) {
      throw networkErrors.NETWORK_BAD_HELLO({ peer: connection.remotePeer.toString(), reason: 'none came in time' });
    }
  }

  #accept(connection: LibConnection, bytes: Uint8Array): void {
    const peer = connection.remotePeer.toString();
    const account = this.#admission.checkHello(peer, bytes, this.#identity.hello, this.#parts.accountSigner);
    const before = this.#known.get(peer);
    if (before && before.connection.status === 'open') return;
    this.#known.set(peer, { account, connection, control: undefined, opening: false, queue: [] });
    this.#searchNow();
    this.#parts.logger.info('connected', { peer, account, address: connection.remoteAddr.toString(), direction: connection.direction });
  }

  /** Only members whose hello was accepted are listened to. */
  #isKnown(connection: LibConnection): boolean {
    return this.#known.has(connection.remotePeer.toString()) && this.#admission.accountOf(connection.remotePeer.toString()) !== undefined;
  }

  #serveControl(stream: Stream, connection: LibConnection): void {
    if (!this.#isKnown(connection)) return stream.abort(networkErrors.NETWORK_BAD_HELLO({ peer: connection.remotePeer.toString(), reason: 'no hello yet' }));
    onFrames(stream, maxControlSizeBytes, (bytes) => {
      this.#counts.messagesIn++;
      this.#counts.bytesIn += bytes.length;
      if (this.#isKnown(connection)) this.#handlers.message(connection.remotePeer.toString() as PeerId, bytes);
    });
  }

  #serveContent(stream: Stream, connection: LibConnection): void {
    if (!this.#isKnown(connection)) return stream.abort(networkErrors.NETWORK_BAD_HELLO({ peer: connection.remotePeer.toString(), reason: 'no hello yet' }));
    serveContent(stream, (root: Digest) => {
      const bytes = this.#isKnown(connection) ? this.#handlers.content(root) : undefined;
      return bytes;
    });
  }

  #flush(known: Known): void {
    if (known.control?.status !== 'open') return this.#openControl(known);
    while (known.queue.length > 0 && known.control.writeBufferLength < maxWriteBufferBytes) {
      const message = known.queue.shift();
      if (!message) return;
      known.control.send(frame(message));
      this.#counts.messagesOut++;
      this.#counts.bytesOut += message.length;
    }
  }

  #openControl(known: Known): void {
    if (known.opening) return;
    known.opening = true;
    known.connection
      .newStream(this.#names.control, { signal: this.#helloSignal() })
      .then((stream) => {
        known.control = stream;
        known.opening = false;
        this.#flush(known);
      })
      .catch(() => {
        known.opening = false;
        this.#counts.messagesDropped += known.queue.length;
        known.queue.length = 0;
      });
  }

  /**
   * Dials members that are not connected: the given address first, then by peer id, which asks the DHT. Goes on for ever; a member that was
   * just connected may know the others, so it makes everybody due at once. A peer that is
   * not a member itself dials nobody: it would be refused.
   */
  async #search(bootstrap: readonly { readonly address: Multiaddr; readonly peer: string }[]): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#stop.signal.aborted) {
      const isMember = this.#admission.accountOf(this.peerId) !== undefined;
      for (const peer of isMember ? this.#admission.members().keys() : []) {
        if (peer === this.peerId || this.#known.has(peer) || !this.#isDue(peer)) continue;
        void this.#dial(peer, bootstrap.find((entry) => entry.peer === peer)?.address);
      }
      await clock.sleep(searchMs.look, { signal: this.#stop.signal });
    }
  }

  /** Something has changed that may let a dial succeed: everybody that is not connected is due at once. */
  #searchNow(): void {
    for (const [peer, last] of this.#tries) this.#tries.set(peer, { ...last, dueMs: 0, waitMs: searchMs.first });
  }

  #isDue(peer: PeerId): boolean {
    const last = this.#tries.get(peer);
    return last === undefined || (!last.running && this.#parts.clock.nowMs() >= last.dueMs);
  }

  async #dial(peer: PeerId, address: Multiaddr | undefined): Promise<void> {
    const { clock, logger } = this.#parts;
    const waitMs = Math.min(searchMs.longest, 2 * (this.#tries.get(peer)?.waitMs ?? searchMs.first / 2));
    this.#tries.set(peer, { running: true, dueMs: 0, waitMs });
    for (const target of address ? [address, peerIdFromString(peer)] : [peerIdFromString(peer)]) {
      try {
        await this.#node.dial(target, { signal: clock.timeout(dialMs, { signal: this.#stop.signal }) });
        break;
      } catch (error) {
        logger.debug('not reached', { peer, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    this.#tries.set(peer, { running: false, dueMs: clock.nowMs() + waitMs, waitMs });
  }
}
