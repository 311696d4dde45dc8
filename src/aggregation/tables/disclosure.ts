/**
 * Disclosure control of counted cells, as official statistics do it (Hundepool et al., Statistical Disclosure Control, 2012, chapters 4 and 5): threshold
 * rule, complementary suppression so that nothing hidden follows from what is shown by subtraction, quantiles with enough on either side, rounding.
 */

/** How many sites contribute to a cell, as everybody may know it. */
export const presence = { none: 0, few: 1, withheld: 2, enough: 3 } as const;

/** From the summed numbers of contributing and of withholding sites to what is kept: `[cells]` each. */
export function presenceCodes(sites: ArrayLike<number>, withheld: ArrayLike<number>, minSites: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: sites.length }, (_, at) => {
    if ((withheld[at] ?? 0) > 0) return presence.withheld;
    const count = sites[at] ?? 0;
    return count === 0 ? presence.none : count < minSites ? presence.few : presence.enough;
  });
}

/** The first and the last child of each cell plus one, as the numbering of the tree has them. */
function childRanges(parents: Int32Array): Int32Array {
  const ranges = new Int32Array(2 * parents.length);
  parents.forEach((parent, cell) => {
    if (parent < 0) return;
    if (ranges[2 * parent] === 0) ranges[2 * parent] = cell;
    ranges[2 * parent + 1] = cell + 1;
  });
  return ranges;
}

/**
 * Which cells of a tree may be shown: 1 or 0. `hidden` cells must not be. Wherever a parent is shown with a hidden child, or is hidden itself with
 * children that are shown, the smallest child that is shown and not empty is hidden too: what subtraction gives then holds at least that one as well.
 */
export function protectedCells(parents: Int32Array, counts: ArrayLike<number>, hidden: (cell: number) => boolean): Uint8Array {
  const shown = Uint8Array.from(parents, (_, cell) => (hidden(cell) ? 0 : 1));
  const ranges = childRanges(parents);
  for (const cell of parents.keys()) {
    const [from = 0, end = 0] = ranges.subarray(2 * cell, 2 * cell + 2);
    const isAsked = shown[cell] === 0 || shown.subarray(from, end).includes(0);
    const smallest = isAsked ? smallestShown(shown, counts, from, end) : -1;
    if (smallest >= 0) shown[smallest] = 0;
  }
  return shown;
}

/** The cell from `from` to before `end` that is shown, not empty and has the smallest count; -1 where there is none. */
function smallestShown(shown: Uint8Array, counts: ArrayLike<number>, from: number, end: number): number {
  let smallest = -1;
  for (let cell = from; cell < end; cell++) {
    const count = counts[cell] ?? 0;
    if (shown[cell] === 1 && count > 0 && (smallest < 0 || count < (counts[smallest] ?? 0))) smallest = cell;
  }
  return smallest;
}

/** The part of the range, from 1, in which the value of rank `quantile` lies; 0 where fewer than `minCount` rows lie on either side of that rank. */
export function quantilePart(bins: ArrayLike<number>, quantile: number, minCount: number): number {
  const rows = Array.from(bins).reduce((sum, count) => sum + count, 0);
  const rank = quantile * rows;
  if (rank < minCount || rows - rank < minCount) return 0;
  let part = 0;
  for (let below = 0; below < rank; part++) below += bins[part] ?? 0;
  return part;
}

/** Rounded to the nearest multiple of `base`, halves up. */
export function roundedTo(count: number, base: number): number {
  return Math.floor(count / base + 0.5) * base;
}
