/** A group of custodians that have exchanged bundles and shares, with repeatable keys. */
import { addPieces, Custodian, createSecrets, type SegmentSlot } from '../../src/aggregation/index.ts';
import { addMasks } from '../../src/aggregation/secagg/masking.ts';
import { type Digest, digestOf, seededChance, utf8 } from '../../src/common/index.ts';

/** Seeded bytes in place of the operating system's. */
export function seededBytes(...seed: readonly (string | number)[]): (sizeBytes: number) => Uint8Array {
  const chance = seededChance('fresh', ...seed);
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => chance.below(256));
}

export const groupContext: Digest = digestOf(utf8('context'));

/** Custodians of the members of `roster` before anything was exchanged. */
export function strangers(roster: readonly number[], { seed = 1, attempts = 2, context = groupContext } = {}): Custodian[] {
  const threshold = Math.floor((2 * roster.length) / 3) + 1;
  return roster.map((self) => {
    const fresh = seededBytes(seed, self);
    return new Custodian(createSecrets({ context, self, roster, threshold, attempts, generations: 2 }, fresh));
  });
}

/** The same after every bundle and every share has arrived. */
export function acquainted(
  roster: readonly number[],
  options: { readonly seed?: number; readonly attempts?: number; readonly context?: Digest } = {},
): Custodian[] {
  const group = strangers(roster, options);
  const pairs = roster.flatMap((from, i) => roster.flatMap((to, j) => (i === j ? [] : [{ from, to, sender: group[i], receiver: group[j] }])));
  for (const { from, sender, receiver } of pairs) if (sender) receiver?.acceptBundle(from, sender.bundle());
  for (const { from, to, sender, receiver } of pairs.sort((a, b) => a.from - b.from)) {
    const shares = sender?.sharesFor(to);
    if (shares) receiver?.acceptShares(from, shares);
  }
  return group;
}

/** What an attempt of a custodian is masked for: the set, in groups the group and the set that it is of. */
interface Masking {
  readonly slots: readonly SegmentSlot[];
  readonly attempt: number;
  readonly set: readonly number[];
  readonly within?: readonly number[];
}

/** The masked vector of one attempt: `words` under all masks of a custodian, in new bytes. */
export function masked(custodian: Custodian | undefined, words: Uint8Array, { slots, attempt, set, within }: Masking): Uint8Array {
  if (!custodian) throw new Error('nobody masks');
  const vector = words.slice();
  addMasks(vector, custodian.masks(attempt, set, within), slots);
  return vector;
}

/** The plain sum: the masked sum without every self mask of the set, in new bytes. */
export function unmasked(custodian: Custodian | undefined, maskedSum: Uint8Array, { slots, attempt, set, within }: Masking): Uint8Array {
  if (!custodian) throw new Error('nobody unmasks');
  const sum = maskedSum.slice();
  addMasks(sum, custodian.selfMasks(attempt, set, within), slots);
  return sum;
}

/** The sum of vectors of one plan, by word: new bytes, exact modulo the word size. */
export function sumVectors(vectors: readonly Uint8Array[], slots: readonly SegmentSlot[]): Uint8Array {
  const sum = new Uint8Array(vectors[0]?.length ?? 0);
  addPieces(
    sum,
    vectors.map((words) => ({ words, sign: 1 })),
    0,
    slots,
  );
  return sum;
}
