/** The context of a round: every signature, hash, key and ciphertext of the round is bound to it (protocol 3.1). */
import { type Account, type Digest, digest, digestBytes, digestOf, fromHex, hashFields, toHex, u64 } from '../../common/index.ts';

/** Everything that two rounds could differ in. */
export interface ContextFields {
  readonly chainId: number;
  readonly contract: Account;
  readonly study: Digest;
  readonly run: number;
  readonly round: number;
  /** Hash of the round state that this round starts from. */
  readonly base: Digest;
  readonly plan: Digest;
  /** Accounts of the round's roster in ascending order of their index. */
  readonly roster: readonly Account[];
}

/** SHA-256 over the concatenation of accounts, 20 bytes each: the member list as a READY signature and the contract have it. */
export function accountsDigest(accounts: readonly Account[]): Digest {
  return digestOf(...accounts.map((account) => fromHex(account) ?? new Uint8Array(20)));
}

/** ctx = H("cgss/1", chainId, contract, study, run, round, base, plan, roster). */
export function roundContext(fields: ContextFields): Digest {
  const contract = fromHex(fields.contract) ?? new Uint8Array(20);
  const parts = [
    u64(BigInt(fields.chainId)),
    contract,
    digestBytes(fields.study),
    fields.run,
    fields.round,
    digestBytes(fields.base),
    digestBytes(fields.plan),
  ];
  return digest(toHex(hashFields('cgss/1', ...parts, digestBytes(accountsDigest(fields.roster)))));
}

/** ctx_a = H(ctx, attempt, sorted member list). */
export function attemptContext(context: Digest, attempt: number, set: readonly number[]): Digest {
  return digest(toHex(hashFields('cgss/1/attempt', digestBytes(context), attempt, ...set)));
}
