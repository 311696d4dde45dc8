/**
 * Key streams: AES-256 in counter mode (NIST SP 800-38A) with a zero counter block. Masks are made of them, and the draws of rounding.
 * Drawn in pieces of a chunk, so that neither the piece nor the stream ever fills a cache.
 */
import { createCipheriv, createSecretKey } from 'node:crypto';
import { chunkSizeBytes } from '../../common/index.ts';

const zeroCounter = new Uint8Array(16);
const zeros = new Uint8Array(chunkSizeBytes);

/** The stream of one key of 32 bytes, from its beginning. */
export class KeyStream {
  readonly #cipher: ReturnType<typeof createCipheriv>;

  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-ctr', createSecretKey(key), zeroCounter);
  }

  /** The next `sizeBytes` bytes, at most a chunk. */
  next(sizeBytes: number): Uint8Array {
    return this.#cipher.update(zeros.subarray(0, sizeBytes));
  }

  /** Frees the key in the cipher. */
  end(): void {
    this.#cipher.final();
  }
}
