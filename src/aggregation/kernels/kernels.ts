/**
 * Word kernels: the inner loops of a secure sum over byte ranges of little-endian words. One interface, two adapters with the same bits:
 * WebAssembly SIMD and plain JavaScript (`fastest.ts` chooses). All platforms of Schwarm are little-endian.
 */
import type { WordBits } from '../../tensor/index.ts';

/** Whether words are added or taken away. */
export type Sign = 1 | -1;

/** Words that are added to a range or taken away from it. */
export interface Summand {
  readonly words: Uint8Array;
  readonly sign: Sign;
}

/** How a float becomes a word: cut((trained - base) × gain) to [-range, range], times scale. */
export interface QuantiseForm {
  /** Clip and weight in one factor. */
  readonly gain: number;
  readonly range: number;
  /** Power of two; range × scale stays below 2^31. */
  readonly scale: number;
}

/** How a word of a sum becomes a step of a parameter: (word / scale) / weight. */
export interface DequantiseForm {
  /** Power of two. */
  readonly scale: number;
  readonly weight: number;
}

/** Words per table of powers, and so the most that one `powerSum` takes. */
export const powerCount = 2048;

/** Descending powers ρ^(powerCount-1) … ρ^0 as limbs of 21, 20 and 20 bits, each array with three zeros behind it. */
export type PowerLimbs = readonly [Uint32Array, Uint32Array, Uint32Array];

/** The kernels. Ranges may have any offset; lengths are whole words and fit each other. */
export interface Kernels {
  readonly kind: 'webassembly' | 'javascript';
  /** into[l] += sign × words[l] modulo 2^bits for each summand, which is asked for once those before it are added. */
  add(into: Uint8Array, summands: Iterable<Summand>, bits: WordBits): void;
  /** low[l] += words[l] modulo 2^32; carries[l], one byte a word, counts the overflows: exact for up to 256 summands. */
  addWithCarries(low: Uint8Array, carries: Uint8Array, words: Uint8Array): void;
  /** Writes one 32-bit word a value, rounded up where draws[l] / 2^32 is below the fraction (draws: u32 each); gives how many values were cut. */
  quantise(into: Uint8Array, values: { readonly trained: Float32Array; readonly base: Float32Array }, draws: Uint8Array, form: QuantiseForm): number;
  /** into[l] = fround(base[l] + step of words[l]); words are signed 32-bit integers. */
  dequantise(into: Float32Array, base: Float32Array, words: Uint8Array, form: DequantiseForm): void;
  /** Σ words[l] × ρ^(count-1-l) of at most `powerCount` 32-bit words, before any reduction. */
  powerSum(words: Uint8Array, powers: PowerLimbs): bigint;
}
