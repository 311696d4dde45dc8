/** What every key agreement must do: the one of the protocol, and the cheap one of the simulation. */
import { describe, expect, it } from 'vitest';
import type { KeyAgreement } from '../../src/aggregation/index.ts';
import { seededBytes } from '../support/custodians.ts';

export function keyAgreementCompliance(name: string, keys: KeyAgreement): void {
  const [lower, higher, third] = [1, 2, 3].map((member) => seededBytes('key agreement', member)(32)) as [Uint8Array, Uint8Array, Uint8Array];
  const pair = keys.kemKeys(seededBytes('kem')(64));
  const coins = seededBytes('coins')(32);
  const made = keys.kemEncapsulate(pair.publicKey, coins);
  if (!made) throw new Error('a valid key');

  describe(`the key agreement by ${name}`, () => {
    it('gives both members of a pair one secret of 32 bytes, and every other pair another', () => {
      const secret = keys.x25519Shared(lower, keys.x25519Public(higher));
      expect(secret).toEqual(keys.x25519Shared(higher, keys.x25519Public(lower)));
      expect(secret?.length).toBe(32);
      expect(secret).not.toEqual(keys.x25519Shared(lower, keys.x25519Public(third)));
      expect(secret).not.toEqual(keys.x25519Shared(third, keys.x25519Public(higher)));
    });

    it('refuses a point that fixes the secret', () => {
      expect(keys.x25519Shared(lower, new Uint8Array(32))).toBeUndefined();
    });

    it('has keys and ciphertexts of the sizes that travel', () => {
      const sizes = [keys.x25519Public(lower).length, pair.publicKey.length, made.ciphertext.length, made.secret.length];
      expect(sizes).toEqual([32, 1184, 1088, 32]);
    });

    it('gives the same keys for the same seed, the same ciphertext for the same coins, and others for others', () => {
      expect(keys.kemKeys(seededBytes('kem')(64))).toEqual(pair);
      expect(keys.kemKeys(seededBytes('another')(64)).publicKey).not.toEqual(pair.publicKey);
      expect(keys.kemEncapsulate(pair.publicKey, coins)).toEqual(made);
      const other = keys.kemEncapsulate(pair.publicKey, seededBytes('other coins')(32));
      expect([other?.ciphertext, other?.secret]).not.toContainEqual(made.ciphertext);
      expect(other?.secret).not.toEqual(made.secret);
    });

    it('opens a ciphertext to its secret; a changed one, or another key, gives an unrelated secret and no error', () => {
      expect(keys.kemDecapsulate(pair.secretKey, made.ciphertext)).toEqual(made.secret);
      for (const at of [0, 500, 1087]) {
        const changed = made.ciphertext.slice();
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(keys.kemDecapsulate(pair.secretKey, changed)).not.toEqual(made.secret);
      }
      expect(keys.kemDecapsulate(keys.kemKeys(seededBytes('another')(64)).secretKey, made.ciphertext)).not.toEqual(made.secret);
    });

    it('does not encapsulate to a key that is none', () => {
      expect(keys.kemEncapsulate(new Uint8Array(1184).fill(255), coins)).toBeUndefined();
      expect(keys.kemEncapsulate(pair.publicKey.slice(1), coins)).toBeUndefined();
    });
  });
}
