/** Rules that look at each coordinate for itself: exact on integers, and one slice of the vectors at a time. */

/** Sorts the first values of `column` in place, ascending; columns are short, so by insertion. */
function sortColumn(column: Int32Array): void {
  for (let at = 1; at < column.length; at++) {
    const value = column[at] ?? 0;
    let place = at;
    while (place > 0 && (column[place - 1] ?? 0) > value) {
      column[place] = column[place - 1] ?? 0;
      place--;
    }
    column[place] = value;
  }
}

/**
 * Per coordinate, the mean of the sorted values without the first `low` and the last `high`: float64 `[words]`.
 * Sums are of at most 2^21 integers below 2^31, so they are exact and the order of the vectors does not matter.
 */
export function middleMean(vectors: readonly Int32Array[], low: number, high: number): Float64Array {
  const words = vectors[0]?.length ?? 0;
  const kept = vectors.length - low - high;
  const result = new Float64Array(words);
  const column = new Int32Array(vectors.length);
  for (let at = 0; at < words; at++) {
    for (let one = 0; one < vectors.length; one++) column[one] = vectors[one]?.[at] ?? 0;
    sortColumn(column);
    let sum = 0;
    for (let one = low; one < low + kept; one++) sum += column[one] ?? 0;
    result[at] = sum / kept;
  }
  return result;
}

/** Per coordinate, the middle value, of an even number the lower of the middle two: float64 `[words]`. */
export function median(vectors: readonly Int32Array[]): Float64Array {
  const low = Math.floor((vectors.length - 1) / 2);
  return middleMean(vectors, low, vectors.length - 1 - low);
}
