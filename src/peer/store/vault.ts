/**
 * The vault: secrets of rounds, outside the journal, each sealed under a key of its own. Destroying the key destroys the secrets:
 * whenever something is erased, the rest is sealed anew under a fresh key and the old key's file is removed.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { CustodianSnapshot } from '../../aggregation/index.ts';
import { concat, type Digest, toHex } from '../../common/index.ts';
import type { RoundKey } from '../../wire/index.ts';
import { privateFolder, readIfThere, writeWhole } from './files.ts';

/** One member's secrets of one round. */
export interface RoundSecrets {
  readonly custodian: CustodianSnapshot;
  /** This member's words before masking. */
  words?: Uint8Array;
  /** Attempts for which masking began; the root is there once the masked vector is stored whole. */
  readonly masks: Record<number, { readonly root?: Digest }>;
  keyName?: string;
}

const nonceSizeBytes = 12;
const tagSizeBytes = 16;
const nameSizeBytes = 16;

/** A folder of sealed secrets and the keys to them. */
export class Vault {
  readonly #sealed: string;
  readonly #keys: string;

  constructor(home: string) {
    this.#sealed = privateFolder(home, 'vault', 'sealed');
    this.#keys = privateFolder(home, 'vault', 'keys');
  }

  /** Stores secrets durably; with `erasing`, under a fresh key, after which the old key is gone. */
  save(key: RoundKey, secrets: RoundSecrets, { erasing }: { readonly erasing: boolean }): void {
    const before = secrets.keyName;
    if (before === undefined || erasing) {
      secrets.keyName = toHex(randomBytes(nameSizeBytes));
      writeWhole(join(this.#keys, secrets.keyName), randomBytes(32), 'the key of a round');
    }
    const name = secrets.keyName ?? '';
    const nonce = randomBytes(nonceSizeBytes);
    const cipher = createCipheriv('chacha20-poly1305', readIfThere(join(this.#keys, name)) ?? new Uint8Array(32), nonce, { authTagLength: tagSizeBytes });
    const sealed = concat(cipher.update(serialize(secrets)), cipher.final(), cipher.getAuthTag());
    writeWhole(this.#path(key), concat(Buffer.from(name, 'hex'), nonce, sealed), 'the secrets of a round');
    if (before !== undefined && erasing) rmSync(join(this.#keys, before), { force: true });
  }

  /** The secrets of a round; undefined where there are none, or where their key was destroyed. */
  load(key: RoundKey): RoundSecrets | undefined {
    const stored = readIfThere(this.#path(key));
    if (!stored) return undefined;
    const roundKey = readIfThere(join(this.#keys, toHex(stored.subarray(0, nameSizeBytes))));
    if (!roundKey) return undefined;
    const body = stored.subarray(nameSizeBytes + nonceSizeBytes);
    const cipher = createDecipheriv('chacha20-poly1305', roundKey, stored.subarray(nameSizeBytes, nameSizeBytes + nonceSizeBytes), {
      authTagLength: tagSizeBytes,
    });
    cipher.setAuthTag(body.subarray(-tagSizeBytes));
    return deserialize(concat(cipher.update(body.subarray(0, -tagSizeBytes)), cipher.final())) as RoundSecrets;
  }

  /** Destroys a round's secrets: the key first. */
  destroy(key: RoundKey): void {
    const stored = readIfThere(this.#path(key));
    if (!stored) return;
    rmSync(join(this.#keys, toHex(stored.subarray(0, nameSizeBytes))), { force: true });
    rmSync(this.#path(key), { force: true });
  }

  #path({ run, round }: RoundKey): string {
    return join(this.#sealed, `${run}-${round}`);
  }
}
