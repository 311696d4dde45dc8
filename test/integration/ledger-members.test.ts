/** Contract rules of members, proposals, records and studies, on the real engine. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deployConsortium, type Founder, freshAccountKey } from '../../src/ledger/index.ts';
import { Consortium, chainId, founderOf, freshKeys, named, open, Run, study, terms, token } from '../support/ledger.ts';

const admitOf = (founder: Founder) => ({ kind: 'propose', action: { kind: 'admit', ...founder } }) as const;
const revoke = (key: { account: Founder['account'] }) => ({ kind: 'propose', action: { kind: 'revoke', account: key.account } }) as const;
const voteOn = (proposal: number, support = true) => ({ kind: 'voteProposal', proposal, support }) as const;

let consortium: Consortium;
beforeEach(async () => {
  consortium = await Consortium.create({ members: 4 });
  return () => consortium[Symbol.asyncDispose]();
});

async function consortiumFacts() {
  return (await consortium.events()).flatMap((event) => (event.scope === 'consortium' ? [event.fact] : []));
}

describe('founding', () => {
  let shared: Consortium;
  beforeAll(async () => {
    shared = await Consortium.create({ members: 1 });
  });
  afterAll(() => shared[Symbol.asyncDispose]());

  const found = (founders: readonly Founder[], votePercent = 50) =>
    deployConsortium({ url: shared.url, token: token.token, chainId, key: shared.key(0), founders, votePercent, pollMs: 5 }, shared, open);

  it('admits the founders in their order, with names as given', async () => {
    const names = ['Klinikum Ü', 'x'.repeat(64)];
    await using own = await Consortium.create({ members: 2, names });
    const facts = (await own.events()).map((event) => event.fact);
    expect(facts).toEqual(own.founders.map((founder) => ({ kind: 'admitted', ...founder })));
  });

  it('refuses what no consortium can stand on', async () => {
    const [a, b] = freshKeys(2).map((key) => founderOf(key, 'a member')) as [Founder, Founder];
    const refused = async (founders: readonly Founder[], reason: string, percent?: number) =>
      expect(found(founders, percent)).rejects.toMatchObject({ code: 'LEDGER_REFUSED', detail: { reason: expect.stringContaining(reason) } });
    await refused([], 'BadAccount');
    await refused([a], 'BadPercent', 0);
    await refused([a], 'BadPercent', 101);
    await refused([a, { ...b, account: a.account }], 'AlreadyMember');
    await refused([a, { ...b, peerId: a.peerId }], 'PeerKeyTaken');
    await expect(found([{ ...a, name: '' }])).rejects.toMatchObject({ code: 'LEDGER_BAD_NAME' });
    await expect(found([{ ...a, name: 'ü'.repeat(33) }])).rejects.toMatchObject({ code: 'LEDGER_BAD_NAME' });
  });
});

describe('proposals', () => {
  it('admit at floor(n/2)+1 votes, the proposer included, and not before', async () => {
    const key = freshAccountKey();
    const fifth = founderOf(key, 'fifth');
    await consortium.submit(0, admitOf(fifth));
    await consortium.submit(1, voteOn(1));
    await consortium.refused(key, { kind: 'record', label: 'x', subject: named('a'), hash: named('b') }, 'NotActive');
    await consortium.submit(3, voteOn(1, false));
    await consortium.submit(2, voteOn(1));
    await consortium.submit(key, { kind: 'record', label: 'budget', subject: named('a'), hash: named('b') });
    expect((await consortiumFacts()).slice(4)).toEqual([
      { kind: 'proposed', proposal: 1, by: consortium.key(0).account, action: { kind: 'admit', ...fifth }, votesNeeded: 3 },
      { kind: 'proposalVoted', proposal: 1, by: consortium.key(0).account, support: true },
      { kind: 'proposalVoted', proposal: 1, by: consortium.key(1).account, support: true },
      { kind: 'proposalVoted', proposal: 1, by: consortium.key(3).account, support: false },
      { kind: 'proposalVoted', proposal: 1, by: consortium.key(2).account, support: true },
      { kind: 'admitted', ...fifth },
      { kind: 'recorded', by: key.account, label: 'budget', subject: named('a'), hash: named('b') },
    ]);
  });

  it('count a member once, and end when they are done', async () => {
    await consortium.submit(0, revoke(consortium.key(3)));
    await consortium.refused(0, voteOn(1), 'AlreadyVoted');
    await consortium.submit(1, voteOn(1, false));
    await consortium.refused(1, voteOn(1), 'AlreadyVoted');
    await consortium.submit(2, voteOn(1));
    await consortium.refused(1, voteOn(2), 'NoSuchProposal');
    await consortium.submit(3, voteOn(1));
    await consortium.refused(2, voteOn(1), 'ProposalDone');
  });

  it('of others than active members are refused', async () => {
    const outsider = freshAccountKey();
    await consortium.refused(outsider, revoke(consortium.key(0)), 'NotActive');
    await consortium.refused(outsider, admitOf(founderOf(outsider, 'me')), 'NotActive');
    await consortium.submit(0, revoke(consortium.key(3)));
    await consortium.refused(outsider, voteOn(1), 'NotActive');
  });

  it('are void when the membership has changed since', async () => {
    await consortium.submit(0, admitOf(founderOf(freshAccountKey(), 'late')));
    await consortium.submit(0, revoke(consortium.key(3)));
    for (const member of [1, 2]) await consortium.submit(member, voteOn(2));
    await consortium.refused(1, voteOn(1), 'ProposalVoid');
  });

  it('refuse what is so already, and a peer key that belongs to another', async () => {
    const [first] = consortium.founders as [Founder];
    await consortium.refused(0, admitOf(first), 'AlreadyMember');
    await consortium.refused(0, admitOf({ ...founderOf(freshAccountKey(), 'copy'), peerId: first.peerId }), 'PeerKeyTaken');
    await consortium.refused(0, revoke(freshAccountKey()), 'NotAMember');
  });

  it('of one member alone act at once, but never revoke the last', async () => {
    await using own = await Consortium.create({ members: 1 });
    const second = freshAccountKey();
    await own.refused(0, revoke(own.key(0)), 'LastMember');
    await own.submit(0, admitOf(founderOf(second, 'second')));
    await own.submit(second, { kind: 'record', label: 'x', subject: named('a'), hash: named('b') });
  });

  it('need all where the percentage asks for more than all', async () => {
    await using own = await Consortium.create({ members: 2, votePercent: 100 });
    await own.submit(0, revoke(own.key(1)));
    await own.submit(1, voteOn(1));
    await own.refused(1, { kind: 'record', label: 'x', subject: named('a'), hash: named('b') }, 'NotActive');
  });
});

describe('a revoked member', () => {
  const out = async (member: number): Promise<void> => {
    await consortium.submit(0, revoke(consortium.key(member)));
    const proposal = (await consortiumFacts()).filter((fact) => fact.kind === 'proposed').length;
    for (const voter of [1, 2]) await consortium.submit(voter, voteOn(proposal));
  };

  it('can act nowhere', async () => {
    const run = await Run.start(consortium);
    await out(3);
    const round = run.at(0);
    await consortium.refused(3, { kind: 'record', label: 'x', subject: named('a'), hash: named('b') }, 'NotActive');
    await consortium.refused(3, revoke(consortium.key(0)), 'NotActive');
    await consortium.refused(3, { kind: 'publishStudy', study: named('other'), root: named('root'), sizeBytes: 1 }, 'NotActive');
    await consortium.refused(3, { kind: 'decideStudy', study, approved: true, dataVersion: named('d') }, 'NotActive');
    await consortium.refused(3, { kind: 'startRun', study: named('other'), roster: [], terms, base: named('b'), plan: named('p') }, 'NotActive');
    await consortium.refused(3, { kind: 'join', ...round, bundle: named('bundle') }, 'NotActive');
    await consortium.refused(3, { kind: 'advance', ...round }, 'NotActive');
    await consortium.refused(3, { kind: 'leaveRun', run: 1 }, 'NotActive');
    await consortium.refused(3, { kind: 'rejoinRun', run: 1 }, 'NotActive');
    await consortium.refused(3, { kind: 'stopRun', run: 1 }, 'NotActive');
  });

  it('comes back with its own peer key, without its former approvals', async () => {
    await Run.approve(consortium, [0, 1, 2, 3]);
    await out(3);
    await consortium.submit(0, admitOf(consortium.founders[3] as Founder));
    await consortium.submit(1, voteOn(2));
    const start = (members: readonly number[]) =>
      ({ kind: 'startRun', study, roster: members.map((member) => consortium.key(member).account), terms, base: named('b'), plan: named('p') }) as const;
    await consortium.refused(0, start([0, 1, 2, 3]), 'BadRoster');
    await consortium.submit(3, { kind: 'decideStudy', study, approved: true, dataVersion: named('new') });
    await consortium.refused(0, start([0, 1, 2]), 'BadRoster');
    await consortium.submit(0, start([0, 1, 2, 3]));
  });
});

describe('studies', () => {
  const publish = { kind: 'publishStudy', study, root: named('root'), sizeBytes: 12_345 } as const;
  const decide = { kind: 'decideStudy', study, approved: true, dataVersion: named('data') } as const;

  it('are published once, by any member', async () => {
    await consortium.refused(freshAccountKey(), publish, 'NotActive');
    await consortium.submit(2, publish);
    await consortium.refused(1, publish, 'AlreadyPublished');
    await consortium.refused(1, { ...publish, study: named('empty'), sizeBytes: 0 }, 'BadStudy');
    expect((await consortiumFacts()).at(-1)).toEqual({ kind: 'studyPublished', study, by: consortium.key(2).account, root: named('root'), sizeBytes: 12_345 });
  });

  it('are decided by members only, once they are published', async () => {
    await consortium.refused(1, decide, 'NotPublished');
    await consortium.submit(0, publish);
    await consortium.refused(freshAccountKey(), decide, 'NotActive');
    await consortium.submit(1, { ...decide, approved: false });
    await consortium.submit(1, decide);
    expect((await consortiumFacts()).slice(-2)).toEqual([
      { kind: 'studyDecided', study, by: consortium.key(1).account, approved: false, dataVersion: named('data') },
      { kind: 'studyDecided', study, by: consortium.key(1).account, approved: true, dataVersion: named('data') },
    ]);
  });
});
