/** The bulk steps themselves, synchronous, in slices of a chunk: the same code in the worker thread and in the calling one. */
import {
  addPieces,
  addShard,
  afterCount,
  checkShardSum,
  contribution,
  countStateBytes,
  decodeUpdate,
  encodeContribution,
  encodeUpdate,
  levelledUpdate,
  type MaskStream,
  Masks,
  mergeTree,
  mergeVectors,
  planSizeBytes,
  planSlots,
  type Shard,
  type SumPlan,
  shardPrinter,
  shardSumSizeBytes,
  stateHeader,
  stateSizeOf,
  stateStartSizeBytes,
  stateView,
  sumShard,
} from '../../aggregation/index.ts';
import { chunkSizeBytes, type Digest, digestOf } from '../../common/index.ts';
import { modelDigest } from '../../tensor/index.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { WordStore } from '../store/words.ts';
import type { BulkSteps, NextState, StoredState, SumSource } from './bulk.ts';

/** Where steps read and write. */
export interface BulkStores {
  readonly blobs: Pick<BlobStore, 'read' | 'put'>;
  readonly words: Pick<WordStore, 'put' | 'get'>;
}

/** Ranges of at most a chunk, from 0 to `sizeBytes`. */
function* pieces(sizeBytes: number): Generator<readonly [number, number]> {
  for (let from = 0; from < sizeBytes; from += chunkSizeBytes) yield [from, Math.min(chunkSizeBytes, sizeBytes - from)];
}

function withMasks<T>(streams: readonly MaskStream[], plan: SumPlan, work: (masks: Masks) => T): T {
  const masks = new Masks(streams, planSlots(plan));
  try {
    return work(masks);
  } finally {
    masks.end();
    for (const { key } of streams) key.fill(0);
  }
}

type Blobs = BulkStores['blobs'];

/** A masked sum; undefined where something of it is missing. */
function summed(blobs: Blobs, plan: SumPlan, source: SumSource): Uint8Array | undefined {
  const slots = planSlots(plan);
  const sum = new Uint8Array(new SharedArrayBuffer(planSizeBytes(plan)));
  if (source.kind === 'open') return merged(blobs, plan, source);
  if (source.kind === 'vectors') {
    let missing = false;
    const read = function* (from: number, size: number) {
      for (const root of source.roots) {
        const words = missing ? undefined : blobs.read(root, from, size);
        if (words) yield { words, sign: 1 as const };
        else missing = true;
      }
    };
    for (const [from, size] of pieces(sum.length)) addPieces(sum.subarray(from, from + size), read(from, size), from, slots);
    return missing ? undefined : sum;
  }
  for (const { shard, root } of source.parts) {
    const part = blobs.read(root, 0, shardSumSizeBytes(shard, source.members));
    if (!part) return undefined;
    addShard(sum, shard, part, source.members, slots);
  }
  return sum;
}

/** Open vectors merged by their rule; undefined where something of them is missing. */
function merged(blobs: Blobs, plan: SumPlan, { roots, terms }: SumSource & { readonly kind: 'open' }): Uint8Array | undefined {
  let missing = false;
  const sources = roots.map((root) => ({
    members: 1,
    read: (start: number, end: number): Uint8Array => {
      const piece = blobs.read(root, start, end - start);
      missing ||= piece === undefined;
      return piece ?? new Uint8Array(end - start);
    },
  }));
  const vector = mergeVectors(plan, terms, sources);
  return missing ? undefined : vector;
}

/** The steps over the stores of one peer. The newest masked sum is kept until its masks are taken away: after READY nothing is read again. */
export function bulkSteps({ blobs, words }: BulkStores): BulkSteps {
  let newest: { readonly source: string; readonly sum: Uint8Array } | undefined;
  const takeSum = (plan: SumPlan, source: SumSource): Uint8Array | undefined => {
    const known = newest?.source === JSON.stringify(source) ? newest.sum : undefined;
    newest = undefined;
    return known ?? summed(blobs, plan, source);
  };
  const readState = (hash: Digest): Uint8Array | undefined => {
    const start = blobs.read(hash, 0, stateStartSizeBytes);
    if (!start) return undefined;
    const size = stateSizeOf(start, { withLast: true });
    const whole = blobs.read(hash, 0, size);
    return whole?.length === size ? whole : blobs.read(hash, 0, stateSizeOf(start));
  };
  return {
    encodeUpdate: ({ place, plan, terms, base, trained, rows, lossSum, roundingKey }) => {
      const state = readState(base);
      if (!state) return undefined;
      const made = encodeUpdate(plan, terms, { base: stateView(state).parameters, trained, rows, lossSum }, roundingKey);
      words.put(place, made);
      made.fill(0);
      place.key.fill(0);
      return true;
    },
    ...countingSteps({ blobs, words }),
    storeWords: ({ place, words: given }) => {
      words.put(place, given);
      given.fill(0);
      place.key.fill(0);
      return true;
    },
    mask: ({ place, plan, streams }) =>
      withMasks(streams, plan, (masks) => {
        const vector = words.get(place);
        place.key.fill(0);
        if (!vector) return undefined;
        for (const [from, size] of pieces(vector.length)) masks.next(vector.subarray(from, from + size));
        return blobs.put(vector);
      }),
    sum: ({ plan, source }) => {
      newest = undefined;
      const sum = summed(blobs, plan, source);
      if (!sum) return undefined;
      newest = { source: JSON.stringify(source), sum };
      return digestOf(sum);
    },
    storeSum: ({ plan, source }) => {
      const sum = summed(blobs, plan, source);
      return sum && blobs.put(sum);
    },
    mergeTree: ({ plan, terms, tree, sums }) => {
      const rest = [...sums];
      return mergeTree(plan, terms, tree, () => rest.shift() ?? new Uint8Array(planSizeBytes(plan)));
    },
    unmask: ({ plan, source, streams }) =>
      withMasks(streams, plan, (masks) => {
        const sum = takeSum(plan, source);
        for (const [from, size] of pieces(sum?.length ?? 0)) masks.next(sum?.subarray(from, from + size) ?? new Uint8Array(0));
        return sum;
      }),
    nextState: (request) => {
      const base = readState(request.base);
      return base && nextState(blobs, base, request);
    },
    sumShard: ({ roots, shard }) => storedShard(blobs, roots, shard),
    prints: ({ root, shards, points }) => {
      const print = shardPrinter(points);
      const prints = shards.map(({ offsetBytes, sizeBytes }) => {
        const part = blobs.read(root, offsetBytes, sizeBytes);
        return part && print(part);
      });
      return prints.every((one) => one !== undefined) ? prints : undefined;
    },
    checkSum: ({ root, shard, prints, points }) => {
      const sum = blobs.read(root, 0, shardSumSizeBytes(shard, prints.length));
      return sum && checkShardSum(sum, shard, prints, points);
    },
  };
}

function countingSteps({ blobs, words }: BulkStores): Pick<BulkSteps, 'encodeCounts' | 'countState'> {
  return {
    encodeCounts: ({ place, plan, terms, state, records, withheld }) => {
      const { words: made } = encodeContribution(plan, contribution(terms, state, records, new Set(withheld)));
      words.put(place, made);
      made.fill(0);
      place.key.fill(0);
      return true;
    },
    countState: ({ terms, state, sum }) => {
      const next = afterCount(terms, state, sum);
      return { next, hash: blobs.put(countStateBytes(next)) };
    },
  };
}

/** Sums a shard, one part at a time, and stores it; undefined where a part is missing. */
function storedShard(blobs: Blobs, roots: readonly Digest[], shard: Shard): Digest | undefined {
  let missing = false;
  const parts = function* (): Generator<Uint8Array> {
    for (const root of roots) {
      const part = blobs.read(root, shard.offsetBytes, shard.sizeBytes);
      if (part) yield part;
      else missing = true;
    }
  };
  const sum = sumShard(parts(), shard, roots.length);
  return missing ? undefined : blobs.put(sum);
}

function nextState(blobs: Blobs, baseBytes: Uint8Array, { ordinal, standardisation, update, withLast }: NextState): StoredState {
  const { parameters: base, standardisation: known } = stateView(baseBytes);
  const kept = standardisation ?? known;
  const rest = { ordinal, ...(kept ? { standardisation: kept } : {}) };
  const header = stateHeader(rest, base.length);
  const bytes = new Uint8Array(new SharedArrayBuffer(header.length + (withLast ? 2 : 1) * base.byteLength));
  bytes.set(header);
  const parameters = new Float32Array(bytes.buffer, header.length, base.length);
  const result = update && decodeUpdate(update.plan, update.terms, update.sum, base, parameters);
  if (!result) parameters.set(base);
  const last = bytes.subarray(header.length + base.byteLength);
  if (withLast && update) last.set(levelledUpdate(update.plan, update.sum, update.terms.weightCap));
  const figures = result && { rows: result.rows, meanLoss: result.meanLoss, saturated: result.saturated };
  return { state: { ...rest, parameters, ...(withLast ? { last } : {}) }, hash: blobs.put(bytes), model: modelDigest(parameters), update: figures };
}
