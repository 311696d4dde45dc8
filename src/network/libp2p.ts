/** The network port over a libp2p node: who is known, hellos, control messages, content, the search for members, and silent connections. */
import type { Connection as LibConnection, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';
import { type Account, type Clock, type Digest, isSwarmError, type Logger, type PeerId } from '../common/index.ts';
import { encodeHello, maxControlSizeBytes, maxHelloSizeBytes } from '../wire/index.ts';
import { type AccountSignatureCheck, Admission } from './admission.ts';
import { fetchContent, serveContent } from './content.ts';
import { networkErrors } from './errors.ts';
import { firstFrame, frame, onFrames } from './frames.ts';
import { Gate } from './gate.ts';
import { dialMs, helloMs, maxConnectionsPerPeer, maxFetchesPerHolder, maxQueuedMessages, maxStreams, maxWriteBufferBytes, searchMs } from './limits.ts';
import { type Heard, untilSilent } from './liveness.ts';
import type { Connection, Content, ContentSink, FetchOptions, Network, NetworkCounters, NetworkHandlers, NetworkIdentity, NetworkOptions } from './network.ts';
import { protocols, type Services, startNode } from './node.ts';

/** What a network is made from. */
export interface NetworkParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accountSigner: AccountSignatureCheck;
}

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
  readonly versions: readonly number[];
  readonly connection: LibConnection;
  control: Stream | undefined;
  opening: boolean;
  readonly queue: Uint8Array[];
  readonly fetches: Gate;
  readonly heard: Heard;
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
  /** Connections whose hello was accepted. */
  readonly #greeted = new WeakSet<LibConnection>();
  readonly #tries = new Map<PeerId, Try>();
  readonly #stop = new AbortController();
  readonly #counts = { messagesIn: 0, messagesOut: 0, messagesDropped: 0, bytesIn: 0, bytesOut: 0, contentBytesOut: 0, badChunks: 0 };

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
      if (this.#node.getConnections(detail.remotePeer).length > maxConnectionsPerPeer) return detail.abort(new Error('too many connections of one peer'));
      if (detail.direction === 'outbound') this.#guard(this.#sayHello(detail), detail);
      else this.#guard(this.#expectHello(detail), detail);
    });
    this.#node.addEventListener('connection:close', ({ detail }) => {
      const peer = detail.remotePeer.toString();
      const lost = this.#known.get(peer);
      if (lost?.connection.id !== detail.id) return;
      this.#known.delete(peer);
      // where both had dialled, a dial would only give the other connection again
      const other = this.#node.getConnections(detail.remotePeer).find((connection) => connection.status === 'open' && this.#greeted.has(connection));
      if (other) this.#know(other, lost);
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

  fetch(content: Content, sink: ContentSink, holders: readonly PeerId[], options: FetchOptions): Promise<void> {
    return fetchContent(content, sink, holders, options, {
      clock: this.#parts.clock,
      logger: this.#parts.logger,
      open: (holder, signal) => this.#openContent(holder, signal),
      arrived: (sizeBytes) => {
        this.#counts.bytesIn += sizeBytes;
      },
      refused: () => {
        this.#counts.badChunks++;
      },
    });
  }

  connections(): readonly Connection[] {
    return [...this.#known].map(([peer, { account, versions, connection }]) => ({
      peerId: peer as PeerId,
      account,
      versions,
      address: connection.remoteAddr.toString(),
      roundTripMs: connection.rtt,
    }));
  }

  counters(): NetworkCounters {
    const { refusedOutsiders, refusedHellos, refusedVersions } = this.#admission;
    return { ...this.#counts, refusedOutsiders, refusedHellos, refusedVersions };
  }

  incompatible(): ReadonlyMap<PeerId, readonly number[]> {
    return this.#admission.incompatible();
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
    const signal = this.#helloSignal();
    const bytes = await firstFrame(stream, maxHelloSizeBytes, signal);
    const answer = async (): Promise<void> => {
      stream.send(frame(encodeHello(this.#identity.hello)));
      await stream.close({ signal });
    };
    try {
      this.#accept(connection, bytes);
    } catch (error) {
      if (isSwarmError(error, 'NETWORK_NO_COMMON_VERSION')) await answer();
      throw error;
    }
    await answer();
  }

  async #expectHello(connection: LibConnection): Promise<void> {
    await this.#parts.clock.sleep(helloMs, { signal: this.#stop.signal });
    if (connection.status === 'open' && !this.#known.has(connection.remotePeer.toString())) {
      throw networkErrors.NETWORK_BAD_HELLO({ peer: connection.remotePeer.toString(), reason: 'none came in time' });
    }
  }

  #accept(connection: LibConnection, bytes: Uint8Array): void {
    const peer = connection.remotePeer.toString();
    const { account, versions } = this.#admission.checkHello(peer, bytes, this.#identity.hello, this.#parts.accountSigner);
    // whoever says hello anew may have lost the connection that still looks open from here
    const known = this.#know(connection, { account, versions });
    this.#greeted.add(connection);
    this.#watch(known);
    this.#searchNow();
    this.#parts.logger.info('connected', { peer, account, address: connection.remoteAddr.toString(), direction: connection.direction });
  }

  #know(connection: LibConnection, { account, versions }: Pick<Known, 'account' | 'versions'>): Known {
    const known = { account, versions, connection, control: undefined, opening: false, queue: [], fetches: new Gate(maxFetchesPerHolder), heard: { count: 0 } };
    this.#known.set(connection.remotePeer.toString(), known);
    return known;
  }

  /** Ends a connection over which nothing comes any more; the search makes a new one. */
  #watch({ connection, heard }: Known): void {
    const { clock, logger } = this.#parts;
    const ended = (): void => {
      if (connection.status !== 'open') return;
      logger.warn('a connection that has fallen silent is ended', { peer: connection.remotePeer.toString() });
      connection.abort(networkErrors.NETWORK_STREAM_FAILED({ peer: connection.remotePeer.toString(), reason: 'it has fallen silent' }));
    };
    untilSilent(connection, heard, { clock, signal: this.#stop.signal }).then(ended, () => undefined);
  }

  #hear(connection: LibConnection): void {
    const known = this.#known.get(connection.remotePeer.toString());
    if (known?.connection.id === connection.id) known.heard.count++;
  }

  /** Only members whose hello was accepted are listened to. */
  #isKnown(connection: LibConnection): boolean {
    return this.#known.has(connection.remotePeer.toString()) && this.#admission.accountOf(connection.remotePeer.toString()) !== undefined;
  }

  #serveControl(stream: Stream, connection: LibConnection): void {
    if (!this.#isKnown(connection)) return stream.abort(networkErrors.NETWORK_BAD_HELLO({ peer: connection.remotePeer.toString(), reason: 'no hello yet' }));
    onFrames(stream, maxControlSizeBytes, (bytes) => {
      this.#counts.messagesIn++;
      this.#hear(connection);
      this.#counts.bytesIn += bytes.length;
      if (this.#isKnown(connection)) this.#handlers.message(connection.remotePeer.toString() as PeerId, bytes);
    });
  }

  #serveContent(stream: Stream, connection: LibConnection): void {
    if (!this.#isKnown(connection)) return stream.abort(networkErrors.NETWORK_BAD_HELLO({ peer: connection.remotePeer.toString(), reason: 'no hello yet' }));
    stream.addEventListener('message', () => this.#hear(connection));
    const gave = (sizeBytes: number): void => {
      this.#counts.contentBytesOut += sizeBytes;
    };
    serveContent(stream, (root: Digest) => (this.#isKnown(connection) ? this.#handlers.content(root) : undefined), gave);
  }

  /** A content stream to a holder, once fewer than the allowed fetches use it; the stream's end makes room for the next. */
  async #openContent(holder: PeerId, signal: AbortSignal): Promise<Stream | undefined> {
    const known = this.#known.get(holder);
    if (!known) return undefined;
    await known.fetches.enter(signal);
    try {
      const stream = await known.connection.newStream(this.#names.content, { signal });
      stream.addEventListener('message', () => this.#hear(known.connection));
      stream.addEventListener('close', () => known.fetches.leave(), { once: true });
      return stream;
    } catch (error) {
      known.fetches.leave();
      throw error;
    }
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
