/** Counting over several members: what the sums open is what one place with all rows would count, and what must not be shown is never opened. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CellTree, cellResults, countPlan, countSlots, countStateBytes, countStateFrom, planSizeBytes, slotOf } from '../../src/aggregation/index.ts';
import { seededChance } from '../../src/common/index.ts';
import { countedBy, type PlainRow, recordsOf, termsOf } from '../support/counting.ts';

const age = { minimum: 0, maximum: 100, decimals: 1, table: true, quantiles: [0.25, 0.5, 0.75], bins: 20 };

/** `count` rows of one member, from a seed: persons come several times, one age in ten is missing. */
function someRows(member: number, count: number): PlainRow[] {
  const chance = seededChance('counting', member);
  return Array.from({ length: count }, (): PlainRow => {
    const value = chance.below(10) === 0 ? Number.NaN : chance.below(1001) / 10;
    return [1000 * member + chance.below(count), [chance.below(3) - (chance.below(8) === 0 ? 1 : 0), chance.below(2)], [value]];
  });
}

const members = [0, 1, 2, 3].map((member) => someRows(member, 300));
const terms = termsOf({ members: 4, widths: [3, 2], variables: [age], minSites: 3, minCount: 5 });
const tree = new CellTree(terms.widths);

/** Rows of a cell, over all members, in plain words. */
function rowsIn(cell: number): PlainRow[] {
  const path = tree.pathOf(cell);
  return members.flat().filter(([, positions]) => path.every((place, level) => positions[level] === place));
}

describe('tables', () => {
  const state = countedBy(terms, members.map(recordsOf), 2);
  const results = cellResults(terms, state);

  test('hold the rows and the different persons of every cell, exactly', () => {
    results.forEach((result, cell) => {
      const rows = rowsIn(cell);
      expect(result, `cell ${cell}`).toMatchObject({ rows: rows.length, units: new Set(rows.map(([unit]) => unit)).size });
    });
  });

  test('hold mean and standard deviation to the last digits', () => {
    results.forEach((result, cell) => {
      const values = rowsIn(cell)
        .map(([, , [value = Number.NaN]]) => value)
        .filter((value) => !Number.isNaN(value));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
      const told = 'variables' in result ? result.variables[0] : undefined;
      expect(told?.rows).toBe(values.length);
      expect(told?.mean).toBeCloseTo(mean, 10);
      expect(told?.sd).toBeCloseTo(sd, 9);
    });
  });

  test('tell quantiles to within one part of the range', () => {
    results.forEach((result, cell) => {
      const values = rowsIn(cell)
        .map(([, , [value = Number.NaN]]) => value)
        .filter((value) => !Number.isNaN(value))
        .sort((a, b) => a - b);
      const told = 'variables' in result ? result.variables[0]?.quantiles : undefined;
      age.quantiles.forEach((quantile, at) => {
        const exact = values[Math.ceil(quantile * values.length) - 1] ?? Number.NaN;
        expect(exact).toBeGreaterThanOrEqual(told?.[at]?.from ?? Number.NaN);
        expect(exact).toBeLessThanOrEqual(told?.[at]?.to ?? Number.NaN);
      });
    });
  });

  test('tell with a share the interval of Newcombe’s first example, and ends that stay ends', () => {
    const shareOf = (count: number, rows: number) => {
      const own = termsOf({ widths: [1], minSites: 2, minCount: 3 });
      const hands = [0, 1, 2].map((member) =>
        recordsOf(Array.from({ length: rows }, (_, at): PlainRow => [1000 * member + at, [at < count ? 0 : -1], []]).filter((_, at) => at % 3 === member)),
      );
      const [, cell] = cellResults(own, countedBy(own, hands, 2));
      return cell && 'share' in cell ? cell.share : undefined;
    };
    const { of, low, high } = shareOf(81, 263) ?? { of: 0, low: 0, high: 0 };
    expect(of).toBe(81 / 263);
    expect(low).toBeCloseTo(0.2553, 4);
    expect(high).toBeCloseTo(0.3662, 4);
    expect(shareOf(30, 30)?.high).toBe(1);
  });

  test('tell the share of the cell above, and where it stands among the others with the same value', () => {
    const shares = [4, 6, 8].map((cell) => rowsIn(cell).length / rowsIn(tree.parents[cell] ?? 0).length);
    const told = [4, 6, 8].map((cell) => results[cell]);
    told.forEach((result, at) => {
      expect((result as { share: { of: number } }).share.of).toBe(shares[at]);
      const below = shares.filter((share) => share < (shares[at] ?? 0)).length + 0.5;
      expect((result as { percentile: number }).percentile).toBeCloseTo((100 * below) / 3, 10);
    });
  });
});

/** One row each about different persons: `counts[member]` rows in the first cell of one dimension, and 20 in the second. */
function inCell(counts: readonly number[]): PlainRow[][] {
  return counts.map((count, member) => [
    ...Array.from({ length: count }, (_, at): PlainRow => [100 * member + at, [0], []]),
    ...Array.from({ length: 20 }, (_, at): PlainRow => [100 * member + 50 + at, [1], []]),
  ]);
}

describe('what must not be shown', () => {
  const open = termsOf({ members: 4, widths: [2], minSites: 3, minCount: 5 });

  test('a cell of too few sites is zero in every member’s words already', () => {
    const opened: Uint8Array[] = [];
    countedBy(open, inCell([9, 9, 0, 0]).map(recordsOf), 2, { seen: (_, sum) => opened.push(sum) });
    const units = new BigInt64Array(opened[1]?.slice().buffer ?? new ArrayBuffer(0), 0, 3);
    expect([...units]).toEqual([98n, 0n, 80n]);
  });

  test('a cell that a member withholds is zero for everybody', () => {
    const opened: Uint8Array[] = [];
    const rows = inCell([9, 9, 9, 9]).map(recordsOf);
    const state = countedBy(open, rows, 2, { withheld: [new Set<number>(), new Set([1])], seen: (_, sum) => opened.push(sum) });
    expect([...new BigInt64Array(opened[1]?.slice().buffer ?? new ArrayBuffer(0), 0, 3)]).toEqual([116n, 0n, 80n]);
    expect(cellResults(open, state)[1]).toEqual({ hidden: 'withheld' });
    expect(cellResults(open, state)[2], 'the other one would follow').toEqual({ hidden: 'too few units, or protects another' });
  });

  test('a cell of too few persons is in no state, nor is what it would follow from', () => {
    const state = countedBy(open, inCell([1, 1, 1, 1]).map(recordsOf), 2);
    expect([...slotOf(state, countSlots(open).units)]).toEqual([84, 0, 0]);
    expect(cellResults(open, state).slice(1)).toEqual([{ hidden: 'too few units, or protects another' }, { hidden: 'too few units, or protects another' }]);
  });

  test('persons are counted, not rows: one person with nine admissions is one', () => {
    const rows = [0, 1, 2].map((member): PlainRow[] => Array.from({ length: 9 }, (): PlainRow => [member, [0], []]));
    const state = countedBy(termsOf({ widths: [1], minSites: 3, minCount: 4 }), rows.map(recordsOf), 2);
    expect(Math.max(...state.opened.subarray(2))).toBe(0);
  });

  test('a cell in which one site has more than the largest share is hidden after the votes, with what would give it away', () => {
    const dominated = { ...open, dominance: 0.8 };
    const state = countedBy(dominated, inCell([45, 2, 2, 2]).map(recordsOf), 3);
    expect(cellResults(dominated, state)[1]).toEqual({ hidden: 'dominated' });
    expect([...slotOf(state, countSlots(dominated).units)]).toEqual([131, 0, 0]);
    const level = countedBy({ ...open, dominance: 0.9 }, inCell([45, 2, 2, 2]).map(recordsOf), 3);
    expect([...slotOf(level, countSlots(dominated).units)]).toEqual([131, 51, 80]);
  });

  test('a variable that few rows have is not told, though the cell is; its neighbour protects it', () => {
    const rows = inCell([10, 10, 10, 10]).map((own) =>
      own.map(([unit, places], at): PlainRow => [unit, places, [at === 0 || (places[0] ?? 0) > 0 ? 50 : Number.NaN]]),
    );
    const withAge = { ...open, variables: [age] };
    const state = countedBy(withAge, rows.map(recordsOf), 2);
    const [whole, first, second] = cellResults(withAge, state);
    expect(first).toMatchObject({ units: 40, variables: [undefined] });
    expect(second).toMatchObject({ units: 80, variables: [undefined] });
    expect(whole).toMatchObject({ units: 120, variables: [{ rows: 84 }] });
  });

  test('that two of many have a disease is not told, nor what it follows from; that nobody has it is', () => {
    const disease = { minimum: 0, maximum: 1, decimals: 0, table: true, quantiles: [], bins: 0 };
    const ill = (sick: readonly number[]) => {
      const rows = [0, 1, 2].map((member) =>
        [0, 1, 2].flatMap((place) =>
          Array.from({ length: 10 }, (_, at): PlainRow => [100 * member + 10 * place + at, [place], [Number(at < (sick[place] ?? 0))]]),
        ),
      );
      const own = termsOf({ widths: [3], variables: [disease], minSites: 3, minCount: 5 });
      return cellResults(own, countedBy(own, rows.map(recordsOf), 2)).map((result) => ('variables' in result ? result.variables[0]?.mean : undefined));
    };
    expect(ill([0, 2, 5])).toEqual([7 / 30, 0, 0.2, 0.5]);
    expect(ill([1, 2, 5]), 'three of thirty').toEqual([8 / 30, undefined, undefined, 0.5]);
    expect(ill([10, 2, 5]), 'all of them').toEqual([17 / 30, undefined, undefined, 0.5]);
    expect(ill([1, 0, 0]), 'three in all').toEqual([undefined, undefined, 0, 0]);
  });

  test('counts are rounded before they are kept', () => {
    const state = countedBy({ ...open, rounding: 10 }, inCell([7, 7, 7, 3]).map(recordsOf), 2);
    expect([...slotOf(state, countSlots(open).rows)]).toEqual([100, 20, 80]);
  });
});

describe('states', () => {
  test('are the same bytes again, whatever was counted, and all of one size', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 2 }), { minLength: 3, maxLength: 3 }), (sites) => {
        const rows = sites.map((counts, member) =>
          counts.flatMap((count, place) => Array.from({ length: count }, (_, at): PlainRow => [100 * member + 20 * place + at, [place], []])),
        );
        const own = termsOf({ widths: [2] });
        const state = countedBy(own, rows.map(recordsOf), 2);
        const bytes = countStateBytes(state);
        expect(countStateFrom(bytes)).toEqual(state);
        expect(bytes.length).toBe(countStateBytes(countedBy(own, rows.map(recordsOf), 1)).length);
      }),
      { numRuns: 50 },
    );
  });

  test('bytes that are no state are refused', () => {
    const bytes = countStateBytes(countedBy(terms, members.map(recordsOf), 2));
    for (const bad of [bytes.subarray(0, 20), bytes.subarray(0, -8), new Uint8Array(100)]) expect(() => countStateFrom(bad)).toThrow(/not a round state/);
  });

  test('each sum has a plan of its own purpose and size', () => {
    const own = { ...terms, dominance: 0.8 };
    const states = [0, 1, 2].map((sums) => countedBy(own, members.map(recordsOf), sums));
    expect(states.map((state) => countPlan(own, state).purpose)).toEqual(['presence', 'tables', 'votes']);
    expect(states.map((state) => planSizeBytes(countPlan(own, state)))).toEqual([2 * 10 * 4, (2 * 10 + 3 * 10 + 200) * 8, 10 * 4]);
  });
});
