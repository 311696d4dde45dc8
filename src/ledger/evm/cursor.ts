/**
 * The event log by an own cursor: head, then `eth_getLogs` from the cursor to it, each event exactly once. Subscriptions and filters are
 * not used: after a restart of the node they fall silent (measured: 3 of 9 events), a cursor loses none.
 */
import { type Clock, isSwarmError, type Logger } from '../../common/index.ts';
import { ledgerErrors } from '../errors.ts';
import type { LedgerBatch, LedgerCursor, LedgerEvent } from '../ledger.ts';
import { maxLogBlocks, reconnectMs } from '../limits.ts';
import { type BlockAnswer, blockAnswer, type LogAnswer, logAnswer, parseAnswer, quantityAnswer } from './answers.ts';
import type { Addresses } from './calls.ts';
import { decodeLog } from './events.ts';
import type { JsonRpc } from './rpc.ts';

/**
 * `[block]`: the number of the newest block, as soon as it is above `block` or after a second. Only the embedded ledger has it; any other node says that it
 * knows no such method, and is asked for its head again and again.
 */
export const blockAfterMethod = 'schwarm_blockAfter';

/** What the reader needs. */
export interface CursorParts {
  readonly rpc: JsonRpc;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly addresses: Addresses;
  /** Milliseconds between two looks at the head. */
  readonly pollMs: number;
  /** Blocks below the head that are left unread, on chains without immediate finality. */
  readonly confirmations: number;
}

type Options = { readonly signal: AbortSignal };

const hex = (value: number): string => `0x${value.toString(16)}`;

async function headOf({ rpc, confirmations }: CursorParts, options: Options): Promise<number> {
  return parseAnswer(quantityAnswer, 'eth_blockNumber', await rpc.call('eth_blockNumber', [], options)) - confirmations;
}

async function blockOf({ rpc }: CursorParts, block: number, options: Options): Promise<BlockAnswer> {
  return parseAnswer(blockAnswer, 'eth_getBlockByNumber', await rpc.call('eth_getBlockByNumber', [hex(block), false], options));
}

async function logsOf({ rpc, addresses }: CursorParts, fromBlock: number, toBlock: number, options: Options): Promise<readonly LogAnswer[]> {
  const filter = { address: Object.values(addresses), fromBlock: hex(fromBlock), toBlock: hex(toBlock) };
  return parseAnswer(logAnswer.array(), 'eth_getLogs', await rpc.call('eth_getLogs', [filter], options));
}

/** Timestamps by block: from the logs where the node gives them, else asked for once per block. */
async function timesOf(parts: CursorParts, logs: readonly LogAnswer[], last: BlockAnswer, options: Options): Promise<ReadonlyMap<number, number>> {
  const times = new Map<number, number>([[last.number, last.timestamp]]);
  for (const log of logs) if (typeof log.blockTimestamp === 'number') times.set(log.blockNumber, log.blockTimestamp);
  for (const { blockNumber } of logs) if (!times.has(blockNumber)) times.set(blockNumber, (await blockOf(parts, blockNumber, options)).timestamp);
  return times;
}

function checkCursor(cursor: LedgerCursor, found: string): void {
  if (cursor.hash !== found) throw ledgerErrors.LEDGER_REORGANISED({ block: cursor.block, expected: cursor.hash, found });
}

/** Events from the block after the cursor up to `head`, at most 5,000 blocks of them. */
async function batchAfter(parts: CursorParts, cursor: LedgerCursor | undefined, head: number, options: Options): Promise<LedgerBatch> {
  const from = cursor === undefined ? 0 : cursor.block + 1;
  const to = Math.min(head, from + maxLogBlocks - 1);
  const [logs, last] = await Promise.all([logsOf(parts, from, to, options), blockOf(parts, to, options)]);
  if (cursor !== undefined) checkCursor(cursor, to === from ? last.parentHash : (await blockOf(parts, from, options)).parentHash);
  const times = await timesOf(parts, logs, last, options);
  const inOrder = [...logs].sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
  const events = inOrder.flatMap((log): LedgerEvent[] => {
    const event = decodeLog(log, times.get(log.blockNumber) ?? last.timestamp, parts.addresses);
    return event === undefined ? [] : [event];
  });
  return { events, cursor: { block: last.number, hash: last.hash }, timeS: last.timestamp, isLatest: to === head };
}

/** The first answer: a batch where there is anything after the cursor, else the cursor's own block, so that a reader learns the time at once. */
async function firstBatch(parts: CursorParts, cursor: LedgerCursor, options: Options): Promise<LedgerBatch> {
  const block = await blockOf(parts, cursor.block, options);
  checkCursor(cursor, block.hash);
  return { events: [], cursor, timeS: block.timestamp, isLatest: true };
}

async function nextBatch(parts: CursorParts, cursor: LedgerCursor | undefined, isFirst: boolean, options: Options): Promise<LedgerBatch | undefined> {
  const head = await headOf(parts, options);
  if (head > (cursor?.block ?? -1)) return await batchAfter(parts, cursor, head, options);
  if (cursor !== undefined && head + parts.confirmations < cursor.block) {
    throw ledgerErrors.LEDGER_UNREACHABLE({ url: parts.rpc.url, why: `it is at block ${head}, behind block ${cursor.block} that was read already` });
  }
  return isFirst && cursor !== undefined ? await firstBatch(parts, cursor, options) : undefined;
}

/** Mistakes that pass by themselves: the node is away, restarts, or stumbles over one question. */
function passes(error: unknown): boolean {
  return ['LEDGER_UNREACHABLE', 'LEDGER_RPC_ERROR', 'LEDGER_BAD_ANSWER', 'LEDGER_TOKEN_REFUSED'].some((code) => isSwarmError(error, code));
}

/** Waits until there may be a new block. Looks at the head show whether the node is there, so nothing is made of an error here. */
class Waiting {
  readonly #parts: CursorParts;
  #isServed: boolean;

  constructor(parts: CursorParts) {
    this.#parts = parts;
    this.#isServed = parts.confirmations === 0;
  }

  async forBlockAfter(block: number, options: Options): Promise<void> {
    const { rpc, clock, pollMs } = this.#parts;
    try {
      if (this.#isServed) return void (await rpc.call(blockAfterMethod, [hex(block)], options));
    } catch (error) {
      if (isSwarmError(error, 'LEDGER_RPC_ERROR')) this.#isServed = false;
    }
    await clock.sleep(pollMs, options).catch(() => undefined);
  }
}

/** Whether the node is away, said once in the log, and how long to wait before the next try. */
class Absence {
  readonly #parts: CursorParts;
  #isAway = false;
  #pauseMs: number = reconnectMs.first;

  constructor(parts: CursorParts) {
    this.#parts = parts;
  }

  async wait(error: unknown, options: Options): Promise<void> {
    const { logger, clock, rpc } = this.#parts;
    if (!this.#isAway) logger.warn('ledger is away', { url: rpc.url, why: error instanceof Error ? error.message : 'unknown' });
    this.#isAway = true;
    await clock.sleep(this.#pauseMs, options);
    this.#pauseMs = Math.min(2 * this.#pauseMs, reconnectMs.longest);
  }

  over(): void {
    if (this.#isAway) this.#parts.logger.info('ledger is back', { url: this.#parts.rpc.url });
    this.#isAway = false;
    this.#pauseMs = reconnectMs.first;
  }
}

/** Batches for ever, until the signal fires; waits out a node that is away. Throws LEDGER_REORGANISED. */
export async function* readBatches(parts: CursorParts, start: LedgerCursor | undefined, options: Options): AsyncGenerator<LedgerBatch> {
  const absence = new Absence(parts);
  const waiting = new Waiting(parts);
  let cursor = start;
  let isFirst = true;
  while (!options.signal.aborted) {
    const outcome = await nextBatch(parts, cursor, isFirst, options).catch((error: unknown) => ({ error }));
    if (options.signal.aborted) return;
    if (outcome !== undefined && 'error' in outcome) {
      if (!passes(outcome.error)) throw outcome.error;
      await absence.wait(outcome.error, options).catch(() => undefined);
      continue;
    }
    absence.over();
    if (outcome === undefined) {
      await waiting.forBlockAfter(cursor?.block ?? 0, options);
      continue;
    }
    cursor = outcome.cursor;
    isFirst = false;
    yield outcome;
  }
}
