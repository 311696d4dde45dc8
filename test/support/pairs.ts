/** Two of a group of three that have met: for tests of what one member takes from another. */
import { type Bundle, type Custodian, hybridKeys, type KeyAgreement, type SharesMessage } from '../../src/aggregation/index.ts';
import { strangers } from './custodians.ts';

/** Member 0 and member 1, each with the other's bundle, or with the one that `shown` makes of it. */
export function met(options: { readonly roster?: readonly number[]; readonly attempts?: number; readonly shown?: (bundle: Bundle) => Bundle } = {}) {
  const { roster = [0, 1, 2], attempts = 2, shown = (bundle: Bundle) => bundle } = options;
  const [lower, higher] = strangers(roster, { attempts });
  if (!lower || !higher) throw new Error('a group has two');
  higher.acceptBundle(0, shown(lower.bundle()));
  lower.acceptBundle(1, shown(higher.bundle()));
  return { lower, higher };
}

/** The shares of one for another, that must be there. */
export function sharesOf(sender: Custodian, to: number): SharesMessage {
  const shares = sender.sharesFor(to);
  if (!shares) throw new Error('there are shares');
  return shares;
}

/** The key agreement of the protocol, and every secret that it gave or was given on the way, as it lies in memory. */
export function watchedAgreement(): { readonly agreement: KeyAgreement; readonly passed: readonly Uint8Array[] } {
  const passed: Uint8Array[] = [];
  const kept = <T extends Uint8Array | undefined>(secret: T): T => {
    if (secret) passed.push(secret);
    return secret;
  };
  const agreement: KeyAgreement = {
    ...hybridKeys,
    x25519Shared: (own, other) => kept(hybridKeys.x25519Shared(own, other)),
    kemEncapsulate: (key, coins) => {
      const made = hybridKeys.kemEncapsulate(key, kept(coins));
      kept(made?.secret);
      return made;
    },
    kemDecapsulate: (key, ciphertext) => kept(hybridKeys.kemDecapsulate(key, ciphertext)),
  };
  return { agreement, passed };
}
