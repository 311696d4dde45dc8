/**
 * The vault: secrets of rounds, outside the journal, each sealed under a key of its own. Destroying the key destroys the secrets:
 * whenever something is erased, the rest is sealed anew under a fresh key and the old key's file is removed.
 */
import { createCipheriv, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { CustodianSnapshot, SumPlan } from '../../aggregation/index.ts';
import { concat, type Digest, toHex, utf8 } from '../../common/index.ts';
import type { MemberSet, RoundKey } from '../../wire/index.ts';
import { auditFolder, recordName } from './audit-records.ts';
import { moveIfThere, privateFolder, readIfThere, sizeIfThere, storeError, writeWhole } from './files.ts';
import { packValue, unpackValue } from './plain-bytes.ts';
import { wordsName } from './words.ts';

/** The plan of the sum, the members with whom the vector was masked, and the public half of the institution's offline key (32 bytes) as it was configured then. */
export interface AuditWindow {
  readonly plan: SumPlan;
  readonly set: MemberSet;
  readonly key: Uint8Array;
}

/** One member's secrets of one round. */
export interface RoundSecrets {
  /** Absent in open mode, which has no secrets. */
  readonly custodian?: CustodianSnapshot;
  /** The key under which this member's words before masking are sealed (`words.ts`); there once they are. */
  wordsKey?: Uint8Array;
  /** Attempts for which masking began; the root is there once the masked vector is stored whole. Under a study with an audit window also what a record needs. */
  readonly masks: Record<number, { readonly root?: Digest; readonly audit?: AuditWindow }>;
  /** Fingerprints in reduce-scatter by attempt, generation and member. */
  prints?: Record<string, Uint8Array>;
  keyName?: string;
}

/** Backup programs leave out a folder with this file (bford.info/cachedir): a secret of a round that comes back from a backup could be used twice. */
const backupTag = 'Signature: 8a477f597d28d172789f06886806bc55\n# Secrets of running rounds: never back them up, never restore them.\n';

const nonceSizeBytes = 12;
const tagSizeBytes = 16;
const nameSizeBytes = 16;

/** The name of the key that opens a sealed file. */
function nameIn(stored: Uint8Array): string {
  return toHex(stored.subarray(0, nameSizeBytes));
}

/** A folder of sealed secrets and the keys to them. */
export class Vault {
  readonly #sealed: string;
  readonly #keys: string;
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
    this.#sealed = privateFolder(home, 'vault', 'sealed');
    this.#keys = privateFolder(home, 'vault', 'keys');
    const tag = join(home, 'vault', 'CACHEDIR.TAG');
    if (!readIfThere(tag)) writeWhole(tag, utf8(backupTag), 'the mark that keeps secrets of rounds out of backups');
    this.#removeHalves();
  }

  /** Stores secrets durably; with `erasing`, under a fresh key, after which the old key is gone. Throws PEER_STORE_FAILED where the round's key has vanished. */
  save(key: RoundKey, secrets: RoundSecrets, { erasing }: { readonly erasing: boolean }): void {
    const before = secrets.keyName;
    if (before === undefined || erasing) {
      secrets.keyName = toHex(randomBytes(nameSizeBytes));
      writeWhole(join(this.#keys, secrets.keyName), randomBytes(32), 'the key of a round');
    }
    const name = secrets.keyName ?? '';
    const nonce = randomBytes(nonceSizeBytes);
    const roundKey = this.#keyNamed(name);
    if (!roundKey) throw storeError(new Error('the key is gone'), this.#keys, 'the key of a round');
    const cipher = createCipheriv('chacha20-poly1305', roundKey, nonce, { authTagLength: tagSizeBytes });
    const plain = packValue(secrets);
    const sealed = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
    plain.fill(0);
    roundKey.fill(0);
    writeWhole(this.#path(key), concat(Buffer.from(name, 'hex'), nonce, sealed), 'the secrets of a round');
    if (before !== undefined && erasing) this.#destroyKey(before);
  }

  /** The secrets of a round; undefined where there are none, or where their key was destroyed. Not opened by Node, which frees plain bytes as they are. */
  load(key: RoundKey): RoundSecrets | undefined {
    const stored = readIfThere(this.#path(key));
    if (!stored) return undefined;
    const roundKey = this.#keyNamed(nameIn(stored));
    if (!roundKey) return undefined;
    const body = stored.subarray(nameSizeBytes + nonceSizeBytes);
    try {
      const plain = chacha20poly1305(roundKey, stored.subarray(nameSizeBytes, nameSizeBytes + nonceSizeBytes)).decrypt(body);
      const secrets = unpackValue(plain) as RoundSecrets;
      plain.fill(0);
      return secrets;
    } catch (error) {
      throw storeError(error, this.#sealed, 'the secrets of a round');
    } finally {
      roundKey.fill(0);
    }
  }

  /** Puts a sealed record aside for an auditor, and the words, still sealed, beside it: before `destroy`, and again after a crash; the first record stays. */
  putAside(key: RoundKey, record: () => Uint8Array): void {
    const folder = privateFolder(this.#home, auditFolder);
    const path = join(folder, recordName(key));
    if (sizeIfThere(path) === undefined) writeWhole(path, record(), 'the record of a round for an auditor');
    moveIfThere(join(this.#sealed, wordsName(key)), join(folder, wordsName(key)), 'the words of a round for an auditor');
  }

  /** Destroys a round's secrets, and the words that were sealed under them. */
  destroy(key: RoundKey): void {
    rmSync(join(this.#sealed, wordsName(key)), { force: true });
    const stored = readIfThere(this.#path(key));
    if (!stored) return;
    this.#destroyKey(nameIn(stored));
    rmSync(this.#path(key), { force: true });
  }

  /** A key; undefined where it is gone, or overwritten by a `destroy` that a crash cut short. */
  #keyNamed(name: string): Uint8Array | undefined {
    const found = readIfThere(join(this.#keys, name));
    return found?.some((byte) => byte !== 0) ? found : undefined;
  }

  /** Overwrites a key where it lies, then removes it. A file system that never writes in place, or a snapshot of it, keeps what it had. */
  #destroyKey(name: string): void {
    const file = join(this.#keys, name);
    if (!readIfThere(file)) return;
    const handle = openSync(file, 'r+');
    try {
      writeSync(handle, new Uint8Array(32), 0, 32, 0);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    rmSync(file, { force: true });
  }

  /** Rounds of which secrets are stored. */
  rounds(): readonly RoundKey[] {
    return readdirSync(this.#sealed).flatMap((name) => {
      const [, run, round] = /^(\d+)-(\d+)$/.exec(name) ?? [];
      return run === undefined || round === undefined ? [] : [{ run: Number(run), round: Number(round) }];
    });
  }

  /**
   * A crash between two steps of `save` leaves a key that should be gone, or half a file: no key may outlive the secrets that name it.
   * One between two steps of `destroy` leaves secrets that nothing opens any more.
   */
  #removeHalves(): void {
    for (const name of readdirSync(this.#sealed)) if (name.endsWith('.new')) rmSync(join(this.#sealed, name), { force: true });
    for (const round of this.rounds()) if (!this.#keyNamed(this.#keyNameOf(round))) this.destroy(round);
    const sealed = new Set(this.rounds().map(wordsName));
    for (const name of readdirSync(this.#sealed)) if (name.endsWith('.words') && !sealed.has(name)) rmSync(join(this.#sealed, name), { force: true });
    const inUse = new Set(this.rounds().map((round) => this.#keyNameOf(round)));
    for (const name of readdirSync(this.#keys)) if (!inUse.has(name)) this.#destroyKey(name);
  }

  #keyNameOf(round: RoundKey): string {
    return nameIn(readIfThere(this.#path(round)) ?? new Uint8Array());
  }

  #path({ run, round }: RoundKey): string {
    return join(this.#sealed, `${run}-${round}`);
  }
}
