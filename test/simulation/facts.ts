/** Facts of one kind out of what a world saw, each with its round. */
import type { RoundFact } from '../../src/wire/index.ts';
import type { Seen } from './seen.ts';

/** Says what is wrong in a world, in words with the place. */
export type Oracle = (seen: Seen) => readonly string[];

/** A fact of one kind, with its round. */
export type FactOf<Kind extends RoundFact['kind']> = Extract<RoundFact, { readonly kind: Kind }> & { readonly round: number };

/** Facts of one kind in the ledger's order, of the first `before` events. */
export function factsOf<Kind extends RoundFact['kind']>(seen: Seen, kind: Kind, before = seen.events.length): FactOf<Kind>[] {
  return seen.events
    .slice(0, before)
    .flatMap((event) =>
      event.scope === 'round' && event.fact.kind === kind ? [{ ...(event.fact as Extract<RoundFact, { kind: Kind }>), round: event.round }] : [],
    );
}
