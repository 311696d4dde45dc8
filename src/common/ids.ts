/** Identities as branded strings: only the parsers here make them, so a wrong text cannot travel as an identity. */
import { commonErrors } from './errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** SHA-256 in 64 lower-case hexadecimal digits. */
export type Digest = Branded<'Digest'>;
/** Ledger account: `0x` and 40 lower-case hexadecimal digits. */
export type Account = Branded<'Account'>;
/** libp2p peer id in its usual text form (`12D3Koo…` for Ed25519 keys). */
export type PeerId = Branded<'PeerId'>;
/** A study's hash, which is its identity everywhere. */
export type StudyId = Digest;
/** Number of a run on its ledger, from 1. */
export type RunId = number;

function parser<T extends string>(what: string, pattern: RegExp, shape: string): (text: string) => T {
  return (text) => {
    if (!pattern.test(text)) throw commonErrors.COMMON_BAD_IDENTITY({ what, found: text.slice(0, 100), shape });
    return text as T;
  };
}

/** Parses 64 hexadecimal digits (an `0x` in front and capitals are accepted). Throws COMMON_BAD_IDENTITY. */
export function digest(text: string): Digest {
  return parseDigest(text.toLowerCase().replace(/^0x/, ''));
}
const parseDigest = parser<Digest>('digest', /^[0-9a-f]{64}$/, '64 hexadecimal digits');

/** Parses an account of an EVM ledger. Throws COMMON_BAD_IDENTITY. */
export function account(text: string): Account {
  return parseAccount(text.toLowerCase());
}
const parseAccount = parser<Account>('account', /^0x[0-9a-f]{40}$/, '0x and 40 hexadecimal digits');

/** Parses the text form of an Ed25519 libp2p peer id. Throws COMMON_BAD_IDENTITY. */
export const peerId: (text: string) => PeerId = parser<PeerId>('peer id', /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/, '12D3KooW and 44 base58 characters');
