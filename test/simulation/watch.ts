/**
 * Watches `node:crypto` from outside while a world runs, so that the product needs no way to hand out its keys: every mask key and share key
 * that a cipher is made with is shown to the world, and "fresh" bytes come from the world's seed. One world at a time.
 */
import crypto, { type CipherGCM } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Chance } from '../../src/common/index.ts';

/** What the world sees of the ciphers. */
export interface CipherWatcher {
  /** A mask stream is made from `key`. */
  readonly mask: (key: Uint8Array) => void;
  /** `plain` is sealed under `key`. */
  readonly seal: (key: Uint8Array, plain: Uint8Array) => void;
}

const real = { createCipheriv: crypto.createCipheriv, randomBytes: crypto.randomBytes };

/** Begins to watch; the function it gives ends it. */
export function watchCrypto(watcher: CipherWatcher, chance: Chance): () => void {
  const createCipheriv = (name: string, key: Uint8Array, iv: Uint8Array, options?: object): unknown => {
    const cipher = (real.createCipheriv as (...given: unknown[]) => CipherGCM)(name, key, iv, options);
    if (name === 'aes-256-ctr') watcher.mask(key);
    if (name !== 'chacha20-poly1305') return cipher;
    const update = cipher.update.bind(cipher) as (plain: Uint8Array) => Buffer;
    return Object.assign(cipher, {
      update: (plain: Uint8Array) => {
        watcher.seal(key, plain);
        return update(plain);
      },
    });
  };
  const randomBytes = (sizeBytes: number): Buffer => {
    const bytes = Buffer.alloc(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 4) bytes.set(new Uint8Array(new Uint32Array([chance.word()]).buffer).subarray(0, sizeBytes - at), at);
    return bytes;
  };
  Object.assign(crypto, { createCipheriv, randomBytes });
  syncBuiltinESMExports();
  return () => {
    Object.assign(crypto, real);
    syncBuiltinESMExports();
  };
}
