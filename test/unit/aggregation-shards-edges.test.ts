/** Sums and fingerprints of shards at their edges: one encoding for each sum, values of the field only, and carries of 64-bit words in every shard. */
import { describe, expect, it } from 'vitest';
import {
  addShard,
  checkShardSum,
  type Fingerprint,
  fingerprintPoints,
  packPrints,
  planSizeBytes,
  planSlots,
  type Shard,
  shardPrinter,
  shardsOf,
  statisticsPlan,
  sumShard,
  unpackPrints,
} from '../../src/aggregation/index.ts';
import { chunkSizeBytes, digestOf, seededChance, utf8 } from '../../src/common/index.ts';
import { sumVectors } from '../support/custodians.ts';

const points = fingerprintPoints(digestOf(utf8('attempt')), 0, [utf8('one'), utf8('two')]);
const prime = 2n ** 61n - 1n;

describe('the sum of a shard', () => {
  // Three words of three members: carries of two bits each, so two bits of the last byte stay free.
  const [shard] = shardsOf(12, 3) as [Shard];
  const parts = [1, 2, 3].map((seed) => new Uint8Array(12).fill(255 - seed));
  const prints = parts.map(shardPrinter(points));
  const sum = sumShard(parts, shard, 3);
  const passes = (announced: Uint8Array): boolean => checkShardSum(announced, shard, prints, points);

  it('has one encoding: no byte more or less, and no bit behind the last carry', () => {
    expect([sum.length, passes(sum)]).toEqual([13, true]);
    expect(passes(new Uint8Array([...sum, 0]))).toBe(false);
    expect(passes(sum.subarray(0, -1))).toBe(false);
    for (const bit of [0x40, 0x80]) expect(passes(sum.map((byte, at) => (at === 12 ? byte | bit : byte)))).toBe(false);
  });

  it('carries over into the upper half of wide words in whichever shard they lie', () => {
    const plan = statisticsPlan(0, { features: 5 * 4096 + 3, members: 4 });
    const chance = seededChance('wide', 1);
    const vectors = Array.from({ length: 4 }, () => new Uint8Array(Uint32Array.from({ length: planSizeBytes(plan) / 4 }, () => chance.word()).buffer));
    const shards = shardsOf(planSizeBytes(plan), 4);
    expect(shards.map(({ offsetBytes }) => offsetBytes / chunkSizeBytes)).toEqual([0, 1, 3, 4]);
    const whole = new Uint8Array(3 + planSizeBytes(plan)).subarray(3);
    for (const one of shards) {
      const cuts = vectors.map((vector) => vector.subarray(one.offsetBytes, one.offsetBytes + one.sizeBytes));
      addShard(whole, one, sumShard(cuts, one, 4), 4, planSlots(plan));
    }
    expect(Buffer.compare(whole, sumVectors(vectors, planSlots(plan)))).toBe(0);
  });
});

describe('fingerprints that came', () => {
  it('are values below 2^61 - 1, both of every pair', () => {
    const good: Fingerprint = [prime - 1n, prime - 1n];
    expect(unpackPrints(packPrints([good, [0n, 0n]]), 2)).toEqual([good, [0n, 0n]]);
    const bad: readonly Fingerprint[] = [
      [prime, 0n],
      [0n, prime],
      [prime + 1n, 0n],
      [0n, 2n ** 64n - 1n],
    ];
    for (const one of bad) {
      expect(unpackPrints(packPrints([one, good]), 2)).toBeUndefined();
      expect(unpackPrints(packPrints([good, one]), 2)).toBeUndefined();
    }
  });
});
