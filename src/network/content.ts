/**
 * Content by its Merkle root, driven by the receiver: it asks for the list of leaf hashes, checks it against the root, then asks for
 * chunks, a few ahead, and checks each against its leaf. Memory is bounded on both sides; a holder that fails is left for the next.
 * Request: root (32 bytes) ‖ index (u32, big-endian; 0xffffffff is the list). Answer: index ‖ bytes; an empty list means "not here".
 */
import type { Stream } from '@libp2p/interface';
import { type Clock, chunkCount, chunkSizeBytes, type Digest, digestBytes, equalBytes, leafHash, leavesOf, merkleRoot, toHex } from '../common/index.ts';
import { networkErrors } from './errors.ts';
import { frame, onFrames, writable } from './frames.ts';
import { chunksAhead, maxOpenRequests, maxWriteBufferBytes, stallMs } from './limits.ts';
import type { Content } from './network.ts';

const listIndex = 0xffff_ffff;
const requestSizeBytes = 36;

function indexBytes(index: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(index);
  return bytes;
}

function answerTo(request: Uint8Array, content: (root: Digest) => Uint8Array | undefined): Uint8Array {
  const index = Buffer.from(request.buffer, request.byteOffset, request.length).readUInt32BE(32);
  const bytes = content(toHex(request.subarray(0, 32)) as Digest);
  if (!bytes) return new Uint8Array(0);
  return index === listIndex ? Buffer.concat(leavesOf(bytes)) : bytes.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes);
}

/** Serves requests on a stream until it closes; more than a bounded number of open requests ends it. */
export function serveContent(stream: Stream, content: (root: Digest) => Uint8Array | undefined): void {
  const waiting: Uint8Array[] = [];
  let busy = false;
  const pump = async (): Promise<void> => {
    busy = true;
    for (let request = waiting.shift(); request && stream.status === 'open'; request = waiting.shift()) {
      await writable(stream, maxWriteBufferBytes);
      if (stream.status === 'open') stream.send(frame(request.subarray(32), answerTo(request, content)));
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

/** Fetches content from one holder over one stream. Throws NETWORK_BAD_CHUNK or NETWORK_STREAM_FAILED. */
export function fetchFrom(stream: Stream, peer: string, wanted: Content, parts: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<Uint8Array> {
  return new ContentFetch(stream, peer, wanted).run(parts);
}

class ContentFetch {
  readonly #stream: Stream;
  readonly #peer: string;
  readonly #wanted: Content;
  readonly #whole: Uint8Array;
  readonly #count: number;
  readonly #result = Promise.withResolvers<Uint8Array>();
  #leaves: readonly Uint8Array[] = [];
  #next = 0;
  #arrived = 0;
  #lastMs = 0;

  constructor(stream: Stream, peer: string, wanted: Content) {
    this.#stream = stream;
    this.#peer = peer;
    this.#wanted = wanted;
    this.#whole = new Uint8Array(wanted.sizeBytes);
    this.#count = chunkCount(wanted.sizeBytes);
  }

  async run({ clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<Uint8Array> {
    const done = new AbortController();
    const fail = (reason: string): void => this.#result.reject(networkErrors.NETWORK_STREAM_FAILED({ peer: this.#peer, reason }));
    const cancelled = (): void => fail('the fetch was cancelled');
    signal.addEventListener('abort', cancelled, { once: true });
    this.#stream.addEventListener('close', () => fail('closed before all chunks were there'), { once: true });
    this.#lastMs = clock.nowMs();
    onFrames(this.#stream, 4 + Math.max(chunkSizeBytes, 32 * this.#count), (bytes) => {
      this.#lastMs = clock.nowMs();
      this.#take(bytes);
    });
    this.#ask(listIndex);
    this.#watch(clock, done.signal, fail).catch(() => undefined);
    try {
      return await this.#result.promise;
    } finally {
      done.abort();
      signal.removeEventListener('abort', cancelled);
      this.#stream.close().catch(() => undefined);
    }
  }

  async #watch(clock: Clock, signal: AbortSignal, fail: (reason: string) => void): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(stallMs / 4, { signal });
      if (clock.nowMs() - this.#lastMs > stallMs) return fail(`no chunk for ${stallMs / 1000} s`);
    }
  }

  #ask(index: number): void {
    if (this.#stream.status === 'open') this.#stream.send(frame(digestBytes(this.#wanted.root), indexBytes(index)));
  }

  #take(bytes: Uint8Array): void {
    const index = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(0);
    const body = bytes.subarray(4);
    if (this.#leaves.length === 0) return this.#takeList(index, body);
    const leaf = this.#leaves[index];
    const size = Math.min(chunkSizeBytes, this.#wanted.sizeBytes - index * chunkSizeBytes);
    if (!leaf || index >= this.#next || body.length !== size || !equalBytes(leafHash(body), leaf)) {
      return this.#result.reject(networkErrors.NETWORK_BAD_CHUNK({ peer: this.#peer, index }));
    }
    this.#whole.set(body, index * chunkSizeBytes);
    this.#arrived++;
    if (this.#arrived === this.#count) return this.#result.resolve(this.#whole);
    if (this.#next < this.#count) this.#ask(this.#next++);
  }

  #takeList(index: number, body: Uint8Array): void {
    if (index === listIndex && body.length === 0)
      return this.#result.reject(networkErrors.NETWORK_STREAM_FAILED({ peer: this.#peer, reason: 'it does not have this content' }));
    const leaves = Array.from({ length: body.length / 32 }, (_, at) => body.slice(32 * at, 32 * at + 32));
    const fits = index === listIndex && leaves.length === this.#count && equalBytes(merkleRoot(leaves), digestBytes(this.#wanted.root));
    if (!fits) return this.#result.reject(networkErrors.NETWORK_BAD_CHUNK({ peer: this.#peer, index }));
    this.#leaves = leaves;
    while (this.#next < Math.min(chunksAhead, this.#count)) this.#ask(this.#next++);
  }
}
