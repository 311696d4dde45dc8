/** The READY statement as EIP-712 typed data, exactly as `contracts/ReadySignature.sol` checks it. */
import { TypedDataEncoder } from 'ethers';
import { type Account, type Digest, fromHex, sha256, toHex } from '../../common/index.ts';

/** What a member agrees to: this context, exactly these members (accounts in index order), this masked sum. */
export interface ReadyStatement {
  readonly context: Digest;
  readonly members: readonly Account[];
  readonly sum: Digest;
}

const types = {
  Ready: [
    { name: 'context', type: 'bytes32' },
    { name: 'members', type: 'bytes32' },
    { name: 'sum', type: 'bytes32' },
  ],
};

/** SHA-256 over the 20-byte accounts in the given order, in hexadecimal with 0x. */
export function membersHash(members: readonly Account[]): string {
  return `0x${toHex(sha256(...members.map((member) => fromHex(member) ?? new Uint8Array(20))))}`;
}

/** The 32-byte hash that is signed, bound to one chain and one `Rounds` contract. */
export function readyHash(chainId: number, contract: Account, ready: ReadyStatement): string {
  const domain = { name: 'Schwarm', version: '1', chainId, verifyingContract: contract };
  return TypedDataEncoder.hash(domain, types, { context: `0x${ready.context}`, members: membersHash(ready.members), sum: `0x${ready.sum}` });
}
