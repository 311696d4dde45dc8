/** The context of an attempt, from what this member itself computed. */
import { attemptContext } from '../aggregation/index.ts';
import type { Digest } from '../common/index.ts';
import type { MemberSet } from '../wire/index.ts';
import type { Attempt, Ground } from './state.ts';

/** Contexts by the list of an attempt, which lives as long as the attempt: each step asks for the context, and hashing it is the dearest part of a step. */
const contexts = new WeakMap<MemberSet, { readonly of: Digest; readonly attempt: number; readonly context: Digest }>();

/** The context of an attempt; undefined before the round opened. */
export function contextOf(ground: Ground, { attempt, set }: Pick<Attempt, 'attempt' | 'set'>): Digest | undefined {
  if (ground.context === undefined) return undefined;
  const known = contexts.get(set);
  if (known?.of === ground.context && known.attempt === attempt) return known.context;
  const context = attemptContext(ground.context, attempt, set);
  contexts.set(set, { of: ground.context, attempt, context });
  return context;
}
