/** Frames on a libp2p stream: u32 length, big-endian, then the bytes. A length over the limit ends the stream before anything is kept. */
import type { Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import { networkErrors } from './errors.ts';

/** One frame around `parts`, ready to send without copying them. */
export function frame(...parts: readonly Uint8Array[]): Uint8ArrayList {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(parts.reduce((size, part) => size + part.length, 0));
  return new Uint8ArrayList(head, ...parts);
}

/** Calls `handle` for each whole frame of at most `limitBytes`; a longer one aborts the stream. */
export function onFrames(stream: Stream, limitBytes: number, handle: (bytes: Uint8Array) => void): void {
  const pending = new Uint8ArrayList();
  stream.addEventListener('message', (event) => {
    pending.append(event.data);
    while (pending.byteLength >= 4) {
      const size = pending.getUint32(0);
      if (size > limitBytes) {
        stream.abort(networkErrors.NETWORK_STREAM_FAILED({ peer: 'the sender', reason: `a frame of ${size} bytes; at most ${limitBytes} are allowed` }));
        return;
      }
      if (pending.byteLength < 4 + size) return;
      const bytes = pending.slice(4, 4 + size);
      pending.consume(4 + size);
      handle(bytes);
    }
  });
}

/** The first frame that arrives. Throws NETWORK_STREAM_FAILED where the stream ends or the signal fires before; nobody has to wait for it any more by then. */
export function firstFrame(stream: Stream, limitBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const fail = (reason: string) => (): void => reject(networkErrors.NETWORK_STREAM_FAILED({ peer: 'the other side', reason }));
  const late = fail('no answer in time');
  signal.addEventListener('abort', late, { once: true });
  stream.addEventListener('close', fail('closed before an answer'), { once: true });
  onFrames(stream, limitBytes, resolve);
  const first = promise.finally(() => signal.removeEventListener('abort', late));
  first.catch(() => undefined);
  return first;
}

/** Waits until less than `limitBytes` wait to be written; the stream's own drain promise is not trusted (it resolves only once). */
export async function writable(stream: Stream, limitBytes: number): Promise<void> {
  while (stream.status === 'open' && stream.writeBufferLength > limitBytes) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = (): void => resolve();
    for (const event of ['drain', 'idle', 'close'] as const) stream.addEventListener(event, done, { once: true });
    await promise;
    for (const event of ['drain', 'idle', 'close'] as const) stream.removeEventListener(event, done);
  }
}
