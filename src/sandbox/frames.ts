/** Framed messages between parent and child: `u32 header length ‖ u32 body length ‖ header (JSON) ‖ body`, little-endian. */
import { concat, u32, utf8 } from '../common/index.ts';
import { maxBodyBytes, maxHeaderBytes } from './limits.ts';

/** One message: a small JSON value and bulk bytes. */
export interface Frame {
  readonly header: unknown;
  readonly body: Uint8Array;
}

const prefixBytes = 8;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The bytes of a frame before its body; undefined where header or body are longer than allowed. */
export function frameHead(header: unknown, bodyBytes: number): Uint8Array | undefined {
  const json = utf8(JSON.stringify(header ?? null));
  return json.length > maxHeaderBytes || bodyBytes > maxBodyBytes ? undefined : concat(u32(json.length), u32(bodyBytes), json);
}

/** Cuts a byte stream into frames; holds at most one unfinished frame. */
export class FrameReader {
  #buffer = new Uint8Array(prefixBytes);
  #filled = 0;
  #headerBytes: number | undefined;
  /** Unused bytes before the header, so that the body starts at a multiple of eight and may be viewed as numbers without a copy. */
  #padBytes = 0;

  /** The frames that `chunk` completes, or what is wrong with the stream; after a fault the reader is of no more use. */
  push(chunk: Uint8Array): { readonly frames: readonly Frame[]; readonly fault?: string } {
    const frames: Frame[] = [];
    let at = 0;
    while (at < chunk.length) {
      const taken = Math.min(chunk.length - at, this.#buffer.length - this.#filled);
      this.#buffer.set(chunk.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled < this.#buffer.length) continue;
      const fault = this.#headerBytes === undefined ? this.#openFrame() : this.#closeFrame(frames, this.#headerBytes);
      if (fault !== undefined) return { frames, fault };
    }
    return { frames };
  }

  #openFrame(): string | undefined {
    const view = new DataView(this.#buffer.buffer);
    const headerBytes = view.getUint32(0, true);
    const bodyBytes = view.getUint32(4, true);
    if (headerBytes === 0 || headerBytes > maxHeaderBytes || bodyBytes > maxBodyBytes) return `header of ${headerBytes} and body of ${bodyBytes} bytes`;
    this.#headerBytes = headerBytes;
    this.#padBytes = -headerBytes & 7;
    this.#buffer = new Uint8Array(this.#padBytes + headerBytes + bodyBytes);
    this.#filled = this.#padBytes;
    return undefined;
  }

  #closeFrame(frames: Frame[], headerBytes: number): string | undefined {
    const bodyAt = this.#padBytes + headerBytes;
    try {
      frames.push({ header: JSON.parse(decoder.decode(this.#buffer.subarray(this.#padBytes, bodyAt))), body: this.#buffer.subarray(bodyAt) });
    } catch {
      return 'a header that is not JSON';
    }
    this.#headerBytes = undefined;
    this.#buffer = new Uint8Array(prefixBytes);
    this.#filled = 0;
    return undefined;
  }
}
