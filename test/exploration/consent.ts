/** What must hold of every message that unmasks. Nothing here asks the machine's own rules. */
import { attemptContext } from '../../src/aggregation/index.ts';
import type { Digest } from '../../src/common/index.ts';
import { itemKey, type Release } from '../../src/round/index.ts';
import { base, sumOf, type Unmasking } from './digests.ts';
import { type LedgerFact, terms } from './ledger.ts';
import type { Local } from './locals.ts';

/** The consent gate (R2), R1, R3 and R6 for one message, told by what the ledger shows and by what was done. `local.left` holds this item already. */
export function checkLeaving(earlierReleases: readonly Release[], facts: readonly LedgerFact[], local: Local, item: Unmasking): readonly string[] {
  const { self, left, machine, erased } = local;
  const opening = facts.flatMap(({ fact }) => (fact.kind === 'attemptOpened' && fact.attempt === item.attempt ? [fact] : [])).at(0);
  const set = opening?.set ?? [];
  const context = attemptContext(machine.ground.context as Digest, item.attempt, set);
  const ready = facts.flatMap(({ fact, forged }) =>
    !forged && fact.kind === 'ready' && fact.attempt === item.attempt && fact.context === context ? [fact] : [],
  );
  const isTooClose = earlierReleases.some((earlier) => {
    const differ = [...set, ...earlier.set].filter((member) => set.includes(member) !== earlier.set.includes(member)).length;
    return earlier.base === base && differ > 0 && differ < terms.minMembers;
  });
  const breaches: readonly (readonly [boolean, string])[] = [
    [set.length < 3 || set.some((member) => !ready.some((fact) => fact.member === member)), 'before n of n READY'],
    [new Set(ready.map(({ sum }) => sum)).size > 1, 'although the sums differ'],
    [set.includes(self) && ready.find(({ member }) => member === self)?.sum !== sumOf(item.attempt, set), 'for a sum that is not its own'],
    [erased < item.attempt, 'with secrets of an earlier attempt on its disk'],
    [new Set(left.map((one) => one.split('/')[1])).size > 1, 'after it released for another attempt'],
    [!set.includes(item.kind === 'seed' ? self : item.owner), 'of a member outside the set'],
    [isTooClose, 'for a list too close to an earlier one'],
  ];
  return breaches.flatMap(([broken, how]) => (broken ? [`member ${self} sends ${itemKey(item)} ${how}`] : []));
}
