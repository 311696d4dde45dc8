/**
 * One account's transactions, one after the other: dry run, nonce, sign, send, wait for the block. The nonce is kept here and read again from the
 * chain after anything went wrong, so a refused transaction never leaves a gap. One account is one process.
 */
import { Transaction } from 'ethers';
import { type Clock, isSwarmError, type SwarmError } from '../../common/index.ts';
import type { AccountKey } from '../account-key.ts';
import { ledgerErrors } from '../errors.ts';
import { gasLimit, maxNonceRetries, maxQueuedTransactions, receiptTimeoutMs } from '../limits.ts';
import { parseAnswer, quantityAnswer, type ReceiptAnswer, receiptAnswer } from './answers.ts';
import type { JsonRpc } from './rpc.ts';

/** What is sent: a call of `to`, or a creation where there is none. */
interface Draft {
  /** For messages. */
  readonly name: string;
  readonly to: string | undefined;
  readonly data: string;
  /** The contract's reason in words, for the data of a revert. */
  readonly reasonOf: (data: string) => string | undefined;
}

type Options = { readonly signal: AbortSignal };

const nonceTaken = /nonce too low|already known|nonce too high|replacement transaction|future transaction/i;

/** A node of a real chain may say this for its first blocks; it means "not yet". */
const notYet = /indexing is in progress/i;

/** Sends for one account. Fees are zero: the ledger is the members' own. */
export class Sender {
  readonly #rpc: JsonRpc;
  readonly #key: AccountKey;
  readonly #chainId: number;
  readonly #clock: Clock;
  readonly #pollMs: number;
  #nonce: number | undefined;
  #queued = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(rpc: JsonRpc, key: AccountKey, chain: { readonly chainId: number; readonly pollMs: number }, clock: Clock) {
    this.#rpc = rpc;
    this.#key = key;
    this.#chainId = chain.chainId;
    this.#pollMs = chain.pollMs;
    this.#clock = clock;
  }

  /** Sends in turn and waits for the block. Throws LEDGER_REFUSED, LEDGER_UNREACHABLE, LEDGER_BUSY, LEDGER_LOST_TRANSACTION. */
  async send(draft: Draft, options: Options): Promise<ReceiptAnswer> {
    if (this.#queued >= maxQueuedTransactions) throw ledgerErrors.LEDGER_BUSY({ queued: this.#queued });
    this.#queued += 1;
    const sent = this.#turn.then(() => this.#sendNow(draft, options));
    this.#turn = sent.catch(() => undefined);
    try {
      return await sent;
    } finally {
      this.#queued -= 1;
    }
  }

  async #sendNow(draft: Draft, options: Options): Promise<ReceiptAnswer> {
    try {
      await this.#dryRun(draft, options);
      const hash = await this.#broadcast(draft, options);
      const receipt = await this.#receipt(hash, options);
      if (receipt.status === 1) return receipt;
      // It was overtaken between dry run and block: a second dry run names the reason.
      await this.#dryRun(draft, options);
      throw ledgerErrors.LEDGER_REFUSED({ call: draft.name, reason: 'reverted in its block' });
    } catch (error) {
      this.#nonce = undefined;
      throw error;
    }
  }

  async #dryRun(draft: Draft, options: Options): Promise<void> {
    const call = { from: this.#key.account, data: draft.data, gas: `0x${gasLimit.toString(16)}`, ...(draft.to !== undefined && { to: draft.to }) };
    try {
      await this.#rpc.call('eth_call', [call, 'latest'], options);
    } catch (error) {
      throw isSwarmError(error, 'LEDGER_RPC_ERROR') ? refusal(draft, error) : error;
    }
  }

  async #broadcast(draft: Draft, options: Options): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      const nonce = this.#nonce ?? (await this.#nextNonce(options));
      const { raw, hash } = await this.#signed(draft, nonce);
      try {
        await this.#rpc.call('eth_sendRawTransaction', [raw], options);
        this.#nonce = nonce + 1;
        return hash;
      } catch (error) {
        this.#nonce = undefined;
        if (!isSwarmError(error, 'LEDGER_RPC_ERROR')) throw error;
        if (/already known/i.test(error.message)) return hash;
        if (attempt >= maxNonceRetries || !nonceTaken.test(error.message)) throw error;
      }
    }
  }

  async #nextNonce(options: Options): Promise<number> {
    const answer = await this.#rpc.call('eth_getTransactionCount', [this.#key.account, 'pending'], options);
    return parseAnswer(quantityAnswer, 'eth_getTransactionCount', answer);
  }

  async #signed(draft: Draft, nonce: number): Promise<{ readonly raw: string; readonly hash: string }> {
    const fields = { type: 0, chainId: this.#chainId, nonce, gasPrice: 0n, gasLimit, to: draft.to ?? null, data: draft.data, value: 0n };
    const transaction = Transaction.from(fields);
    transaction.signature = await this.#key.sign(transaction.unsignedHash);
    return { raw: transaction.serialized, hash: transaction.hash ?? '' };
  }

  /** Polls for the receipt; a node that is away meanwhile is asked again until the time is up. */
  async #receipt(hash: string, options: Options): Promise<ReceiptAnswer> {
    const startedMs = this.#clock.nowMs();
    let away: SwarmError | undefined;
    for (;;) {
      try {
        const answer = await this.#rpc.call('eth_getTransactionReceipt', [hash], options);
        away = undefined;
        if (answer !== null && answer !== undefined) return parseAnswer(receiptAnswer, 'eth_getTransactionReceipt', answer);
      } catch (error) {
        if (!isSwarmError(error, 'LEDGER_UNREACHABLE') && !(isSwarmError(error, 'LEDGER_RPC_ERROR') && notYet.test(error.message))) throw error;
        away = error;
      }
      const afterMs = this.#clock.nowMs() - startedMs;
      if (afterMs > receiptTimeoutMs) throw away ?? ledgerErrors.LEDGER_LOST_TRANSACTION({ transaction: hash, afterMs: Math.round(afterMs) });
      await this.#clock.sleep(this.#pollMs, options);
    }
  }
}

/** A failed dry run as the contract's refusal; an error that is no revert stays what it is. */
function refusal(draft: Draft, error: SwarmError): SwarmError {
  const { data, message } = error.detail;
  if (typeof data === 'string' && data.length >= 10)
    return ledgerErrors.LEDGER_REFUSED({ call: draft.name, reason: draft.reasonOf(data) ?? `error ${data.slice(0, 10)}` });
  return /revert/i.test(String(message)) ? ledgerErrors.LEDGER_REFUSED({ call: draft.name, reason: String(message).slice(0, 200) }) : error;
}
