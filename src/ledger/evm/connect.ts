/** The ledger port on any EVM JSON-RPC node: checks that it is the right chain with the right contracts, then reads and writes. */
import { type Account, account, type Clock, type Logger } from '../../common/index.ts';
import { type AccountKey, signAccountMessage, signerOf } from '../account-key.ts';
import { ledgerErrors } from '../errors.ts';
import type { Ledger, LedgerBatch, LedgerCursor, LedgerTransaction, Receipt } from '../ledger.ts';
import { defaultPollMs } from '../limits.ts';
import { addressAnswer, hexAnswer, parseAnswer, quantityAnswer } from './answers.ts';
import { type ContractName, contracts, runtimeFingerprint } from './artifacts.ts';
import { type Addresses, encodeCall, refusalOf } from './calls.ts';
import { type CursorParts, readBatches } from './cursor.ts';
import { type ReadyStatement, readyHash } from './ready.ts';
import { JsonRpc, type RpcEndpoint } from './rpc.ts';
import { Sender } from './sender.ts';

/** How one member reaches its consortium's ledger. */
export interface ConnectOptions extends RpcEndpoint {
  readonly chainId: number;
  /** Address of the `Rounds` contract. */
  readonly contract: Account;
  readonly key: AccountKey;
  /** Milliseconds between two looks at the head: 50 for the embedded engine, a quarter of the block period elsewhere. */
  readonly pollMs?: number;
  /** 0 where blocks are final at once (embedded, QBFT); floor(validators / 2) + 1 on Clique. */
  readonly confirmations?: number;
}

/** What the client needs of its surroundings. */
export interface ConnectParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

type Options = { readonly signal: AbortSignal };

class EvmLedger implements Ledger {
  readonly chainId: number;
  readonly contract: Account;
  readonly account: Account;
  readonly #key: AccountKey;
  readonly #cursor: CursorParts;
  readonly #sender: Sender;
  readonly #closing = new AbortController();

  constructor(options: ConnectOptions, cursor: CursorParts) {
    this.chainId = options.chainId;
    this.contract = options.contract;
    this.account = options.key.account;
    this.#key = options.key;
    this.#cursor = cursor;
    this.#sender = new Sender(cursor.rpc, options.key, { chainId: options.chainId, pollMs: cursor.pollMs }, cursor.clock);
  }

  batches(cursor: LedgerCursor | undefined, { signal }: Options): AsyncIterable<LedgerBatch> {
    return readBatches(this.#cursor, cursor, { signal: AbortSignal.any([signal, this.#closing.signal]) });
  }

  async submit(transaction: LedgerTransaction, { signal }: Options): Promise<Receipt> {
    const signature = transaction.kind === 'ready' ? await this.#key.sign(readyHash(this.chainId, this.contract, transaction)) : '0x';
    const { name, contract, data } = encodeCall(transaction, { signature });
    const draft = { name, to: this.#cursor.addresses[contract], data, reasonOf: (error: string) => refusalOf(contract, error) };
    const receipt = await this.#sender.send(draft, { signal: AbortSignal.any([signal, this.#closing.signal]) });
    return { transaction: receipt.transactionHash, block: receipt.blockNumber };
  }

  readySigner(ready: ReadyStatement & { readonly signature: string }): Account | undefined {
    return signerOf(readyHash(this.chainId, this.contract, ready), ready.signature);
  }

  async sign(message: Uint8Array): Promise<string> {
    return await signAccountMessage(this.#key, message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#cursor.rpc[Symbol.dispose]();
  }
}

async function checkChain(rpc: JsonRpc, expected: number, options: Options): Promise<void> {
  const found = parseAnswer(quantityAnswer, 'eth_chainId', await rpc.call('eth_chainId', [], options));
  if (found !== expected) throw ledgerErrors.LEDGER_WRONG_CHAIN({ url: rpc.url, expected, found });
}

async function checkCode(rpc: JsonRpc, name: ContractName, address: Account, options: Options): Promise<void> {
  const code = parseAnswer(hexAnswer, 'eth_getCode', await rpc.call('eth_getCode', [address, 'latest'], options));
  const expected = contracts[name].runtimeSha256;
  const found = code === '0x' ? 'none (no code there)' : runtimeFingerprint(contracts[name], code);
  if (found !== expected) throw ledgerErrors.LEDGER_WRONG_CONTRACT({ contract: name, address, expected, found });
}

/** The address that a contract names by a getter without arguments. */
async function named(rpc: JsonRpc, name: ContractName, at: Account, getter: string, options: Options): Promise<Account> {
  const data = contracts[name].interface.encodeFunctionData(getter);
  const answer = parseAnswer(hexAnswer, 'eth_call', await rpc.call('eth_call', [{ to: at, data }, 'latest'], options));
  return account(parseAnswer(addressAnswer, getter, `0x${answer.slice(-40)}`));
}

/** The consortium's three contracts, each with the code of this version. Throws LEDGER_WRONG_CONTRACT. */
export async function addressesOf(rpc: JsonRpc, rounds: Account, options: Options): Promise<Addresses> {
  await checkCode(rpc, 'Rounds', rounds, options);
  const studies = await named(rpc, 'Rounds', rounds, 'studies', options);
  await checkCode(rpc, 'Studies', studies, options);
  const members = await named(rpc, 'Studies', studies, 'members', options);
  await checkCode(rpc, 'Members', members, options);
  return { Members: members, Studies: studies, Rounds: rounds };
}

/**
 * Connects one member. Throws LEDGER_UNREACHABLE, LEDGER_TOKEN_REFUSED, LEDGER_WRONG_CHAIN or LEDGER_WRONG_CONTRACT; once connected,
 * the ledger outlives restarts of its node.
 */
export async function connectLedger(options: ConnectOptions, parts: ConnectParts, { signal }: Options): Promise<Ledger> {
  const rpc = new JsonRpc(options, parts.clock);
  try {
    await checkChain(rpc, options.chainId, { signal });
    const addresses = await addressesOf(rpc, options.contract, { signal });
    const { pollMs = defaultPollMs, confirmations = 0 } = options;
    return new EvmLedger(options, { rpc, ...parts, addresses, pollMs, confirmations });
  } catch (error) {
    rpc[Symbol.dispose]();
    throw error;
  }
}

/** What a node says of itself, for `doctor` and `ledger status`. */
export interface LedgerStatus {
  readonly engine: string;
  readonly chainId: number;
  readonly block: number;
}

/** Asks a node who it is, without any contract. Throws LEDGER_UNREACHABLE or LEDGER_TOKEN_REFUSED. */
export async function probeLedger(endpoint: RpcEndpoint, parts: { readonly clock: Clock }, options: Options): Promise<LedgerStatus> {
  using rpc = new JsonRpc(endpoint, parts.clock);
  const [engine, chainId, block] = await Promise.all([
    rpc.call('web3_clientVersion', [], options),
    rpc.call('eth_chainId', [], options),
    rpc.call('eth_blockNumber', [], options),
  ]);
  return {
    engine: String(engine).slice(0, 100),
    chainId: parseAnswer(quantityAnswer, 'eth_chainId', chainId),
    block: parseAnswer(quantityAnswer, 'eth_blockNumber', block),
  };
}
