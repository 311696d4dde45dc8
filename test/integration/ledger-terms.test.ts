/** Contract rules beside the plain course of a round, on the real engine: deadlines by pace, leaving, revocation, strikes, rejection, roll-back. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { RoundFact } from '../../src/wire/index.ts';
import { ballot, base, Consortium, named, plan, Run } from '../support/ledger.ts';

let consortium: Consortium;
let run: Run;
const everybody = [0, 1, 2, 3, 4];
const four = [0, 1, 2, 3];
beforeEach(async () => {
  consortium = await Consortium.create({ members: 5 });
  run = await Run.start(consortium, { rounds: 9, joinS: 60, shareS: 60, commitS: 60, readyS: 60, revealS: 60 });
  return () => consortium[Symbol.asyncDispose]();
});

/** Seconds that the newest phase of a kind may last. */
async function limitS(kind: 'opened' | 'joinClosed' | 'attemptOpened' | 'commitClosed' | 'readyClosed'): Promise<number | undefined> {
  const fact = (await consortium.roundFacts(1, kind)).at(-1) as RoundFact | undefined;
  return fact && 'sinceS' in fact ? fact.deadlineS - fact.sinceS : undefined;
}

const sets = async () => (await consortium.roundFacts(1, 'attemptOpened')).map(({ attempt, set }) => [attempt, set]);
const lastRunFact = async () => (await consortium.runFacts(1)).at(-1);
const leave = (member: number) => consortium.submit(member, { kind: 'leaveRun', run: 1 });

async function revoke(member: number): Promise<void> {
  await consortium.submit(0, { kind: 'propose', action: { kind: 'revoke', account: consortium.key(member).account } });
  for (const voter of [1, 2]) await consortium.submit(voter, { kind: 'voteProposal', proposal: 1, support: true });
}

describe('deadlines', () => {
  it('are those of the terms until a round has been FINAL and one more has shown the pace', async () => {
    await run.finish(0);
    expect(await limitS('opened')).toBe(60);
    await run.finish(1);
    expect(await limitS('opened')).toBe(8);
    await run.toPhase('reveal', 2);
    expect([await limitS('joinClosed'), await limitS('attemptOpened'), await limitS('commitClosed'), await limitS('readyClosed')]).toEqual([8, 8, 8, 8]);
  });

  it('follow the slowest seen, which eases by a quarter a round', async () => {
    await run.finish(0);
    await run.toPhase('commit', 1);
    await consortium.pass(9);
    await run.commit(1);
    await run.ready(1);
    await run.vote(1, four);
    await run.finish(2);
    const first = (await consortium.roundFacts(1, 'attemptOpened')).at(-1);
    const pace = ((first?.deadlineS ?? 0) - (first?.sinceS ?? 0) - 2) / 4;
    expect([9, 10, 11]).toContain(pace);
    await run.toPhase('commit', 3);
    expect(await limitS('attemptOpened')).toBe(4 * Math.floor((3 * pace) / 4) + 2);
  });

  it('double where somebody was missing, up to the terms', async () => {
    await run.finish(0);
    await run.finish(1);
    for (const [round, limit] of [
      [2, 8],
      [3, 18],
      [4, 38],
    ] as const) {
      expect(await limitS('opened')).toBe(limit);
      await run.join(round, four);
      await consortium.pass(limit + 1);
      await consortium.submit(0, { kind: 'advance', ...run.at(round) });
      await run.vouch(round, four);
      await run.commit(round, 0, four);
      await run.ready(round, 0, four);
      await consortium.submit(4, { kind: 'rejoinRun', run: 1 });
      await run.vote(round, [0, 1, 2]);
    }
    expect(await limitS('opened')).toBe(60);
  });
});

describe('a member that leaves', () => {
  it('is waited for in no phase', async () => {
    await run.join(0, four);
    expect(await consortium.roundFacts(1, 'joinClosed')).toEqual([]);
    await leave(4);
    expect(await consortium.roundFacts(1, 'joinClosed')).toMatchObject([{ joined: four }]);
  });

  it('in SHARE: the others go on, also where it had vouched', async () => {
    await run.toPhase('share');
    await run.vouch(0, [1, 2, 3, 4], everybody);
    await leave(4);
    await run.vouch(0, [0], everybody);
    expect(await sets()).toEqual([[0, four]]);
  });

  it('in COMMIT: a new attempt as soon as the others have committed, also where it had committed', async () => {
    await run.toPhase('commit');
    await run.commit(0, 0, [4, 0, 1]);
    await leave(4);
    expect(await sets()).toEqual([[0, everybody]]);
    await run.commit(0, 0, [2, 3]);
    expect(await sets()).toEqual([
      [0, everybody],
      [1, four],
    ]);
  });

  it('in READY before its signature: a new attempt; after it: the sum is opened', async () => {
    await run.toPhase('ready');
    await run.ready(0, 0, [4], everybody);
    await leave(4);
    await run.ready(0, 0, four, everybody);
    expect(await consortium.roundFacts(1, 'readyClosed')).toHaveLength(1);
    await run.vote(0, four);
    await run.toPhase('ready', 1, four);
    await run.ready(1, 0, [0, 1, 2], four);
    await leave(3);
    expect(await sets()).toEqual([
      [0, everybody],
      [0, four],
      [1, [0, 1, 2]],
    ]);
  });

  it('in REVEAL: VOID at once where the others cannot agree any more', async () => {
    await run.toPhase('reveal');
    await run.vote(0, [0, 1]);
    await leave(2);
    await leave(3);
    expect(await run.voids()).toEqual([]);
    await consortium.submit(4, { kind: 'vote', accept: true, ...run.at(0), ...ballot, state: named('other') });
    expect(await run.voids()).toEqual([{ round: 0, reason: 'no-agreement' }]);
  });
});

describe('a revoked member', () => {
  it('lets the others advance before the deadline, once nobody else is missing', async () => {
    await run.toPhase('commit');
    await run.commit(0, 0, [0, 1, 2]);
    await revoke(4);
    await consortium.refused(0, { kind: 'advance', ...run.at(0) }, 'NotYetExpired');
    await run.commit(0, 0, [3]);
    await consortium.submit(0, { kind: 'advance', ...run.at(0) });
    expect(await sets()).toEqual([
      [0, everybody],
      [1, four],
    ]);
  });

  it('does so in READY after it committed, and in JOIN', async () => {
    await run.toPhase('ready');
    await revoke(4);
    await run.ready(0, 0, four, everybody);
    await consortium.submit(1, { kind: 'advance', ...run.at(0) });
    expect((await sets()).at(-1)).toEqual([1, four]);
    await run.commit(0, 1, four);
    await run.ready(0, 1, four);
    await run.vote(0, four);
    expect(await run.rosters()).toEqual([everybody, four]);
  });
});

describe('strikes', () => {
  const lose = async (round: number): Promise<void> => {
    await run.toPhase('commit', round);
    await run.commit(round, 0, four);
    await run.expire(round);
    await run.commit(round, 1, four);
    await run.ready(round, 1, four);
  };
  const finishWithout = async (round: number): Promise<void> => {
    await run.of.pass(60);
    await lose(round);
  };

  it('two suspend a member until it says reinstate, and a FINAL with it clears the first', async () => {
    await run.of.pass(1);
    await run.toPhase('commit');
    await run.commit(0, 0, four);
    await run.of.pass(61);
    await consortium.submit(0, { kind: 'advance', ...run.at(0) });
    expect(await lastRunFact()).toEqual({ kind: 'struck', members: [4], suspended: [] });
    await consortium.submit(4, { kind: 'rejoinRun', run: 1 });
    await run.commit(0, 1, four);
    await run.ready(0, 1, four);
    await run.vote(0, four);
    await run.finish(1);
    await consortium.refused(4, { kind: 'reinstate', run: 1 }, 'NotSuspended');
    for (const round of [2, 3]) {
      await finishWithout(round);
      if (round === 2) await consortium.submit(4, { kind: 'rejoinRun', run: 1 });
      expect(await lastRunFact()).toEqual(round === 2 ? { kind: 'rejoined', member: 4 } : { kind: 'struck', members: [4], suspended: [4] });
      await run.vote(round, four);
    }
    await consortium.refused(4, { kind: 'rejoinRun', run: 1 }, 'IsSuspended');
    expect((await run.rosters()).at(-1)).toEqual(four);
    await consortium.submit(4, { kind: 'reinstate', run: 1 });
    await consortium.submit(4, { kind: 'rejoinRun', run: 1 });
    await run.finish(4, four);
    expect((await run.rosters()).at(-1)).toEqual(everybody);
  });

  it('are for those whom nobody vouches for, and not for a round that ends', async () => {
    await run.toPhase('share');
    await run.vouch(0, four, four);
    await run.of.pass(61);
    await consortium.submit(0, { kind: 'advance', ...run.at(0) });
    expect(await lastRunFact()).toEqual({ kind: 'struck', members: [4], suspended: [] });
    await run.of.pass(61);
    await consortium.submit(0, { kind: 'advance', ...run.at(0) });
    expect(await run.voids()).toEqual([{ round: 0, reason: 'too-few-left' }]);
    expect(await lastRunFact()).toEqual({ kind: 'struck', members: [4], suspended: [] });
  });
});

describe('a vote against the result', () => {
  const reject = (member: number, round: number) => consortium.submit(member, { kind: 'vote', accept: false, ...run.at(round), ...ballot });

  it('makes the round VOID as soon as agreement is out of reach; the base stays', async () => {
    await run.toPhase('reveal');
    await run.vote(0, [0, 1]);
    await reject(2, 0);
    expect(await run.voids()).toEqual([]);
    await reject(3, 0);
    expect(await run.voids()).toEqual([{ round: 0, reason: 'rejected' }]);
    expect((await consortium.roundFacts(1, 'opened')).at(-1)).toMatchObject({ base, plan, roster: everybody });
  });

  it('alone does not outvote the others, and is on record', async () => {
    await run.toPhase('reveal');
    await reject(2, 0);
    await run.vote(0, [0, 1, 3, 4]);
    expect(await consortium.roundFacts(1, 'final')).toHaveLength(1);
    expect((await consortium.roundFacts(1, 'voted')).filter(({ accept }) => !accept)).toMatchObject([{ member: 2 }]);
  });
});

describe('roll-back', () => {
  it('starts again from the recorded state of an earlier FINAL round, and counts from there', async () => {
    await run.finish(0);
    await run.toPhase('reveal', 1);
    for (const member of four) await consortium.submit(member, { kind: 'vote', accept: true, ...run.at(1), ...ballot, state: named('second') });
    await run.toPhase('reveal', 2);
    await consortium.refused(1, { kind: 'rollBack', run: 1, keep: 1 }, 'NotStarter');
    for (const keep of [0, 3]) await consortium.refused(0, { kind: 'rollBack', run: 1, keep }, 'NoSuchResult');
    await consortium.submit(0, { kind: 'rollBack', run: 1, keep: 1 });
    expect(await lastRunFact()).toEqual({ kind: 'rolledBack', to: 0 });
    expect(await run.voids()).toEqual([{ round: 2, reason: 'rolled-back' }]);
    expect((await consortium.roundFacts(1, 'opened')).at(-1)).toMatchObject({ round: 3, base: ballot.state, plan: ballot.nextPlan, roster: everybody });
    await consortium.refused(0, { kind: 'rollBack', run: 1, keep: 2 }, 'NoSuchResult');
    for (let round = 3; round < 11; round++) await run.finish(round);
    expect(await lastRunFact()).toEqual({ kind: 'runEnded', outcome: 'complete', present: everybody });
  });
});
