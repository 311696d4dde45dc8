/**
 * Fixed point: reals as integers modulo 2^32 or 2^64, so that sums are exact, associative and the same on every machine.
 * A value v becomes round(v × scale) in two's complement; `scale` is a power of two.
 */
/** Bits of one word of a sum. 64 is for statistics, where few values need a wide range. */
export type WordBits = 32 | 64;

/** Integers and how many of them had to be cut to the declared range. */
export interface Quantised {
  /** Little-endian words of two's complement, `words × wordBits / 8` bytes. */
  readonly words: Uint8Array;
  readonly saturated: number;
}

/** The largest power of two that a sum over `members` of values in [-range, range] can be multiplied with without leaving a signed word. */
export function largestScale(range: number, members: number, bits: WordBits): number {
  const limit = bits === 32 ? 2 ** 31 - 1 : 2 ** 53;
  let scale = 1;
  while (members * range * scale * 2 <= limit) scale *= 2;
  while (members * range * scale > limit) scale /= 2;
  return scale;
}

/** Reals to words, each rounded to the nearest integer (halves up). For few values: an update has kernels of its own. Values outside [-range, range] are cut to it and counted. */
export function quantise(values: ArrayLike<number>, form: { readonly range: number; readonly scale: number; readonly bits: WordBits }): Quantised {
  const words = new Uint8Array((values.length * form.bits) / 8);
  const view = new DataView(words.buffer);
  let saturated = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    const cut = Math.min(form.range, Math.max(-form.range, value));
    if (cut !== value) saturated++;
    const integer = Math.floor(cut * form.scale + 0.5);
    if (form.bits === 32) view.setInt32(at * 4, integer, true);
    else view.setBigInt64(at * 8, BigInt(integer), true);
  }
  return { words, saturated };
}

/** Words of a sum back to reals, float64 `[words]`: integer / scale. */
export function dequantise(words: Uint8Array, form: { readonly scale: number; readonly bits: WordBits }): Float64Array {
  const view = new DataView(words.buffer, words.byteOffset, words.length);
  const width = form.bits / 8;
  const read = form.bits === 32 ? (at: number) => view.getInt32(at * width, true) : (at: number) => Number(view.getBigInt64(at * width, true));
  return Float64Array.from({ length: words.length / width }, (_, at) => read(at) / form.scale);
}
