/** The pairs of an opening: what is missing in a member's secrets leaves nothing to open, and keys or ciphertexts that make no secret are named. */
import { describe, expect, it } from 'vitest';
import { bundleDigest, checkOpening, type Opening, type OpeningFacts, openingKeys, planSizeBytes, updatePlan } from '../../src/aggregation/index.ts';
import { finalRound } from '../support/final-round.ts';

const plan = updatePlan(1, {
  parameters: 2,
  members: 3,
  clipNorm: 2,
  weightCap: 16,
  maxLoss: 4,
});
const { context, custodians, opening, facts } = finalRound(plan, new Uint8Array(planSizeBytes(plan)));
const set = [0, 1, 2];

function reasonOf(changed: Partial<Opening>, against: Partial<OpeningFacts> = {}): string {
  const result = checkOpening({ ...opening, ...changed }, { ...facts, ...against });
  return result.kind === 'differs' ? result.reason : result.kind;
}

describe('the keys of an opening', () => {
  const [, opener] = custodians;
  if (!opener) throw new Error('member 1 is there');
  const snapshot = opener.snapshot();
  const without = <T>(all: Readonly<Record<number, T>>, member: number): Record<number, T> =>
    Object.fromEntries(Object.entries(all).filter(([key]) => Number(key) !== member));

  it('are not there where the bundle or the ciphertext of one pair is missing, and a pair with nobody of the set is not missed', () => {
    const wanted = { plan, attempt: 0, set };
    for (const gone of [
      { ...snapshot, bundles: without(snapshot.bundles, 2) },
      { ...snapshot, pairs: without(snapshot.pairs, 2) },
      { ...snapshot, pairs: { ...snapshot.pairs, 2: {} } },
    ]) {
      expect(openingKeys(gone, opener.bundle(), wanted)).toBeUndefined();
      expect(openingKeys(gone, opener.bundle(), { ...wanted, set: [0, 1] })).toBeDefined();
    }
  });

  it('hold the public values of the set, and no pair secret', () => {
    const keys = openingKeys(snapshot, opener.bundle(), {
      plan,
      attempt: 0,
      set: [0, 1],
    });
    expect(Object.keys(keys?.bundles ?? {})).toEqual(['0', '1']);
    expect(keys?.ciphertexts).toEqual({ 0: snapshot.pairs[0]?.ciphertext });
  });
});

describe('a pair of an opening', () => {
  it('fits as it was', () => expect(reasonOf({})).toBe('fits'));

  it('with a ciphertext that is missing, short or long is named, for the lower and the higher member', () => {
    for (const other of [0, 2]) {
      const ciphertext = opening.ciphertexts[other] ?? new Uint8Array(0);
      const { [other]: _, ...missing } = opening.ciphertexts;
      for (const ciphertexts of [
        missing,
        { ...opening.ciphertexts, [other]: ciphertext.subarray(1) },
        { ...opening.ciphertexts, [other]: new Uint8Array([...ciphertext, 0]) },
      ])
        expect(reasonOf({ ciphertexts })).toBe(`the ciphertext of the pair with member ${other} is not the one that its keys make`);
    }
  });

  it('with a key of low order is named, also where the ledger has the bundle of that key', () => {
    const theirs = opening.bundles[2];
    if (!theirs) throw new Error('member 2 is there');
    const low = { ...theirs, x25519: new Uint8Array(32) };
    const joined = { ...facts.joined, 2: bundleDigest(context, 2, low) };
    expect(reasonOf({ bundles: { ...opening.bundles, 2: low } }, { joined })).toMatch(/pair with member 2/);
  });
});
