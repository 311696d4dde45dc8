/** The secure sum without a network: masks cancel for any set, sums are exact, shares open what they should and nothing else. */
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bundle, Custodian, planSlots, type SegmentSlot, type SumPlan } from '../../src/aggregation/index.ts';
import { digestBytes, hashFields, isSwarmError, seededChance, shuffled, toHex } from '../../src/common/index.ts';
import { acquainted, groupContext, masked, strangers, sumVectors, unmasked } from '../support/custodians.ts';

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'taken';
  } catch (error) {
    return isSwarmError(error) ? error.code : String(error);
  }
};

const plan: SumPlan = {
  purpose: 'update',
  ordinal: 1,
  segments: [
    { name: 'wide', length: 3, wordBits: 64, range: 8, scale: 1 },
    { name: 'narrow', length: 5, wordBits: 32, range: 8, scale: 1 },
  ],
};

function randomWords(slots: readonly SegmentSlot[], seed: number): Uint8Array {
  const chance = seededChance('words', seed);
  return Uint8Array.from({ length: slots.reduce((size, slot) => size + slot.sizeBytes, 0) }, () => chance.below(256));
}

/** The plain sum in whole numbers, word by word. */
function plainSum(vectors: readonly Uint8Array[], slots: readonly SegmentSlot[]): Uint8Array {
  const sum = new Uint8Array(vectors[0]?.length ?? 0);
  for (const { offsetBytes, sizeBytes, wordBits } of slots) {
    const width = wordBits / 8;
    for (let at = offsetBytes; at < offsetBytes + sizeBytes; at += width) {
      const little = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.slice(at, at + width).reverse())}`);
      const total = vectors.reduce((all, vector) => all + little(vector), 0n) % 2n ** BigInt(wordBits);
      sum.set(Buffer.from(total.toString(16).padStart(2 * width, '0'), 'hex').reverse(), at);
    }
  }
  return sum;
}

const roster = [0, 2, 3, 5, 6];
const group = acquainted(roster);
const placed = (set: readonly number[]) => set.map((member) => group[roster.indexOf(member)]).flatMap((custodian) => custodian ?? []);

describe('masking', () => {
  it('cancels over any set and any plan: what is unmasked is the plain sum', () => {
    const segments = fc.record({ wide: fc.integer({ min: 1, max: 40 }), narrow: fc.integer({ min: 1, max: 90 }) });
    fc.assert(
      fc.property(fc.subarray(roster, { minLength: 3 }), fc.integer({ min: 0, max: 1 }), segments, fc.nat(), (set, attempt, lengths, seed) => {
        const sized: SumPlan = { ...plan, segments: plan.segments.map((one) => ({ ...one, length: one.wordBits === 64 ? lengths.wide : lengths.narrow })) };
        const slots = planSlots(sized);
        const words = set.map((member) => randomWords(slots, seed + member));
        const vectors = placed(set).map((custodian, at) => masked(custodian, words[at] ?? new Uint8Array(0), { slots, attempt, set }));
        const sum = sumVectors(shuffled(vectors, seededChance('order', seed)), slots);
        expect(sum).toEqual(sumVectors(vectors, slots));
        for (const custodian of placed(set)) {
          for (const [at, other] of set.entries())
            if (placed(set)[at] !== custodian) custodian.acceptReveal(other, attempt, placed([other])[0]?.reveal(attempt) ?? new Uint8Array(0));
          expect(unmasked(custodian, sum, { slots, attempt, set })).toEqual(plainSum(words, slots));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the words as they are, gives the same bytes twice, and other bytes for another attempt or set', () => {
    const slots = planSlots(plan);
    const words = randomWords(slots, 1);
    const before = words.slice();
    const mask = (attempt: number, set: readonly number[]): string => toHex(masked(placed([2])[0], words, { slots, attempt, set }));
    expect(mask(0, roster)).toBe(mask(0, roster));
    expect(new Set([mask(0, roster), mask(1, roster), mask(0, [0, 2, 3])]).size).toBe(3);
    expect(words).toEqual(before);
  });

  it('makes vectors that look like noise: chi-square over the bytes, and two rounds differ in every word', () => {
    const slots = planSlots({ ...plan, segments: [{ name: 'zeros', length: 65_536, wordBits: 32, range: 1, scale: 1 }] });
    const [one, two] = [1, 2].map((seed) => masked(acquainted([0, 1, 2], { seed })[0], new Uint8Array(262_144), { slots, attempt: 0, set: [0, 1, 2] })) as [
      Uint8Array,
      Uint8Array,
    ];
    const counts = new Float64Array(256);
    for (const byte of one) counts[byte] = (counts[byte] ?? 0) + 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1_024) ** 2 / 1_024, 0);
    expect(chiSquare).toBeGreaterThan(150);
    expect(chiSquare).toBeLessThan(380);
    const [a, b] = [new Uint32Array(one.buffer), new Uint32Array(two.buffer)];
    expect(a.filter((word, at) => word === b[at]).length).toBeLessThan(4);
  });

  it('goes on after a crash with the same bytes', () => {
    const slots = planSlots(plan);
    const [custodian] = placed([3]);
    const again = new Custodian(deserialize(serialize(custodian?.snapshot())));
    const words = randomWords(slots, 4);
    expect(masked(again, words, { slots, attempt: 0, set: roster })).toEqual(masked(custodian, words, { slots, attempt: 0, set: roster }));
    expect(again.sharesFor(5)).toEqual(custodian?.sharesFor(5));
    expect(again.bundle()).toEqual(custodian?.bundle());
  });
});

describe('shares of a silent member', () => {
  const threshold = Math.floor((2 * roster.length) / 3) + 1;
  const share = (holder: number, owner: number, attempt = 0) =>
    placed([holder])[0]?.shareOf(owner, attempt) ?? { share: new Uint8Array(33), path: new Uint8Array(0) };

  it('rebuild its seed from t of them, one own among them', () => {
    const taker = acquainted(roster)[0];
    const answers = [2, 3, 5].map((holder) => taker?.acceptShareOf(6, holder, 0, share(holder, 6)));
    expect(answers).toEqual([false, false, true]);
    expect(answers.length + 1).toBe(threshold);
  });

  it('are refused where they are another’s, of another attempt, changed, or under a wrong path', () => {
    const taker = acquainted(roster)[0];
    const good = share(2, 6);
    const changed = good.share.slice();
    changed[4] = (changed[4] ?? 0) ^ 1;
    const wrong = [
      [6, 3, 0, good],
      [5, 2, 0, good],
      [6, 2, 1, good],
      [6, 2, 0, { ...good, share: changed }],
      [6, 2, 0, { ...good, path: good.path.slice(32) }],
      [6, 2, 0, { ...good, path: good.path.map((byte) => byte ^ 1) }],
      [6, 2, 0, { ...good, share: good.share.slice(1) }],
    ] as const;
    for (const [owner, holder, attempt, opened] of wrong)
      expect(codeOf(() => taker?.acceptShareOf(owner, holder, attempt, opened))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => taker?.acceptShareOf(6, 2, 0, good))).toBe('taken');
  });

  it('are refused where their owner itself dealt them under another coordinate', () => {
    const [owner, holder] = strangers([0, 1, 2]);
    if (!owner || !holder) throw new Error('a group');
    const { dealt, dealtLeaves } = owner.snapshot();
    const wrong = dealt[0]?.[1];
    if (!wrong) throw new Error('a share');
    wrong[32] = 9;
    (dealtLeaves as Uint8Array[])[1] = hashFields('share', digestBytes(groupContext), 0, 0, 1, wrong);
    owner.acceptBundle(1, holder.bundle());
    holder.acceptBundle(0, owner.bundle());
    const message = owner.sharesFor(1);
    expect(codeOf(() => message && holder.acceptShares(0, message))).toBe('AGGREGATION_BAD_SHARE');
  });

  it('and a revealed seed are checked against the bundle', () => {
    const taker = acquainted(roster)[0];
    const seed = placed([5])[0]?.reveal(1) ?? new Uint8Array(0);
    expect(codeOf(() => taker?.acceptReveal(5, 0, seed))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => taker?.acceptReveal(3, 1, seed))).toBe('AGGREGATION_BAD_SHARE');
    expect(
      codeOf(() =>
        taker?.acceptReveal(
          5,
          1,
          seed.map((byte) => byte ^ 1),
        ),
      ),
    ).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => taker?.acceptReveal(5, 1, seed))).toBe('taken');
  });
});

describe('what others send', () => {
  it('is refused where keys are malformed, this member’s own, or of low order', () => {
    const [own, other, third] = strangers([0, 1, 2]);
    const bundle = other?.bundle() as Bundle;
    const wrong: readonly Bundle[] = [
      { ...bundle, x25519: new Uint8Array(31) },
      { ...bundle, x25519: new Uint8Array(32) },
      { ...bundle, kem: bundle.kem.slice(1) },
      { ...bundle, kem: bundle.kem.slice().fill(255, 0, 300) },
      { ...bundle, seedHashes: bundle.seedHashes.slice(1) },
      { ...bundle, seedHashes: bundle.seedHashes.map((hash) => hash.slice(1)) },
      { ...bundle, shareRoot: new Uint8Array(0) },
    ];
    for (const one of wrong) expect(codeOf(() => own?.acceptBundle(1, one))).toBe('AGGREGATION_BAD_KEY');
    for (const x25519 of [new Uint8Array(32), new Uint8Array(32).fill(1, 0, 1)]) {
      expect(codeOf(() => third?.acceptBundle(1, { ...bundle, x25519 }))).toBe('AGGREGATION_BAD_KEY');
    }
    own?.acceptBundle(1, bundle);
    expect(codeOf(() => own?.acceptBundle(2, own.bundle()))).toBe('AGGREGATION_BAD_KEY');
    expect(codeOf(() => own?.acceptBundle(2, third?.bundle() as Bundle))).toBe('taken');
  });

  it('is refused where shares do not open, and is taken when they come again right', () => {
    const [lower, higher] = strangers([0, 1, 2]);
    if (!lower || !higher) throw new Error('a group');
    expect(lower.sharesFor(1)).toBeUndefined();
    expect(codeOf(() => higher.acceptShares(0, { ciphertext: new Uint8Array(1_088), sealed: new Uint8Array(100) }))).toBe('AGGREGATION_BAD_SHARE');
    lower.acceptBundle(1, higher.bundle());
    higher.acceptBundle(0, lower.bundle());
    const message = lower.sharesFor(1);
    if (!message) throw new Error('shares');
    expect(codeOf(() => higher.acceptShares(0, { ...message, ciphertext: message.ciphertext.slice(1) }))).toBe('AGGREGATION_BAD_KEY');
    expect(codeOf(() => higher.acceptShares(0, { ...message, ciphertext: message.ciphertext.map((byte) => byte ^ 1) }))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => higher.acceptShares(0, { ...message, sealed: message.sealed.map((byte) => byte ^ 1) }))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => higher.acceptShares(0, { ...message, sealed: new Uint8Array(3) }))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => higher.acceptShares(0, message))).toBe('taken');
    expect(codeOf(() => higher.masks(0, [0, 1]))).toBe('taken');
  });
});

describe('erasing (R1)', () => {
  it('leaves nothing of an earlier attempt in what is stored, and all of the later ones', () => {
    const [custodian] = acquainted([0, 1, 2], { attempts: 3 });
    if (!custodian) throw new Error('a group');
    const seeds = [0, 1, 2].map((attempt) => toHex(custodian.reveal(attempt)));
    const held = [0, 1, 2].map((attempt) => toHex(custodian.shareOf(1, attempt)?.share ?? new Uint8Array(0)));
    custodian.eraseBelow(2);
    const stored = serialize(custodian.snapshot()).toString('hex');
    expect([...seeds, ...held].map((secret) => stored.includes(secret))).toEqual([false, false, true, false, false, true]);
    expect([0, 1, 2].map((attempt) => codeOf(() => custodian.reveal(attempt)))).toEqual(['AGGREGATION_ERASED', 'AGGREGATION_ERASED', 'taken']);
    expect(codeOf(() => custodian.masks(1, [0, 1, 2]))).toBe('AGGREGATION_ERASED');
  });

  it('does not keep a restarted member from its bundle, nor from dealing what is left', () => {
    const [custodian] = acquainted([0, 1, 2], { attempts: 3 });
    if (!custodian) throw new Error('a group');
    const bundle = custodian.bundle();
    custodian.eraseBelow(1);
    const again = new Custodian(deserialize(serialize(custodian.snapshot())));
    expect(codeOf(() => again.bundle())).toBe('taken');
    expect(again.bundle()).toEqual(bundle);
  });
});
