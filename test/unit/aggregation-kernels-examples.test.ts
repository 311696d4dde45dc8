/** Word kernels by examples small enough to check by hand, and at the borders of their slices and tables. Both adapters, one after the other. */
import { describe, expect, it } from 'vitest';
import { kernels } from '../../src/aggregation/kernels/fastest.ts';
import { Fingerprinter, fingerprintPrime } from '../../src/aggregation/kernels/fingerprint.ts';
import { javascriptKernels } from '../../src/aggregation/kernels/javascript.ts';
import type { Kernels } from '../../src/aggregation/kernels/kernels.ts';
import { webassemblyKernels } from '../../src/aggregation/kernels/webassembly.ts';
import { chunkSizeBytes, seededChance } from '../../src/common/index.ts';
import { bytesOf, wordsOf } from '../support/words.ts';

const found = webassemblyKernels();
if (!found) throw new Error('no WebAssembly SIMD here');
const twins: readonly Kernels[] = [found, javascriptKernels];
const offsets = [0, 4, 1, 2, 7];
/** Words of one slice, and lengths around one and two of them. */
const slice = chunkSizeBytes / 4;
const lengths = [slice, slice + 1, 2 * slice + 3];

const isClean = (bytes: Uint8Array): boolean => new Uint8Array(bytes.buffer, bytes.byteOffset + bytes.length).every((byte) => byte === 0xee);
const random = (name: string, count: number): Uint32Array => {
  const chance = seededChance('examples', name);
  return Uint32Array.from({ length: count }, () => chance.word());
};
const differs = (words: Uint8Array, expected: (at: number) => number): number =>
  new Uint32Array(words.slice().buffer).findIndex((word, at) => word !== expected(at) >>> 0);

describe.each(twins)('the $kind kernels', (twin) => {
  it('add and take away words of 32 bits, one range after the other, at any place in memory', () => {
    for (const offset of offsets) {
      const into = bytesOf([1, 0xffff_ffff, 0, 7, 5], offset);
      const summands = [
        { words: bytesOf([2, 1, 0, 7, 1], 3 - (offset % 4)), sign: 1 },
        { words: bytesOf([0, 0, 1, 7, 2]), sign: -1 },
      ] as const;
      twin.add(into, summands, 32);
      expect(wordsOf(into)).toEqual([3, 0, 0xffff_ffff, 7, 4]);
      expect(isClean(into)).toBe(true);
    }
  });

  it('carry and borrow within words of 64 bits and never beyond them', () => {
    for (const offset of offsets) {
      // Low and high halves: 2^32 - 1 + 1, all ones + 1, 0 - 1 and 2^32 - 1.
      const up = bytesOf([0xffff_ffff, 0, 0xffff_ffff, 0xffff_ffff, 5, 6], offset);
      twin.add(up, [{ words: bytesOf([1, 0, 1, 0, 1, 1]), sign: 1 }], 64);
      expect(wordsOf(up)).toEqual([0, 1, 0, 0, 6, 7]);
      const down = bytesOf([0, 0, 0, 1, 5, 6], offset);
      twin.add(down, [{ words: bytesOf([1, 0, 1, 0, 1, 1]), sign: -1 }], 64);
      expect(wordsOf(down)).toEqual([0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 4, 5]);
      // Nothing goes over where the lower half comes to 2^32 - 1 or to 0, and one does where 2^31 + 2^31 are 2^32.
      const edge = bytesOf([0xffff_fffe, 1, 0x8000_0000, 1, 7, 1], offset);
      twin.add(edge, [{ words: bytesOf([1, 0, 0x8000_0000, 0, 0, 0]), sign: 1 }], 64);
      expect(wordsOf(edge)).toEqual([0xffff_ffff, 1, 0, 2, 7, 1]);
      twin.add(edge, [{ words: bytesOf([0xffff_ffff, 0, 3, 0, 7, 0]), sign: -1 }], 64);
      expect(wordsOf(edge)).toEqual([0, 1, 0xffff_fffd, 1, 0, 1]);
      expect([isClean(up), isClean(down)]).toEqual([true, true]);
    }
  });

  it('add ranges of more than one slice whole', () => {
    for (const length of lengths) {
      const [a, b, c] = [random('a', length), random('b', length), random('c', length)];
      const into = bytesOf(a);
      const summands = [
        { words: bytesOf(b), sign: 1 },
        { words: bytesOf(c), sign: -1 },
      ] as const;
      twin.add(into, summands, 32);
      expect(differs(into, (at) => (a[at] ?? 0) + (b[at] ?? 0) - (c[at] ?? 0))).toBe(-1);
    }
  });

  it('count what goes over 32 bits, one byte a word', () => {
    for (const offset of offsets) {
      const low = bytesOf([0xffff_ffff, 1, 0xffff_fffe, 0x8000_0000, 0], offset);
      const carries = new Uint8Array([7, 0, 0, 3, 0, 99]).subarray(0, 5);
      twin.addWithCarries(low, carries, bytesOf([1, 1, 1, 0x8000_0000, 0], 1));
      twin.addWithCarries(low, carries, bytesOf([0xffff_ffff, 1, 1, 1, 0]));
      expect(wordsOf(low)).toEqual([0xffff_ffff, 3, 0, 1, 0]);
      expect([...carries]).toEqual([8, 0, 1, 4, 0]);
      expect([isClean(low), carries.buffer.byteLength, new Uint8Array(carries.buffer)[5]]).toEqual([true, 6, 99]);
    }
  });

  it('count carries of more than one slice', () => {
    for (const length of lengths) {
      const [a, b] = [random('a', length), random('b', length)];
      const [low, carries] = [bytesOf(a), new Uint8Array(length)];
      twin.addWithCarries(low, carries, bytesOf(b));
      expect(differs(low, (at) => (a[at] ?? 0) + (b[at] ?? 0))).toBe(-1);
      expect(carries.findIndex((carry, at) => carry !== ((a[at] ?? 0) + (b[at] ?? 0) >= 2 ** 32 ? 1 : 0))).toBe(-1);
    }
  });

  it('quantise: (trained - base) · gain, cut to the range and counted, rounded up where the draw is below the fraction', () => {
    for (const offset of offsets) {
      const trained = Float32Array.of(1, 1, -0.75, 9, -9, 3);
      const base = Float32Array.of(0.5, 0.5, 0, 1, -1, 3);
      const into = bytesOf([1, 2, 3, 4, 5, 6], offset);
      // Times 1/2 and 8: 2, 2, -3, 32 cut to 16, -32 cut to -16, 0; with scale 1 and gain 1/2 the fractions are 1/4, 1/4 and 5/8.
      expect(twin.quantise(into, { trained, base }, bytesOf([0, 0, 0, 0, 0, 0], 1), { gain: 0.5, range: 2, scale: 8 })).toBe(2);
      expect([...new Int32Array(into.slice().buffer)]).toEqual([2, 2, -3, 16, -16, 0]);
      const draws = bytesOf([2 ** 30 - 1, 2 ** 30, 0.625 * 2 ** 32 - 1, 0, 0, 0]);
      expect(twin.quantise(into, { trained, base }, draws, { gain: 0.5, range: 100, scale: 1 })).toBe(0);
      expect([...new Int32Array(into.slice().buffer)]).toEqual([1, 0, 0, 4, -4, 0]);
      expect(isClean(into)).toBe(true);
    }
  });

  it('quantise and dequantise more than one slice, and count cuts in each', () => {
    for (const length of lengths) {
      const trained = Float32Array.from({ length }, (_, at) => (at % 5) - 2);
      const base = Float32Array.from({ length }, (_, at) => at % 3);
      const into = bytesOf(new Uint32Array(length));
      const cuts = twin.quantise(into, { trained, base }, bytesOf(new Uint32Array(length).fill(0xffff_ffff)), { gain: 1, range: 2, scale: 4 });
      const step = (at: number): number => Math.max(-2, Math.min(2, (at % 5) - 2 - (at % 3)));
      expect(differs(into, (at) => 4 * step(at))).toBe(-1);
      expect(cuts).toBe(trained.filter((value, at) => Math.abs(value - (base[at] ?? 0)) > 2).length);
      const model = new Float32Array(length);
      twin.dequantise(model, base, into, { scale: 8, weight: 0.25 });
      expect(model.findIndex((value, at) => value !== (at % 3) + 2 * step(at))).toBe(-1);
    }
  });

  it('count cuts of their own values only, whatever was worked on before', () => {
    const cutsOf = (values: Float32Array, base: Float32Array): number =>
      twin.quantise(new Uint8Array(4 * values.length), { trained: values, base }, new Uint8Array(4 * values.length), { gain: 1, range: 1, scale: 2 });
    for (const length of [1, 2, 3, 5, 6, 7]) {
      expect(cutsOf(new Float32Array(64).fill(9), new Float32Array(64).fill(-9))).toBe(64);
      expect(cutsOf(new Float32Array(length), new Float32Array(length))).toBe(0);
    }
  });

  it('dequantise signed words: base + word / scale / weight', () => {
    for (const offset of offsets) {
      const into = new Float32Array(5).subarray(1);
      twin.dequantise(into, Float32Array.of(1, 2, 3, 4), bytesOf([8, -8, 0, 1], offset), { scale: 4, weight: 0.5 });
      expect([...new Float32Array(into.buffer)]).toEqual([0, 5, -2, 3, 4.5]);
    }
  });

  it('take fingerprints: 1 · 2² + 2 · 2 + 3 = 11, at any place in memory, and of two points in turn', () => {
    const [two, ten] = [new Fingerprinter(2n, twin), new Fingerprinter(10n, twin)];
    for (const offset of offsets) {
      const words = bytesOf([1, 2, 3], offset);
      expect([two.of(words), ten.of(words), two.of(words)]).toEqual([11n, 123n, 11n]);
    }
    expect([two.of(new Uint8Array(0)), two.extend(5n, bytesOf([1]))]).toEqual([0n, 11n]);
    expect(two.of(bytesOf([0xffff_ffff, 0xffff_ffff]))).toBe(3n * 0xffff_ffffn);
    for (const count of [1, 2, 3, 4, 5]) {
      two.of(new Uint8Array(4 * 64).fill(0xff));
      expect(two.of(bytesOf(new Uint32Array(count).fill(1)))).toBe(2n ** BigInt(count) - 1n);
    }
  });

  it('take fingerprints of more words than one table has powers', () => {
    const point = 2n ** 60n + 12_345n;
    for (const length of [2047, 2048, 2049, 4097]) {
      const words = random('words', length);
      const expected = words.reduce((value, word) => (value * point + BigInt(word)) % fingerprintPrime, 0n);
      expect(new Fingerprinter(point + fingerprintPrime, twin).of(bytesOf(words))).toBe(expected);
    }
  });
});

describe('the kernels of this machine', () => {
  it('are WebAssembly where there is SIMD', () => expect(kernels.kind).toBe('webassembly'));

  it('are JavaScript where there is no WebAssembly, and where its module does not have every kernel', () => {
    const { WebAssembly: real } = globalThis;
    const memory = new real.Memory({ initial: 16 });
    try {
      Object.assign(globalThis, {
        WebAssembly: {
          ...real,
          Memory: real.Memory,
          Module: real.Module,
          Instance: function none() {
            throw new Error('no SIMD');
          },
        },
      });
      expect(webassemblyKernels()).toBeUndefined();
      for (const exports of [{ memory }, { memory: {}, ...everyKernel() }, { memory, ...everyKernel(), powerSum: 1 }]) {
        Object.assign(globalThis, {
          WebAssembly: {
            Memory: real.Memory,
            Module: real.Module,
            Instance: function made() {
              return { exports };
            },
          },
        });
        expect(webassemblyKernels()).toBeUndefined();
      }
    } finally {
      Object.assign(globalThis, { WebAssembly: real });
    }
    const again = webassemblyKernels();
    const into = bytesOf([1, 2, 3]);
    again?.add(into, [{ words: bytesOf([4, 5, 6]), sign: 1 }], 32);
    expect([again?.kind, ...wordsOf(into)]).toEqual(['webassembly', 5, 7, 9]);
  });
});

function everyKernel(): Record<string, () => void> {
  const names = ['add32', 'subtract32', 'add64', 'subtract64', 'addWithCarries', 'quantise', 'dequantise', 'powerSum'];
  return Object.fromEntries(names.map((name) => [name, () => undefined]));
}
