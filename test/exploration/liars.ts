/** What Byzantine members and a lying ledger say, from what the ledger shows. */
import { attemptContext } from '../../src/aggregation/index.ts';
import type { Account, Digest } from '../../src/common/index.ts';
import type { RoundPost } from '../../src/round/index.ts';
import type { MemberSet, RoundFact } from '../../src/wire/index.ts';
import type { Call } from '../simulation/contract-calls.ts';
import { named } from '../simulation/named.ts';
import { opened, type Unmasking } from './digests.ts';
import { type LedgerFact, terms } from './ledger.ts';

/** The newest attempt, where it has come to READY or to REVEAL. */
function attemptIn(facts: readonly LedgerFact[], closing: 'commitClosed' | 'readyClosed') {
  const opening = facts.flatMap(({ fact }) => (fact.kind === 'attemptOpened' ? [fact] : [])).at(-1);
  const closed = facts.some(({ fact }) => fact.kind === closing && fact.attempt === opening?.attempt);
  return closed ? opening : undefined;
}

/** A READY of `member`, validly signed, over a sum that nobody else has. */
export function lyingReady(facts: readonly LedgerFact[], accounts: readonly Account[], member: number, context: Digest | undefined): RoundPost | undefined {
  const open = attemptIn(facts, 'commitClosed');
  if (!open?.set.includes(member) || !context) return undefined;
  const members = open.set.flatMap((one) => accounts[one] ?? []);
  return { kind: 'ready', attempt: open.attempt, context: attemptContext(context, open.attempt, open.set), members, sum: named('lie') };
}

/** A vote of `member` for a state that follows from nothing. */
export function lyingVote(facts: readonly LedgerFact[], member: number): RoundPost | undefined {
  const open = attemptIn(facts, 'readyClosed');
  return open?.set.includes(member) ? { kind: 'vote', ...opened(open.attempt, open.set), state: named('lie') } : undefined;
}

/** Everything that unmasks, from everybody else. */
export function earlyRequests(all: MemberSet, member: number): readonly (readonly [number, Unmasking])[] {
  const attempts = Array.from({ length: terms.maxAttempts }, (_, attempt) => attempt);
  return all
    .filter((to) => to !== member)
    .flatMap((to) =>
      attempts.flatMap((attempt): (readonly [number, Unmasking])[] => [
        [to, { kind: 'seed', attempt }],
        ...all.filter((owner) => owner !== to).map((owner) => [to, { kind: 'seedShare', attempt, owner }] as const),
      ]),
    );
}

/** A READY that the ledger makes up for each member that has not spoken, equal to one that it has. */
export function forgeries(facts: readonly LedgerFact[]): readonly { readonly victim: number; readonly call: Extract<Call, { readonly kind: 'ready' }> }[] {
  const open = attemptIn(facts, 'commitClosed');
  const ready = facts.flatMap(({ fact }): (RoundFact & { kind: 'ready' })[] => (fact.kind === 'ready' && fact.attempt === open?.attempt ? [fact] : []));
  const [shown] = ready;
  if (!open || !shown || attemptIn(facts, 'readyClosed')?.attempt === open.attempt) return [];
  const victims = open.set.filter((member) => !ready.some((fact) => fact.member === member));
  return victims.map((victim) => ({ victim, call: { ...shown, round: 0, members: [], signature: 'forged' } }));
}
