/** What stands for vectors and states: each is the digest of a word that says what it is made of. */
import type { Account, Digest } from '../../src/common/index.ts';
import type { Item, MemberSet } from '../../src/wire/index.ts';
import { named } from '../simulation/named.ts';

/** An item that, once it has left, takes a mask away. */
export type Unmasking = Extract<Item, { readonly kind: 'seed' | 'seedShare' }>;

/** Whether an item takes a mask away. */
export const isUnmasking = (item: Item): item is Unmasking => item.kind === 'seed' || item.kind === 'seedShare';

export const base: Digest = named('base');
export const plan: Digest = named('plan');

/** Accounts of `members` members in the order of the roster. */
export function accountsOf(members: number): readonly Account[] {
  return Array.from({ length: members }, (_, member) => `0x${String(member + 1).repeat(40)}` as Account);
}

/** A member's masked vector. */
export function rootOf(member: number, attempt: number, set: MemberSet): Digest {
  return named(`root/${member}/${attempt}/${set}`);
}

/** The masked sum of a set. */
export function sumOf(attempt: number, set: MemberSet): Digest {
  return named(`sum/${attempt}/${set}`);
}

/** What the members of a set compute from their sum. */
export function opened(
  attempt: number,
  set: MemberSet,
): { readonly accept: boolean; readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest } {
  return { accept: true, state: named(`state/${attempt}/${set}`), model: named(`model/${attempt}/${set}`), nextPlan: named('next plan') };
}
