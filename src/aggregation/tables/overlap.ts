/**
 * Differences between what one member gave to two studies that count: where the persons of a cell of one and of a cell of the other differ in few, both
 * sums together tell of those few. Every cell of one tree is set against every cell of the other.
 */
import type { CellTree } from './cells.ts';
import type { CountedRows } from './terms.ts';

/** Who counts where at one member: pairs of a person's key and a cell, each once. Keys are of this member alone. */
export interface Counted {
  /** uint64 `[pairs]`, ascending. */
  readonly keys: BigUint64Array;
  /** The deepest cell of the pair. int32 `[pairs]` */
  readonly cells: Int32Array;
}

/** What two studies have in common at this member. */
export interface Overlap {
  /**
   * Cells of the new study that differ from one of the earlier study in more than nobody and fewer than `minCount` persons. A cell that has exactly the
   * persons of an earlier one adds nothing to it: what it and the others tell together was told then.
   */
  readonly close: readonly number[];
  /** Whether a cell of one has exactly the persons of a cell of the other. */
  readonly hasEqual: boolean;
}

/** Pairs of cells with common persons that are looked at; above this the studies are taken for close in every cell. */
const mostPairs = 4_000_000;

/** The pairs of a member's rows; `unitKeys` are the keys of its units. */
export function countedPairs({ positions, units, rows }: CountedRows, tree: CellTree, dimensions: number, unitKeys: BigUint64Array): Counted {
  const pairs = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    const cell = tree.cellAt(positions.subarray(row * dimensions, (row + 1) * dimensions));
    pairs.set((units[row] ?? 0) * tree.size + cell, row);
  }
  const sorted = [...pairs.keys()]
    .map((pair) => ({ key: unitKeys[Math.floor(pair / tree.size)] ?? 0n, cell: pair % tree.size }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.cell - b.cell));
  return { keys: BigUint64Array.from(sorted, ({ key }) => key), cells: Int32Array.from(sorted, ({ cell }) => cell) };
}

/** The cells in which a person counts: those of its pairs and all above them. */
function cellsOf({ cells }: Counted, from: number, end: number, parents: Int32Array): readonly number[] {
  const all = new Set<number>();
  for (let at = from; at < end; at++) for (let cell = cells[at] ?? 0; cell >= 0; cell = parents[cell] ?? -1) all.add(cell);
  return [...all];
}

function endOf({ keys }: Counted, from: number): number {
  let end = from + 1;
  while (end < keys.length && keys[end] === keys[from]) end++;
  return end;
}

/** Persons in each cell. */
function sizes(counted: Counted, parents: Int32Array): Float64Array {
  const size = new Float64Array(parents.length);
  for (let at = 0; at < counted.keys.length; ) {
    const end = endOf(counted, at);
    for (const cell of cellsOf(counted, at, end, parents)) size[cell] = (size[cell] ?? 0) + 1;
    at = end;
  }
  return size;
}

/** A person that counts in both studies, with its cells in each. */
interface Met {
  readonly mine: readonly number[];
  readonly theirs: readonly number[];
}

/** Persons of both, in the order of their keys. */
function* met(now: Counted, nowParents: Int32Array, before: Counted, beforeParents: Int32Array): Generator<Met> {
  let other = 0;
  for (let at = 0; at < now.keys.length; at = endOf(now, at)) {
    const key = now.keys[at] ?? 0n;
    while (other < before.keys.length && (before.keys[other] ?? 0n) < key) other++;
    if (before.keys[other] !== key) continue;
    yield { mine: cellsOf(now, at, endOf(now, at), nowParents), theirs: cellsOf(before, other, endOf(before, other), beforeParents) };
  }
}

/** Persons that each pair of cells has in common, by `new cell · earlier cells + earlier cell`; undefined where there are too many pairs. */
function common(persons: Iterable<Met>, earlierCells: number): ReadonlyMap<number, number> | undefined {
  const shared = new Map<number, number>();
  for (const { mine, theirs } of persons) {
    for (const cell of mine) for (const their of theirs) shared.set(cell * earlierCells + their, (shared.get(cell * earlierCells + their) ?? 0) + 1);
    if (shared.size > mostPairs) return undefined;
  }
  return shared;
}

/** Sets what a member would give now against what it gave before. `minCount` is the fewest persons that a difference may be about. */
export function overlapOf(now: Counted, nowParents: Int32Array, before: Counted, beforeParents: Int32Array, minCount: number): Overlap {
  const shared = common(met(now, nowParents, before, beforeParents), beforeParents.length);
  if (!shared) return { close: [...nowParents.keys()], hasEqual: true };
  const [mine, theirs] = [sizes(now, nowParents), sizes(before, beforeParents)];
  const [close, equal] = [new Set<number>(), new Set<number>()];
  for (const [pair, both] of shared) {
    const [cell, their] = [Math.floor(pair / beforeParents.length), pair % beforeParents.length];
    const apart = (mine[cell] ?? 0) + (theirs[their] ?? 0) - 2 * both;
    if (apart === 0) equal.add(cell);
    else if (apart < minCount) close.add(cell);
  }
  return { close: [...close].filter((cell) => !equal.has(cell)).sort((a, b) => a - b), hasEqual: equal.size > 0 };
}

/** Bytes of pairs, as they are kept: the number of pairs (u32), keys (u64), cells (i32), little-endian. */
export function countedBytes({ keys, cells }: Counted): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + 12 * keys.length);
  new DataView(bytes.buffer).setUint32(0, keys.length, true);
  bytes.set(new Uint8Array(keys.buffer, keys.byteOffset, keys.byteLength), 8);
  bytes.set(new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength), 8 + 8 * keys.length);
  return bytes;
}

/** Pairs out of their bytes; undefined where they are not that. */
export function countedFrom(bytes: Uint8Array): Counted | undefined {
  if (bytes.length < 8) return undefined;
  const count = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
  if (bytes.length !== 8 + 12 * count) return undefined;
  const copy = bytes.slice();
  return { keys: new BigUint64Array(copy.buffer, 8, count), cells: new Int32Array(copy.buffer, 8 + 8 * count, count) };
}
