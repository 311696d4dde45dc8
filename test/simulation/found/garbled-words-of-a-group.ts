import { expect } from 'vitest';
import type { LedgerEvent } from '../../../src/ledger/index.ts';
import type { RoundFact } from '../../../src/wire/index.ts';
import { genesisS } from '../ledger.ts';
import { accountOf, named } from '../named.ts';
import { whoIsWellTakesPart } from '../oracles-presence.ts';
import { nothingSeen, type Seen } from '../seen.ts';
import { Spectator } from '../spectator.ts';
import { type Case, quiet } from './case.ts';

const [north, south] = [
  [0, 1, 2],
  [3, 4, 5],
];
const leaves = [north, south].map((group = [], at) => ({ name: `group ${at}`, members: group.map(accountOf) }));
const schedule = { ...quiet, members: 6, garble: 0.02, groups: { size: 3, rule: { kind: 'mean' }, named: leaves } } as const;
const result = { state: named('state'), model: named('model'), nextPlan: named('next') };
/** Member 0 is not READY in attempt 0 and left out of attempt 1. */
const facts: readonly RoundFact[] = [
  { kind: 'opened', base: named('base'), plan: named('plan'), roster: [0, 1, 2, 3, 4, 5], sinceS: genesisS, deadlineS: genesisS + 10 },
  { kind: 'attemptOpened', attempt: 0, set: [0, 1, 2, 3, 4, 5], sinceS: genesisS, deadlineS: genesisS + 15 },
  { kind: 'attemptOpened', attempt: 1, set: [1, 2, 3, 4, 5], sinceS: genesisS, deadlineS: genesisS + 15 },
  { kind: 'final', attempt: 1, set: [1, 2, 3, 4, 5], ...result },
];

/** What the world saw where the words of these members of the south came to member 0 garbled, and those of the others as they were sent. */
function seenWith(garbled: readonly number[]): Seen {
  const place = { block: 1, timeS: genesisS, transaction: '0x', run: 1, scope: 'round', round: 0 } as const;
  const seen = { ...nothingSeen(schedule), events: facts.map((fact, at): LedgerEvent => ({ ...place, id: `1:${at}`, fact })) };
  const spectator = new Spectator(seen, []);
  for (const from of south ?? []) {
    spectator.sent({ from, to: 0 }, { context: named('context'), body: { kind: 'groupSum', attempt: 0, root: named('root') } }, 0);
    const root = garbled.includes(from) ? named(`garbled ${from}`) : named('root');
    spectator.journalled(0, 0, { kind: 'groupStated', attempt: 0, from, root });
    spectator.journalled(0, 0, { kind: 'groupStated', attempt: 0, from, root: named('a second word') });
  }
  return seen;
}

export const found: Case = {
  by: 'seed 1005449',
  wrong:
    'Of the words of three members about the root of their group two were garbled; the first word of each counts, so the member that asked could not be READY and was left out, and the oracle of presence did not know why.',
  fix: 'The world compares the words that a member takes with those that were sent: no more than half of a group as they were sent is an excuse (test/simulation/oracles-presence.ts).',
  check: () => {
    expect(whoIsWellTakesPart(seenWith([3, 4]))).toEqual([]);
    for (const garbled of [[], [3]]) expect(whoIsWellTakesPart(seenWith(garbled))).toEqual(['member 0 is well, but was left out of round 0']);
  },
};
