/** Reduce-scatter's arithmetic against the plain sum: shards cover the vector, right sums pass, and any wrong word, carry or part is seen. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addShard,
  aggregatorOf,
  aggregatorOrder,
  auditedShard,
  checkPrints,
  checkShardSum,
  type Fingerprint,
  fingerprintPoints,
  packPrints,
  planSlots,
  shardPrinter,
  shardSumSizeBytes,
  shardsOf,
  sumShard,
  unpackPrints,
  updatePlan,
} from '../../src/aggregation/index.ts';
import { chunkSizeBytes, digestOf, seededChance, utf8 } from '../../src/common/index.ts';
import { sumVectors } from '../support/custodians.ts';

const context = digestOf(utf8('attempt'));
const points = fingerprintPoints(context, 0, [utf8('one'), utf8('two')]);

function vectorsOf(seed: number, members: number, sizeBytes: number): Uint8Array[] {
  const chance = seededChance('vectors', seed);
  return Array.from({ length: members }, () => {
    const words = Uint32Array.from({ length: sizeBytes / 4 }, () => chance.below(2 ** 32));
    return new Uint8Array(words.buffer);
  });
}

const partsOf = (vectors: readonly Uint8Array[], { offsetBytes, sizeBytes }: { offsetBytes: number; sizeBytes: number }): Uint8Array[] =>
  vectors.map((vector) => vector.subarray(offsetBytes, offsetBytes + sizeBytes));

describe('shards of a vector', () => {
  it('cover it without gaps in whole chunks, as evenly as chunks permit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 * chunkSizeBytes }), fc.integer({ min: 3, max: 64 }), (sizeBytes, members) => {
        const shards = shardsOf(sizeBytes, members);
        expect(shards.length).toBe(Math.min(members, Math.ceil(sizeBytes / chunkSizeBytes)));
        expect(shards.reduce((end, shard) => (shard.offsetBytes === end && end % chunkSizeBytes === 0 ? end + shard.sizeBytes : Number.NaN), 0)).toBe(
          sizeBytes,
        );
        const chunks = shards.map((shard) => shard.chunks);
        expect(Math.max(...chunks) - Math.min(...chunks)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are summed to the plain sum, also where words of 64 bits carry over', () => {
    const parameters = 5 * (chunkSizeBytes / 4) + 7;
    const slots = planSlots(updatePlan(1, { parameters, members: 5, clipNorm: 1, weightCap: 16, maxLoss: 64 }));
    const sizeBytes = slots.reduce((size, slot) => size + slot.sizeBytes, 0);
    const vectors = vectorsOf(1, 5, sizeBytes);
    const whole = new Uint8Array(sizeBytes);
    for (const shard of shardsOf(sizeBytes, 5)) {
      const sum = sumShard(partsOf(vectors, shard), shard, 5);
      expect(sum.length).toBe(shardSumSizeBytes(shard, 5));
      addShard(whole, shard, sum, 5, slots);
    }
    expect(Buffer.compare(whole, sumVectors(vectors, slots))).toBe(0);
  });
});

describe('the check of a shard', () => {
  const members = 4;
  const [shard] = shardsOf(2 * chunkSizeBytes, 2);
  if (!shard) throw new Error('there is a first shard');
  const parts = partsOf(vectorsOf(7, members, 2 * chunkSizeBytes), shard);
  const prints = parts.map(shardPrinter(points));
  const sum = sumShard(parts, shard, members);

  it('passes the right sum and no other: 2,000 changes of one byte, in words and carries', () => {
    expect(checkShardSum(sum, shard, prints, points)).toBe(true);
    const chance = seededChance('tampering', 1);
    for (let turn = 0; turn < 2_000; turn++) {
      const at = turn % 4 === 0 ? shard.sizeBytes + chance.below(sum.length - shard.sizeBytes) : chance.below(sum.length);
      const before = sum[at] ?? 0;
      sum[at] = before ^ (1 + chance.below(255));
      expect(checkShardSum(sum, shard, prints, points)).toBe(false);
      sum[at] = before;
    }
  }, 60_000);

  it('fails where a part was swapped, a fingerprint is another one, or a byte is missing', () => {
    const swapped = sumShard([...parts.slice(1), parts[1] ?? new Uint8Array(0)], shard, members);
    expect(checkShardSum(swapped, shard, prints, points)).toBe(false);
    const other: Fingerprint = [(prints[0]?.[0] ?? 0n) + 1n, prints[0]?.[1] ?? 0n];
    expect(checkShardSum(sum, shard, [other, ...prints.slice(1)], points)).toBe(false);
    expect(checkShardSum(sum.subarray(1), shard, prints, points)).toBe(false);
  });

  it('reads fingerprints back as they were sent, and refuses values outside the field', () => {
    expect(unpackPrints(packPrints(prints), members)).toEqual(prints);
    expect(unpackPrints(packPrints(prints), members + 1)).toBeUndefined();
    expect(unpackPrints(new Uint8Array(16).fill(0xff), 1)).toBeUndefined();
    expect(() => checkPrints(1, packPrints(prints), members)).not.toThrow();
    expect(() => checkPrints(1, packPrints(prints), members + 1)).toThrow(/member 1/);
    expect(() => checkPrints(2, new Uint8Array(16).fill(0xff), 1)).toThrow(/member 2/);
  });
});

describe('who sums what', () => {
  it('changes with the block that closed COMMIT, names everybody once, and hands on to another in the next generation', () => {
    const set = [0, 2, 3, 5, 7];
    const orders = Array.from({ length: 40 }, (_, block) => aggregatorOrder(context, digestOf(utf8(`block ${block}`)), set));
    expect(new Set(orders.map((order) => order.join())).size).toBeGreaterThan(20);
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(set);
    const [order] = orders;
    if (!order) throw new Error('there is an order');
    for (let shard = 0; shard < 5; shard++) expect(aggregatorOf(order, shard, 0)).not.toBe(aggregatorOf(order, shard, 1));
    expect(new Set([0, 1, 2, 3, 4].map((shard) => aggregatorOf(order, shard, 0))).size).toBe(5);
    expect(aggregatorOf(order, 0, 2)).toBeUndefined();
  });

  it('draws points and the audited shard from everybody: one other secret changes both points', () => {
    const secrets = [utf8('a'), utf8('b'), utf8('c')];
    const before = fingerprintPoints(context, 0, secrets);
    for (let member = 0; member < 3; member++) {
      const changed = secrets.map((secret, at) => (at === member ? utf8('x') : secret));
      const after = fingerprintPoints(context, 0, changed);
      expect(after[0] === before[0] || after[1] === before[1]).toBe(false);
    }
    expect(fingerprintPoints(context, 1, secrets)).not.toEqual(before);
    expect(auditedShard(context, secrets, 4)).toBeLessThan(4);
  });
});
