/** Word kernels: both adapters against BigInt arithmetic, and against each other over a million random words and random lengths and offsets. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moduleText } from '../../deploy/kernels.mjs';
import { carryBits, packCarries, sumWithCarries, unpackCarries } from '../../src/aggregation/kernels/carries.ts';
import { Fingerprinter, fingerprintPoint, fingerprintPrime, fingerprintsAgree } from '../../src/aggregation/kernels/fingerprint.ts';
import { javascriptKernels } from '../../src/aggregation/kernels/javascript.ts';
import type { Kernels, Summand } from '../../src/aggregation/kernels/kernels.ts';
import { webassemblyKernels } from '../../src/aggregation/kernels/webassembly.ts';
import { digestOf, seededChance } from '../../src/common/index.ts';

const found = webassemblyKernels();
if (!found) throw new Error('no WebAssembly SIMD here');
const twins: readonly Kernels[] = [found, javascriptKernels];
const million = 1_000_000;
/** Lengths around the steps of 4 and 16 words and around slices; offsets of any alignment. */
const places = fc.record({
  words: fc.oneof(fc.integer({ min: 0, max: 70 }), fc.constantFrom(2047, 2048, 2049, 16_383, 16_384, 16_385, 33_000)),
  offsets: fc.array(fc.nat({ max: 9 }), { minLength: 4, maxLength: 4 }),
  seed: fc.nat(),
});

/** `sizeBytes` random bytes that begin `offset` bytes into their buffer; words of all ones and zeros are frequent. */
function randomBytes(seed: string, sizeBytes: number, offset = 0): Uint8Array {
  const chance = seededChance('kernels', seed);
  const words = Uint32Array.from({ length: sizeBytes / 4 }, () => {
    const draw = chance.word();
    return draw % 8 === 0 ? 0xffff_ffff : draw % 8 === 1 ? 0 : draw;
  });
  const whole = new Uint8Array(offset + sizeBytes + 8);
  whole.set(new Uint8Array(words.buffer), offset);
  return whole.subarray(offset, offset + sizeBytes);
}

function randomFloats(seed: string, count: number): Float32Array {
  const chance = seededChance('floats', seed);
  return Float32Array.from({ length: count }, () => (2 * chance.real() - 1) * 2 ** (chance.below(8) - 4));
}

function wordsOf(bytes: Uint8Array, width: 4 | 8): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / width }, (_, at) => (width === 4 ? BigInt(view.getUint32(at * 4, true)) : view.getBigUint64(at * 8, true)));
}

/** Each is made when it is asked for, and is worth nothing any more when the next one is. */
function* summandsOf(...given: readonly (readonly [words: Uint8Array, sign: 1 | -1])[]): Generator<Summand> {
  for (const [words, sign] of given) {
    const made = words.slice();
    yield { words: made, sign };
    made.fill(0xab);
  }
}

/** Every kernel on the same random input. */
function results(kernels: Kernels, seed: string, words: number, offsets: readonly number[]): readonly unknown[] {
  const bytes = (name: string, at: number): Uint8Array => randomBytes(`${seed}/${name}`, 4 * words, offsets[at]);
  const sums = ([32, 64] as const).flatMap((bits) =>
    ([1, -1] as const).map((sign) => {
      const size = bits === 64 ? 4 * (words - (words % 2)) : 4 * words;
      const into = bytes('into', 0).subarray(0, size);
      const [one, other] = (['words', 'others'] as const).map((name, at) => bytes(name, at + 1).subarray(0, size));
      if (one && other) kernels.add(into, summandsOf([one, sign], [other, 1], [one, sign]), bits);
      return into;
    }),
  );
  const low = bytes('low', 2);
  const carries = new Uint8Array(words + 5).subarray(2, 2 + words).fill(7);
  kernels.addWithCarries(low, carries, bytes('words', 1));
  const [trained, base] = [randomFloats(`${seed}/trained`, words + 1).subarray(1), randomFloats(`${seed}/base`, words)];
  const into = bytes('quantised', 3);
  const cuts = kernels.quantise(into, { trained, base }, bytes('draws', 0), { gain: 0.37, range: 1.5, scale: 2 ** 24 });
  const stepped = new Float32Array(words);
  kernels.dequantise(stepped, base, bytes('words', 1), { scale: 2 ** 27, weight: 0.7 });
  const point = fingerprintPoint(randomBytes(`${seed}/point`, 16));
  return [...sums, low, carries, cuts, into, stepped, new Fingerprinter(point, kernels).of(bytes('words', 1))];
}

/** A result as it is compared: of many bytes their hash. */
const brief = (part: unknown): unknown => (ArrayBuffer.isView(part) ? digestOf(new Uint8Array(part.buffer, part.byteOffset, part.byteLength)) : part);

/** Horner's rule on BigInts. */
function polynomial(words: readonly bigint[], point: bigint): bigint {
  return words.reduce((value, word) => (value * point + word) % fingerprintPrime, 0n);
}

describe('word kernels', () => {
  it('are what the sources compile to', async () => {
    expect(readFileSync(new URL('../../src/aggregation/kernels/module.ts', import.meta.url), 'utf8')).toBe(await moduleText());
  });

  it('give the same bits in WebAssembly and JavaScript: a million words', () => {
    const [one, other] = twins.map((kernels) => results(kernels, 'million', million, [0, 4, 8, 12]));
    expect(one?.map(brief)).toEqual(other?.map(brief));
  });

  it('give the same bits for any length and alignment, and write nothing outside their range', () => {
    fc.assert(
      fc.property(places, ({ words, offsets, seed }) => {
        const [one, other] = twins.map((kernels) => results(kernels, String(seed), words, offsets));
        expect(one?.map(brief)).toEqual(other?.map(brief));
        for (const part of one ?? []) {
          if (!(part instanceof Uint8Array) || part.length !== 4 * words) continue;
          expect(new Uint8Array(part.buffer).subarray(part.byteOffset + part.length).every((byte) => byte === 0)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  it.each(twins)('add and subtract as BigInt does modulo 2^32 and 2^64 ($kind)', (kernels) => {
    for (const [bits, width] of [
      [32, 4],
      [64, 8],
    ] as const)
      for (const sign of [1, -1] as const) {
        const into = randomBytes('into', 8 * 3001);
        const words = randomBytes('words', 8 * 3001);
        const others = wordsOf(words, width);
        const expected = wordsOf(into, width).map((value, at) => BigInt.asUintN(bits, value + BigInt(sign) * (others[at] ?? 0n)));
        kernels.add(into, [{ words, sign }], bits);
        expect(wordsOf(into, width)).toEqual(expected);
      }
  });

  it.each(twins)('quantise without bias, and as the formula says ($kind)', (kernels) => {
    const count = 4001;
    const [trained, base, draws] = [randomFloats('trained', count), randomFloats('base', count), randomBytes('draws', 4 * count)];
    const form = { gain: 0.5, range: 0.75, scale: 2 ** 10 };
    const into = new Uint8Array(4 * count);
    const cuts = kernels.quantise(into, { trained, base }, draws, form);
    const values = Array.from(trained, (value, at) => (value - (base[at] ?? 0)) * form.gain);
    expect(cuts).toBe(values.filter((value) => Math.abs(value) > form.range).length);
    expect(cuts).toBeGreaterThan(10);
    const integers = new Int32Array(into.buffer);
    values.forEach((value, at) => {
      const exact = Math.max(-0.75, Math.min(0.75, value)) * 1024;
      const draw = Number(wordsOf(draws.subarray(4 * at, 4 * at + 4), 4)[0]) / 2 ** 32;
      expect(integers[at]).toBe(Math.floor(exact) + (draw < exact - Math.floor(exact) ? 1 : 0));
    });
    const many = new Uint8Array(4 * 40_000);
    const chance = seededChance('draws');
    const fair = new Uint8Array(Uint32Array.from({ length: 40_000 }, () => chance.word()).buffer);
    kernels.quantise(many, { trained: new Float32Array(40_000).fill(0.3), base: new Float32Array(40_000) }, fair, { gain: 1, range: 1, scale: 1 });
    const mean = new Int32Array(many.buffer).reduce((sum, value) => sum + value, 0) / 40_000;
    expect(Math.abs(mean - 0.3)).toBeLessThan(0.01);
  });

  it.each(twins)('dequantise with one rounding to float32 ($kind)', (kernels) => {
    const words = randomBytes('words', 4 * 999);
    const base = randomFloats('base', 999);
    const into = new Float32Array(999);
    kernels.dequantise(into, base, words, { scale: 2 ** 20, weight: 1.7 });
    const expected = wordsOf(words, 4).map((word, at) => Math.fround((base[at] ?? 0) + Number(BigInt.asIntN(32, word)) / 2 ** 20 / 1.7));
    expect([...into]).toEqual(expected);
  });
});

describe('sums as integers', () => {
  it('keep low words and packed carries as BigInt has them, up to 64 members', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), fc.integer({ min: 1, max: 100 }), fc.nat(), (members, words, seed) => {
        const vectors = Array.from({ length: members }, (_, at) =>
          seed % 3 === 0 ? new Uint8Array(4 * words).fill(255) : randomBytes(`${seed}/${at}`, 4 * words),
        );
        const { low, carries } = sumWithCarries(vectors, 4 * words);
        const exact = vectors.map((vector) => wordsOf(vector, 4)).reduce((sum, vector) => sum.map((value, at) => value + (vector[at] ?? 0n)));
        expect(wordsOf(low, 4)).toEqual(exact.map((value) => value & 0xffff_ffffn));
        expect([...carries].map(BigInt)).toEqual(exact.map((value) => value >> 32n));
        const bits = carryBits(members);
        const packed = packCarries(carries, bits);
        expect(packed.length).toBe(Math.ceil((words * bits) / 8));
        expect(packed.reduce((whole, byte, at) => whole | (BigInt(byte) << BigInt(8 * at)), 0n)).toBe(
          exact.reduce((whole, value, at) => whole | ((value >> 32n) << BigInt(bits * at)), 0n),
        );
        expect(unpackCarries(packed, words, bits)).toEqual(carries);
        expect(unpackCarries(packed, words + 8, bits)).toBeUndefined();
      }),
    );
    expect(unpackCarries(new Uint8Array([0b1000_0000]), 3, 2)).toBeUndefined();
  });
});

describe('linear fingerprint', () => {
  it.each(twins)('is the polynomial that Horner gives on BigInts, whole or in slices ($kind)', (kernels) => {
    for (const point of [0n, 1n, 2n, fingerprintPrime - 1n, fingerprintPoint(randomBytes('point', 16))]) {
      const fingerprinter = new Fingerprinter(point, kernels);
      for (const words of [randomBytes('words', 4 * 5003, 1), new Uint8Array(4 * 4096).fill(255)]) {
        const expected = polynomial(wordsOf(words, 4), point);
        expect(fingerprinter.of(words)).toBe(expected);
        const cut = 4 * 1234;
        expect(fingerprinter.extend(fingerprinter.of(words.subarray(0, cut)), words.subarray(cut))).toBe(expected);
      }
    }
  });

  it('of summands adds up to that of low words and carries, and to no other sum', () => {
    const vectors = [1, 2, 3, 4, 5].map((at) => randomBytes(`vector ${at}`, 4 * 20_000));
    const { low, carries } = sumWithCarries(vectors, 4 * 20_000);
    const packed = packCarries(carries, carryBits(5));
    const fingerprinter = new Fingerprinter(fingerprintPoint(randomBytes('beacon', 16)));
    const parts = vectors.map((vector) => fingerprinter.of(vector));
    expect(fingerprintsAgree(parts, fingerprinter.of(low), fingerprinter.ofCarries(packed, 20_000, carryBits(5)))).toBe(true);
    low[77] = (low[77] ?? 0) ^ 1;
    expect(fingerprintsAgree(parts, fingerprinter.of(low), fingerprinter.ofCarries(packed, 20_000, carryBits(5)))).toBe(false);
    low[77] = (low[77] ?? 0) ^ 1;
    packed[9] = (packed[9] ?? 0) ^ 16;
    expect(fingerprintsAgree(parts, fingerprinter.of(low), fingerprinter.ofCarries(packed, 20_000, carryBits(5)))).toBe(false);
  });

  it('takes a point as 128 bits, little-endian, modulo 2^61-1', () => {
    const bytes = new Uint8Array(16).fill(0xff);
    expect(fingerprintPoint(bytes)).toBe((2n ** 128n - 1n) % fingerprintPrime);
    expect(fingerprintPoint(new Uint8Array([5, 1]))).toBe(261n);
  });
});
