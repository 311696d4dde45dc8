/** The custodian at its borders: point secrets, refused seeds, shares that come again, and memory that is overwritten, not only let go. */
import { describe, expect, it } from 'vitest';
import type { Custodian } from '../../src/aggregation/index.ts';
import { codeOf } from '../support/codes.ts';
import { acquainted, strangers } from '../support/custodians.ts';

const roster = [0, 1, 2, 3];

function group(): readonly [Custodian, Custodian, Custodian, Custodian] {
  const [a, b, c, d] = acquainted(roster);
  if (!a || !b || !c || !d) throw new Error('a group of four');
  return [a, b, c, d];
}

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte));
const isZero = (bytes: Uint8Array | undefined): boolean => bytes !== undefined && bytes.length > 0 && bytes.every((byte) => byte === 0);

describe('point secrets', () => {
  it('are taken where they fit the bundle: of their attempt, their generation and their member', () => {
    const [a, b, c] = group();
    for (const [attempt, generation] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const) {
      const point = b.point(attempt, generation);
      expect(codeOf(() => a.acceptPoint(1, attempt, generation, flipped(point)))).toBe('AGGREGATION_BAD_SHARE');
      expect(codeOf(() => a.acceptPoint(2, attempt, generation, point))).toBe('AGGREGATION_BAD_SHARE');
      expect(codeOf(() => a.acceptPoint(1, 1 - attempt, generation, point))).toBe('AGGREGATION_BAD_SHARE');
      expect(codeOf(() => a.acceptPoint(1, attempt, 1 - generation, point))).toBe('AGGREGATION_BAD_SHARE');
      expect(codeOf(() => a.acceptPoint(1, attempt, generation, point.subarray(1)))).toBe('AGGREGATION_BAD_SHARE');
      expect(codeOf(() => a.acceptPoint(1, attempt, generation, point))).toBe('done');
      expect(a.points(attempt, generation, [0, 1])).toEqual([a.point(attempt, generation), point]);
    }
    expect(codeOf(() => a.acceptPoint(1, 0, 2, b.point(1, 0)))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => a.acceptPoint(9, 0, 0, c.point(0, 0)))).toBe('AGGREGATION_BAD_SHARE');
  });
  it('are those of all of a set, or none', () => {
    const [a, b, c] = group();
    expect(a.points(0, 0, [0, 1, 2])).toBeUndefined();
    expect(a.points(0, 0, [0])).toEqual([a.point(0, 0)]);
    a.acceptPoint(2, 0, 0, c.point(0, 0));
    expect(a.points(0, 0, [0, 1, 2])).toBeUndefined();
    a.acceptPoint(1, 0, 0, b.point(0, 0));
    expect(a.points(0, 0, [0, 1, 2])).toEqual([a.point(0, 0), b.point(0, 0), c.point(0, 0)]);
    expect(a.points(1, 0, [0, 1, 2])).toBeUndefined();
  });
  it('are gone with their attempt', () => {
    const [a] = group();
    a.eraseBelow(1);
    expect(codeOf(() => a.point(0, 0))).toBe('AGGREGATION_ERASED');
    expect(codeOf(() => a.point(1, 7))).toBe('AGGREGATION_ERASED');
    expect(codeOf(() => a.point(1, 0))).toBe('done');
  });
});

describe('what others reveal', () => {
  it('is refused where it is short, changed, of another attempt, or of a member without a bundle', () => {
    const [a, b] = group();
    for (const seed of [b.reveal(0).subarray(1), flipped(b.reveal(0)), b.reveal(1)])
      expect(codeOf(() => a.acceptReveal(1, 0, seed))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => a.acceptReveal(9, 0, b.reveal(0)))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => a.acceptReveal(1, 0, b.reveal(0)))).toBe('done');
  });
  it('has to be there before a sum is opened', () => {
    const [a, b] = group();
    expect(codeOf(() => a.selfMasks(0, [0, 1]))).toBe('AGGREGATION_ERASED');
    a.acceptReveal(1, 0, b.reveal(0));
    expect(a.selfMasks(0, [0, 1])).toHaveLength(2);
  });
});

describe('shares', () => {
  it.each([
    ['a higher member', 0, 1],
    ['a lower member', 1, 0],
  ])('of %s are taken when they come again right', (_, to, from) => {
    const all = strangers(roster);
    const [receiver, sender] = [all[to], all[from]];
    if (!receiver || !sender) throw new Error('two of four');
    receiver.acceptBundle(from, sender.bundle());
    sender.acceptBundle(to, receiver.bundle());
    const lower = to < from ? receiver : sender;
    const [low, high] = [Math.min(to, from), Math.max(to, from)];
    const first = lower.sharesFor(high);
    if (first && lower === receiver) sender.acceptShares(low, first);
    const shares = sender.sharesFor(to);
    if (!shares) throw new Error('shares');
    const wrong = { ...shares, sealed: shares.sealed.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) };
    expect(codeOf(() => receiver.acceptShares(from, wrong))).toBe('AGGREGATION_BAD_SHARE');
    expect(receiver.shareOf(from, 0)).toBeUndefined();
    expect(codeOf(() => receiver.acceptShares(from, shares))).toBe('done');
    expect(receiver.shareOf(from, 0)?.share).toHaveLength(33);
  });
  it.each([
    [0, 1],
    [1, 0],
  ])('are held for good: wrong ones from member %i that come after them leave member %i able to mask', (from, to) => {
    const members = acquainted(roster);
    const [sender, receiver] = [members[from], members[to]];
    const shares = sender?.sharesFor(to);
    if (!shares || !receiver) throw new Error('two of four');
    const before = [receiver.masks(0, roster), receiver.sharesFor(from), receiver.shareOf(from, 0)];
    for (const part of ['ciphertext', 'sealed'] as const) {
      receiver.acceptShares(from, { ...shares, [part]: shares[part].map((byte) => byte ^ 1) });
      expect([receiver.masks(0, roster), receiver.sharesFor(from), receiver.shareOf(from, 0)]).toEqual(before);
    }
  });
  it('before a bundle are refused', () => {
    const [a, b] = strangers(roster);
    if (!a || !b) throw new Error('two of four');
    expect(codeOf(() => a.acceptShares(1, { ciphertext: new Uint8Array(0), sealed: new Uint8Array(0) }))).toBe('AGGREGATION_BAD_SHARE');
  });
});

describe('what is erased is overwritten where it lies', () => {
  it('of the attempts that are given up, and nothing of the others', () => {
    const [a, b] = group();
    const { seeds, dealt, held } = a.snapshot();
    a.acceptReveal(1, 0, b.reveal(0).slice());
    const before = [seeds[0], ...(dealt[0] ?? []), held[1]?.[0]?.share, a.snapshot().revealed[0]?.[1]];
    const after = [seeds[1], ...(dealt[1] ?? []), held[1]?.[1]?.share];
    a.eraseBelow(1);
    expect(before.map(isZero)).toEqual(before.map(() => true));
    expect(after.map(isZero)).toEqual(after.map(() => false));
  });
  it('at the end all of it: keys, secrets of pairs, seeds and shares', () => {
    const [, b] = group();
    const { keys, pairs, seeds, dealt, held } = b.snapshot();
    const all = [keys.x25519, keys.kemSeed, pairs[0]?.secret, pairs[2]?.secret, seeds[0], seeds[1], ...(dealt[1] ?? []), held[0]?.[1]?.share];
    expect(all.map(isZero)).toEqual(all.map(() => false));
    b.wipe();
    expect(all.map(isZero)).toEqual(all.map(() => true));
    expect(codeOf(() => b.reveal(0))).toBe('AGGREGATION_ERASED');
    expect(codeOf(() => b.reveal(1))).toBe('AGGREGATION_ERASED');
  });
  it('also where no KEM key was ever used', () => {
    const [alone] = strangers(roster);
    expect(codeOf(() => alone?.wipe())).toBe('done');
    expect(codeOf(() => alone?.reveal(0))).toBe('AGGREGATION_ERASED');
  });
});
