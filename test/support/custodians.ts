/** A group of custodians that have exchanged bundles and shares, with repeatable keys. */
import { Custodian, createSecrets } from '../../src/aggregation/index.ts';
import { type Digest, digestOf, seededChance, utf8 } from '../../src/common/index.ts';

/** Seeded bytes in place of the operating system's. */
export function seededBytes(...seed: readonly (string | number)[]): (sizeBytes: number) => Uint8Array {
  const chance = seededChance('fresh', ...seed);
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => chance.below(256));
}

export const groupContext: Digest = digestOf(utf8('context'));

/** Custodians of the members of `roster` before anything was exchanged. */
export function strangers(roster: readonly number[], { seed = 1, attempts = 2 } = {}): Custodian[] {
  const threshold = Math.floor((2 * roster.length) / 3) + 1;
  return roster.map((self) => {
    const fresh = seededBytes(seed, self);
    return new Custodian(createSecrets({ context: groupContext, self, roster, threshold, attempts }, fresh), fresh);
  });
}

/** The same after every bundle and every share has arrived. */
export function acquainted(roster: readonly number[], options: { readonly seed?: number; readonly attempts?: number } = {}): Custodian[] {
  const group = strangers(roster, options);
  const pairs = roster.flatMap((from, i) => roster.flatMap((to, j) => (i === j ? [] : [{ from, to, sender: group[i], receiver: group[j] }])));
  for (const { from, sender, receiver } of pairs) if (sender) receiver?.acceptBundle(from, sender.bundle());
  for (const { from, to, sender, receiver } of pairs.sort((a, b) => a.from - b.from)) {
    const shares = sender?.sharesFor(to);
    if (shares) receiver?.acceptShares(from, shares);
  }
  return group;
}
