/** Merge rules: how several vectors become one where some of them may be made to do harm. */
import { aggregationErrors } from '../errors.ts';

/**
 * What merges vectors. `f` is how many of them may be arbitrary; `radius` is how far a vector may pull, as an L2 norm of the update.
 * `mean` is the plain sum, with each vector weighing its rows; every other rule gives each vector one voice.
 */
export type MergeRule =
  | { readonly kind: 'mean' }
  /** Yin et al. 2018, coordinate-wise median; of an even number the lower of the middle two. */
  | { readonly kind: 'coordinate-median'; readonly f: number }
  /** Yin et al. 2018: per coordinate, the mean without the f smallest and the f largest. */
  | { readonly kind: 'trimmed-mean'; readonly f: number }
  /** Pillutla et al. 2022 (RFA): the point of least summed distance, by 32 steps of Weiszfeld's. */
  | { readonly kind: 'geometric-median'; readonly f: number }
  /** Blanchard et al. 2017: the vector closest to its n - f - 2 nearest others. */
  | { readonly kind: 'krum'; readonly f: number }
  /** Damaskinos et al. 2019: the mean of the n - f - 2 vectors with the best Krum scores. */
  | { readonly kind: 'multi-krum'; readonly f: number }
  /** Karimireddy et al. 2021: the last aggregate, moved by the mean of the differences to it, each cut to `radius`. */
  | { readonly kind: 'centred-clipping'; readonly f: number; readonly radius: number };

/** Fewest vectors that a rule can merge: 2f + 1, or 2f + 3 for those that count neighbours. */
export function fewestVectors(rule: MergeRule): number {
  if (rule.kind === 'mean') return 1;
  return 2 * rule.f + (rule.kind === 'krum' || rule.kind === 'multi-krum' ? 3 : 1);
}

/** Throws AGGREGATION_TOO_FEW where `vectors` are fewer than the rule needs. */
export function checkCount(rule: MergeRule, vectors: number): void {
  const needed = fewestVectors(rule);
  if (vectors < needed) throw aggregationErrors.AGGREGATION_TOO_FEW({ rule: rule.kind, vectors, needed });
}
