/** The compiled contracts as the client uses them: interfaces, creation code, and the fingerprint of their runtime code. */
import { Interface, type InterfaceAbi } from 'ethers';
import members from '../../../contracts/artifacts/Members.json' with { type: 'json' };
import rounds from '../../../contracts/artifacts/Rounds.json' with { type: 'json' };
import studies from '../../../contracts/artifacts/Studies.json' with { type: 'json' };
import { fromHex, sha256, toHex } from '../../common/index.ts';

/** The three modules of the ledger. */
export type ContractName = 'Members' | 'Studies' | 'Rounds';

/** One compiled contract. */
export interface Contract {
  readonly name: ContractName;
  readonly interface: Interface;
  /** Creation code in hexadecimal with 0x. */
  readonly bytecode: string;
  /** SHA-256 of the runtime code with its immutable words zeroed. */
  readonly runtimeSha256: string;
  readonly immutables: readonly { readonly start: number; readonly length: number }[];
}

interface Artifact {
  readonly abi: InterfaceAbi;
  readonly bytecode: string;
  readonly runtime: { readonly sha256: string; readonly immutables: readonly { readonly start: number; readonly length: number }[] };
}

function contract(name: ContractName, artifact: Artifact): Contract {
  return {
    name,
    interface: new Interface(artifact.abi),
    bytecode: artifact.bytecode,
    runtimeSha256: artifact.runtime.sha256,
    immutables: artifact.runtime.immutables,
  };
}

/** By name. */
export const contracts: Readonly<Record<ContractName, Contract>> = {
  Members: contract('Members', members),
  Studies: contract('Studies', studies),
  Rounds: contract('Rounds', rounds),
};

/** Fingerprint of runtime code read from a chain, to be compared with `runtimeSha256`; immutable words differ by deployment and do not count. */
export function runtimeFingerprint(of: Contract, code: string): string {
  const bytes = fromHex(code) ?? new Uint8Array(0);
  for (const { start, length } of of.immutables) bytes.fill(0, start, start + length);
  return toHex(sha256(bytes));
}

/** First topic of an event's logs. */
export function topicOf(name: ContractName, event: string): string {
  return contracts[name].interface.getEvent(event)?.topicHash ?? '';
}
