/**
 * Watches `node:crypto` from outside while a world runs, so that the product needs no way to hand out its keys: every mask key and share key
 * that a cipher is made with is shown to the world, and "fresh" bytes come from the world's seed. One world at a time.
 */
import crypto, { type CipherGCM, type KeyObject } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Chance } from '../../src/common/index.ts';

/** What the world sees of the ciphers. */
export interface CipherWatcher {
  /** A mask stream is made from `key`. */
  readonly mask: (key: Uint8Array) => void;
  /** `plain` is sealed under `key`. */
  readonly seal: (key: Uint8Array, plain: Uint8Array) => void;
}

const real = { createCipheriv: crypto.createCipheriv, randomBytes: crypto.randomBytes, randomFillSync: crypto.randomFillSync };

/** Begins to watch; the function it gives ends it. */
export function watchCrypto(watcher: CipherWatcher, chance: Chance): () => void {
  const createCipheriv = (name: string, key: KeyObject, iv: Uint8Array, options?: object): unknown => {
    const cipher = (real.createCipheriv as (...given: unknown[]) => CipherGCM)(name, key, iv, options);
    if (name === 'aes-256-ctr') watcher.mask(key.export());
    if (name !== 'chacha20-poly1305') return cipher;
    const update = cipher.update.bind(cipher) as (plain: Uint8Array) => Buffer;
    return Object.assign(cipher, {
      update: (plain: Uint8Array) => {
        watcher.seal(key.export(), plain);
        return update(plain);
      },
    });
  };
  const randomBytes = (sizeBytes: number): Buffer => {
    const words = Uint32Array.from({ length: Math.ceil(sizeBytes / 4) }, () => chance.word());
    return Buffer.from(words.buffer, 0, sizeBytes);
  };
  const randomFillSync = (bytes: Uint8Array): Uint8Array => {
    bytes.set(randomBytes(bytes.length));
    return bytes;
  };
  Object.assign(crypto, { createCipheriv, randomBytes, randomFillSync });
  syncBuiltinESMExports();
  return () => {
    Object.assign(crypto, real);
    syncBuiltinESMExports();
  };
}
