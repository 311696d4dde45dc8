import { expect } from 'vitest';
import type { LedgerEvent } from '../../../src/ledger/index.ts';
import type { RoundFact } from '../../../src/wire/index.ts';
import { genesisS, signReady } from '../ledger.ts';
import { accountOf, named } from '../named.ts';
import { oneSumIsReady } from '../oracles.ts';
import { nothingSeen, type Seen } from '../seen.ts';
import { terms } from '../terms.ts';
import { type Case, quiet } from './case.ts';

const set = [0, 1, 2, 3];
const members = set.map(accountOf);
const context = named('context');
const [sum, another] = [named('sum'), named('another sum')];

const ready = (member: number, on: typeof sum, signer: number): RoundFact => {
  const signature = signReady(accountOf(signer), { context, members, sum: on });
  return { kind: 'ready', attempt: 0, member, context, sum: on, signature };
};

/** Members 0 and 1 are READY on one sum, the traitor, member 2, on another, and then comes the last READY. */
function seenWith(last: RoundFact, lies: number[]): Seen {
  const place = { block: 1, timeS: genesisS, transaction: '0x', run: 1 };
  const start = { study: named('study'), starter: accountOf(0), roster: members, terms: { ...terms, rounds: 2 }, base: named('base'), plan: named('plan') };
  const facts: readonly RoundFact[] = [
    { kind: 'attemptOpened', attempt: 0, set, sinceS: genesisS, deadlineS: genesisS + 15 },
    ...[0, 1].map((member) => ready(member, sum, member)),
    ready(2, another, 2),
    last,
  ];
  const events: LedgerEvent[] = [
    { ...place, id: '1:0', scope: 'run', fact: { kind: 'runStarted', ...start } },
    ...facts.map((fact, at): LedgerEvent => ({ ...place, id: `1:${at + 1}`, scope: 'round', round: 0, fact })),
  ];
  return { ...nothingSeen({ ...quiet, members: 4, traitors: [{ member: 2, kind: 'READY on another sum' }] }), events, lies };
}

export const found: Case = {
  by: 'seed 7001171',
  wrong:
    'A lying ledger forged the READY of an honest member right behind that of a Byzantine one, and with its sum: the oracle of one sum held the forgery against the honest member.',
  fix: 'Where the ledger lies, a READY without its member’s signature is no word of that member (test/simulation/oracles.ts).',
  check: () => {
    const wrong = ['member 3 is READY on another sum in attempt 0 of round 0'];
    expect(oneSumIsReady(seenWith(ready(3, another, 2), [0]))).toEqual([]);
    expect(oneSumIsReady(seenWith(ready(3, another, 3), [0]))).toEqual(wrong);
    expect(oneSumIsReady(seenWith(ready(3, another, 2), []))).toEqual(wrong);
  },
};
