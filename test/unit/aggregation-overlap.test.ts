/** Two studies that count, subtracted: which cells of the second would tell of a few persons of the first. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CellTree, countedBytes, countedFrom, countedPairs, overlapOf } from '../../src/aggregation/index.ts';
import { type PlainRow, recordsOf } from '../support/counting.ts';

/** Pairs of rows that name a person and places; a person's key is its number times a constant, so that order of rows and of keys differ. */
function pairsOf(rows: readonly (readonly [person: number, ...places: number[]])[], widths: readonly number[]) {
  const plain = rows.map(([person, ...places]): PlainRow => [person, places, []]);
  const numbers = [...new Set(rows.map(([person]) => person))];
  return countedPairs(
    recordsOf(plain),
    new CellTree(widths),
    widths.length,
    BigUint64Array.from(numbers, (person) => BigInt.asUintN(64, BigInt(person) * 0x9e3779b97f4a7c15n)),
  );
}

const people = (from: number, to: number, ...places: number[]) => Array.from({ length: to - from }, (_, at) => [from + at, ...places] as const);

describe('a second study', () => {
  const one = new CellTree([2]);
  const before = pairsOf([...people(0, 40, 0), ...people(40, 60, 1)], [2]);

  test('that leaves out one person is close in that person’s cell and in all above it', () => {
    const now = pairsOf([...people(1, 40, 0), ...people(40, 60, 1)], [2]);
    expect(overlapOf(now, one.parents, before, one.parents, 5)).toEqual({ close: [0, 1], hasEqual: true });
  });

  test('that leaves out five persons is not close, where five may be told', () => {
    const now = pairsOf([...people(5, 40, 0), ...people(40, 60, 1)], [2]);
    expect(overlapOf(now, one.parents, before, one.parents, 5)).toEqual({ close: [], hasEqual: true });
    expect(overlapOf(now, one.parents, before, one.parents, 6).close).toEqual([0, 1]);
  });

  test('that moves one person from cell to cell is close in both, and not in what is above', () => {
    const now = pairsOf([...people(1, 40, 0), ...people(40, 60, 1), [0, 1]], [2]);
    expect(overlapOf(now, one.parents, before, one.parents, 5)).toEqual({ close: [1, 2], hasEqual: true });
  });

  test('with other names for its cells is seen through: cells are compared by their persons', () => {
    const three = new CellTree([3]);
    const now = pairsOf([...people(1, 40, 2), ...people(40, 60, 0)], [3]);
    expect(overlapOf(now, three.parents, before, one.parents, 5).close).toEqual([0, 3]);
  });

  test('with the cells of before adds nothing, however little lies between one of them and what is above it', () => {
    const lopsided = pairsOf([...people(0, 40, 0), ...people(40, 42, 1)], [2]);
    expect(overlapOf(lopsided, one.parents, lopsided, one.parents, 5)).toEqual({ close: [], hasEqual: true });
  });

  test('about other persons has nothing in common', () => {
    expect(overlapOf(pairsOf(people(100, 160, 0), [2]), one.parents, before, one.parents, 5)).toEqual({ close: [], hasEqual: false });
  });

  test('of few persons within many is not close: what is left of the many is many', () => {
    expect(overlapOf(pairsOf(people(0, 3, 0), [2]), one.parents, before, one.parents, 5)).toEqual({ close: [], hasEqual: false });
  });
});

test('close is what a plain look at all pairs of cells finds', () => {
  const row = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: -1, max: 2 }), fc.integer({ min: -1, max: 1 }));
  const rows = fc.array(row, { minLength: 1, maxLength: 80 });
  const tree = new CellTree([3, 2]);
  const members = (given: readonly (readonly [number, number, number])[], cell: number): Set<number> => {
    const path = tree.pathOf(cell);
    return new Set(given.filter(([, ...places]) => path.every((place, level) => places[level] === place)).map(([person]) => person));
  };
  fc.assert(
    fc.property(rows, rows, (first, second) => {
      const found = overlapOf(pairsOf(second, [3, 2]), tree.parents, pairsOf(first, [3, 2]), tree.parents, 4);
      const cells = [...tree.parents.keys()];
      const apart = (a: Set<number>, b: Set<number>): number => a.symmetricDifference(b).size;
      const isMet = (a: Set<number>, b: Set<number>): boolean => a.intersection(b).size > 0;
      const isKnown = (cell: number): boolean =>
        cells.some((their) => isMet(members(second, cell), members(first, their)) && apart(members(second, cell), members(first, their)) === 0);
      const plain = cells.filter(
        (cell) =>
          !isKnown(cell) &&
          cells.some((their) => {
            const [a, b] = [members(second, cell), members(first, their)];
            return isMet(a, b) && apart(a, b) > 0 && apart(a, b) < 4;
          }),
      );
      expect(found.close).toEqual(plain);
      expect(found.hasEqual).toBe(cells.some(isKnown));
    }),
    { numRuns: 200 },
  );
});

test('pairs are the same from their bytes, and nothing else is read as pairs', () => {
  const pairs = pairsOf([...people(0, 7, 1), [3, 0]], [2]);
  const bytes = countedBytes(pairs);
  expect(countedFrom(bytes)).toEqual(pairs);
  for (const bad of [bytes.subarray(0, 7), bytes.subarray(0, -1), new Uint8Array(20)]) expect(countedFrom(bad)).toBeUndefined();
});
