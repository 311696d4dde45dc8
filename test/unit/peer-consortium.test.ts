/** The picture that a peer makes of the ledger's facts. */
import { expect, test } from 'vitest';
import { account, digest } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import { Consortium } from '../../src/peer/consortium.ts';
import type { RoundFact } from '../../src/wire/index.ts';

const accounts = ['1', '2', '3'].map((digit) => account(`0x${digit.repeat(40)}`));
const hash = (digit: string) => digest(digit.repeat(64));
const terms = { rounds: 2, minMembers: 3, maxAttempts: 4, joinS: 10, shareS: 10, commitS: 10, readyS: 10, revealS: 10 };
let at = 0;

function event(body: object): LedgerEvent {
  at++;
  return { id: `${at}:0`, block: at, timeS: 1000 + at, transaction: `0x${at}`, ...body } as LedgerEvent;
}

const member = (index: number): LedgerEvent =>
  event({ scope: 'consortium', fact: { kind: 'admitted', account: accounts[index], peerId: `12D3KooW${'x'.repeat(44)}`, name: `M${index}` } });
const round = (fact: RoundFact): LedgerEvent => event({ scope: 'round', run: 1, round: 0, fact });
const started = event({
  scope: 'run',
  run: 1,
  fact: { kind: 'runStarted', study: hash('a'), starter: accounts[0], roster: accounts, terms, base: hash('b'), plan: hash('c') },
});

function picture(...events: readonly LedgerEvent[]): Consortium {
  const consortium = new Consortium(3);
  for (const one of [member(0), member(1), member(2), ...events]) consortium.apply(one);
  return consortium;
}

test('a revoked member is no longer among those that may connect, and its approval does not count', () => {
  const published = event({ scope: 'consortium', fact: { kind: 'studyPublished', study: hash('a'), by: accounts[0], root: hash('d'), sizeBytes: 10 } });
  const approvals = accounts.map((by) =>
    event({ scope: 'consortium', fact: { kind: 'studyDecided', study: hash('a'), by, approved: true, dataVersion: hash('e') } }),
  );
  const before = picture(published, ...approvals);
  expect(before.approvers(hash('a'))).toEqual(accounts);
  const after = picture(published, ...approvals, event({ scope: 'consortium', fact: { kind: 'revoked', account: accounts[1] } }));
  expect(after.approvers(hash('a'))).toEqual([accounts[0], accounts[2]]);
  expect(after.active().map(({ name }) => name)).toEqual(['M0', 'M2']);
});

test('an approval ends with revocation and does not come back with a new admission', () => {
  const published = event({ scope: 'consortium', fact: { kind: 'studyPublished', study: hash('a'), by: accounts[0], root: hash('d'), sizeBytes: 10 } });
  const approved = event({ scope: 'consortium', fact: { kind: 'studyDecided', study: hash('a'), by: accounts[1], approved: true, dataVersion: hash('e') } });
  const again = picture(published, approved, event({ scope: 'consortium', fact: { kind: 'revoked', account: accounts[1] } }), member(1));
  expect(again.approvers(hash('a'))).toEqual([]);
});

test('a round shows its phase, its set, and who has done what it waits for', () => {
  const opened = round({ kind: 'opened', base: hash('b'), plan: hash('c'), roster: [0, 1, 2], sinceS: 1000, deadlineS: 2000 });
  const consortium = picture(started, opened, round({ kind: 'joined', member: 2, bundle: hash('f') }), round({ kind: 'joined', member: 0, bundle: hash('f') }));
  expect(consortium.runs.get(1)?.rounds).toMatchObject([{ round: 0, phase: 'join', set: [0, 1, 2], done: [0, 2], deadlineS: 2000 }]);
  consortium.apply(round({ kind: 'joinClosed', joined: [0, 2], sinceS: 1000, deadlineS: 2010 }));
  consortium.apply(round({ kind: 'attemptOpened', attempt: 0, set: [0, 2], sinceS: 1000, deadlineS: 2020 }));
  consortium.apply(round({ kind: 'final', attempt: 0, set: [0, 2], state: hash('1'), model: hash('2'), nextPlan: hash('3') }));
  expect(consortium.runs.get(1)?.rounds).toMatchObject([{ phase: 'final', set: [0, 2], state: hash('1'), model: hash('2') }]);
});

test('only the newest facts are kept for people, newest first', () => {
  const consortium = picture();
  consortium.apply(started);
  expect(consortium.lines().map(({ fact }) => fact.kind)).toEqual(['runStarted', 'admitted', 'admitted']);
  expect(consortium.factCount()).toBe(4);
});
