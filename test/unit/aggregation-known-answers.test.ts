/** The primitives under the secure sum against published vectors, each with its source. */
import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { combine, split } from 'shamir-secret-sharing';
import { describe, expect, it } from 'vitest';
import { kemDecapsulate, kemEncapsulate, kemKeys, x25519Public, x25519Shared } from '../../src/aggregation/secagg/keys.ts';
import { addMasks } from '../../src/aggregation/secagg/masking.ts';
import { combineShares, splitSecret } from '../../src/aggregation/secagg/shamir.ts';
import { fromHex, seededChance, toHex } from '../../src/common/index.ts';

const hex = (text: string): Uint8Array => fromHex(text) ?? new Uint8Array(0);
const slots = (sizeBytes: number) => [{ name: 'all', length: sizeBytes / 4, wordBits: 32, range: 1, scale: 1, offsetBytes: 0, sizeBytes }] as const;

describe('X25519 (RFC 7748)', () => {
  it.each([
    [
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ],
    [
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
      '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
    ],
  ])('5.2: scalar %s', (scalar, u, product) => {
    expect(toHex(x25519Shared(hex(scalar), hex(u)) ?? hex(''))).toBe(product);
  });

  it('5.2: a thousand times', () => {
    let [k, u] = [hex(`09${'00'.repeat(31)}`), hex(`09${'00'.repeat(31)}`)];
    for (let at = 0; at < 1_000; at++) [k, u] = [x25519Shared(k, u) ?? u, k];
    expect(toHex(k)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  it('6.1: both sides agree', () => {
    const alice = hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
    const bob = hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    expect(toHex(x25519Public(alice))).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(toHex(x25519Public(bob))).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect([toHex(x25519Shared(alice, x25519Public(bob)) ?? alice), toHex(x25519Shared(bob, x25519Public(alice)) ?? bob)]).toEqual([shared, shared]);
  });

  it('6.1: a point of low order gives nothing', () => {
    const low = [
      `00${'00'.repeat(31)}`,
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      `ecff${'ff'.repeat(29)}7f`,
    ];
    for (const point of low) expect(x25519Shared(hex('77'.repeat(32)), hex(point))).toBeUndefined();
  });
});

describe('ML-KEM-768 (FIPS 203)', () => {
  // github.com/post-quantum-cryptography/KAT, MLKEM/kat_MLKEM_768.rsp, count 0 (d, z and the first bytes of pk), as the age and OpenSSL test suites use it.
  it('makes the key of the published KAT', () => {
    const d = '6dbbc4375136df3b07f7c70e639e223e177e7fd53b161b3f4d57791794f12624';
    const z = 'f696484048ec21f96cf50a56d0759c448f3779752f0383d37449690694cf7a68';
    const begins = [
      '01f60af1dc8e6360ae78b59d4a5042eb9145a269046d6236b8304f305c2d9dcb189fe5a62df89b2f5a7bce3bbc753c1e78f730a99869f809aba856b676b707b2',
      '6601d1d909bab32451494eb7d0a2153a6350b79789a9b115f83ea12037256562f06a1d5aba378d',
    ].join('');
    expect(toHex(kemKeys(hex(d + z)).publicKey).slice(0, begins.length)).toBe(begins);
  });

  // Go's crypto/mlkem, TestAccumulated: key generation, encapsulation, decapsulation and implicit rejection of a hundred draws from SHAKE-128.
  it('gives what an independent implementation gives, a hundred times', () => {
    const rounds = 100;
    const stream = createHash('shake128', { outputLength: rounds * (64 + 32 + 1088) }).digest();
    const all = createHash('shake128', { outputLength: 32 });
    let at = 0;
    const take = (size: number): Uint8Array => {
      at += size;
      return new Uint8Array(stream.subarray(at - size, at));
    };
    for (let round = 0; round < rounds; round++) {
      const seed = take(64);
      const { publicKey: key, secretKey } = kemKeys(seed);
      const made = kemEncapsulate(key, take(32));
      if (!made) throw new Error('a good key was refused');
      all.update(key).update(made.ciphertext).update(made.secret);
      expect(toHex(kemDecapsulate(secretKey, made.ciphertext))).toBe(toHex(made.secret));
      all.update(kemDecapsulate(secretKey, take(1088)));
    }
    expect(all.digest('hex')).toBe('1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415');
  });

  it('refuses a key with a coefficient out of range (section 7.2)', () => {
    const key = kemKeys(new Uint8Array(64).fill(3)).publicKey;
    key.set([0xff, 0xff, 0xff], 0);
    expect(kemEncapsulate(key, new Uint8Array(32))).toBeUndefined();
    expect(kemEncapsulate(key.slice(1), new Uint8Array(32))).toBeUndefined();
  });
});

describe('AES-256 in counter mode', () => {
  it('of the runtime is that of NIST SP 800-38A, F.5.5', () => {
    const cipher = createCipheriv(
      'aes-256-ctr',
      hex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4'),
      hex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'),
    );
    const plain = `6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51${'30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710'}`;
    expect(toHex(cipher.update(hex(plain)))).toBe(
      `601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5${'2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6'}`,
    );
  });

  it('makes masks whose first block is the KeySbox vector of NIST AESAVS', () => {
    const vector = new Uint8Array(16);
    addMasks(vector, [{ key: hex('c47b0294dbbbee0fec4757f22ffeee3587ca4730c3d33b691df38bab076bc558'), sign: 1 }], slots(16));
    expect(toHex(vector)).toBe('46f2fb342d6f0ab477476fc501242c5f');
  });

  it('makes masks whose block i is the block cipher over the counter i, past the borders of its buffer', () => {
    const key = Uint8Array.from({ length: 32 }, (_, at) => 7 * at);
    const size = 3 * 65_536 + 32;
    const vector = new Uint8Array(size);
    addMasks(vector, [{ key: key, sign: 1 }], slots(size));
    for (const block of [0, 1, 255, 4_095, 4_096, 8_191, 12_289]) {
      const counter = Buffer.alloc(16);
      counter.writeUInt32BE(block, 12);
      const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
      expect(toHex(vector.slice(16 * block, 16 * block + 16))).toBe(toHex(cipher.update(counter)));
    }
  });
});

describe('Shamir over GF(2^8), against the audited shamir-secret-sharing', () => {
  const fresh = (seed: number) => {
    const chance = seededChance('shamir', seed);
    return (size: number): Uint8Array => Uint8Array.from({ length: size }, () => chance.below(256));
  };

  it('opens what the library split', async () => {
    for (const [shares, threshold] of [
      [3, 2],
      [5, 4],
      [16, 11],
      [64, 43],
    ] as const) {
      const secret = fresh(shares)(32);
      const dealt = await split(secret, shares, threshold);
      expect(combineShares(dealt.slice(-threshold))).toEqual(secret);
      expect(combineShares(dealt.slice(0, threshold - 1))).not.toEqual(secret);
    }
  });

  it('splits what the library opens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 2, max: 20 }), fc.nat(), async (secret, threshold, seed) => {
        const coordinates = Array.from({ length: threshold + 3 }, (_, at) => 1 + at * 7);
        const dealt = splitSecret(secret, coordinates, threshold, fresh(seed));
        expect(await combine(dealt.slice(1, threshold + 1))).toEqual(secret);
        expect(combineShares(dealt.slice(2, threshold + 2))).toEqual(secret);
        expect(combineShares(dealt.slice(0, threshold - 1))).not.toEqual(secret);
      }),
      { numRuns: 50 },
    );
  });
});
