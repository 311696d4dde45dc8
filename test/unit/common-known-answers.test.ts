/** Hash, key derivation, Merkle tree and chance against published vectors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chunkSizeBytes,
  fromHex,
  hashFields,
  hkdf,
  leafHash,
  leavesOf,
  merklePaths,
  merkleRoot,
  merkleVerify,
  seededChance,
  sha256,
  shuffled,
  toHex,
  unpackPath,
  utf8,
} from '../../src/common/index.ts';

const hex = (text: string): Uint8Array => fromHex(text) ?? new Uint8Array(0);

describe('SHA-256 (FIPS 180-4; examples of NIST)', () => {
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'],
  ])('of "%s"', (text, digest) => {
    expect(toHex(sha256(utf8(text)))).toBe(digest);
    expect(toHex(sha256(utf8(text.slice(0, 2)), utf8(text.slice(2))))).toBe(digest);
  });
});

describe('HKDF-SHA-256 (RFC 5869)', () => {
  it('A.1', () => {
    const okm = hkdf(hex('0b'.repeat(22)), hex('000102030405060708090a0b0c'), hex('f0f1f2f3f4f5f6f7f8f9'), 42);
    expect(toHex(okm)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
  });

  it('A.2', () => {
    const run = (first: number): Uint8Array => Uint8Array.from({ length: 80 }, (_, at) => first + at);
    expect(toHex(hkdf(run(0x00), run(0x60), run(0xb0), 82))).toBe(
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    );
  });

  it('A.3', () => {
    const okm = hkdf(hex('0b'.repeat(22)), new Uint8Array(0), new Uint8Array(0), 42);
    expect(toHex(okm)).toBe('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8');
  });
});

describe('the Merkle tree (RFC 6962 and 9162, section 2.1)', () => {
  // Leaves and roots of the reference implementation of Certificate Transparency.
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];

  it.each(roots.map((root, at) => [at + 1, root] as const))('of %i leaves', (count, root) => {
    expect(toHex(merkleRoot(inputs.slice(0, count).map((input) => leafHash(hex(input)))))).toBe(root);
  });

  it('proves every leaf at its own place and nowhere else', () => {
    for (let count = 1; count <= 20; count++) {
      const leaves = Array.from({ length: count }, (_, at) => leafHash(new Uint8Array([at])));
      const root = merkleRoot(leaves);
      for (let at = 0; at < count; at++) {
        const path = unpackPath(merklePaths(leaves)[at] ?? root) ?? [];
        const leaf = leaves[at] ?? root;
        expect(merkleVerify(root, leaf, at, count, path)).toBe(true);
        for (let other = -1; other <= count; other++) if (other !== at) expect(merkleVerify(root, leaf, other, count, path)).toBe(false);
        expect(merkleVerify(root, leaf, at, count, [...path, root])).toBe(false);
        expect(merkleVerify(leafHash(root), leaf, at, count, path)).toBe(false);
        if (path.length > 0) expect(merkleVerify(root, leaf, at, count, path.slice(1))).toBe(false);
      }
    }
  });

  it('cuts bytes into chunks of 64 KiB, the last one shorter, at least one', () => {
    const bytes = new Uint8Array(2 * chunkSizeBytes + 1).fill(7);
    expect([0, 1, chunkSizeBytes, chunkSizeBytes + 1, bytes.length].map((size) => leavesOf(bytes.subarray(0, size)).length)).toEqual([1, 1, 1, 2, 3]);
    expect(leavesOf(bytes)[2]).toEqual(leafHash(new Uint8Array([7])));
    expect(unpackPath(new Uint8Array(33))).toBeUndefined();
  });
});

describe('chance (xoshiro128**, Blackman and Vigna)', () => {
  /** The reference code in whole numbers, written from the paper. */
  function* reference(state: readonly number[]): Generator<number, never> {
    let [a = 0n, b = 0n, c = 0n, d = 0n] = state.map(BigInt);
    const low = (value: bigint): bigint => value & 0xffff_ffffn;
    const rotate = (value: bigint, by: bigint): bigint => low((value << by) | (value >> (32n - by)));
    for (;;) {
      yield Number(low(rotate(low(b * 5n), 7n) * 9n));
      const shifted = low(b << 9n);
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = rotate(d, 11n);
    }
  }

  it('has a reference that gives the published outputs of xoshiro128starstar.c 1.1 for the state 1, 2, 3, 4', () => {
    const outputs = reference([1, 2, 3, 4]);
    const first = Array.from({ length: 10 }, () => outputs.next().value);
    expect(first).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804]);
  });

  it('draws as the reference does from the hash of its seed', () => {
    const seed = hashFields('label', 'a', '7').slice(0, 16);
    const outputs = reference([...new Uint32Array(seed.buffer)]);
    const chance = seededChance('label', 'a', 7);
    for (let at = 0; at < 1_000; at++) expect(chance.word()).toBe(outputs.next().value);
  });

  it('keeps its bounds and its items', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(), (bound, seed) => {
        const chance = seededChance('bounds', seed);
        for (let at = 0; at < 20; at++) {
          const [draw, real] = [chance.below(bound), chance.real()];
          expect(draw >= 0 && draw < bound && Number.isInteger(draw) && real >= 0 && real < 1).toBe(true);
        }
      }),
    );
    const chance = seededChance('bias');
    const low = Array.from({ length: 4_000 }, () => chance.below(3 * 2 ** 30)).filter((draw) => draw < 2 ** 30).length;
    expect(Math.abs(low / 4_000 - 1 / 3)).toBeLessThan(0.04);
    expect(shuffled([1, 2, 3, 4, 5, 6, 7], seededChance('shuffle')).sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(seededChance('x', 'a', 'b').word()).not.toBe(seededChance('x', 'ab').word());
  });

  it('hashes two lists of fields to one value only where they are the same list', () => {
    const lists = [['l'], ['l', ''], ['l', 'ab'], ['l', 'a', 'b'], ['la', 'b'], ['l', 1], ['l', '\x01\x00\x00\x00'.slice(0, 3)]] as const;
    const hashes = lists.map(([label, ...fields]) => toHex(hashFields(label, ...fields)));
    expect(new Set(hashes).size).toBe(lists.length);
  });
});
