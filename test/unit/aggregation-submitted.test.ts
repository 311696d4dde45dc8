/** What an auditor reads in opened words: rows, losses, norms and updates by hand, and which words no peer makes, up to the last unit. */
import { describe, expect, it } from 'vitest';
import {
  checkOpening,
  encodeUpdate,
  openedUpdate,
  planSlots,
  roundingKey,
  type Submitted,
  type SumPlan,
  statisticsPlan,
  updatePlan,
} from '../../src/aggregation/index.ts';
import { encodeContribution } from '../../src/aggregation/plan.ts';
import { finalRound } from '../support/final-round.ts';

// Three members with norms up to 2: 3 · 2 · 2^28 is the largest power of two below 2^31. Sixteen rows are a full vote.
const scale = 2 ** 28;
const weightCap = 16;
const terms = { parameters: 4, members: 3, clipNorm: 2, weightCap, maxLoss: 4 };
const plan = updatePlan(1, terms);
const lossScale = planSlots(plan).find(({ name }) => name === 'lossSum')?.scale ?? 0;

/** Words as they lie in the vector: header in reals, update in units of its scale. */
function wordsOf({ rows = 4, saturated = 0, lossSum = 0, update = [0, 0, 0, 0] }): Uint8Array {
  const bytes = new Uint8Array(24 + 16);
  new BigInt64Array(bytes.buffer, 0, 3).set([BigInt(rows), BigInt(saturated), BigInt(lossSum * lossScale)]);
  new Int32Array(bytes.buffer, 24).set(update);
  return bytes;
}

function submitted(words: Uint8Array, of: SumPlan = plan): Submitted {
  const { opening, facts } = finalRound(of, words);
  const result = checkOpening(opening, facts);
  if (result.kind === 'differs') throw new Error(result.reason);
  return result.submitted;
}

const breaches = (given: Parameters<typeof wordsOf>[0]): readonly string[] => submitted(wordsOf(given)).breaches;

describe('what an opening shows', () => {
  it('of an update: its rows, cut values, mean loss and norm before it was weighted, and by how much rounding may have moved that', () => {
    // (1, -1/2, 1/4, 0) by four rows of sixteen.
    const words = wordsOf({
      rows: 4,
      saturated: 3,
      lossSum: 6.5,
      update: [scale / 4, -scale / 8, scale / 16, 0],
    });
    expect(submitted(words)).toStrictEqual({
      purpose: 'update',
      rows: 4,
      saturated: 3,
      meanLoss: 6.5 / 4,
      norm: Math.sqrt(1 + 1 / 4 + 1 / 16),
      clipNorm: 2,
      // Each of four words is at most one unit off, and a unit is 1 / scale of the weighted update: a quarter of the update.
      roundingNorm: Math.sqrt(4) * (4 / scale),
      breaches: [],
    });
    expect(openedUpdate({ plan, words })).toEqual(Float32Array.of(1, -0.5, 0.25, 0));
  });

  it('of an update without rows: no loss, no norm and no update', () => {
    const words = wordsOf({ rows: 0 });
    expect(submitted(words)).toMatchObject({
      rows: 0,
      meanLoss: undefined,
      norm: 0,
      roundingNorm: 0,
      breaches: [],
    });
    expect(openedUpdate({ plan, words })).toBeUndefined();
  });

  it('of statistics: rows, and nothing that only an update has', () => {
    const statistics = statisticsPlan(0, { features: 2, members: 3 });
    const { words } = encodeContribution(statistics, {
      rows: [5],
      moments: [1, 2, 3, 4],
    });
    const none = {
      saturated: undefined,
      meanLoss: undefined,
      norm: undefined,
      clipNorm: undefined,
      roundingNorm: undefined,
    };
    expect(submitted(words, statistics)).toStrictEqual({
      purpose: 'statistics',
      rows: 5,
      ...none,
      breaches: [],
    });
    expect(openedUpdate({ plan: statistics, words })).toBeUndefined();
  });
});

describe('words that no peer makes', () => {
  it('hold values beyond the range by more than the one unit that rounding adds', () => {
    expect(breaches({ rows: 16, update: [2 * scale + 1, 0, 0, 0] })).toEqual([]);
    expect(breaches({ rows: 16, update: [0, 2 * scale + 2, 0, -2 * scale - 2] })[0]).toBe(
      '2 of 4 values of "update" are beyond the 2 that one member may contribute',
    );
  });

  it('are longer than the clip norm by more than rounding explains, at the weight that they have', () => {
    // Four equal words of norm 2 are 1 each; of eight rows that is half. Rounded up in every word they are honest, and a part in a million over that is not.
    const full = scale / 2;
    expect(breaches({ rows: 8, update: [full + 1, full + 1, full + 1, full + 1] })).toEqual([]);
    const long = Math.ceil(full * (1 + 2 ** -20)) + 3;
    expect(breaches({ rows: 8, update: [long, long, long, long] })).toEqual([
      expect.stringMatching(/^the update has an L2 norm of 2\.0000.*, and the study permits 2$/),
    ]);
  });

  it('may be rounded up on all sides at once where few rows stand behind them', () => {
    const one = scale / 16;
    const allowed = Math.floor(one * (1 + 2 ** -20)) + 1;
    expect(breaches({ rows: 1, update: [allowed, -allowed, allowed, -allowed] })).toEqual([]);
  });

  it('hold an update of no rows that is not zero: it would move the others’ mean', () => {
    expect(breaches({ rows: 0, update: [0, 0, 0, 1] })).toEqual(['the update is not zero, and it is of no rows']);
    const local = { base: new Float32Array(4), trained: Float32Array.of(1, -2, 3, -4), rows: 0, lossSum: 0 };
    expect(submitted(encodeUpdate(plan, terms, local, roundingKey(1, 'north', 1))).breaches).toEqual([]);
  });

  it('count fewer than nothing, each count by its name', () => {
    expect(breaches({ rows: -1 })).toEqual(['"rows" is below zero']);
    expect(breaches({ saturated: -1 })).toEqual(['"saturated" is below zero']);
    expect(breaches({ lossSum: -1 })).toEqual(['"lossSum" is below zero']);
    expect(submitted(wordsOf({ rows: -4, update: [scale / 4, 0, 0, 0] })).roundingNorm).toBe(Math.sqrt(4) * (4 / scale));
  });
});
