/** Contract rules of runs and of a round that goes well, on the real engine: order, permissions, deadlines. */
import { beforeEach, describe, expect, it } from 'vitest';
import { readyHash } from '../../src/ledger/evm/ready.ts';
import { freshAccountKey } from '../../src/ledger/index.ts';
import type { RunTerms } from '../../src/wire/index.ts';
import { ballot, base, Consortium, context, named, plan, Run, study, sum, terms } from '../support/ledger.ts';

let consortium: Consortium;
beforeEach(async () => {
  consortium = await Consortium.create({ members: 4 });
  return () => consortium[Symbol.asyncDispose]();
});

const everybody = [0, 1, 2, 3];
const rosterOf = (members: readonly number[]) => members.map((member) => consortium.key(member).account);
const startRun = (members: readonly number[], own: Partial<RunTerms> = {}) =>
  ({ kind: 'startRun', study, roster: rosterOf(members), terms: { ...terms, ...own }, base, plan }) as const;

describe('starting a run', () => {
  it('takes exactly the members that approved, sorted', async () => {
    await Run.approve(consortium, [0, 1, 3]);
    await consortium.refused(0, startRun([0, 1]), 'BadRoster');
    await consortium.refused(0, startRun(everybody), 'BadRoster');
    await consortium.refused(0, startRun([0, 1, 2]), 'BadRoster');
    await consortium.refused(0, startRun([0, 3, 1]), 'BadRoster');
    await consortium.refused(0, startRun([0, 1, 1]), 'BadRoster');
    await consortium.refused(freshAccountKey(), startRun([0, 1, 3]), 'NotActive');
    await consortium.submit(2, { kind: 'decideStudy', study, approved: true, dataVersion: named('d') });
    await consortium.refused(0, startRun([0, 1, 3]), 'BadRoster');
    await consortium.submit(2, { kind: 'decideStudy', study, approved: false, dataVersion: named('d') });
    await consortium.submit(2, startRun([0, 1, 3]));
    expect(await consortium.runFacts(1)).toEqual([
      { kind: 'runStarted', study, starter: consortium.key(2).account, roster: rosterOf([0, 1, 3]), terms, base, plan },
    ]);
    expect(await consortium.roundFacts(1)).toMatchObject([{ kind: 'opened', base, plan, roster: [0, 1, 2], round: 0 }]);
  });

  it('needs three members, whatever the terms say', async () => {
    await Run.approve(consortium, [0, 1]);
    await consortium.refused(0, startRun([0, 1], { minMembers: 2 }), 'BadRoster');
    await consortium.submit(2, { kind: 'decideStudy', study, approved: true, dataVersion: named('d') });
    await consortium.refused(0, startRun([0, 1, 2], { minMembers: 2 }), 'BadTerms');
    await consortium.refused(0, startRun([0, 1, 2], { minMembers: 4 }), 'BadTerms');
  });

  it.each([
    { rounds: 0 },
    { maxAttempts: 0 },
    { maxAttempts: 9 },
    { joinS: 0 },
    { shareS: 0 },
    { commitS: 0 },
    { readyS: 0 },
    { revealS: 0 },
    { groupSize: 2 },
    { groupSize: 3, open: true },
    { protocol: 0 },
  ])('refuses the terms %o', async (own) => {
    await Run.approve(consortium, everybody);
    await consortium.refused(0, startRun(everybody, own), 'BadTerms');
  });

  it('is for one live run of a study at a time', async () => {
    const run = await Run.start(consortium);
    await consortium.refused(1, startRun(everybody), 'RunIsLive(1)');
    await consortium.refused(1, { kind: 'stopRun', run: run.run }, 'NotStarter');
    await consortium.submit(0, { kind: 'stopRun', run: run.run });
    expect((await consortium.runFacts(1)).at(-1)).toEqual({ kind: 'runEnded', outcome: 'stopped', present: [] });
    await consortium.refused(0, { kind: 'join', ...run.at(0), bundle: base }, 'RunIsOver');
    await consortium.refused(0, { kind: 'advance', ...run.at(0) }, 'RunIsOver');
    await consortium.refused(0, { kind: 'stopRun', run: 1 }, 'RunIsOver');
    await consortium.refused(0, { kind: 'stopRun', run: 7 }, 'NoSuchRun');
    await consortium.submit(1, startRun(everybody));
    expect((await consortium.runFacts(2)).map((fact) => fact.kind)).toEqual(['runStarted']);
  });
});

describe('a round', () => {
  it('goes through its phases by itself, fact by fact, to the end of the run', async () => {
    const run = await Run.start(consortium);
    await run.finish(0);
    await run.finish(1);
    const events = (await consortium.events()).filter((event) => event.scope !== 'consortium');
    const facts = events.map((event) => event.fact.kind);
    const round = ['joined', 'joined', 'joined', 'joined', 'joinClosed', 'vouched', 'vouched', 'vouched', 'vouched', 'attemptOpened'];
    const attempt = [
      'committed',
      'committed',
      'committed',
      'committed',
      'commitClosed',
      'ready',
      'ready',
      'ready',
      'ready',
      'readyClosed',
      'voted',
      'voted',
      'voted',
      'final',
    ];
    expect(facts).toEqual(['runStarted', 'opened', ...round, ...attempt, 'opened', ...round, ...attempt, 'runEnded']);
    expect(await run.of.roundFacts(1, 'opened')).toMatchObject([
      { base, plan, roster: everybody, round: 0 },
      { base: ballot.state, plan: ballot.nextPlan, roster: everybody, round: 1 },
    ]);
    expect((await run.of.roundFacts(1, 'final'))[0]).toEqual({ kind: 'final', attempt: 0, set: everybody, ...ballot, round: 0 });
    expect((await run.of.roundFacts(1, 'vouched'))[2]).toEqual({ kind: 'vouched', member: 2, holds: everybody, round: 0 });
    expect((await run.of.roundFacts(1, 'readyClosed'))[0]).toMatchObject({ attempt: 0, sum });
    expect((await run.of.runFacts(1)).at(-1)).toEqual({ kind: 'runEnded', outcome: 'complete', present: everybody });
    await run.of.refused(0, { kind: 'join', ...run.at(2), bundle: base }, 'RunIsOver');
  });

  it('states deadlines in ledger time', async () => {
    const run = await Run.start(consortium, { joinS: 31, shareS: 32, commitS: 33, readyS: 34, revealS: 35 });
    await run.toPhase('reveal');
    const left = (await consortium.events()).flatMap((event) => ('deadlineS' in event.fact ? [[event.fact.kind, event.fact.deadlineS - event.timeS]] : []));
    expect(left).toEqual([
      ['opened', 31],
      ['joinClosed', 32],
      ['attemptOpened', 33],
      ['commitClosed', 34],
      ['readyClosed', 35],
    ]);
  });

  it('takes each move once, in its phase, from its members', async () => {
    const run = await Run.start(consortium);
    const at = run.at(0);
    const outsider = freshAccountKey();
    const join = { kind: 'join', ...at, bundle: base } as const;
    const vouch = { kind: 'vouch', ...at, holds: everybody } as const;
    const commit = { kind: 'commit', ...at, attempt: 0, root: base } as const;
    const have = { kind: 'have', ...at, attempt: 0, holds: everybody } as const;
    const ready = run.readyBy(0, 0, everybody);
    const vote = { kind: 'vote', accept: true, ...at, ...ballot } as const;
    await consortium.refused(outsider, join, 'NotActive');
    await consortium.refused(outsider, { kind: 'advance', ...at }, 'NotActive');
    await consortium.refused(0, { ...join, round: 1 }, 'WrongRound(0)');
    await consortium.refused(0, { ...join, run: 2 }, 'NoSuchRun');
    for (const early of [vouch, commit, have, ready, vote]) await consortium.refused(0, early, 'WrongPhase(1)');
    await consortium.submit(0, join);
    await consortium.refused(0, join, 'AlreadyDone');
    await run.join(0, [1, 2, 3]);
    for (const wrong of [join, commit, vote]) await consortium.refused(0, wrong, 'WrongPhase(2)');
    await consortium.submit(0, vouch);
    await consortium.refused(0, vouch, 'AlreadyDone');
    await run.vouch(0, [1, 2, 3], everybody);
    await consortium.refused(0, { ...commit, attempt: 1 }, 'WrongAttempt(0)');
    await consortium.submit(0, commit);
    await consortium.refused(0, commit, 'AlreadyDone');
    await run.commit(0, 0, [1, 2, 3]);
    for (const wrong of [vouch, commit, vote]) await consortium.refused(0, wrong, 'WrongPhase(4)');
    await consortium.submit(0, ready);
    await consortium.refused(0, ready, 'AlreadyDone');
    await consortium.refused(0, have, 'AlreadyDone');
    await run.ready(0, 0, [1, 2, 3], everybody);
    await consortium.submit(0, vote);
    await consortium.refused(0, vote, 'AlreadyDone');
    await consortium.refused(outsider, vote, 'NotActive');
  });

  it('is not for members outside the run', async () => {
    await Run.approve(consortium, [0, 1, 2]);
    await consortium.submit(3, startRun([0, 1, 2]));
    await consortium.refused(3, { kind: 'join', run: 1, round: 0, bundle: base }, 'NotInRun');
    await consortium.refused(3, { kind: 'advance', run: 1, round: 0 }, 'NotInRun');
    await consortium.refused(3, { kind: 'rejoinRun', run: 1 }, 'NotInRun');
    await consortium.submit(3, { kind: 'stopRun', run: 1 });
  });

  it('takes a READY only with the member’s own signature over exactly this list and sum', async () => {
    const run = await Run.start(consortium);
    await run.toPhase('ready');
    const ready = run.readyBy(0, 0, everybody);
    const ledgers = await Promise.all(everybody.map((member) => consortium.ledgerOf(consortium.key(member))));
    await consortium.refused(0, run.readyBy(0, 0, [0, 1, 2]), 'BadSignature');
    await consortium.refused(0, run.readyBy(0, 0, [1, 0, 2, 3]), 'BadSignature');
    await consortium.submit(1, ready);
    const [fact] = await consortium.roundFacts(1, 'ready');
    const signature = fact?.signature ?? '';
    expect(ledgers[0]?.readySigner({ ...ready, signature })).toBe(consortium.key(1).account);
    expect(ledgers[0]?.readySigner({ ...ready, sum: base, signature })).not.toBe(consortium.key(1).account);
    const forged = async (by: number, of: typeof ready, with65: string): Promise<void> =>
      expect(consortium.submitReady(by, of, with65)).rejects.toMatchObject({ detail: { reason: 'BadSignature()' } });
    await forged(0, ready, signature);
    await forged(0, { ...ready, sum: base }, signature);
    await forged(0, ready, `0x${'00'.repeat(65)}`);
    await forged(0, ready, signature.slice(0, -2));
  });

  it('refuses a high-s READY of its own signer', async () => {
    const run = await Run.start(consortium);
    await run.toPhase('ready');
    const ready = run.readyBy(0, 0, everybody);
    const signature = await consortium.key(2).sign(readyHash(4_711, consortium.contract, ready));
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const highS = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
    const twin = `${signature.slice(0, 66)}${highS}${signature.endsWith('1b') ? '1c' : '1b'}`;
    expect((await consortium.ledgerOf(consortium.key(0))).readySigner({ ...ready, signature: twin })).toBeUndefined();
    await expect(consortium.submitReady(2, ready, twin)).rejects.toMatchObject({ detail: { reason: 'BadSignature()' } });
    await consortium.submitReady(2, ready, signature);
  });

  it('is FINAL by two thirds plus one equal votes; a late vote still shows', async () => {
    const run = await Run.start(consortium);
    await run.toPhase('reveal');
    await run.vote(0, [0]);
    await consortium.submit(3, { kind: 'vote', accept: true, ...run.at(0), ...ballot, model: named('another') });
    await run.vote(0, [1]);
    expect(await consortium.roundFacts(1, 'final')).toEqual([]);
    await run.vote(0, [2]);
    expect(await consortium.roundFacts(1, 'final')).toHaveLength(1);
    await consortium.refused(3, { kind: 'vote', accept: true, ...run.at(0), ...ballot }, 'AlreadyDone');
    await run.toPhase('reveal', 1);
    await run.vote(1, [0, 1, 3]);
    await run.vote(1, [2]);
    await consortium.refused(2, { kind: 'vote', accept: true, ...run.at(1), ...ballot }, 'AlreadyDone');
    expect((await consortium.roundFacts(1, 'voted')).at(-1)).toEqual({ kind: 'voted', accept: true, member: 2, ...ballot, round: 1 });
    expect((await consortium.runFacts(1)).at(-1)).toMatchObject({ outcome: 'complete' });
    await consortium.refused(2, { kind: 'vote', accept: true, ...run.at(0), ...ballot }, 'RunIsOver');
  });

  it('takes the READY context as it is said', async () => {
    const run = await Run.start(consortium);
    await run.toPhase('reveal');
    expect(await consortium.roundFacts(1, 'ready')).toMatchObject(everybody.map((member) => ({ attempt: 0, member, context, sum })));
  });
});
