import { expect } from 'vitest';
import type { Account } from '../../../src/common/index.ts';
import type { LedgerEvent } from '../../../src/ledger/index.ts';
import { Consortium } from '../../../src/peer/consortium.ts';
import { named } from '../named.ts';
import { terms } from '../terms.ts';
import type { Case } from './case.ts';

const accounts = [1, 2, 3].map((member) => `0x${String(member).repeat(40)}` as Account);

export const found: Case = {
  by: 'seed 706',
  wrong: 'A vote that came after FINAL moved its round behind the newer one, so a restarted driver took the older round for the newest.',
  fix: 'Rounds are kept in the order of their numbers (src/peer/consortium.ts).',
  check: () => {
    const consortium = new Consortium(1);
    const place = (block: number) => ({ id: `${block}:0`, block, timeS: block, transaction: '0x', run: 1 });
    const open = { base: named('base'), plan: named('plan'), roster: [0, 1, 2], sinceS: 0, deadlineS: 9 };
    const voted = { kind: 'voted', member: 2, accept: true, state: named('state'), model: named('model'), nextPlan: named('next') } as const;
    const start = {
      kind: 'runStarted',
      study: named('study'),
      starter: accounts[0] as Account,
      roster: accounts,
      terms: { ...terms, rounds: 2 },
      base: named('base'),
      plan: named('plan'),
    } as const;
    const events: readonly LedgerEvent[] = [
      { ...place(1), scope: 'run', fact: start },
      { ...place(2), scope: 'round', round: 0, fact: { kind: 'opened', ...open } },
      { ...place(3), scope: 'round', round: 1, fact: { kind: 'opened', ...open } },
      { ...place(4), scope: 'round', round: 0, fact: voted },
    ];
    for (const event of events) consortium.apply(event);
    expect(consortium.runs.get(1)?.rounds.map(({ round }) => round)).toEqual([0, 1]);
  },
};
