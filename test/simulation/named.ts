import { type Digest, digestOf, utf8 } from '../../src/common/index.ts';

/** The digest of a word: simulations and tests name their digests. */
export function named(word: string): Digest {
  return digestOf(utf8(word));
}
