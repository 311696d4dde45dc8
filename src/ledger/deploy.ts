/** Founding a consortium: the three contracts on a chain, with the founding members in the first. */
import { type Account, account, type Clock, concat, fromHex, type PeerId, toHex } from '../common/index.ts';
import type { AccountKey } from './account-key.ts';
import { ledgerErrors } from './errors.ts';
import { parseAnswer, quantityAnswer } from './evm/answers.ts';
import { type ContractName, contracts } from './evm/artifacts.ts';
import { nameBytes, peerKeyFor, refusalOf } from './evm/calls.ts';
import { addressesOf } from './evm/connect.ts';
import { JsonRpc, type RpcEndpoint } from './evm/rpc.ts';
import { Sender } from './evm/sender.ts';
import { defaultPollMs } from './limits.ts';

/** A member from the first day. */
export interface Founder {
  readonly account: Account;
  readonly peerId: PeerId;
  /** 1 to 64 bytes of UTF-8. */
  readonly name: string;
}

/** What is founded, and where. */
export interface DeployOptions extends RpcEndpoint {
  readonly chainId: number;
  /** Pays nothing and gets no rights by deploying. */
  readonly key: AccountKey;
  readonly founders: readonly Founder[];
  /** A proposal needs floor(members · percent / 100) + 1 votes; 50 is the simple majority. */
  readonly votePercent: number;
  readonly pollMs?: number;
}

type Options = { readonly signal: AbortSignal };

function creationCode(name: ContractName, args: readonly unknown[]): string {
  const { bytecode, interface: abi } = contracts[name];
  return `0x${toHex(concat(fromHex(bytecode) ?? new Uint8Array(0), fromHex(abi.encodeDeploy(args)) ?? new Uint8Array(0)))}`;
}

async function create(sender: Sender, name: ContractName, args: readonly unknown[], options: Options): Promise<Account> {
  const draft = { name: `deploy ${name}`, to: undefined, data: creationCode(name, args), reasonOf: (data: string) => refusalOf(name, data) };
  const { contractAddress } = await sender.send(draft, options);
  if (contractAddress === undefined || contractAddress === null)
    throw ledgerErrors.LEDGER_BAD_ANSWER({ method: 'eth_getTransactionReceipt', what: 'no contract address' });
  return account(contractAddress);
}

/** Deploys the contracts and returns the consortium's identity. Throws LEDGER_REFUSED (founders that the contract does not take), LEDGER_WRONG_CHAIN, LEDGER_UNREACHABLE. */
export async function deployConsortium(options: DeployOptions, parts: { readonly clock: Clock }, { signal }: Options): Promise<{ readonly contract: Account }> {
  using rpc = new JsonRpc(options, parts.clock);
  const found = parseAnswer(quantityAnswer, 'eth_chainId', await rpc.call('eth_chainId', [], { signal }));
  if (found !== options.chainId) throw ledgerErrors.LEDGER_WRONG_CHAIN({ url: rpc.url, expected: options.chainId, found });
  const sender = new Sender(rpc, options.key, { chainId: options.chainId, pollMs: options.pollMs ?? defaultPollMs }, parts.clock);
  const founders = options.founders.map((founder) => ({ account: founder.account, peerKey: peerKeyFor(founder.peerId), name: nameBytes(founder.name) }));
  const members = await create(sender, 'Members', [founders, options.votePercent], { signal });
  const studies = await create(sender, 'Studies', [members], { signal });
  const rounds = await create(sender, 'Rounds', [studies], { signal });
  await addressesOf(rpc, rounds, { signal });
  return { contract: rounds };
}
