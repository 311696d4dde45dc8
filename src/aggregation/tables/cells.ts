/**
 * The tree of cells that a study's dimensions span: one cell for everything, below it one for each value of the first dimension, below each of those one
 * for each value of the second, and so on. Cells are numbered level by level, the children of one cell in a row: a parent's number is below its children's.
 */
export class CellTree {
  /** Cells of all levels. */
  readonly size: number;
  /** Parent of each cell; -1 of the first. int32 `[size]` */
  readonly parents: Int32Array;
  readonly #widths: readonly number[];
  /** The first cell of each level. */
  readonly #starts: readonly number[];

  /** `widths`: how many values each dimension has. */
  constructor(widths: readonly number[]) {
    const starts = [0];
    let count = 1;
    for (const width of widths) {
      starts.push((starts.at(-1) ?? 0) + count);
      count *= width;
    }
    this.#widths = widths;
    this.#starts = starts;
    this.size = (starts.at(-1) ?? 0) + count;
    this.parents = Int32Array.from({ length: this.size }, (_, cell) => this.#parentOf(cell));
  }

  /** The deepest cell of a row whose value stands at `positions[d]` in dimension d, or -1 where it stands nowhere: below that no cell counts the row. */
  cellAt(positions: ArrayLike<number>): number {
    let cell = 0;
    for (let level = 0; level < this.#widths.length; level++) {
      const position = positions[level] ?? -1;
      if (position < 0) return cell;
      cell = this.#childOf(cell, level, position);
    }
    return cell;
  }

  /** In how many dimensions a cell names a value. */
  levelOf(cell: number): number {
    return this.#starts.findLastIndex((start) => start <= cell);
  }

  /** The position of a cell's value in each dimension down to its level. */
  pathOf(cell: number): readonly number[] {
    const level = this.levelOf(cell);
    let rest = cell - (this.#starts[level] ?? 0);
    const path: number[] = [];
    for (let at = level - 1; at >= 0; at--) {
      const width = this.#widths[at] ?? 1;
      path.unshift(rest % width);
      rest = Math.floor(rest / width);
    }
    return path;
  }

  #childOf(cell: number, level: number, position: number): number {
    return (this.#starts[level + 1] ?? 0) + (cell - (this.#starts[level] ?? 0)) * (this.#widths[level] ?? 1) + position;
  }

  #parentOf(cell: number): number {
    const level = this.levelOf(cell);
    if (level === 0) return -1;
    return (this.#starts[level - 1] ?? 0) + Math.floor((cell - (this.#starts[level] ?? 0)) / (this.#widths[level - 1] ?? 1));
  }
}

/** Cells of all levels. */
export function cellCount(widths: readonly number[]): number {
  return widths.reduceRight((below, width) => 1 + width * below, 1);
}
