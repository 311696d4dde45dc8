/** From the disk to a running engine: the newest snapshot that fits the log, then every later block again, with equal hashes or not at all. */
import { isSwarmError } from '../../common/index.ts';
import { ledgerErrors } from '../errors.ts';
import { blockAnswer, parseAnswer, quantityAnswer } from '../evm/answers.ts';
import type { JsonRpc } from '../evm/rpc.ts';
import { type Engine, type EngineParts, startEngine } from './engine.ts';
import type { BlockRecord } from './records.ts';
import type { ChainStore } from './store.ts';

/** The newest block. */
export interface Tip {
  readonly number: number;
  readonly timeS: number;
  readonly hash: string;
}

interface Replayed {
  readonly engine: Engine;
  readonly tip: Tip;
  readonly snapshotBlock: number;
}

type Options = { readonly signal: AbortSignal };

async function blockAt(rpc: JsonRpc, block: number, options: Options): Promise<Tip> {
  const answer = parseAnswer(blockAnswer, 'eth_getBlockByNumber', await rpc.call('eth_getBlockByNumber', [`0x${block.toString(16)}`, false], options));
  return { number: answer.number, timeS: answer.timestamp, hash: answer.hash };
}

async function repeat(rpc: JsonRpc, record: BlockRecord, options: Options): Promise<Tip> {
  if (record.raw !== undefined) await rpc.call('eth_sendRawTransaction', [record.raw], options);
  const [mined] = (await rpc.call('evm_mine_detailed', [{ timestamp: record.timeS }], options)) as unknown[];
  const block = parseAnswer(blockAnswer, 'evm_mine_detailed', mined);
  if (block.number !== record.number || block.hash !== record.hash)
    throw ledgerErrors.LEDGER_REPLAY_DIFFERS({ block: record.number, stored: record.hash, replayed: block.hash });
  return { number: block.number, timeS: block.timestamp, hash: block.hash };
}

async function replayInto(engine: Engine, store: ChainStore, snapshotBlock: number, options: Options): Promise<Tip> {
  let tip = await blockAt(engine.rpc, snapshotBlock, options);
  let last = 0;
  for await (const record of store.records()) {
    last = record.number;
    if (record.number < snapshotBlock) continue;
    if (record.number > snapshotBlock) tip = await repeat(engine.rpc, record, options);
    else if (record.hash !== tip.hash) throw ledgerErrors.LEDGER_REPLAY_DIFFERS({ block: record.number, stored: record.hash, replayed: tip.hash });
  }
  if (last < snapshotBlock)
    throw ledgerErrors.LEDGER_STORE_DAMAGED({ file: 'blocks.log', what: `it ends at block ${last}, before the snapshot of block ${snapshotBlock}` });
  return tip;
}

async function replayFrom(
  store: ChainStore,
  snapshot: { readonly block: number; readonly file: string } | undefined,
  parts: EngineParts,
  options: Options,
): Promise<Replayed> {
  const { chainId, genesisTimeS } = store.identity;
  const engine = await startEngine({ chainId, genesisTimeS, snapshotFile: snapshot?.file }, parts, options);
  try {
    const head = parseAnswer(quantityAnswer, 'eth_blockNumber', await engine.rpc.call('eth_blockNumber', [], options));
    const from = snapshot?.block ?? 0;
    if (head !== from) throw ledgerErrors.LEDGER_ENGINE_FAILED({ why: `it started at block ${head} instead of ${from}` });
    return { engine, tip: await replayInto(engine, store, from, options), snapshotBlock: from };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts the engine at the state of the log. A snapshot that cannot be used is passed over with a warning: the log alone is enough. */
export async function replay(store: ChainStore, parts: EngineParts, options: Options): Promise<Replayed> {
  for (const snapshot of await store.snapshots()) {
    try {
      return await replayFrom(store, snapshot, parts, options);
    } catch (error) {
      if (options.signal.aborted || isSwarmError(error, 'LEDGER_ENGINE_MISSING')) throw error;
      parts.logger.warn('a snapshot of the ledger cannot be used', { block: snapshot.block, why: error instanceof Error ? error.message : 'unknown' });
    }
  }
  return await replayFrom(store, undefined, parts, options);
}
