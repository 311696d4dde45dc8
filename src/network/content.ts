/**
 * Content by its Merkle root, driven by the receiver: it asks for the list of leaf hashes and then for chunks, some ahead, over one stream
 * a holder. Memory is bounded on both sides; `transfer.ts` decides what is asked of whom.
 * Request: root (32 bytes) ‖ index (u32, big-endian; 0xffffffff is the list). Answer: index ‖ bytes; no bytes mean "not here".
 */
import type { Stream } from '@libp2p/interface';
import { type Clock, chunkCount, chunkSizeBytes, type Digest, digestBytes, isSwarmError, type Logger, type PeerId, toHex } from '../common/index.ts';
import { networkErrors } from './errors.ts';
import { frame, onFrames, writable } from './frames.ts';
import { chunksPerTurn, maxContentSizeBytes, maxHoldersAtOnce, maxOpenRequests, maxWriteBufferBytes, widenMs } from './limits.ts';
import type { Content, ContentReader, ContentSink, FetchOptions } from './network.ts';
import { listIndex, Transfer } from './transfer.ts';

const requestSizeBytes = 36;
const nothing = new Uint8Array(0);

function indexBytes(index: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(index);
  return bytes;
}

function indexOf(bytes: Uint8Array, offset: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(offset);
}

function answerTo(request: Uint8Array, content: (root: Digest) => ContentReader | undefined): Uint8Array {
  const index = indexOf(request, 32);
  const reader = content(toHex(request.subarray(0, 32)) as Digest);
  return (index === listIndex ? reader?.leaves() : reader?.chunk(index)) ?? nothing;
}

/** Serves requests on a stream until it closes; more than a bounded number of open requests ends it. `gave` is told the bytes of each answer. */
export function serveContent(stream: Stream, content: (root: Digest) => ContentReader | undefined, gave: (sizeBytes: number) => void): void {
  const waiting: Uint8Array[] = [];
  let busy = false;
  const pump = async (): Promise<void> => {
    busy = true;
    for (let request = waiting.shift(); request && stream.status === 'open'; request = waiting.shift()) {
      await writable(stream, maxWriteBufferBytes);
      if (stream.status !== 'open') break;
      const answer = answerTo(request, content);
      gave(answer.length);
      stream.send(frame(request.subarray(32), answer));
    }
    busy = false;
  };
  stream.addEventListener('remoteCloseWrite', () => stream.close().catch(() => undefined), { once: true });
  onFrames(stream, requestSizeBytes, (request) => {
    if (request.length !== requestSizeBytes || waiting.length >= maxOpenRequests) return stream.abort(new Error('bad request'));
    waiting.push(request);
    if (!busy) pump().catch((error: unknown) => stream.abort(error instanceof Error ? error : new Error(String(error))));
  });
}

/** What a fetch needs of its network. */
export interface FetchParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Opens a stream to a holder, once it has room for another fetch; undefined where it is not connected. */
  readonly open: (holder: PeerId, signal: AbortSignal) => Promise<Stream | undefined>;
  readonly arrived: (sizeBytes: number) => void;
  readonly refused: () => void;
}

/** The chunks that a sink lacks of a range; looked at in turns, for each may have to be read and hashed. */
async function missingOf(content: Content, sink: ContentSink, { range, signal }: FetchOptions, clock: Clock): Promise<readonly number[]> {
  const count = chunkCount(content.sizeBytes);
  const first = Math.min(range?.first ?? 0, count);
  const wanted = Array.from({ length: Math.min(range?.count ?? count, count - first) }, (_, at) => first + at);
  if (!sink.leaves) return wanted;
  const missing: number[] = [];
  for (const [at, index] of wanted.entries()) {
    if (at % chunksPerTurn === chunksPerTurn - 1) await clock.sleep(0, { signal }).catch(() => undefined);
    if (signal.aborted) return wanted;
    if (!sink.has(index)) missing.push(index);
  }
  return missing;
}

/** Fetches what the sink lacks. Throws NETWORK_NOT_FETCHED, NETWORK_CONTENT_TOO_LARGE, and what the sink throws. */
export async function fetchContent(content: Content, sink: ContentSink, holders: readonly PeerId[], options: FetchOptions, parts: FetchParts): Promise<void> {
  if (content.sizeBytes > maxContentSizeBytes) throw networkErrors.NETWORK_CONTENT_TOO_LARGE({ root: content.root, sizeBytes: content.sizeBytes });
  const missing = await missingOf(content, sink, options, parts.clock);
  if (missing.length > 0) await new ContentFetch(content, new Transfer(content, sink, missing), holders, parts).run(options.signal);
}

class ContentFetch {
  readonly #content: Content;
  readonly #transfer: Transfer;
  readonly #holders: readonly PeerId[];
  readonly #parts: FetchParts;
  readonly #result = Promise.withResolvers<void>();
  readonly #over = new AbortController();
  readonly #streams = new Map<PeerId, Stream | undefined>();
  readonly #reasons: string[] = [];
  #started = 0;

  constructor(content: Content, transfer: Transfer, holders: readonly PeerId[], parts: FetchParts) {
    this.#content = content;
    this.#transfer = transfer;
    this.#holders = holders;
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const cancelled = (): void => this.#fail('the fetch was cancelled');
    if (signal.aborted) cancelled();
    signal.addEventListener('abort', cancelled, { once: true });
    this.#begin();
    this.#watch().catch(() => undefined);
    try {
      await this.#result.promise;
    } finally {
      this.#over.abort();
      signal.removeEventListener('abort', cancelled);
      for (const stream of this.#streams.values()) stream?.abort(new Error('the fetch is over'));
    }
  }

  #fail(...reason: readonly string[]): void {
    const reasons = [...this.#reasons, ...reason];
    this.#result.reject(networkErrors.NETWORK_NOT_FETCHED({ root: this.#content.root, holders: this.#holders.length, reasons }));
  }

  /** One more holder. With none left and none at work the fetch has failed. */
  #begin(): void {
    const holder = this.#holders[this.#started];
    if (holder === undefined) {
      if (this.#streams.size === 0) this.#fail();
      return;
    }
    this.#started++;
    if (this.#streams.has(holder)) return this.#begin();
    this.#streams.set(holder, undefined);
    this.#open(holder).catch((error: unknown) => this.#leave(holder, error instanceof Error ? error.message : String(error)));
  }

  async #open(holder: PeerId): Promise<void> {
    const stream = await this.#parts.open(holder, this.#over.signal);
    if (!stream) return this.#leave(holder, `${holder} is not connected`);
    if (this.#over.signal.aborted) return stream.abort(new Error('the fetch is over'));
    this.#streams.set(holder, stream);
    this.#transfer.add(holder);
    stream.addEventListener('close', () => this.#leave(holder, `the stream with ${holder} ended: closed before all chunks were there`), { once: true });
    onFrames(stream, 4 + Math.max(chunkSizeBytes, 32 * chunkCount(this.#content.sizeBytes)), (bytes) => this.#take(holder, bytes));
    this.#pump();
  }

  /** A holder is left; what it owed goes to those at work, and the next one begins. */
  #leave(holder: PeerId, reason: string): void {
    if (this.#over.signal.aborted || !this.#streams.has(holder)) return;
    const stream = this.#streams.get(holder);
    this.#streams.delete(holder);
    this.#transfer.drop(holder);
    this.#reasons.push(reason);
    stream?.abort(new Error(reason));
    this.#pump();
    this.#begin();
  }

  #take(holder: PeerId, bytes: Uint8Array): void {
    const nowMs = this.#parts.clock.nowMs();
    if (this.#over.signal.aborted || !this.#streams.has(holder)) return;
    this.#parts.arrived(bytes.length);
    try {
      if (bytes.length < 4) throw networkErrors.NETWORK_BAD_CHUNK({ peer: holder, index: 0 });
      const index = indexOf(bytes, 0);
      const outcome = this.#transfer.take(holder, nowMs, index, bytes.subarray(4));
      if (outcome === 'lacks' && index === listIndex) return this.#leave(holder, `${holder} does not have this content`);
    } catch (error) {
      if (!isSwarmError(error, 'NETWORK_BAD_CHUNK')) return this.#result.reject(error);
      this.#parts.refused();
      this.#parts.logger.warn('a wrong chunk was refused', { peer: holder, root: this.#content.root });
      return this.#leave(holder, error.message);
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#transfer.done) return this.#result.resolve();
    const nowMs = this.#parts.clock.nowMs();
    for (const [holder, stream] of this.#streams) {
      if (stream?.status !== 'open') continue;
      for (let index = this.#transfer.next(holder, nowMs); index !== undefined; index = this.#transfer.next(holder, nowMs)) {
        stream.send(frame(digestBytes(this.#content.root), indexBytes(index)));
      }
    }
    if (!this.#transfer.idle) return;
    for (const [holder, stream] of this.#streams) if (stream) return this.#leave(holder, `${holder} does not have all of it`);
  }

  /** Leaves holders that are too slow, takes another one where the fetch lasts, and asks again for what is late. */
  async #watch(): Promise<void> {
    const { clock } = this.#parts;
    for (;;) {
      await clock.sleep(widenMs, { signal: this.#over.signal });
      const nowMs = clock.nowMs();
      for (const holder of [...this.#streams.keys()]) {
        if (this.#transfer.isSlow(holder, nowMs)) this.#leave(holder, `${holder} gave too little for too long`);
      }
      if (this.#streams.size < maxHoldersAtOnce) this.#begin();
      this.#pump();
    }
  }
}
