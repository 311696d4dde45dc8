/** Pairs of persons and cells that a member keeps of each study: which they are, in which order, as which bytes. */
import { describe, expect, test } from 'vitest';
import { CellTree, type Counted, countedBytes, countedFrom, countedPairs, overlapOf } from '../../src/aggregation/index.ts';
import { type PlainRow, recordsOf } from '../support/counting.ts';

const pairsOf = (rows: readonly PlainRow[], widths: readonly number[], keys: readonly bigint[]): Counted =>
  countedPairs(recordsOf(rows), new CellTree(widths), widths.length, BigUint64Array.from(keys));

const listed = ({ keys, cells }: Counted) => Array.from(keys, (key, at) => [key, cells[at]]);

describe('pairs of a person and a cell', () => {
  test('are each there once, in the order of the keys, then of the cells, whatever the order of rows', () => {
    // cells of two dimensions: 1 and 2, then 3 … 6 below them
    const rows: readonly PlainRow[] = [
      [1, [1, 1], []],
      [2, [0, 0], []],
      [3, [-1, 1], []],
      [1, [0, 1], []],
      [1, [1, 1], []],
      [2, [1, -1], []],
    ];
    expect(listed(pairsOf(rows, [2, 2], [2n ** 64n - 1n, 5n, 2n ** 63n]))).toEqual([
      [5n, 2],
      [5n, 3],
      [2n ** 63n, 0],
      [2n ** 64n - 1n, 4],
      [2n ** 64n - 1n, 6],
    ]);
  });

  test('are none without rows, and then nothing is close to them', () => {
    const [nobody, somebody] = [pairsOf([], [2], []), pairsOf([[1, [0], []]], [2], [7n])];
    const { parents } = new CellTree([2]);
    expect(listed(nobody)).toEqual([]);
    expect(overlapOf(nobody, parents, somebody, parents, 5)).toEqual({ close: [], hasEqual: false });
    expect(overlapOf(somebody, parents, nobody, parents, 5)).toEqual({ close: [], hasEqual: false });
  });

  test('of one person in several cells count that person once in what is above them', () => {
    const { parents } = new CellTree([2]);
    const both = pairsOf([...[1, 2, 3].map((unit): PlainRow => [unit, [0], []]), ...[1, 2, 3].map((unit): PlainRow => [unit, [1], []])], [2], [1n, 2n, 3n]);
    const first = pairsOf(
      [1, 2, 3].map((unit): PlainRow => [unit, [0], []]),
      [2],
      [1n, 2n, 3n],
    );
    // everything and both cells are the same three persons as everything and the first cell before
    expect(overlapOf(both, parents, first, parents, 5)).toEqual({ close: [], hasEqual: true });
  });
});

describe('bytes of pairs', () => {
  const pairs: Counted = { keys: BigUint64Array.of(1n, 0x0203n << 48n), cells: Int32Array.of(7, 258) };
  const bytes = Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 2, 7, 0, 0, 0, 2, 1, 0, 0]);

  test('are their number, padded to eight bytes, then keys, then cells, the least byte first', () => {
    expect([...countedBytes(pairs)]).toEqual([...bytes]);
    expect([...countedBytes({ keys: new BigUint64Array(0), cells: new Int32Array(0) })]).toEqual(new Array(8).fill(0));
  });

  test('of pairs that lie in the middle of larger memory are those alone', () => {
    const larger = { keys: BigUint64Array.of(9n, ...pairs.keys, 9n).subarray(1, 3), cells: Int32Array.of(9, ...pairs.cells, 9).subarray(1, 3) };
    expect([...countedBytes(larger)]).toEqual([...bytes]);
  });

  test('are read wherever they lie in memory, into memory of their own', () => {
    const larger = Uint8Array.from([1, 2, 3, ...bytes, 4]);
    const read = countedFrom(larger.subarray(3, 3 + bytes.length));
    larger.fill(0);
    expect(read).toEqual(pairs);
  });

  test('of no pairs are eight, and of any other number than the pairs need they are none', () => {
    expect(countedFrom(new Uint8Array(8))).toEqual({ keys: new BigUint64Array(0), cells: new Int32Array(0) });
    for (const bad of [new Uint8Array(0), new Uint8Array(7), new Uint8Array(9), bytes.subarray(0, -1), Uint8Array.from([...bytes, 0])])
      expect(countedFrom(bad)).toBeUndefined();
  });
});
