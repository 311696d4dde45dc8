/** Which bundles a custodian takes, and what of another's bundle binds what that member sends later. */
import { describe, expect, it } from 'vitest';
import { type Bundle, Custodian } from '../../src/aggregation/index.ts';
import { pointHash, seedHash } from '../../src/aggregation/secagg/secrets.ts';
import { codeOf } from '../support/codes.ts';
import { groupContext, strangers } from '../support/custodians.ts';
import { met, sharesOf, watchedAgreement } from '../support/pairs.ts';

const attempts = 2;
const generations = 2;

describe('a bundle', () => {
  const [own, other] = strangers([0, 1, 2], { attempts }) as [Custodian, Custodian];
  const [mine, theirs] = [own.bundle(), other.bundle()];

  it('has the hashes of each attempt and generation, keys of their sizes and a root of 32 bytes, for the lower and the higher member of a pair', () => {
    const wrong: readonly Bundle[] = [
      { ...theirs, pointHashes: theirs.pointHashes.slice(1) },
      { ...theirs, pointHashes: [...theirs.pointHashes, theirs.pointHashes[0] as Uint8Array] },
      { ...theirs, pointHashes: theirs.pointHashes.map((hash) => hash.slice(1)) },
      { ...theirs, seedHashes: [...theirs.seedHashes, theirs.seedHashes[0] as Uint8Array] },
      { ...theirs, kem: theirs.kem.slice(1) },
      { ...theirs, x25519: theirs.x25519.slice(1) },
      { ...theirs, shareRoot: theirs.shareRoot.slice(1) },
    ];
    for (const bundle of wrong) {
      expect(codeOf(() => own.acceptBundle(1, bundle))).toBe('AGGREGATION_BAD_KEY');
      expect(codeOf(() => (strangers([0, 1, 2], { attempts })[2] as Custodian).acceptBundle(1, bundle))).toBe('AGGREGATION_BAD_KEY');
    }
    expect(codeOf(() => own.acceptBundle(1, theirs))).toBe('done');
  });

  it('with either of this member’s own keys is refused, for whoever shows it would share its secrets', () => {
    for (const copied of [
      { ...theirs, x25519: mine.x25519 },
      { ...theirs, kem: mine.kem },
    ])
      expect(codeOf(() => own.acceptBundle(2, copied))).toBe('AGGREGATION_BAD_KEY');
  });

  it('with an ML-KEM key that is none is refused, and shares of its member too', () => {
    const [alone] = strangers([0, 1, 2], { attempts }) as [Custodian];
    expect(codeOf(() => alone.acceptBundle(1, { ...theirs, kem: theirs.kem.slice().fill(255, 0, 300) }))).toBe('AGGREGATION_BAD_KEY');
    expect(codeOf(() => alone.acceptShares(1, { ciphertext: new Uint8Array(0), sealed: new Uint8Array(0) }))).toBe('AGGREGATION_BAD_SHARE');
    expect(alone.sharesFor(1)).toBeUndefined();
  });

  it('that is missing lets nobody mask: there is no mask over a set with a member without a pair', () => {
    const [alone] = strangers([0, 1, 2], { attempts }) as [Custodian];
    alone.acceptBundle(1, theirs);
    expect(alone.masks(0, [0, 1])).toHaveLength(2);
    expect(codeOf(() => alone.masks(0, [0, 1, 2]))).toBe('AGGREGATION_ERASED');
  });
});

describe('a member that committed to what is no secret of the protocol', () => {
  it('reveals no seed of another length than 32 bytes', () => {
    const short = new Uint8Array(31).fill(7);
    const { lower } = met({ shown: (bundle) => ({ ...bundle, seedHashes: [seedHash(groupContext, 1, 0, short), bundle.seedHashes[1] as Uint8Array] }) });
    expect(codeOf(() => lower.acceptReveal(1, 0, short))).toBe('AGGREGATION_BAD_SHARE');
  });

  it('reveals no point secret of another length, nor one of a generation that the round does not have', () => {
    const [short, extra] = [new Uint8Array(31).fill(7), new Uint8Array(32).fill(8)];
    const hashes = [pointHash(groupContext, 1, 0, 0, short), new Uint8Array(32), pointHash(groupContext, 1, 0, generations, extra), new Uint8Array(32)];
    const { lower } = met({ shown: (bundle) => ({ ...bundle, pointHashes: hashes }) });
    expect(codeOf(() => lower.acceptPoint(1, 0, 0, short))).toBe('AGGREGATION_BAD_SHARE');
    expect(codeOf(() => lower.acceptPoint(1, 0, generations, extra))).toBe('AGGREGATION_BAD_SHARE');
  });
});

describe('secrets on the way to the secret of a pair', () => {
  it('are overwritten: both shared secrets and the coins, on either side', () => {
    const [low, high] = strangers([0, 1, 2], { attempts }) as [Custodian, Custodian];
    const [seenLow, seenHigh] = [watchedAgreement(), watchedAgreement()];
    const [lower, higher] = [new Custodian(low.snapshot(), seenLow.agreement), new Custodian(high.snapshot(), seenHigh.agreement)];
    higher.acceptBundle(0, lower.bundle());
    lower.acceptBundle(1, higher.bundle());
    higher.acceptShares(0, sharesOf(lower, 1));
    lower.acceptShares(1, sharesOf(higher, 0));
    expect([seenLow.passed.length, seenHigh.passed.length]).toEqual([4, 3]);
    for (const secret of [...seenLow.passed, ...seenHigh.passed]) expect(secret.every((byte) => byte === 0)).toBe(true);
    expect(lower.masks(0, [0, 1])[0]?.key).toEqual(higher.masks(0, [0, 1])[0]?.key);
  });
});
