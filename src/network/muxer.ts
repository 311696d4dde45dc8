/**
 * Yamux under watch. The library keeps a frame until it is whole, whatever length its header states, and keeps what arrives on a stream
 * that nobody reads yet; so the headers are read here first, and a member that states or sends more than it may is cut off before that.
 * Frame header: version, type (0 is data), flags (u16), stream (u32), length (u32), big-endian (yamux specification, "Framing").
 */
import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import { yamux } from '@libp2p/yamux';
import { networkErrors } from './errors.ts';
import { maxInboundStreams, maxSmallStreamBytes, maxStreamReadBytes, maxYamuxFrameBytes, streamWindowBytes } from './limits.ts';

const headSizeBytes = 12;

/** Cuts a connection's bytes into frame headers; bodies are passed over. */
class FrameHeads {
  readonly #head = Buffer.alloc(headSizeBytes);
  readonly #frame: (stream: number, sizeBytes: number) => void;
  #have = 0;
  #body = 0;

  constructor(frame: (stream: number, sizeBytes: number) => void) {
    this.#frame = frame;
  }

  read(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const take = this.#body > 0 ? Math.min(this.#body, bytes.length - at) : Math.min(headSizeBytes - this.#have, bytes.length - at);
      if (this.#body > 0) this.#body -= take;
      else this.#readHead(bytes.subarray(at, at + take));
      at += take;
    }
  }

  #readHead(part: Uint8Array): void {
    this.#head.set(part, this.#have);
    this.#have += part.length;
    if (this.#have < headSizeBytes) return;
    this.#have = 0;
    if (this.#head.readUInt8(1) !== 0) return;
    this.#body = this.#head.readUInt32BE(8);
    this.#frame(this.#head.readUInt32BE(4), this.#body);
  }
}

/** What the streams of one connection have brought. */
class Streams {
  readonly #muxer: () => StreamMuxer;
  readonly #carriesBulk: (protocol: string) => boolean;
  readonly #brought = new Map<number, number>();

  constructor(muxer: () => StreamMuxer, carriesBulk: (protocol: string) => boolean) {
    this.#muxer = muxer;
    this.#carriesBulk = carriesBulk;
  }

  /** Why a frame of `sizeBytes` on a stream is refused; undefined where it may come. */
  refusal(id: number, sizeBytes: number): string | undefined {
    if (sizeBytes > maxYamuxFrameBytes) return `a frame of ${sizeBytes} bytes; at most ${maxYamuxFrameBytes} are allowed`;
    this.#forgetClosed();
    const total = (this.#brought.get(id) ?? 0) + sizeBytes;
    this.#brought.set(id, total);
    const stream = total > maxSmallStreamBytes ? this.#find(id) : undefined;
    return stream && !this.#carriesBulk(stream.protocol) ? `${total} bytes on a stream that may bring ${maxSmallStreamBytes}` : undefined;
  }

  #find(id: number): Stream | undefined {
    return this.#muxer().streams.find((stream) => stream.id === String(id));
  }

  #forgetClosed(): void {
    if (this.#brought.size <= 4 * maxInboundStreams) return;
    for (const id of this.#brought.keys()) if (!this.#find(id)) this.#brought.delete(id);
  }
}

/** The multiplexer. Streams whose protocol `carriesBulk` has bounds of its own; any other may bring only a little in its life. */
export function watchedYamux(carriesBulk: (protocol: string) => boolean): () => StreamMuxerFactory {
  return () => {
    const factory: StreamMuxerFactory = yamux({
      maxInboundStreams,
      streamOptions: { maxStreamWindowSize: streamWindowBytes, maxReadBufferLength: maxStreamReadBytes },
    })();
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const streams = new Streams(() => muxer, carriesBulk);
      const heads = new FrameHeads((id, sizeBytes) => {
        const reason = streams.refusal(id, sizeBytes);
        if (reason) connection.abort(networkErrors.NETWORK_STREAM_FAILED({ peer: 'the sender', reason }));
      });
      connection.addEventListener('message', ({ data }) => {
        for (const part of data instanceof Uint8Array ? [data] : data) heads.read(part);
      });
      const muxer = create(connection);
      return muxer;
    };
    return factory;
  };
}
