/** Sum plans, the round state, and the two plans of today: what goes in comes out, and the same for everybody. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptContext,
  type ContextFields,
  decodeMoments,
  decodeUpdate,
  encodeMoments,
  encodeUpdate,
  planDigest,
  planSizeBytes,
  planSlots,
  roundContext,
  roundingKey,
  type Segment,
  type SumPlan,
  stateBytes,
  stateDigest,
  stateFromBytes,
  stateSizeBytes,
  statisticsPlan,
  updatePlan,
} from '../../src/aggregation/index.ts';
import { maxVectorSizeBytes } from '../../src/aggregation/limits.ts';
import { encodeContribution } from '../../src/aggregation/plan.ts';
import { type Account, type Digest, seededChance, shuffled } from '../../src/common/index.ts';
import { codeOf } from '../support/codes.ts';
import { sumVectors } from '../support/custodians.ts';

const segment: Segment = { name: 'a', length: 2, wordBits: 32, range: 1, scale: 4 };
const plan: SumPlan = { purpose: 'update', ordinal: 3, segments: [{ ...segment, name: 'wide', wordBits: 64 }, segment] };

describe('a sum plan', () => {
  it('has another digest with any other field', () => {
    const others: readonly SumPlan[] = [
      { ...plan, purpose: 'statistics' },
      { ...plan, ordinal: 4 },
      { ...plan, segments: plan.segments.slice(1) },
      { ...plan, segments: [...plan.segments].reverse() },
      ...(['name', 'length', 'wordBits', 'range', 'scale'] as const).map((field) => {
        const changed = { name: 'b', length: 3, wordBits: 64 as const, range: 2, scale: 8 }[field];
        return { ...plan, segments: [plan.segments[0] as Segment, { ...segment, [field]: changed }] };
      }),
    ];
    expect(new Set([plan, ...others].map(planDigest)).size).toBe(others.length + 1);
    expect(planDigest(structuredClone(plan))).toBe(planDigest(plan));
  });

  it('puts 64-bit words first and keeps its bounds', () => {
    expect(planSlots(plan).map(({ offsetBytes, sizeBytes }) => [offsetBytes, sizeBytes])).toEqual([
      [0, 16],
      [16, 8],
    ]);
    expect(planSizeBytes(plan)).toBe(24);
    const bad: readonly (readonly Segment[])[] = [
      [],
      [{ ...segment, length: 0 }],
      [{ ...segment, length: 1.5 }],
      [segment, { ...segment, wordBits: 64 }],
      [{ ...segment, length: maxVectorSizeBytes / 4 + 1 }],
      Array.from({ length: 65 }, () => segment),
    ];
    for (const segments of bad) expect(codeOf(() => planSlots({ ...plan, segments }))).toBe('AGGREGATION_BAD_PLAN');
    expect(codeOf(() => planSlots({ ...plan, segments: [{ ...segment, length: maxVectorSizeBytes / 4 }] }))).toBe('done');
    expect(planSlots({ ...plan, segments: Array.from({ length: 64 }, () => segment) })).toHaveLength(64);
  });

  it('refuses values that are no numbers, too few, or under another name', () => {
    const values = { wide: [0, 1], a: [0.5, -0.5] };
    expect(encodeContribution(plan, values).saturated).toBe(0);
    expect(encodeContribution(plan, { ...values, a: [1.01, -9] }).saturated).toBe(2);
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(() => encodeContribution(plan, { ...values, a: [0, wrong] }))).toBe('AGGREGATION_NOT_FINITE');
    }
    expect(codeOf(() => encodeContribution(plan, { ...values, a: [0] }))).toBe('AGGREGATION_BAD_PLAN');
    expect(codeOf(() => encodeContribution(plan, { wide: [0, 1] }))).toBe('AGGREGATION_BAD_PLAN');
  });
});

describe('the context', () => {
  const hash = (digit: string): Digest => digit.repeat(64) as Digest;
  const fields: ContextFields = {
    chainId: 1,
    contract: `0x${'c'.repeat(40)}` as Account,
    study: hash('1'),
    run: 2,
    round: 3,
    base: hash('2'),
    plan: hash('3'),
    roster: [`0x${'a'.repeat(40)}` as Account, `0x${'b'.repeat(40)}` as Account],
  };

  it('is another one with any other field', () => {
    const others: readonly ContextFields[] = [
      { ...fields, chainId: 2 },
      { ...fields, contract: `0x${'d'.repeat(40)}` as Account },
      { ...fields, study: hash('4') },
      { ...fields, run: 3 },
      { ...fields, run: 3, round: 2 },
      { ...fields, base: hash('4') },
      { ...fields, plan: hash('4') },
      { ...fields, roster: [...fields.roster].reverse() },
      { ...fields, roster: fields.roster.slice(1) },
    ];
    expect(new Set([fields, ...others].map(roundContext)).size).toBe(others.length + 1);
  });

  it('of an attempt is another one with another number or list', () => {
    const context = roundContext(fields);
    const all = [
      attemptContext(context, 0, [0, 1, 2]),
      attemptContext(context, 1, [0, 1, 2]),
      attemptContext(context, 0, [0, 1]),
      attemptContext(context, 0, [0, 12]),
    ];
    expect(new Set([...all, attemptContext(roundContext({ ...fields, round: 9 }), 0, [0, 1, 2])]).size).toBe(5);
  });
});

describe('the round state', () => {
  const numbers = fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 9 });
  const state = fc.record({
    ordinal: fc.nat(),
    parameters: fc.float32Array({ maxLength: 40 }),
    features: fc.option(fc.record({ rows: fc.nat(), mean: numbers }), { nil: undefined }),
  });

  it('comes back from its bytes, and one other bit is another state or none', () => {
    fc.assert(
      fc.property(state, fc.nat(), ({ ordinal, parameters, features }, bit) => {
        const standardisation = features && { rows: features.rows, mean: new Float64Array(features.mean), sd: new Float64Array(features.mean).fill(2) };
        const whole = { ordinal, parameters, ...(standardisation ? { standardisation } : {}) };
        const bytes = stateBytes(whole);
        expect(stateFromBytes(bytes)).toEqual(whole);
        expect(bytes.length).toBe(stateSizeBytes(parameters.length, standardisation?.mean.length ?? 0));
        const last = new Uint8Array(4 * parameters.length).fill(7);
        if (last.length > 0) expect(stateFromBytes(stateBytes({ ...whole, last }))).toEqual({ ...whole, last });
        const changed = bytes.slice();
        const at = (bit >>> 3) % changed.length;
        changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
        expect(stateDigest(changed)).not.toBe(stateDigest(bytes));
        expect(['done', 'AGGREGATION_BAD_STATE']).toContain(codeOf(() => stateFromBytes(changed)));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(codeOf(() => stateFromBytes(noise))).toBe('AGGREGATION_BAD_STATE');
      }),
    );
  });
});

describe('a model update', () => {
  const terms = { parameters: 5, members: 4, clipNorm: 2, weightCap: 64, maxLoss: 64 };
  const sums = updatePlan(1, terms);
  const member = fc.record({
    trained: fc.array(fc.double({ min: -0.8, max: 0.8, noNaN: true }), { minLength: 5, maxLength: 5 }),
    rows: fc.integer({ min: 1, max: 90 }),
    lossSum: fc.double({ min: 0, max: 100, noNaN: true }),
  });

  it('is the mean weighed by rows, of any order of members, to the step of fixed point', () => {
    fc.assert(
      fc.property(fc.array(member, { minLength: 3, maxLength: 4 }), fc.nat(), (members, seed) => {
        const base = new Float32Array([0.1, -0.2, 0.3, 0, 1]);
        const vectors = members.map(({ trained, rows, lossSum }, at) => {
          const local = { base, trained: Float32Array.from(trained, (value, index) => value + (base[index] ?? 0)), rows, lossSum };
          return encodeUpdate(sums, terms, local, roundingKey(seed, `member ${at}`, 1));
        });
        const result = decodeUpdate(sums, terms, sumVectors(vectors, planSlots(sums)), base);
        expect(decodeUpdate(sums, terms, sumVectors(shuffled(vectors, seededChance('order', seed)), planSlots(sums)), base)).toEqual(result);
        const weights = members.map(({ rows }) => Math.min(rows, 64));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        expect(result.rows).toBe(total);
        members[0]?.trained.forEach((_, index) => {
          const mean = members.reduce((sum, { trained }, at) => sum + ((trained[index] ?? 0) * (weights[at] ?? 0)) / total, 0);
          expect(Math.abs((result.parameters[index] ?? 0) - ((base[index] ?? 0) + mean))).toBeLessThan(1e-5);
        });
        const loss = members.reduce((sum, one, at) => sum + (one.lossSum * (weights[at] ?? 0)) / one.rows, 0) / total;
        expect(Math.abs(result.meanLoss - loss)).toBeLessThan(1e-5);
      }),
      { numRuns: 60 },
    );
  });

  it('of nobody changes nothing, and a value that is cut is counted', () => {
    const base = new Float32Array([1, 2, 3, 4, 5]);
    expect(decodeUpdate(sums, terms, new Uint8Array(planSizeBytes(sums)), base)).toEqual({ parameters: base, rows: 0, meanLoss: 0, saturated: 0 });
    const loud = { base, trained: base, rows: 2, lossSum: 1e9 };
    expect(decodeUpdate(sums, terms, encodeUpdate(sums, terms, loud, roundingKey(0, 'loud', 1)), base).saturated).toBe(1);
  });
});

describe('shared statistics', () => {
  it('add up exactly, as sums of 64-bit words', () => {
    const sums = statisticsPlan(0, { features: 2, members: 3 });
    const parts = [
      [10, [1, 2, 3, 4]],
      [20, [0.5, 0.25, 0, 16]],
      [5, [0, 0, 0.125, 0.75]],
    ] as const;
    const vectors = parts.map(([rows, moments]) => encodeMoments(sums, rows, Float64Array.from(moments)));
    const { rows, moments } = decodeMoments(sums, sumVectors(vectors, planSlots(sums)));
    expect([rows, [...moments]]).toEqual([35, [1.5, 2.25, 3.125, 20.75]]);
  });
});
