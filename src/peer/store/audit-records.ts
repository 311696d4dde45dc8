/**
 * Sealed records for an auditor: what opens this member's own part of a FINAL round, sealed to a key that the institution keeps off this machine
 * (X25519 with a key pair of one use, HKDF-SHA-256, ChaCha20-Poly1305). The peer writes them and cannot read them.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { hybridKeys, type OpeningKeys } from '../../aggregation/index.ts';
import { concat, equalBytes, hkdf, utf8 } from '../../common/index.ts';
import type { RoundKey } from '../../wire/index.ts';
import { packValue, unpackValue } from './plain-bytes.ts';

/** What a record holds: the keys of the opening, and the key of the words that lie sealed beside it. */
export interface AuditRecord {
  readonly opening: OpeningKeys;
  readonly wordsKey: Uint8Array;
}

/** The folder of the records in a home. */
export const auditFolder = 'audit';

const magic = utf8('schwarm.audit-record/1\n');
const keySizeBytes = 32;
const tagSizeBytes = 16;
const zeroNonce = new Uint8Array(12);
const cipherName = 'chacha20-poly1305';

/** The name of a round's record. */
export function recordName({ run, round }: RoundKey): string {
  return `${run}-${round}.sealed`;
}

/** The public half, 32 bytes, of an offline key; undefined for bytes that are no private key. */
export function offlinePublicKey(privateKey: Uint8Array): Uint8Array | undefined {
  return privateKey.length === keySizeBytes ? hybridKeys.x25519Public(privateKey) : undefined;
}

/** Whether records can be sealed to these bytes: 32 of them, and no point of low order. */
export function isOfflinePublicKey(publicKey: Uint8Array): boolean {
  return publicKey.length === keySizeBytes && hybridKeys.x25519Shared(new Uint8Array(randomBytes(keySizeBytes)), publicKey) !== undefined;
}

/** One record, sealed so that only the private half of `publicKey` opens it: magic ‖ public key of one use (32) ‖ ciphertext ‖ tag (16). */
export function sealRecord(publicKey: Uint8Array, round: RoundKey, record: AuditRecord): Uint8Array {
  const once = new Uint8Array(randomBytes(keySizeBytes));
  const oncePublic = hybridKeys.x25519Public(once);
  const key = recordKey(hybridKeys.x25519Shared(once, publicKey), oncePublic, publicKey, round);
  const plain = packValue(record);
  const cipher = createCipheriv(cipherName, key ?? randomBytes(keySizeBytes), zeroNonce, { authTagLength: tagSizeBytes });
  const sealed = concat(magic, oncePublic, cipher.update(plain), cipher.final(), cipher.getAuthTag());
  for (const secret of [once, key, plain]) secret?.fill(0);
  return sealed;
}

/** The record; undefined where the key is another one, or the bytes were changed or are of another round. */
export function unsealRecord(privateKey: Uint8Array, round: RoundKey, sealed: Uint8Array): AuditRecord | undefined {
  const own = offlinePublicKey(privateKey);
  if (!own || sealed.length < magic.length + keySizeBytes + tagSizeBytes || !equalBytes(sealed.subarray(0, magic.length), magic)) return undefined;
  const oncePublic = sealed.subarray(magic.length, magic.length + keySizeBytes);
  const key = recordKey(hybridKeys.x25519Shared(privateKey, oncePublic), oncePublic, own, round);
  if (!key) return undefined;
  const decipher = createDecipheriv(cipherName, key, zeroNonce, { authTagLength: tagSizeBytes });
  decipher.setAuthTag(sealed.subarray(-tagSizeBytes));
  try {
    return unpackValue(concat(decipher.update(sealed.subarray(magic.length + keySizeBytes, -tagSizeBytes)), decipher.final())) as AuditRecord;
  } catch {
    return undefined;
  }
}

function recordKey(shared: Uint8Array | undefined, oncePublic: Uint8Array, publicKey: Uint8Array, { run, round }: RoundKey): Uint8Array | undefined {
  return shared && hkdf(shared, concat(oncePublic, publicKey), utf8(`schwarm/audit-record/1/${run}-${round}`));
}
