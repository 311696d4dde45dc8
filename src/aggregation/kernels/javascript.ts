/** The word kernels in plain JavaScript: the twin that runs anywhere. */
import { type Kernels, type PowerLimbs, powerCount, type QuantiseForm, type Sign } from './kernels.ts';

/** The bytes as 32-bit words: a view where they are aligned, else a copy. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return new Uint32Array(bytes.slice().buffer);
}

/** Writes words back where `wordsOf` had to copy. */
function keep(into: Uint8Array, words: Uint32Array | Int32Array): void {
  if (words.buffer !== into.buffer) into.set(new Uint8Array(words.buffer));
}

function add32(into: Uint32Array, words: Uint32Array, sign: Sign): void {
  if (sign === 1) for (let at = 0; at < into.length; at++) into[at] = (into[at] ?? 0) + (words[at] ?? 0);
  else for (let at = 0; at < into.length; at++) into[at] = (into[at] ?? 0) - (words[at] ?? 0);
}

function add64(into: Uint32Array, words: Uint32Array, sign: Sign): void {
  for (let at = 0; at < into.length; at += 2) {
    const low = (into[at] ?? 0) + sign * (words[at] ?? 0);
    const carry = low > 0xffff_ffff ? 1 : low < 0 ? -1 : 0;
    into[at] = low;
    into[at + 1] = (into[at + 1] ?? 0) + sign * (words[at + 1] ?? 0) + carry;
  }
}

function quantiseInto(into: Int32Array, trained: Float32Array, base: Float32Array, draws: Uint32Array, { gain, range, scale }: QuantiseForm): number {
  let cuts = 0;
  for (let at = 0; at < into.length; at++) {
    const value = ((trained[at] ?? 0) - (base[at] ?? 0)) * gain;
    const cut = Math.min(range, Math.max(-range, value));
    if (cut !== value) cuts++;
    const scaled = cut * scale;
    const floor = Math.floor(scaled);
    into[at] = (draws[at] ?? 0) / 4_294_967_296 < scaled - floor ? floor + 1 : floor;
  }
  return cuts;
}

/** Each of six sums stays below 2048 × 2^37, exact in a float64. */
function powerSum(words: Uint32Array, [first, second, third]: PowerLimbs): bigint {
  let [a, b, c, d, e, f] = [0, 0, 0, 0, 0, 0];
  const start = powerCount - words.length;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? 0;
    const low = word & 0xffff;
    const high = word >>> 16;
    const [x, y, z] = [first[start + at] ?? 0, second[start + at] ?? 0, third[start + at] ?? 0];
    a += low * x;
    b += high * x;
    c += low * y;
    d += high * y;
    e += low * z;
    f += high * z;
  }
  const join = (low: number, high: number): bigint => BigInt(low) + (BigInt(high) << 16n);
  return join(a, b) + (join(c, d) << 21n) + (join(e, f) << 41n);
}

/** The twin. */
export const javascriptKernels: Kernels = {
  kind: 'javascript',
  add(into, summands, bits) {
    const target = wordsOf(into);
    for (const { words, sign } of summands) (bits === 32 ? add32 : add64)(target, wordsOf(words), sign);
    keep(into, target);
  },
  addWithCarries(low, carries, words) {
    const target = wordsOf(low);
    const source = wordsOf(words);
    for (let at = 0; at < target.length; at++) {
      const sum = (target[at] ?? 0) + (source[at] ?? 0);
      target[at] = sum;
      if (sum > 0xffff_ffff) carries[at] = (carries[at] ?? 0) + 1;
    }
    keep(low, target);
  },
  quantise(into, { trained, base }, draws, form) {
    const aligned = into.byteOffset % 4 === 0;
    const target = aligned ? new Int32Array(into.buffer, into.byteOffset, into.length / 4) : new Int32Array(into.length / 4);
    const cuts = quantiseInto(target, trained, base, wordsOf(draws), form);
    keep(into, target);
    return cuts;
  },
  dequantise(into, base, words, { scale, weight }) {
    const integers = wordsOf(words);
    const unit = 1 / scale;
    for (let at = 0; at < into.length; at++) into[at] = (base[at] ?? 0) + (((integers[at] ?? 0) | 0) * unit) / weight;
  },
  powerSum: (words, powers) => powerSum(wordsOf(words), powers),
};
