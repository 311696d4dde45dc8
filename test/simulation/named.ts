import { type Account, account, type Digest, digestOf, utf8 } from '../../src/common/index.ts';

/** The digest of a word: simulations and tests name their digests. */
export function named(word: string): Digest {
  return digestOf(utf8(word));
}

/** The account of a member: its number in hexadecimal, over and over. */
export function accountOf(member: number): Account {
  const digits = (member + 1).toString(16);
  return account(`0x${digits.repeat(40 / digits.length)}`);
}
