/** Model updates: how one becomes words, a chunk after the other, what is refused, and what no sum can do. Oracles: AES by the runtime, values by hand. */
import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decodeUpdate,
  encodeUpdate,
  planSizeBytes,
  planSlots,
  roundingKey,
  statisticsPlan,
  type UpdateTerms,
  updatePlan,
} from '../../src/aggregation/index.ts';
import { chunkSizeBytes } from '../../src/common/index.ts';
import { thrownBy } from '../support/codes.ts';

const key = roundingKey(1, 'north', 1);
const terms: UpdateTerms = { parameters: 2, members: 4, clipNorm: 5, weightCap: 16, maxLoss: 4 };
const plan = updatePlan(1, terms);
const { scale = 0 } = planSlots(plan).find(({ name }) => name === 'update') ?? {};

/** A sum as others could have made it: header words in reals, update in units. */
function sumOf({ rows = 0, saturated = 0, lossSum = 0, update = [0, 0] }): Uint8Array {
  const bytes = new Uint8Array(planSizeBytes(plan));
  const lossScale = planSlots(plan).find(({ name }) => name === 'lossSum')?.scale ?? 0;
  new BigInt64Array(bytes.buffer, 0, 3).set([BigInt(rows), BigInt(saturated), BigInt(lossSum * lossScale)]);
  new Int32Array(bytes.buffer, 24).set(update);
  return bytes;
}

describe('an update that becomes words', () => {
  it('is rounded by one key stream over all of its chunks: word l is up where the u32 at byte 4l is below the fraction', () => {
    const parameters = 2 * (chunkSizeBytes / 4) + 3;
    const large = { ...terms, parameters };
    const wide = updatePlan(1, large);
    const slot = planSlots(wide).find(({ name }) => name === 'update');
    const base = Float32Array.from({ length: parameters }, (_, at) => Math.cos(at));
    const trained = base.map((value, at) => value + 0.01 * Math.sin(at));
    const words = encodeUpdate(wide, large, { base, trained, rows: 8, lossSum: 0 }, key);
    const stream = createCipheriv('aes-256-ctr', key, new Uint8Array(16)).update(new Uint8Array(4 * parameters));
    const norm = Math.sqrt(trained.reduce((sum, value, at) => sum + (value - (base[at] ?? 0)) ** 2, 0));
    const gain = Math.min(1, terms.clipNorm / norm) * (8 / 16);
    const expected = Int32Array.from({ length: parameters }, (_, at) => {
      const exact = ((trained[at] ?? 0) - (base[at] ?? 0)) * gain * (slot?.scale ?? 0);
      return Math.floor(exact) + (stream.readUInt32LE(4 * at) / 2 ** 32 < exact - Math.floor(exact) ? 1 : 0);
    });
    expect(norm).toBeGreaterThan(0.5);
    expect(Buffer.compare(words.subarray(24), new Uint8Array(expected.buffer))).toBe(0);
  });

  it('says how many of its values were cut to the range of the plan, in the update and in the loss', () => {
    const narrow = updatePlan(1, { ...terms, clipNorm: 1 });
    const local = { base: new Float32Array(2), trained: Float32Array.of(3, -3), rows: 16, lossSum: 65 };
    const words = encodeUpdate(narrow, terms, local, key);
    // A loss of 16 · 4 is the most that sixteen rows report; both parameters are beyond 1.
    expect([...new BigInt64Array(words.buffer, words.byteOffset, 2)]).toEqual([16n, 3n]);
  });

  it('has as many values as the model, before and after training', () => {
    const two = new Float32Array(2);
    for (const [base, trained] of [
      [two, new Float32Array(3)],
      [new Float32Array(3), two],
      [new Float32Array(1), new Float32Array(1)],
    ] as const)
      expect(thrownBy(() => encodeUpdate(plan, terms, { base, trained, rows: 1, lossSum: 0 }, key))).toMatchObject({ code: 'AGGREGATION_BAD_PLAN' });
  });

  it('has only finite values: the first that is none is named by its place', () => {
    const fine = Float32Array.of(0, 1);
    for (const [base, trained] of [
      [fine, Float32Array.of(0, Number.NaN)],
      [fine, Float32Array.of(0, Number.NEGATIVE_INFINITY)],
      [Float32Array.of(0, Number.NaN), fine],
    ] as const) {
      const thrown = thrownBy(() => encodeUpdate(plan, terms, { base, trained, rows: 1, lossSum: 0 }, key));
      expect(thrown).toMatchObject({ code: 'AGGREGATION_NOT_FINITE', detail: { segment: 'update', index: 1 } });
    }
  });

  it('is of a plan for updates', () => {
    const statistics = statisticsPlan(0, { features: 1, members: 3 });
    const local = { base: new Float32Array(2), trained: new Float32Array(2), rows: 1, lossSum: 0 };
    expect(thrownBy(() => encodeUpdate(statistics, terms, local, key))).toMatchObject({ code: 'AGGREGATION_BAD_PLAN' });
    expect(thrownBy(() => decodeUpdate(statistics, terms, new Uint8Array(24), new Float32Array(2)))).toMatchObject({ code: 'AGGREGATION_BAD_PLAN' });
  });
});

describe('a sum that becomes a model', () => {
  const base = Float32Array.of(1, 2);

  it('moves it by the sum over the rows that stand behind it', () => {
    // (6, 8) / 8 by two full votes is a mean of (3, 4) / 8.
    const { parameters } = decodeUpdate(plan, terms, sumOf({ rows: 32, update: [(6 * scale) / 8, scale] }), base);
    expect([...parameters]).toEqual([1 + 3 / 8, 2 + 4 / 8]);
  });

  it('moves it by the clip norm at most, in the direction of the sum, whatever words were forged into it', () => {
    // (3, 4) / 4 by a sixteenth of a vote is a mean of (12, 16): four times as long as the clip norm, which is 5.
    const forged = sumOf({ rows: 1, update: [(3 * scale) / 4, scale] });
    const { parameters } = decodeUpdate(plan, terms, forged, base);
    expect([...parameters]).toEqual([1 + 3, 2 + 4]);
  });

  it('reports no more rows, losses and cut values than honest members could have, and none below zero', () => {
    const most = decodeUpdate(plan, terms, sumOf({ rows: 1_000, saturated: 2 ** 31, lossSum: 10_000 }), base);
    expect(most).toMatchObject({ rows: 4 * 16, meanLoss: 4, saturated: 4 * 2 });
    const least = decodeUpdate(plan, terms, sumOf({ rows: -3, saturated: -3, lossSum: -3 }), base);
    expect(least).toMatchObject({ rows: 0, meanLoss: 0, saturated: 0, parameters: base });
    expect(decodeUpdate(plan, terms, sumOf({ rows: 3, lossSum: -3 }), base).meanLoss).toBe(0);
  });
});
