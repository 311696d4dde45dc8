/** Shares between two members: over attempts that one of them gave up, under long paths, from dealers that deal wrong, and after a seed's owner fell silent. */
import { describe, expect, it } from 'vitest';
import { type Custodian, hybridKeys, type OpenedShare, type SharesMessage } from '../../src/aggregation/index.ts';
import { pairSecret, shareKey } from '../../src/aggregation/secagg/keys.ts';
import { seal, shareLeaf } from '../../src/aggregation/secagg/secrets.ts';
import { concat, digestBytes, merklePaths, merkleRoot, toHex } from '../../src/common/index.ts';
import { codeOf } from '../support/codes.ts';
import { acquainted, groupContext, strangers } from '../support/custodians.ts';
import { met, sharesOf } from '../support/pairs.ts';

/** The sealed share of each attempt in a message: a length of two bytes, the higher first, then so many bytes. */
function piecesOf(sealed: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < sealed.length; at += 2 + (pieces.at(-1)?.length ?? 0)) {
    const size = 256 * (sealed[at] ?? 0) + (sealed[at + 1] ?? 0);
    pieces.push(sealed.subarray(at + 2, at + 2 + size));
  }
  return pieces;
}

describe('shares of attempts that were given up (R1)', () => {
  it('are dealt to nobody any more, not even to one that had them before, and those of later attempts are the same bytes', () => {
    const { lower } = met();
    const before = piecesOf(sharesOf(lower, 1).sealed);
    lower.eraseBelow(1);
    const after = piecesOf(sharesOf(lower, 1).sealed);
    expect(before.map(({ length }) => length > 0)).toEqual([true, true]);
    expect(after).toEqual([new Uint8Array(0), before[1]]);
  });

  it('are not kept where the receiver gave the attempt up, and are missing where only the sender did', () => {
    const [one, other] = [met(), met()];
    one.higher.eraseBelow(1);
    one.higher.acceptShares(0, sharesOf(one.lower, 1));
    expect([one.higher.shareOf(0, 0), one.higher.shareOf(0, 1)?.share.length]).toEqual([undefined, 33]);
    other.lower.eraseBelow(1);
    expect(codeOf(() => other.higher.acceptShares(0, sharesOf(other.lower, 1)))).toBe('AGGREGATION_BAD_SHARE');
    other.higher.eraseBelow(1);
    expect(codeOf(() => other.higher.acceptShares(0, sharesOf(other.lower, 1)))).toBe('done');
  });
});

describe('a message of shares', () => {
  it('gives a length of two bytes where the paths of a large round need it', () => {
    const { lower, higher } = met({ roster: Array.from({ length: 16 }, (_, member) => member), attempts: 12 });
    const pieces = piecesOf(sharesOf(lower, 1).sealed);
    // 192 leaves: a path of 8 hashes, 33 bytes of share and a tag of 16.
    expect(pieces.map(({ length }) => length)).toContain(8 * 32 + 33 + 16);
    higher.acceptShares(0, sharesOf(lower, 1));
    for (let attempt = 0; attempt < 12; attempt++) expect(higher.shareOf(0, attempt)?.share).toEqual(lower.snapshot().dealt[attempt]?.[1]);
  });

  it('that is wrong takes nothing away of what was taken before: pair, masks and shares stay', () => {
    const { lower, higher } = met();
    const right = sharesOf(lower, 1);
    higher.acceptShares(0, right);
    const keys = higher.masks(0, [0, 1]).map(({ key }) => toHex(key));
    for (const wrong of [
      { ...right, sealed: right.sealed.map((byte) => byte ^ 1) },
      { ciphertext: right.ciphertext.map((byte) => byte ^ 1), sealed: new Uint8Array(0) },
    ]) {
      expect(codeOf(() => higher.acceptShares(0, wrong))).toBe('done');
      expect(higher.masks(0, [0, 1]).map(({ key }) => toHex(key))).toEqual(keys);
      expect(higher.shareOf(0, 0)?.share).toHaveLength(33);
    }
  });

  it('under another ciphertext does not change a pair that holds', () => {
    const { lower, higher } = met();
    const right = sharesOf(lower, 1);
    higher.acceptShares(0, right);
    const [pair] = higher.masks(0, [0, 1]);
    expect(codeOf(() => higher.acceptShares(0, { ...right, ciphertext: right.ciphertext.map((byte) => byte ^ 1) }))).toBe('done');
    expect(higher.masks(0, [0, 1])[0]).toEqual(pair);
  });

  it('that opened and was wrong leaves its member free to come again under another ciphertext, and to be answered under that', () => {
    const { lower, higher } = met();
    const right = sharesOf(lower, 1);
    expect(codeOf(() => higher.acceptShares(0, forgedShares(lower, higher)))).toBe('AGGREGATION_BAD_SHARE');
    expect(higher.sharesFor(0)).toBeDefined();
    expect([1, 2].map(() => codeOf(() => higher.acceptShares(0, right)))).toEqual(['AGGREGATION_BAD_SHARE', 'done']);
    expect(codeOf(() => lower.acceptShares(1, sharesOf(higher, 0)))).toBe('done');
  });
});

/** A message of member 0 for member 1 under another ciphertext than its keys make, with shares that open and fit no root. */
function forgedShares(lower: Custodian, higher: Custodian): SharesMessage {
  const [own, its, salt] = [lower.bundle(), higher.bundle(), digestBytes(groupContext)];
  const made = hybridKeys.kemEncapsulate(its.kem, new Uint8Array(32));
  const shared = hybridKeys.x25519Shared(lower.snapshot().keys.x25519, its.x25519);
  if (!made || !shared) throw new Error('the keys are good');
  const { ciphertext } = made;
  const secret = pairSecret(salt, shared, made.secret, { lower: { member: 0, ...own }, higher: { member: 1, ...its }, ciphertext });
  const pieces = [0, 1].map((attempt) => seal(shareKey(secret, salt, { from: 0, to: 1, attempt }), groupContext, new Uint8Array(33)));
  return { ciphertext, sealed: concat(...pieces.flatMap((piece) => [new Uint8Array([0, piece.length]), piece])) };
}

describe('a share of a silent member', () => {
  const roster = [0, 1, 2, 3, 4, 5, 6];
  const group = acquainted(roster);
  const silent = group[0] as Custodian;
  const from = (holder: number): OpenedShare => {
    const opened = group[holder]?.shareOf(0, 0);
    if (!opened) throw new Error('everybody holds one');
    return opened;
  };

  it('helps one that never got its own: threshold many of others open the seed', () => {
    const late = strangers(roster)[4] as Custodian;
    late.acceptBundle(0, silent.bundle());
    expect([1, 2, 3].map((holder) => late.acceptShareOf(0, holder, 0, from(holder)))).toEqual([false, false, false]);
    expect(late.acceptShareOf(0, 5, 0, from(5))).toBe(false);
    expect(late.acceptShareOf(0, 6, 0, from(6))).toBe(true);
    expect(late.snapshot().revealed[0]?.[0]).toEqual(silent.reveal(0));
  });

  it('is refused before the bundle of its owner is there, and under a path that is not whole', () => {
    const late = strangers(roster)[4] as Custodian;
    expect(codeOf(() => late.acceptShareOf(0, 1, 0, from(1)))).toBe('AGGREGATION_BAD_SHARE');
    late.acceptBundle(0, silent.bundle());
    for (const path of [from(1).path.subarray(1), new Uint8Array(5)])
      expect(codeOf(() => late.acceptShareOf(0, 1, 0, { ...from(1), path }))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => late.acceptShareOf(0, 1, 0, from(1)))).toBe('done');
  });

  it('has 33 bytes, also where its owner committed to a longer one', () => {
    const [owner, taker] = strangers([0, 1, 2]) as [Custodian, Custodian];
    const long = new Uint8Array(34).fill(3);
    const leaves = owner.snapshot().dealtLeaves.map((leaf, at) => (at === 2 ? shareLeaf(groupContext, 0, 0, 2, long) : leaf));
    taker.acceptBundle(0, { ...owner.bundle(), shareRoot: merkleRoot(leaves) });
    const path = merklePaths(leaves)[2] ?? new Uint8Array(0);
    expect(codeOf(() => taker.acceptShareOf(0, 2, 0, { share: long, path }))).toBe('AGGREGATION_BAD_SHARE');
  });
});
