/** What may be shown of counted cells: nothing hidden follows from what is shown, whoever adds and subtracts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CellTree } from '../../src/aggregation/index.ts';
import { cellCount } from '../../src/aggregation/tables/cells.ts';
import { presence, presenceCodes, protectedCells, quantilePart, roundedTo } from '../../src/aggregation/tables/disclosure.ts';

describe('the tree of cells', () => {
  test('numbers level by level, children of one cell in a row', () => {
    const tree = new CellTree([2, 3]);
    expect(tree.size).toBe(1 + 2 + 6);
    expect([...tree.parents]).toEqual([-1, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(tree.pathOf(8)).toEqual([1, 2]);
    expect(tree.pathOf(0)).toEqual([]);
    expect(new CellTree([]).size).toBe(1);
  });

  test('a row counts down to the first dimension in which it has no place', () => {
    const tree = new CellTree([2, 3]);
    expect([tree.cellAt([1, 2]), tree.cellAt([1, -1]), tree.cellAt([-1, 2]), tree.cellAt([])]).toEqual([8, 2, 0, 0]);
  });

  test('path and cell are each other’s inverse', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 }), (widths) => {
        const tree = new CellTree(widths);
        for (let cell = 0; cell < tree.size; cell++) {
          expect(tree.cellAt(tree.pathOf(cell))).toBe(cell);
          expect(tree.levelOf(cell)).toBe(tree.pathOf(cell).length);
        }
      }),
    );
  });
});

/** Counts of every cell where all rows lie in leaves: `sites[s][leaf]`. */
function totals(tree: CellTree, sites: readonly (readonly number[])[]) {
  const counts = new Float64Array(tree.size);
  const contributing = new Float64Array(tree.size);
  const first = tree.size - (sites[0]?.length ?? 0);
  for (const leaves of sites) {
    const own = new Float64Array(tree.size);
    leaves.forEach((count, at) => {
      for (let cell = first + at; cell >= 0; cell = tree.parents[cell] ?? -1) own[cell] = (own[cell] ?? 0) + count;
    });
    own.forEach((count, cell) => {
      counts[cell] = (counts[cell] ?? 0) + count;
      if (count > 0) contributing[cell] = (contributing[cell] ?? 0) + 1;
    });
  }
  return { counts, contributing };
}

/** Whether the value of `target` follows from what is shown: an attacker knows that every parent is the sum of its children, and which cells are empty. */
function follows(tree: CellTree, counts: Float64Array, shown: Uint8Array, target: number): boolean {
  const unknown = [...shown.keys()].filter((cell) => shown[cell] === 0);
  const place = new Map(unknown.map((cell, at) => [cell, at]));
  const rows: number[][] = [];
  for (let parent = 0; parent < tree.size; parent++) {
    const children = [...tree.parents.keys()].filter((cell) => tree.parents[cell] === parent);
    if (children.length === 0) continue;
    const row = new Array<number>(unknown.length).fill(0);
    for (const cell of [parent, ...children]) {
      const at = place.get(cell);
      if (at !== undefined) row[at] = (row[at] ?? 0) + (cell === parent ? -1 : 1);
    }
    rows.push(row);
  }
  void counts;
  return inRowSpace(rows, place.get(target) ?? -1);
}

/** Whether the unit vector of `at` is a combination of the rows: Gauss elimination. */
function inRowSpace(rows: number[][], at: number): boolean {
  const rank = (matrix: number[][]): number => {
    const work = matrix.map((row) => [...row]);
    let found = 0;
    const width = work[0]?.length ?? 0;
    for (let column = 0; column < width; column++) {
      const pivot = work.findIndex((row, index) => index >= found && Math.abs(row[column] ?? 0) > 1e-9);
      if (pivot < 0) continue;
      [work[found], work[pivot]] = [work[pivot] ?? [], work[found] ?? []];
      for (let index = 0; index < work.length; index++) {
        if (index === found) continue;
        const factor = (work[index]?.[column] ?? 0) / (work[found]?.[column] ?? 1);
        work[index] = (work[index] ?? []).map((value, k) => value - factor * (work[found]?.[k] ?? 0));
      }
      found++;
    }
    return found;
  };
  const unit = (rows[0] ?? []).map((_, k) => (k === at ? 1 : 0));
  return rows.length > 0 && rank(rows) === rank([...rows, unit]);
}

const worlds = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }).chain((widths) =>
  fc.tuple(
    fc.constant(widths),
    fc.array(
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })), {
        minLength: widths.reduce((a, b) => a * b, 1),
        maxLength: widths.reduce((a, b) => a * b, 1),
      }),
      {
        minLength: 3,
        maxLength: 5,
      },
    ),
  ),
);

describe('cells that are shown', () => {
  const [minSites, minCount] = [3, 5];

  test('never tell a hidden one: neither too few sites nor too few units follow from any sums and differences', () => {
    fc.assert(
      fc.property(worlds, ([widths, sites]) => {
        const tree = new CellTree(widths);
        const { counts, contributing } = totals(tree, sites);
        const codes = presenceCodes(contributing, new Float64Array(tree.size), minSites);
        const hidden = (cell: number): boolean => codes[cell] !== presence.none && (codes[cell] !== presence.enough || (counts[cell] ?? 0) < minCount);
        const shown = protectedCells(tree.parents, counts, hidden);
        for (let cell = 0; cell < tree.size; cell++) {
          if (!hidden(cell)) continue;
          expect(shown[cell]).toBe(0);
          expect(follows(tree, counts, shown, cell), `cell ${cell}`).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a parent without what is shown below it leaves nothing, or at least as much as a cell may show', () => {
    fc.assert(
      fc.property(worlds, ([widths, sites]) => {
        const tree = new CellTree(widths);
        const { counts, contributing } = totals(tree, sites);
        const codes = presenceCodes(contributing, new Float64Array(tree.size), minSites);
        const hidden = (cell: number): boolean => codes[cell] !== presence.none && (codes[cell] !== presence.enough || (counts[cell] ?? 0) < minCount);
        const shown = protectedCells(tree.parents, counts, hidden);
        const children = (parent: number): number[] => [...tree.parents.keys()].filter((cell) => tree.parents[cell] === parent);
        const open = (cell: number): number => (shown[cell] === 1 ? (counts[cell] ?? 0) : children(cell).reduce((sum, child) => sum + open(child), 0));
        for (let parent = 0; parent < tree.size; parent++) {
          const below = children(parent);
          if (shown[parent] === 0 || below.length === 0) continue;
          const rest = (counts[parent] ?? 0) - below.reduce((sum, child) => sum + open(child), 0);
          expect(rest === 0 || rest >= minCount, `${rest} rows are left of cell ${parent}`).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('stay shown where nothing is hidden, and the smallest other one goes with a hidden one', () => {
    const tree = new CellTree([4]);
    expect([...protectedCells(tree.parents, [60, 10, 20, 30, 0], () => false)]).toEqual([1, 1, 1, 1, 1]);
    expect([...protectedCells(tree.parents, [60, 2, 28, 30, 0], (cell) => cell === 1)]).toEqual([1, 0, 0, 1, 1]);
    expect([...protectedCells(tree.parents, [60, 2, 58, 0, 0], (cell) => cell === 1)]).toEqual([1, 0, 0, 1, 1]);
  });
});

describe('presence', () => {
  test('is none, too few, enough, or withheld as soon as one site says so', () => {
    expect([...presenceCodes([0, 1, 2, 3, 9, 9], [0, 0, 0, 0, 0, 1], 3)]).toEqual([0, 1, 1, 3, 3, 2]);
  });
});

describe('quantiles and rounding', () => {
  test('a quantile lies in the part in which its rank is reached', () => {
    expect(quantilePart([5, 5, 5, 5], 0.5, 3)).toBe(2);
    expect(quantilePart([5, 5, 5, 5], 0.51, 3)).toBe(3);
    expect(quantilePart([0, 20, 0, 0], 0.5, 3)).toBe(2);
  });

  test('a quantile with too few rows on either side is not told', () => {
    expect(quantilePart([5, 5, 5, 5], 0.1, 3)).toBe(0);
    expect(quantilePart([5, 5, 5, 5], 0.9, 3)).toBe(0);
    expect(quantilePart([5, 5, 5, 5], 0.15, 3)).toBe(1);
    expect(quantilePart([0, 0], 0.5, 3)).toBe(0);
  });

  test('counts are rounded to the nearest multiple, halves up', () => {
    expect([0, 2, 3, 7, 8].map((count) => roundedTo(count, 5))).toEqual([0, 0, 5, 5, 10]);
    expect(roundedTo(7, 1)).toBe(7);
  });
});

test('cells are counted without being numbered', () => {
  for (const widths of [[], [3], [2, 3], [4, 1, 5], [7, 2, 2, 3]]) expect(cellCount(widths)).toBe(new CellTree(widths).size);
});
