/**
 * Reduce-scatter (protocol 3.6): who sums which part of the vector, and how everybody checks that sum without the parts. Pure.
 * A shard is a run of whole chunks; its sum is checked by linear fingerprints over GF(2^61 - 1) at points that nobody knew when it was announced.
 */
import { chunkCount, chunkSizeBytes, type Digest, digestBytes, hashFields, toHex } from '../../common/index.ts';
import { aggregationErrors } from '../errors.ts';
import { fingerprintPoint, fingerprintPrime } from '../kernels/fingerprint.ts';
import { pointGenerations } from '../limits.ts';

/** A run of chunks that one aggregator sums. */
export interface Shard {
  readonly firstChunk: number;
  readonly chunks: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** How the masked vectors of a round meet: everybody gets all of them, or shards of them are summed by one member each. */
export type Exchange = { readonly kind: 'broadcast' } | { readonly kind: 'reduce-scatter'; readonly sizeBytes: number };

/** The values of one polynomial at both points, each below 2^61 - 1. */
export type Fingerprint = readonly [bigint, bigint];

/** The shards of a vector of `sizeBytes` bytes among `members` members: equally many chunks up to one, and no more shards than chunks. */
export function shardsOf(sizeBytes: number, members: number): readonly Shard[] {
  const chunks = chunkCount(sizeBytes);
  const count = Math.min(members, chunks);
  return Array.from({ length: count }, (_, shard) => {
    const firstChunk = Math.floor((shard * chunks) / count);
    const after = Math.floor(((shard + 1) * chunks) / count);
    const offsetBytes = firstChunk * chunkSizeBytes;
    return { firstChunk, chunks: after - firstChunk, offsetBytes, sizeBytes: Math.min(sizeBytes, after * chunkSizeBytes) - offsetBytes };
  });
}

/** The members of an attempt in the order in which they sum shards: by a hash that nobody knew before the ledger closed COMMIT. */
export function aggregatorOrder(attemptContext: Digest, beacon: Digest, set: readonly number[]): readonly number[] {
  const place = (member: number): string => toHex(hashFields('cgss/1/order', digestBytes(attemptContext), digestBytes(beacon), member));
  const places = new Map(set.map((member) => [member, place(member)]));
  return [...set].sort((a, b) => ((places.get(a) ?? '') < (places.get(b) ?? '') ? -1 : 1));
}

/** Who sums `shard` in `generation`: the next in order after a failure, and in the last generation everybody for itself (undefined). */
export function aggregatorOf(order: readonly number[], shard: number, generation: number): number | undefined {
  return generation < pointGenerations ? order[(shard + generation) % order.length] : undefined;
}

/** Both points of a generation, from one secret value of every member of the set in ascending order: unpredictable while one of them is. */
export function fingerprintPoints(attemptContext: Digest, generation: number, secrets: readonly Uint8Array[]): Fingerprint {
  const hash = hashFields('cgss/1/points', digestBytes(attemptContext), generation, ...secrets);
  return [fingerprintPoint(hash.subarray(0, 16)), fingerprintPoint(hash.subarray(16))];
}

/** The one shard of an attempt whose aggregator's own part is looked at by another member, from the same secrets as the points. */
export function auditedShard(attemptContext: Digest, secrets: readonly Uint8Array[], shards: number): number {
  const hash = hashFields('cgss/1/audited', digestBytes(attemptContext), ...secrets);
  return new DataView(hash.buffer, hash.byteOffset, hash.length).getUint32(0, true) % shards;
}

/** Who looks: the member two places after the shard's first aggregator. */
export function auditorOf(order: readonly number[], shard: number): number | undefined {
  return order[(shard + 2) % order.length];
}

/** Fingerprints as they travel: for each shard both values, 8 bytes each, little-endian. */
export function packPrints(prints: readonly Fingerprint[]): Uint8Array {
  const words = new BigUint64Array(prints.flat());
  return new Uint8Array(words.buffer);
}

/** Refuses fingerprints of `member` that are not one pair of values of the field for each shard. Throws AGGREGATION_BAD_SHARE. */
export function checkPrints(member: number, packed: Uint8Array, shards: number): void {
  if (unpackPrints(packed, shards) === undefined)
    throw aggregationErrors.AGGREGATION_BAD_SHARE({ member, what: `fingerprints that are not ${shards} pairs of values below 2^61 - 1` });
}

/** The fingerprints in their packed form; undefined where the length or a value is out of bounds. */
export function unpackPrints(packed: Uint8Array, shards: number): readonly Fingerprint[] | undefined {
  if (packed.length !== 16 * shards) return undefined;
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const prints = Array.from({ length: shards }, (_, at): Fingerprint => [view.getBigUint64(16 * at, true), view.getBigUint64(16 * at + 8, true)]);
  return prints.every(([first, second]) => first < fingerprintPrime && second < fingerprintPrime) ? prints : undefined;
}
