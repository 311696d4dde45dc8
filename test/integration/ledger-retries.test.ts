/** Contract rules of rounds in which something fails: deadlines, attempts, VOID, and who is expected next. On the real engine. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ballot, base, Consortium, named, plan, Run, sum } from '../support/ledger.ts';

let consortium: Consortium;
let run: Run;
beforeEach(async () => {
  consortium = await Consortium.create({ members: 5 });
  run = await Run.start(consortium, { rounds: 3 });
  return () => consortium[Symbol.asyncDispose]();
});

const everybody = [0, 1, 2, 3, 4];
const advance = () => ({ kind: 'advance', ...run.at(0) }) as const;
const sets = async (round = 0) =>
  (await consortium.roundFacts(1, 'attemptOpened')).filter((fact) => fact.round === round).map(({ attempt, set }) => [attempt, set]);

describe('JOIN', () => {
  it('goes on at its deadline with enough, and not a second earlier', async () => {
    await run.join(0, [0, 2, 4]);
    await consortium.refused(0, advance(), 'NotYetExpired');
    await run.expire(0, 3);
    expect(await consortium.roundFacts(1, 'joinClosed')).toMatchObject([{ joined: [0, 2, 4] }]);
    await consortium.refused(1, { kind: 'vouch', ...run.at(0), holds: [0] }, 'NotInRound');
  });

  it('still takes those that come late, as long as nobody closed it', async () => {
    await run.join(0, [0, 1, 2, 3]);
    await consortium.pass(22);
    await run.join(0, [4]);
    expect(await consortium.roundFacts(1, 'joinClosed')).toMatchObject([{ joined: everybody }]);
  });

  it('is VOID with too few, and everybody stays expected; who is silent where enough joined is not waited for again', async () => {
    await run.join(0, [0, 1]);
    await run.expire(0);
    expect(await run.voids()).toEqual([{ round: 0, reason: 'too-few-joined' }]);
    expect(await run.rosters()).toEqual([everybody, everybody]);
    expect((await consortium.roundFacts(1, 'opened'))[1]).toMatchObject({ base, plan, round: 1 });
    await run.join(1, [0, 1, 2, 3]);
    expect(await consortium.roundFacts(1, 'joinClosed')).toEqual([]);
    await run.expire(1);
    await run.vouch(1, [0, 1, 2, 3]);
    await run.expire(1);
    expect((await consortium.roundFacts(1, 'void')).at(-1)).toMatchObject({ round: 1, reason: 'too-few-left' });
    expect(await run.rosters()).toEqual([everybody, everybody, [0, 1, 2, 3]]);
    await consortium.refused(4, { kind: 'join', ...run.at(2), bundle: base }, 'NotInRound');
    await consortium.submit(4, { kind: 'rejoinRun', run: 1 });
    await run.finish(2, [0, 1, 2, 3]);
    expect(await run.rosters()).toEqual([everybody, everybody, [0, 1, 2, 3], everybody]);
  });
});

describe('SHARE', () => {
  beforeEach(() => run.join(0));

  it('takes only members that joined into a bitmap', async () => {
    await consortium.refused(0, { kind: 'vouch', ...run.at(0), holds: [0, 5] }, 'NotASubset');
  });

  it('keeps who is vouched for by floor(2n/3)+1 of the roster, the own voice counted', async () => {
    await run.vouch(0, [0, 1, 2], [0, 1, 2, 3]);
    await run.vouch(0, [3, 4], [0, 1, 2]);
    expect(await sets()).toEqual([]);
    await run.expire(0);
    // Four of five are needed: member 3 has three others and itself, member 4 only itself.
    expect(await sets()).toEqual([[0, [0, 1, 2, 3]]]);
  });

  it('takes a second, larger bitmap, and goes on once everybody is vouched for', async () => {
    await run.vouch(0, everybody, [0, 1, 2]);
    await consortium.refused(0, { kind: 'vouch', ...run.at(0), holds: [0, 1, 2] }, 'AlreadyDone');
    await consortium.refused(0, { kind: 'vouch', ...run.at(0), holds: [0, 1, 3, 4] }, 'AlreadyDone');
    await run.vouch(0, [0, 1], everybody);
    expect(await sets()).toEqual([]);
    await run.vouch(0, [3], everybody);
    expect(await sets()).toEqual([]);
    await run.vouch(0, [2], everybody);
    expect(await sets()).toEqual([[0, everybody]]);
  });

  it('goes on at its deadline with the vouches that are there', async () => {
    await run.vouch(0, [0, 1, 2, 3], everybody);
    await run.expire(0);
    expect(await sets()).toEqual([[0, [0, 1, 2, 3]]]);
  });

  it('is VOID where too few are vouched for', async () => {
    await run.vouch(0, everybody, [0, 1]);
    await run.expire(0);
    expect(await run.voids()).toEqual([{ round: 0, reason: 'too-few-vouched' }]);
    expect(await run.rosters()).toEqual([everybody, everybody]);
  });
});

describe('COMMIT', () => {
  beforeEach(() => run.toPhase('commit'));

  it('goes on without those that did not commit, in a new attempt', async () => {
    await run.commit(0, 0, [0, 1, 2, 4]);
    await consortium.refused(0, advance(), 'NotYetExpired');
    await run.expire(0);
    expect(await sets()).toEqual([
      [0, everybody],
      [1, [0, 1, 2, 4]],
    ]);
    await consortium.refused(0, { kind: 'commit', ...run.at(0), attempt: 0, root: base }, 'WrongAttempt(1)');
    await consortium.refused(3, { kind: 'commit', ...run.at(0), attempt: 1, root: base }, 'NotInRound');
    await run.commit(0, 1, [0, 1, 2, 4]);
    await run.ready(0, 1, [0, 1, 2, 4]);
    await run.vote(0, [0, 1, 2]);
    expect(await consortium.roundFacts(1, 'final')).toMatchObject([{ attempt: 1, set: [0, 1, 2, 4] }]);
    expect(await run.rosters()).toEqual([everybody, [0, 1, 2, 4]]);
  });

  it('is VOID where too few are left', async () => {
    await run.commit(0, 0, [0, 1]);
    await run.expire(0);
    expect(await run.voids()).toEqual([{ round: 0, reason: 'too-few-left' }]);
  });
});

describe('READY', () => {
  beforeEach(() => run.toPhase('ready'));

  it('at its deadline goes on without those that said nothing', async () => {
    await run.ready(0, 0, [0, 1, 2], everybody);
    await consortium.submit(3, { kind: 'have', ...run.at(0), attempt: 0, holds: everybody });
    await run.expire(0);
    expect(await sets()).toEqual([
      [0, everybody],
      [1, [0, 1, 2, 3]],
    ]);
  });

  it('goes on without those whose vector fewer than half hold', async () => {
    for (const member of [0, 1, 2, 3]) await consortium.submit(member, { kind: 'have', ...run.at(0), attempt: 0, holds: [0, 1, 2, 3] });
    await run.ready(0, 0, [4], everybody);
    await run.expire(0);
    expect(await sets()).toEqual([
      [0, everybody],
      [1, [0, 1, 2, 3]],
    ]);
  });

  it('goes on without those not READY where nobody else is to blame', async () => {
    await run.ready(0, 0, [0, 1, 2, 4], everybody);
    await consortium.submit(3, { kind: 'have', ...run.at(0), attempt: 0, holds: [0, 1, 2] });
    await run.expire(0);
    expect(await sets()).toEqual([
      [0, everybody],
      [1, [0, 1, 2, 4]],
    ]);
  });

  it('counts a member that said HAVE and then READY as READY', async () => {
    await consortium.submit(3, { kind: 'have', ...run.at(0), attempt: 0, holds: [3] });
    await consortium.refused(3, { kind: 'have', ...run.at(0), attempt: 0, holds: [3] }, 'AlreadyDone');
    await consortium.refused(2, { kind: 'have', ...run.at(0), attempt: 0, holds: [6] }, 'NotASubset');
    await run.ready(0, 0, everybody);
    expect(await consortium.roundFacts(1, 'readyClosed')).toHaveLength(1);
  });

  it('with two sums goes on at once with the larger group', async () => {
    await run.ready(0, 0, [0, 1, 2, 3], everybody);
    await consortium.submit(4, run.readyBy(0, 0, everybody, named('another sum')));
    expect(await sets()).toEqual([
      [0, everybody],
      [1, [0, 1, 2, 3]],
    ]);
    await run.commit(0, 1, [0, 1, 2, 3]);
    await run.ready(0, 1, [0, 1, 2, 3]);
    expect(await consortium.roundFacts(1, 'readyClosed')).toMatchObject([{ attempt: 1, sum }]);
  });

  it('is VOID where the sums differ and no group is large enough', async () => {
    await run.ready(0, 0, [0, 1], everybody);
    for (const member of [2, 3]) await consortium.submit(member, run.readyBy(0, 0, everybody, named('second')));
    await consortium.submit(4, run.readyBy(0, 0, everybody, named('third')));
    expect(await run.voids()).toEqual([{ round: 0, reason: 'sums-differ' }]);
  });

  it('goes on attempt by attempt until too few are left', async () => {
    let rest = everybody;
    for (const attempt of [0, 1]) {
      const next = rest.slice(0, -1);
      await run.ready(0, attempt, next, rest);
      await run.expire(0);
      rest = next;
      await run.commit(0, attempt + 1, rest);
    }
    expect(await sets()).toEqual([
      [0, everybody],
      [1, [0, 1, 2, 3]],
      [2, [0, 1, 2]],
    ]);
    await run.ready(0, 2, [0, 1], rest);
    await consortium.submit(2, { kind: 'have', ...run.at(0), attempt: 2, holds: rest });
    await run.expire(0);
    expect(await run.voids()).toEqual([{ round: 0, reason: 'too-few-left' }]);
  });
});

describe('the attempts', () => {
  it('are as many as the terms say', async () => {
    await consortium.submit(0, { kind: 'stopRun', run: 1 });
    await using own = await Consortium.create({ members: 5 });
    const short = await Run.start(own, { maxAttempts: 1 });
    await short.toPhase('commit');
    await short.commit(0, 0, [0, 1, 2, 3]);
    await short.expire(0);
    expect(await short.voids()).toEqual([{ round: 0, reason: 'attempts-used-up' }]);
  });
});

describe('two equally large groups of sums', () => {
  it('are VOID: neither is chosen over the other', async () => {
    await using own = await Consortium.create({ members: 6 });
    const split = await Run.start(own);
    await split.toPhase('ready');
    const six = [0, 1, 2, 3, 4, 5];
    for (const member of six) await own.submit(member, split.readyBy(0, 0, six, named(`sum ${member % 2}`)));
    expect(await split.voids()).toEqual([{ round: 0, reason: 'sums-differ' }]);
  });
});

describe('REVEAL', () => {
  it('is VOID at its deadline without agreement', async () => {
    await run.toPhase('reveal');
    await run.vote(0, [0, 1, 2]);
    await consortium.submit(3, { kind: 'vote', accept: true, ...run.at(0), ...ballot, state: named('other') });
    await run.expire(0);
    expect(await run.voids()).toEqual([{ round: 0, reason: 'no-agreement' }]);
    await consortium.refused(4, { kind: 'vote', accept: true, ...run.at(0), ...ballot }, 'WrongRound(1)');
  });
});

describe('a run', () => {
  it('fails after three VOID rounds in a row, and a FINAL starts the count anew', async () => {
    const miss = async (round: number): Promise<void> => {
      await run.join(round);
      await run.vouch(round, everybody, []);
      await run.expire(round);
    };
    await miss(0);
    await miss(1);
    await run.finish(2);
    await miss(3);
    await miss(4);
    expect((await consortium.runFacts(1)).map((fact) => fact.kind)).toEqual(['runStarted']);
    await miss(5);
    expect((await consortium.runFacts(1)).at(-1)).toEqual({ kind: 'runEnded', outcome: 'failed', present: everybody });
  });

  it('goes on without a member that left, and fails where too few are left', async () => {
    await consortium.submit(4, { kind: 'leaveRun', run: 1 });
    await consortium.refused(4, { kind: 'join', ...run.at(0), bundle: base }, 'HasLeft');
    await consortium.refused(4, { kind: 'rejoinRun', run: 1 }, 'HasLeft');
    await consortium.refused(4, { kind: 'leaveRun', run: 1 }, 'HasLeft');
    await run.join(0, [0, 1, 2, 3]);
    await run.vouch(0, [0, 1, 2, 3]);
    await consortium.submit(3, { kind: 'leaveRun', run: 1 });
    await run.commit(0, 0, [0, 1, 2]);
    await run.commit(0, 1, [0, 1, 2]);
    await run.ready(0, 1, [0, 1, 2]);
    await run.vote(0, [0, 1, 2]);
    expect(await run.rosters()).toEqual([everybody, [0, 1, 2]]);
    await consortium.submit(2, { kind: 'leaveRun', run: 1 });
    expect((await consortium.runFacts(1)).slice(1)).toEqual([
      { kind: 'left', member: 4 },
      { kind: 'left', member: 3 },
      { kind: 'left', member: 2 },
      { kind: 'runEnded', outcome: 'failed', present: [0, 1, 2] },
    ]);
  });

  it('takes a member back at the next round, once it asked', async () => {
    await run.join(0, [0, 1, 2, 3]);
    await run.expire(0);
    await run.vouch(0, [0, 1, 2, 3]);
    await consortium.submit(4, { kind: 'rejoinRun', run: 1 });
    await consortium.refused(4, { kind: 'rejoinRun', run: 1 }, 'AlreadyDone');
    await consortium.refused(4, { kind: 'commit', ...run.at(0), attempt: 0, root: base }, 'NotInRound');
    await run.commit(0, 0, [0, 1, 2, 3]);
    await run.ready(0, 0, [0, 1, 2, 3]);
    await run.vote(0, [0, 1, 2]);
    expect(await run.rosters()).toEqual([everybody, everybody]);
    expect((await consortium.runFacts(1)).slice(1)).toEqual([{ kind: 'rejoined', member: 4 }]);
  });

  it('does not wait for a member that was revoked', async () => {
    await run.toPhase('reveal');
    await consortium.submit(0, { kind: 'propose', action: { kind: 'revoke', account: consortium.key(4).account } });
    for (const voter of [1, 2]) await consortium.submit(voter, { kind: 'voteProposal', proposal: 1, support: true });
    await consortium.refused(4, { kind: 'vote', accept: true, ...run.at(0), ...ballot }, 'NotActive');
    await run.vote(0, [0, 1, 2, 3]);
    expect(await run.rosters()).toEqual([everybody, [0, 1, 2, 3]]);
  });
});
