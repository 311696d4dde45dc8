/**
 * A member's ledger account: a secp256k1 key in a file of its own, readable for its user only. Everything that signs asks an `AccountKey`,
 * so that an encrypted keystore or a hardware module can take the place of the file.
 */
import { randomBytes } from 'node:crypto';
import { chmod, open, readFile } from 'node:fs/promises';
import { computeAddress, hashMessage, recoverAddress, Signature, SigningKey } from 'ethers';
import { z } from 'zod';
import { type Account, account, toHex } from '../common/index.ts';
import { ledgerErrors } from './errors.ts';

/** Signs for one account. */
export interface AccountKey {
  readonly account: Account;
  /** ECDSA over a 32-byte hash (hexadecimal with 0x): 65 bytes r, s, v in hexadecimal, low s (EIP-2), v 27 or 28. */
  sign(hash: string): Promise<string>;
}

const keyShape = z.strictObject({ format: z.literal('schwarm.account/1'), account: z.string(), privateKey: z.string().regex(/^0x[0-9a-f]{64}$/) });

function keyOf(privateKey: string): AccountKey {
  const key = new SigningKey(privateKey);
  return { account: account(computeAddress(key.publicKey)), sign: async (hash) => key.sign(hash).serialized };
}

/** An account with a fresh key that is kept nowhere: for tests and short-lived tools. */
export function freshAccountKey(): AccountKey {
  return keyOf(`0x${toHex(randomBytes(32))}`);
}

/** Makes an account and writes its key to a new file, mode 0600, on the disk when this resolves. Throws LEDGER_KEY_EXISTS. */
export async function createAccountKey(file: string): Promise<AccountKey> {
  const privateKey = `0x${toHex(randomBytes(32))}`;
  const key = keyOf(privateKey);
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? ledgerErrors.LEDGER_KEY_EXISTS({ file }) : ledgerErrors.LEDGER_KEY_UNREADABLE({ file, why: error.message }, error);
  });
  try {
    await handle.writeFile(`${JSON.stringify({ format: 'schwarm.account/1', account: key.account, privateKey }, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return key;
}

/** The account of a key file. Takes away what others may read of it. Throws LEDGER_KEY_UNREADABLE; no message holds any part of the key. */
export async function loadAccountKey(file: string): Promise<AccountKey> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw ledgerErrors.LEDGER_KEY_UNREADABLE({ file, why: error.code ?? 'unreadable' });
  });
  const parsed = keyShape.safeParse(jsonOf(text));
  if (!parsed.success) throw ledgerErrors.LEDGER_KEY_UNREADABLE({ file, why: 'it is not an account key of this version' });
  const key = keyOf(parsed.data.privateKey);
  if (key.account !== parsed.data.account) throw ledgerErrors.LEDGER_KEY_UNREADABLE({ file, why: 'the key is not that of the account named beside it' });
  await chmod(file, 0o600).catch(() => undefined);
  return key;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The account whose key made a canonical 65-byte signature over a 32-byte hash, or undefined where it is not one. */
export function signerOf(hash: string, signature: string): Account | undefined {
  if (!/^0x[0-9a-fA-F]{128}(1b|1c|1B|1C)$/.test(signature)) return undefined;
  try {
    return account(recoverAddress(hash, Signature.from(signature)));
  } catch {
    return undefined;
  }
}

/** Signs bytes by EIP-191 (`personal_sign`). */
export async function signAccountMessage(key: AccountKey, message: Uint8Array): Promise<string> {
  return await key.sign(hashMessage(message));
}

/** The account that signed `message` by EIP-191, or undefined where the signature is not valid: for enrolments and hellos. */
export function verifyAccountSignature(message: Uint8Array, signature: string): Account | undefined {
  return signerOf(hashMessage(message), signature);
}
