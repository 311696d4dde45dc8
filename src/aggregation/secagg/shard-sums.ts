/**
 * The arithmetic of one shard in reduce-scatter (protocol 3.6): summed as integers, so that a linear fingerprint can tell a right sum from a wrong one.
 * A shard's sum is its words modulo 2^32, then for each word what went over, packed in ⌈log2 members⌉ bits. Pure.
 */
import { carriesSizeBytes, carryBits, packCarries, sumWithCarries, unpackCarries } from '../kernels/carries.ts';
import { Fingerprinter, fingerprintsAgree } from '../kernels/fingerprint.ts';
import type { SegmentSlot } from '../plan.ts';
import type { Fingerprint, Shard } from './shards.ts';

/** Bytes of the sum of a shard over `members` members. */
export function shardSumSizeBytes({ sizeBytes }: Shard, members: number): number {
  return sizeBytes + carriesSizeBytes(sizeBytes / 4, carryBits(members));
}

/** The sum of one shard over the parts of all members. */
export function sumShard(parts: Iterable<Uint8Array>, { sizeBytes }: Shard, members: number): Uint8Array {
  const { low, carries } = sumWithCarries(parts, sizeBytes);
  const packed = packCarries(carries, carryBits(members));
  const sum = new Uint8Array(sizeBytes + packed.length);
  sum.set(low);
  sum.set(packed, sizeBytes);
  return sum;
}

/** Takes the fingerprint of members' parts of shards at both points, whose powers are computed once. */
export function shardPrinter(points: Fingerprint): (part: Uint8Array) => Fingerprint {
  const [first, second] = [new Fingerprinter(points[0]), new Fingerprinter(points[1])];
  return (part) => [first.of(part), second.of(part)];
}

/** Whether an announced sum is that of the parts behind `prints`: a wrong one passes with probability at most (words / 2^61)^2. */
export function checkShardSum(sum: Uint8Array, shard: Shard, prints: readonly Fingerprint[], points: Fingerprint): boolean {
  const bits = carryBits(prints.length);
  const [low, packed] = [sum.subarray(0, shard.sizeBytes), sum.subarray(shard.sizeBytes)];
  const words = shard.sizeBytes / 4;
  if (unpackCarries(packed, words, bits) === undefined) return false;
  return ([0, 1] as const).every((at) => {
    const fingerprinter = new Fingerprinter(points[at]);
    const parts = prints.map((print) => print[at]);
    return fingerprintsAgree(parts, fingerprinter.of(low), fingerprinter.ofCarries(packed, words, bits));
  });
}

/** Puts a shard's sum in its place of the whole sum, by the word sizes of the plan. */
export function addShard(whole: Uint8Array, shard: Shard, sum: Uint8Array, members: number, slots: readonly SegmentSlot[]): void {
  whole.set(sum.subarray(0, shard.sizeBytes), shard.offsetBytes);
  const wide = slots.filter(({ wordBits }) => wordBits === 64).reduce((end, slot) => Math.max(end, slot.offsetBytes + slot.sizeBytes), 0);
  const end = Math.min(wide, shard.offsetBytes + shard.sizeBytes);
  if (end <= shard.offsetBytes) return;
  const carries = unpackCarries(sum.subarray(shard.sizeBytes), shard.sizeBytes / 4, carryBits(members)) ?? new Uint8Array(0);
  const words = new DataView(whole.buffer, whole.byteOffset, whole.length);
  for (let at = shard.offsetBytes; at < end; at += 8) {
    const carry = carries[(at - shard.offsetBytes) / 4] ?? 0;
    words.setUint32(at + 4, words.getUint32(at + 4, true) + carry, true);
  }
}
