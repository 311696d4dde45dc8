/** Squared distances between vectors of int32 words, exact: no float rounds before the sum is whole. */

/** Slices of at most this many words keep each partial sum of 32-bit products below 2^53. */
const longestSlice = 2 ** 20;

/** The squared distance of one slice, as high, middle and low products of 16-bit halves. */
function addSlice(a: Int32Array, b: Int32Array, from: number, to: number): bigint {
  let [high, middle, low] = [0, 0, 0];
  for (let at = from; at < to; at++) {
    const apart = Math.abs((a[at] ?? 0) - (b[at] ?? 0));
    const upper = apart >>> 16;
    const lower = apart & 0xffff;
    high += upper * upper;
    middle += upper * lower;
    low += lower * lower;
  }
  return (BigInt(high) << 32n) + (BigInt(middle) << 17n) + BigInt(low);
}

/** All pairwise squared distances of `count` vectors, gathered slice by slice; symmetric, zero on the diagonal. */
export class Distances {
  readonly #squares: bigint[][];

  constructor(count: number) {
    this.#squares = Array.from({ length: count }, () => []);
  }

  /** Adds one slice of every vector. */
  add(vectors: readonly Int32Array[]): void {
    vectors.forEach((a, i) => {
      vectors.slice(0, i).forEach((b, j) => {
        for (let from = 0; from < a.length; from += longestSlice) this.#add(i, j, addSlice(a, b, from, Math.min(a.length, from + longestSlice)));
      });
    });
  }

  /** ‖a - b‖², an integer. */
  squared(a: number, b: number): bigint {
    return this.#squares[a]?.[b] ?? 0n;
  }

  #add(a: number, b: number, square: bigint): void {
    const [rowA, rowB] = [this.#squares[a], this.#squares[b]];
    if (!rowA || !rowB) return;
    rowA[b] = (rowA[b] ?? 0n) + square;
    rowB[a] = rowA[b];
  }
}
