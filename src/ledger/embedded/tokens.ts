/** The bearer tokens of the gateway: who may talk to the embedded ledger at all. Membership and votes are the contract's matter. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { sha256, utf8 } from '../../common/index.ts';
import { ledgerErrors } from '../errors.ts';

/** One member's token; the name is for the log. */
export interface LedgerToken {
  readonly name: string;
  /** At least 32 characters, best 32 random bytes in base64url. */
  readonly token: string;
}

const tokensShape = z
  .array(z.strictObject({ name: z.string().min(1).max(64), token: z.string().min(32).max(256) }))
  .min(1)
  .max(1_024);

/** Tokens fit for use: long enough and all different. Throws LEDGER_BAD_TOKENS. */
export function checkTokens(tokens: unknown): readonly LedgerToken[] {
  const parsed = tokensShape.safeParse(tokens);
  if (!parsed.success)
    throw ledgerErrors.LEDGER_BAD_TOKENS({
      what: parsed.error.issues
        .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
        .join('; ')
        .slice(0, 200),
    });
  if (new Set(parsed.data.map(({ token }) => token)).size < parsed.data.length)
    throw ledgerErrors.LEDGER_BAD_TOKENS({ what: 'two members have the same token' });
  return parsed.data;
}

/** A token of 32 random bytes. */
export function freshToken(name: string): LedgerToken {
  return { name, token: randomBytes(32).toString('base64url') };
}

/** The tokens of a JSON file `[{"name": …, "token": …}]`; a missing file is made with one fresh token, readable for this user only. Throws LEDGER_BAD_TOKENS or LEDGER_STORE_FAILED. */
export async function loadTokens(file: string): Promise<readonly LedgerToken[]> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text !== undefined) return parseTokens(text);
  const fresh = [freshToken('local')];
  const aside = `${file}.new`;
  try {
    await writeFile(aside, `${JSON.stringify(fresh, null, 2)}\n`, { mode: 0o600 });
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw ledgerErrors.LEDGER_STORE_FAILED({ file, why: error instanceof Error ? error.message : 'unknown' }, error);
  }
  return fresh;
}

function parseTokens(text: string): readonly LedgerToken[] {
  try {
    return checkTokens(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw ledgerErrors.LEDGER_BAD_TOKENS({ what: 'the file is not JSON' }, error);
    throw error;
  }
}

/** Names the holder of the token in an `authorization` header; the time taken says nothing about any token. */
export function tokenChecker(tokens: readonly LedgerToken[]): (authorization: string | undefined) => string | undefined {
  const known = tokens.map(({ name, token }) => ({ name, hash: sha256(utf8(token)) }));
  return (authorization) => {
    const given = sha256(utf8(authorization?.startsWith('Bearer ') ? authorization.slice(7) : ''));
    let holder: string | undefined;
    for (const { name, hash } of known) if (timingSafeEqual(given, hash)) holder = name;
    return holder;
  };
}
