/**
 * The embedded chain: engine and store as one thing that confirms only what is on the disk. One transaction a block, one block at a time,
 * each with a timestamp of `LedgerTime`; while a run is live an empty block a second. An engine that dies is started again by replay.
 */
import { gunzipSync } from 'node:zlib';
import { Transaction } from 'ethers';
import { assert, fromHex, isSwarmError, type SwarmError } from '../../common/index.ts';
import { ledgerErrors } from '../errors.ts';
import { blockAnswer, hexAnswer, logAnswer, parseAnswer, quantityAnswer, receiptAnswer } from '../evm/answers.ts';
import { topicOf } from '../evm/artifacts.ts';
import type { JsonRpc } from '../evm/rpc.ts';
import { emptyBlockMs, longestWaitMs, maxEngineStarts, snapshotBlocks } from '../limits.ts';
import type { Engine, EngineParts } from './engine.ts';
import { replay, type Tip } from './replay.ts';
import type { ChainStore } from './store.ts';
import { LedgerTime } from './time.ts';

const runStarted = topicOf('Rounds', 'RunStarted');
const runEnded = topicOf('Rounds', 'RunEnded');

/** The transaction's sender and nonce, or undefined where it is not a signed transaction of this chain. */
function senderOf(raw: string, chainId: number): { readonly from: string; readonly nonce: number; readonly hash: string } | undefined {
  try {
    const { from, nonce, hash, chainId: ofChain } = Transaction.from(raw);
    return from !== null && hash !== null && ofChain === BigInt(chainId) ? { from: from.toLowerCase(), nonce, hash } : undefined;
  } catch {
    return undefined;
  }
}

export class EmbeddedChain implements AsyncDisposable {
  /** Resolves when the chain has ended: with the error that ended it, or undefined after disposal. */
  readonly ended: Promise<SwarmError | undefined>;
  readonly #store: ChainStore;
  readonly #parts: EngineParts;
  readonly #closing = new AbortController();
  readonly #live = new Set<string>();
  #engine: Promise<Engine>;
  /** The engine that is in use; undefined while one is being started. */
  #current: Engine | undefined;
  #tip: Tip = { number: 0, timeS: 0, hash: '' };
  #confirmed = 0;
  #grown = Promise.withResolvers<void>();
  #time: LedgerTime;
  #turn: Promise<unknown> = Promise.resolve();
  #synced: Promise<void> = Promise.resolve();
  #lastBlockMs = 0;
  #snapshotBlock = 0;
  #beating = false;
  #finish: (error: SwarmError | undefined) => void = () => undefined;

  private constructor(store: ChainStore, parts: EngineParts) {
    this.#store = store;
    this.#parts = parts;
    this.#time = new LedgerTime(parts.clock, store.identity.genesisTimeS);
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#engine = this.#start();
  }

  /** Starts the engine and replays what is stored. Throws LEDGER_REPLAY_DIFFERS, LEDGER_STORE_DAMAGED, LEDGER_ENGINE_FAILED, LEDGER_ENGINE_MISSING. */
  static async open(store: ChainStore, parts: EngineParts): Promise<EmbeddedChain> {
    const chain = new EmbeddedChain(store, parts);
    await chain.#engine;
    return chain;
  }

  get chainId(): number {
    return this.#store.identity.chainId;
  }

  /** Number of the newest block that is on the disk. */
  get confirmedBlock(): number {
    return this.#confirmed;
  }

  /** Number of the newest block that is on the disk, as soon as it is above `block`, or after `longestWaitMs`. */
  async blockAfter(block: number, options: { readonly signal: AbortSignal }): Promise<number> {
    const untilMs = this.#parts.clock.nowMs() + longestWaitMs;
    for (let restMs = longestWaitMs; this.#confirmed <= block && restMs > 0; restMs = untilMs - this.#parts.clock.nowMs()) {
      const over = new AbortController();
      const signal = AbortSignal.any([options.signal, this.#closing.signal, over.signal]);
      await Promise.race([this.#grown.promise, this.#parts.clock.sleep(restMs, { signal }).catch(() => undefined)]);
      over.abort();
      if (options.signal.aborted || this.#closing.signal.aborted) break;
    }
    return this.#confirmed;
  }

  /** Process id of the engine, for tests and reports. */
  async enginePid(): Promise<number> {
    return (await this.#engine).pid;
  }

  /** Asks the engine; the answer is held back until every block it may show is on the disk. */
  async read(method: string, params: readonly unknown[], options: { readonly signal: AbortSignal }): Promise<unknown> {
    const { rpc } = await this.#engine;
    const answer = await rpc.call(method, params, options);
    await this.#synced;
    return answer;
  }

  /** Puts a signed transaction into a block of its own and returns its hash once the block is on the disk. Throws LEDGER_RPC_ERROR where it cannot be taken. */
  async send(raw: string): Promise<string> {
    const sender = senderOf(raw, this.chainId);
    if (sender === undefined) throw refusal(-32602, 'not a signed transaction of this chain');
    const synced = await this.#exclusive(async () => {
      const { rpc } = await this.#engine;
      await this.#checkNonce(rpc, sender);
      await this.#call(rpc, 'eth_sendRawTransaction', [raw]);
      return await this.#mine(rpc, raw, sender.hash);
    });
    await synced.done;
    return sender.hash;
  }

  async #checkNonce(rpc: JsonRpc, sender: { readonly from: string; readonly nonce: number }): Promise<void> {
    const next = parseAnswer(quantityAnswer, 'eth_getTransactionCount', await this.#call(rpc, 'eth_getTransactionCount', [sender.from, 'latest']));
    if (sender.nonce < next) throw refusal(-32003, `nonce too low: ${sender.nonce}, next is ${next}`);
    if (sender.nonce > next) throw refusal(-32003, `nonce too high: ${sender.nonce}, next is ${next}`);
  }

  /** One block after the tip. What goes wrong in here leaves the engine in doubt: it is started again from the disk. */
  async #mine(rpc: JsonRpc, raw: string | undefined, hash: string | undefined): Promise<{ readonly done: Promise<void> }> {
    try {
      const timeS = this.#time.next(this.#live.size > 0);
      const [mined] = (await this.#call(rpc, 'evm_mine_detailed', [{ timestamp: timeS }])) as unknown[];
      const block = parseAnswer(blockAnswer, 'evm_mine_detailed', mined);
      assert(block.number === this.#tip.number + 1 && block.parentHash === this.#tip.hash, 'the engine made another block than the next one');
      if (hash !== undefined) await this.#follow(rpc, hash, block.number);
      this.#tip = { number: block.number, timeS: block.timestamp, hash: block.hash };
      this.#lastBlockMs = this.#parts.clock.nowMs();
      return { done: this.#keep(raw) };
    } catch (error) {
      await this.#restart(rpc, error instanceof Error ? error.message : 'unknown');
      throw error;
    }
  }

  #keep(raw: string | undefined): Promise<void> {
    const { number } = this.#tip;
    const kept = this.#store.append({ ...this.#tip, raw }).then(() => {
      this.#confirmed = Math.max(this.#confirmed, number);
      this.#grown.resolve();
      this.#grown = Promise.withResolvers();
    });
    this.#synced = kept;
    kept.catch((error: SwarmError) => this.#fail(error));
    return kept;
  }

  /** Learns from a transaction's events which runs are live. */
  async #follow(rpc: JsonRpc, hash: string, block: number): Promise<void> {
    const receipt = parseAnswer(receiptAnswer, 'eth_getTransactionReceipt', await this.#call(rpc, 'eth_getTransactionReceipt', [hash]));
    assert(receipt.blockNumber === block, 'the transaction is not in the block made for it');
    for (const log of receipt.logs) this.#note(log);
  }

  #note(log: { readonly address: string; readonly topics: readonly string[] }): void {
    const run = `${log.address}:${log.topics[1] ?? ''}`;
    if (log.topics[0] === runStarted) this.#live.add(run);
    if (log.topics[0] === runEnded) this.#live.delete(run);
    if (this.#live.size > 0 && !this.#beating) void this.#beat();
  }

  /** The heartbeat of a live run. */
  async #beat(): Promise<void> {
    this.#beating = true;
    const { clock } = this.#parts;
    const { signal } = this.#closing;
    try {
      while (this.#live.size > 0) {
        await clock.sleep(Math.max(1, emptyBlockMs - (clock.nowMs() - this.#lastBlockMs)), { signal });
        if (clock.nowMs() - this.#lastBlockMs >= emptyBlockMs) await this.#exclusive(() => this.#emptyBlock()).catch(() => undefined);
      }
    } catch {
      // Closing.
    } finally {
      this.#beating = false;
    }
    if (!signal.aborted) await this.#exclusive(() => this.#snapshotIfDue(snapshotBlocks)).catch(() => undefined);
  }

  async #emptyBlock(): Promise<void> {
    const { rpc } = await this.#engine;
    const { done } = await this.#mine(rpc, undefined, undefined);
    await done;
    await this.#snapshotIfDue(2 * snapshotBlocks);
  }

  /** During a run only when it is overdue: it holds up the chain for a moment. */
  async #snapshotIfDue(everyBlocks: number): Promise<void> {
    if (this.#tip.number - this.#snapshotBlock < everyBlocks) return;
    const { rpc } = await this.#engine;
    await this.#synced;
    const { number } = this.#tip;
    const state = parseAnswer(hexAnswer, 'anvil_dumpState', await this.#call(rpc, 'anvil_dumpState', [false]));
    await this.#store.saveSnapshot(number, gunzipSync(fromHex(state) ?? new Uint8Array(0)));
    this.#snapshotBlock = number;
  }

  #call(rpc: JsonRpc, method: string, params: readonly unknown[]): Promise<unknown> {
    return rpc.call(method, params, { signal: this.#closing.signal });
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #start(): Promise<Engine> {
    const { signal } = this.#closing;
    await this.#synced;
    const { engine, tip, snapshotBlock } = await replay(this.#store, this.#parts, { signal });
    this.#tip = tip;
    this.#confirmed = tip.number;
    this.#snapshotBlock = snapshotBlock;
    this.#time = new LedgerTime(this.#parts.clock, tip.timeS);
    this.#live.clear();
    const filter = { fromBlock: '0x0', toBlock: 'latest', topics: [[runStarted, runEnded]] };
    for (const log of parseAnswer(logAnswer.array(), 'eth_getLogs', await this.#call(engine.rpc, 'eth_getLogs', [filter]))) this.#note(log);
    // An engine that ends by itself is started again: nothing confirmed is lost.
    void engine.exited.then(() => this.#restart(engine.rpc, `the engine ended: ${engine.lastOutput()}`)).catch(() => undefined);
    this.#current = engine;
    return engine;
  }

  /** Starts a new engine in the place of the one in doubt, once, however many notice; resolves when it runs. */
  async #restart(inDoubt: JsonRpc, why: string): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (this.#current?.rpc === inDoubt) {
      this.#parts.logger.warn('ledger engine is started again', { why });
      const old = this.#current;
      this.#current = undefined;
      this.#engine = this.#startAgain(old);
    }
    await this.#engine;
  }

  async #startAgain(old: Engine): Promise<Engine> {
    let failure: unknown;
    await old[Symbol.asyncDispose]();
    for (let attempt = 0; attempt < maxEngineStarts && !this.#closing.signal.aborted; attempt++) {
      try {
        return await this.#start();
      } catch (error) {
        failure = error;
        if (!isSwarmError(error, 'LEDGER_ENGINE_FAILED') && !isSwarmError(error, 'LEDGER_UNREACHABLE')) break;
      }
    }
    this.#fail(isSwarmError(failure) ? failure : ledgerErrors.LEDGER_ENGINE_FAILED({ why: String(failure) }));
    throw failure;
  }

  #fail(error: SwarmError): void {
    if (this.#closing.signal.aborted) return;
    this.#parts.logger.error('the embedded ledger stops', { code: error.code, why: error.message });
    this.#closing.abort();
    this.#finish(error);
  }

  /** Ends in order: what was begun is finished, a snapshot makes the next start quick. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failed = this.#closing.signal.aborted;
    if (!failed)
      await this.#exclusive(() => this.#snapshotIfDue(1)).catch((error) => this.#parts.logger.warn('no snapshot at the end', { why: String(error) }));
    this.#closing.abort();
    this.#finish(undefined);
    const engine = await this.#engine.catch(() => undefined);
    await engine?.[Symbol.asyncDispose]();
  }
}

function refusal(code: number, message: string): SwarmError {
  return ledgerErrors.LEDGER_RPC_ERROR({ method: 'eth_sendRawTransaction', code, message });
}
