/** Sums of 32-bit words as integers (protocol 3.6, step 2): the low word, and the carry above it in as few bits as the number of summands needs. */
import { kernels } from './fastest.ts';

/** Carries that one slice of `carrySlices` holds. */
const sliceCount = 8192;

/** Bits of one packed carry of a sum over `members` (2 to 256) words: ⌈log2 members⌉. */
export function carryBits(members: number): number {
  return Math.ceil(Math.log2(members));
}

/** Bytes of `count` packed carries. */
export function carriesSizeBytes(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/** A sum of vectors of 32-bit words as integers: the words modulo 2^32, and one byte a word above them; at most 256 vectors. */
export class WideSum {
  readonly low: Uint8Array<ArrayBuffer>;
  readonly carries: Uint8Array<ArrayBuffer>;

  constructor(sizeBytes: number) {
    this.low = new Uint8Array(sizeBytes);
    this.carries = new Uint8Array(sizeBytes / 4);
  }

  /** Adds a piece of a vector that stands at byte `start` of it. */
  add(piece: Uint8Array, start = 0): void {
    const end = start + piece.length;
    kernels.addWithCarries(this.low.subarray(start, end), this.carries.subarray(start / 4, end / 4), piece);
  }
}

/** The sum of vectors of 32-bit words, all of `sizeBytes` bytes. */
export function sumWithCarries(vectors: Iterable<Uint8Array>, sizeBytes: number): WideSum {
  const sum = new WideSum(sizeBytes);
  for (const vector of vectors) sum.add(vector);
  return sum;
}

/** Carries, one byte each, in `bits` bits each (1 to 8), the lowest bits of the first byte first. */
export function packCarries(carries: Uint8Array, bits: number): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(carriesSizeBytes(carries.length, bits));
  let [pending, filled, to] = [0, 0, 0];
  for (const carry of carries) {
    pending |= carry << filled;
    filled += bits;
    for (; filled >= 8; filled -= 8, pending >>>= 8) packed[to++] = pending;
  }
  if (filled > 0) packed[to] = pending;
  return packed;
}

/** The `count` carries behind their packed form, one byte each; undefined where the length does not fit or a bit behind the last carry is set. */
export function unpackCarries(packed: Uint8Array, count: number, bits: number): Uint8Array<ArrayBuffer> | undefined {
  const rest = (count * bits) % 8;
  if (packed.length !== carriesSizeBytes(count, bits) || (rest > 0 && (packed[packed.length - 1] ?? 0) >>> rest !== 0)) return undefined;
  return unpackRange(packed, 0, count, bits);
}

function unpackRange(packed: Uint8Array, from: number, to: number, bits: number): Uint8Array<ArrayBuffer> {
  const carries = new Uint8Array(to - from);
  const mask = 2 ** bits - 1;
  for (let at = 0; at < carries.length; at++) {
    const bit = (from + at) * bits;
    const pair = (packed[bit >>> 3] ?? 0) | ((packed[(bit >>> 3) + 1] ?? 0) << 8);
    carries[at] = (pair >>> (bit & 7)) & mask;
  }
  return carries;
}

/** The packed carries as 32-bit words, a slice at a time. */
export function* carrySlices(packed: Uint8Array, count: number, bits: number): Generator<Uint8Array> {
  for (let from = 0; from < count; from += sliceCount) {
    const carries = Uint32Array.from(unpackRange(packed, from, Math.min(count, from + sliceCount), bits));
    yield new Uint8Array(carries.buffer);
  }
}
