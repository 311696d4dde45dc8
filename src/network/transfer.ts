/**
 * What a fetch asks of whom: a state machine without streams or timers. The list of leaf hashes comes first and is checked against the
 * root; then the missing chunks, each checked against its leaf. What a holder owes when it is dropped is asked of another.
 */
import { chunkCount, chunkSizeBytes, digestBytes, equalBytes, leafHash, merkleRoot } from '../common/index.ts';
import { networkErrors } from './errors.ts';
import { chunksAhead, chunkWaitMs, lateMs, slowestBytesPerS, stallMs } from './limits.ts';
import type { Content, ContentSink } from './network.ts';

/** The index by which the list of leaf hashes is asked for. */
export const listIndex = 0xffff_ffff;

/** One holder as the transfer sees it. */
interface Holder {
  /** What it owes, by index, with the time of the request. */
  readonly owes: Map<number, number>;
  /** What it said that it does not have. */
  readonly lacks: Set<number>;
  /** How much it may owe. */
  ahead: number;
  /** Since when it owes something without a pause, or the last time that it was found fast enough; and what came since. */
  sinceMs: number;
  arrivedBytes: number;
}

/** One fetch over any number of holders. */
export class Transfer {
  readonly #content: Content;
  readonly #sink: ContentSink;
  readonly #holders = new Map<string, Holder>();
  /** Asked of nobody now; the next one is at the end. */
  #waiting: number[];
  /** Not here yet. */
  readonly #open: Set<number>;
  readonly #missing: readonly number[];

  /** `missing` are the chunks to fetch, ascending. */
  constructor(content: Content, sink: ContentSink, missing: readonly number[]) {
    this.#content = content;
    this.#sink = sink;
    this.#missing = missing;
    this.#waiting = sink.leaves ? missing.toReversed() : [listIndex];
    this.#open = new Set(this.#waiting);
  }

  /** All that was missing is in the sink. */
  get done(): boolean {
    return this.#open.size === 0;
  }

  /** Nobody owes anything: where it is not done, the holders at hand do not have the rest. */
  get idle(): boolean {
    return [...this.#holders.values()].every(({ owes }) => owes.size === 0);
  }

  /** From now on `holder` may be asked. */
  add(holder: string): void {
    this.#holders.set(holder, { owes: new Map(), lacks: new Set(), ahead: chunksAhead.fewest, sinceMs: 0, arrivedBytes: 0 });
  }

  /** `holder` is gone or no good; what it owed is asked of others. */
  drop(holder: string): void {
    const owed = this.#holders.get(holder)?.owes.keys() ?? [];
    this.#holders.delete(holder);
    for (const index of owed) this.#release(index);
  }

  /** What to ask `holder` for now; undefined where there is nothing, or where it owes enough. */
  next(holder: string, nowMs: number): number | undefined {
    const state = this.#holders.get(holder);
    if (!state || state.owes.size >= state.ahead) return undefined;
    const at = this.#waiting.findLastIndex((index) => !state.lacks.has(index));
    const index = at < 0 ? this.#late(state, nowMs) : this.#waiting.splice(at, 1)[0];
    if (index === undefined) return undefined;
    if (state.owes.size === 0) Object.assign(state, { sinceMs: nowMs, arrivedBytes: 0 });
    state.owes.set(index, nowMs);
    return index;
  }

  /** Takes an answer: `lacks` where the holder does not have what it was asked for. Throws NETWORK_BAD_CHUNK; the holder is to be dropped then. */
  take(holder: string, nowMs: number, index: number, body: Uint8Array): 'taken' | 'lacks' {
    const state = this.#holders.get(holder);
    const askedMs = state?.owes.get(index);
    if (!state || askedMs === undefined) throw networkErrors.NETWORK_BAD_CHUNK({ peer: holder, index });
    state.arrivedBytes += body.length;
    if (!this.#open.has(index)) {
      state.owes.delete(index);
      return 'taken';
    }
    if (body.length === 0 && this.#sizeOf(index) > 0) {
      state.owes.delete(index);
      state.lacks.add(index);
      this.#release(index);
      return 'lacks';
    }
    if (index === listIndex) this.#takeList(holder, body);
    else this.#takeChunk(holder, index, body);
    state.owes.delete(index);
    this.#open.delete(index);
    this.#pace(state, nowMs - askedMs);
    return 'taken';
  }

  /** Whether `holder` gave less than the slowest bearable in the last stretch of time in which it owed something. */
  isSlow(holder: string, nowMs: number): boolean {
    const state = this.#holders.get(holder);
    if (!state || state.owes.size === 0 || nowMs - state.sinceMs < stallMs) return false;
    if (state.arrivedBytes < (slowestBytesPerS * stallMs) / 1000) return true;
    Object.assign(state, { sinceMs: nowMs, arrivedBytes: 0 });
    return false;
  }

  #takeList(holder: string, body: Uint8Array): void {
    const count = chunkCount(this.#content.sizeBytes);
    const leaves = Array.from({ length: body.length / 32 }, (_, at) => body.subarray(32 * at, 32 * at + 32));
    const fits = body.length === 32 * count && equalBytes(merkleRoot(leaves), digestBytes(this.#content.root));
    if (!fits) throw networkErrors.NETWORK_BAD_CHUNK({ peer: holder, index: listIndex });
    this.#sink.begin(body);
    this.#waiting = this.#missing.toReversed();
    for (const index of this.#missing) this.#open.add(index);
  }

  #takeChunk(holder: string, index: number, body: Uint8Array): void {
    const leaf = this.#sink.leaves?.subarray(32 * index, 32 * index + 32);
    const fits = leaf && body.length === this.#sizeOf(index) && equalBytes(leafHash(body), leaf);
    if (!fits) throw networkErrors.NETWORK_BAD_CHUNK({ peer: holder, index });
    this.#sink.write(index, body);
  }

  #sizeOf(index: number): number {
    return index === listIndex ? 32 * chunkCount(this.#content.sizeBytes) : Math.min(chunkSizeBytes, this.#content.sizeBytes - index * chunkSizeBytes);
  }

  /** Nobody else may owe it: then it waits to be asked for again. */
  #release(index: number): void {
    if (this.#open.has(index) && ![...this.#holders.values()].some(({ owes }) => owes.has(index))) this.#waiting.push(index);
  }

  /** Something that one other holder has owed for too long. */
  #late(asking: Holder, nowMs: number): number | undefined {
    for (const { owes } of this.#holders.values()) {
      if (owes === asking.owes) continue;
      for (const [index, askedMs] of owes) {
        if (nowMs - askedMs <= lateMs || asking.lacks.has(index) || !this.#open.has(index)) continue;
        const others = [...this.#holders.values()].filter((other) => other.owes.has(index));
        if (others.length === 1) return index;
      }
    }
    return undefined;
  }

  /** A holder that answers quickly may owe more, a slow one less. */
  #pace(state: Holder, waitedMs: number): void {
    if (waitedMs <= chunkWaitMs) state.ahead = Math.min(state.ahead + 1, chunksAhead.most);
    else if (waitedMs > 4 * chunkWaitMs) state.ahead = Math.max(state.ahead - 1, chunksAhead.fewest);
  }
}
