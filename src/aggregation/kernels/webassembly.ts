/** The word kernels in WebAssembly SIMD. Ranges are worked on in slices: copied into the module's memory, changed there, copied back. */
import { chunkSizeBytes } from '../../common/index.ts';
import { type Kernels, type PowerLimbs, powerCount } from './kernels.ts';
import { kernelModule } from './module.ts';

/** Bytes of one slice: a chunk, so that four of them stay in the cache of a core. */
const sliceSizeBytes = chunkSizeBytes;
/** Places of slices in the module's memory; each has room behind it for the last step of a kernel. */
const [first, second, third, fourth] = [1, 2, 3, 4].map((at) => at * (sliceSizeBytes + 64)) as [number, number, number, number];
const limbStride = 4 * (powerCount + 4);
const limbPlace = 5 * (sliceSizeBytes + 64);
const sumPlace = limbPlace + 3 * limbStride;

interface Exports {
  readonly memory: WebAssembly.Memory;
  add32(into: number, words: number, sizeBytes: number): void;
  subtract32(into: number, words: number, sizeBytes: number): void;
  add64(into: number, words: number, sizeBytes: number): void;
  subtract64(into: number, words: number, sizeBytes: number): void;
  addWithCarries(low: number, carries: number, words: number, sizeBytes: number): void;
  quantise(into: number, trained: number, base: number, draws: number, sizeBytes: number, gain: number, range: number, scale: number): number;
  dequantise(into: number, base: number, words: number, sizeBytes: number, unit: number, weight: number): void;
  powerSum(words: number, limbs: number, stride: number, sizeBytes: number, sums: number): void;
}

const names = ['add32', 'subtract32', 'add64', 'subtract64', 'addWithCarries', 'quantise', 'dequantise', 'powerSum'];

function hasKernels(exports: object): exports is Exports {
  const found = new Map<string, unknown>(Object.entries(exports));
  return found.get('memory') instanceof WebAssembly.Memory && names.every((name) => typeof found.get(name) === 'function');
}

/** The kernels; undefined where the machine has no WebAssembly SIMD. */
export function webassemblyKernels(): Kernels | undefined {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(Buffer.from(kernelModule, 'base64'))));
    return hasKernels(exports) ? new WebassemblyKernels(exports) : undefined;
  } catch {
    return undefined;
  }
}

function bytesOf(values: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

class WebassemblyKernels implements Kernels {
  readonly kind = 'webassembly';
  readonly #wasm: Exports;
  readonly #memory: Uint8Array;
  readonly #sums: BigUint64Array;
  /** Whose powers lie in the module's memory. */
  #loaded: PowerLimbs | undefined;

  constructor(wasm: Exports) {
    this.#wasm = wasm;
    this.#memory = new Uint8Array(wasm.memory.buffer);
    this.#sums = new BigUint64Array(wasm.memory.buffer, sumPlace, 3);
  }

  /** A range of one slice stays in the module's memory until all summands are added. */
  add(...[into, summands, bits]: Parameters<Kernels['add']>): void {
    if (into.length <= sliceSizeBytes) return this.#addSlice(into, summands, bits);
    for (const { words, sign } of summands)
      this.#slices(into.length, sliceSizeBytes, (from, to) => this.#addSlice(into.subarray(from, to), [{ words: words.subarray(from, to), sign }], bits));
  }

  #addSlice(...[into, summands, bits]: Parameters<Kernels['add']>): void {
    const { add32, subtract32, add64, subtract64 } = this.#wasm;
    const [add, subtract] = bits === 32 ? [add32, subtract32] : [add64, subtract64];
    this.#load(first, into, 0, into.length);
    for (const { words, sign } of summands) {
      this.#load(second, words, 0, into.length);
      (sign === 1 ? add : subtract)(first, second, into.length);
    }
    this.#store(first, into, 0, into.length);
  }

  addWithCarries(...[low, carries, words]: Parameters<Kernels['addWithCarries']>): void {
    this.#slices(low.length, sliceSizeBytes, (from, to) => {
      this.#load(first, low, from, to);
      this.#load(second, words, from, to);
      this.#load(third, carries, from / 4, to / 4);
      this.#wasm.addWithCarries(first, third, second, to - from);
      this.#store(first, low, from, to);
      this.#store(third, carries, from / 4, to / 4);
    });
  }

  quantise(...[into, { trained, base }, draws, { gain, range, scale }]: Parameters<Kernels['quantise']>): number {
    let cuts = 0;
    this.#slices(into.length, sliceSizeBytes, (from, to) => {
      for (const place of [first, second]) this.#memory.fill(0, place + to - from, place + to - from + 16);
      this.#load(first, bytesOf(trained), from, to);
      this.#load(second, bytesOf(base), from, to);
      this.#load(third, draws, from, to);
      cuts += this.#wasm.quantise(fourth, first, second, third, to - from, gain, range, scale);
      this.#store(fourth, into, from, to);
    });
    return cuts;
  }

  dequantise(...[into, base, words, { scale, weight }]: Parameters<Kernels['dequantise']>): void {
    this.#slices(words.length, sliceSizeBytes, (from, to) => {
      this.#load(first, bytesOf(base), from, to);
      this.#load(second, words, from, to);
      this.#wasm.dequantise(third, first, second, to - from, 1 / scale, weight);
      this.#store(third, bytesOf(into), from, to);
    });
  }

  /** The last step of four words may go beyond `words`: it multiplies what is left there with the zeros behind the powers. */
  powerSum(...[words, powers]: Parameters<Kernels['powerSum']>): bigint {
    if (this.#loaded !== powers) for (const [at, limb] of powers.entries()) this.#memory.set(bytesOf(limb), limbPlace + at * limbStride);
    this.#loaded = powers;
    this.#load(first, words, 0, words.length);
    this.#wasm.powerSum(first, limbPlace + 4 * powerCount - words.length, limbStride, words.length, sumPlace);
    const [a = 0n, b = 0n, c = 0n] = this.#sums;
    return a + (b << 21n) + (c << 41n);
  }

  #slices(sizeBytes: number, step: number, work: (from: number, to: number) => void): void {
    for (let from = 0; from < sizeBytes; from += step) work(from, Math.min(from + step, sizeBytes));
  }

  #load(place: number, bytes: Uint8Array, from: number, to: number): void {
    this.#memory.set(bytes.subarray(from, to), place);
  }

  #store(place: number, bytes: Uint8Array, from: number, to: number): void {
    bytes.set(this.#memory.subarray(place, place + to - from), from);
  }
}
