/** What `run start` says before a run begins: rule R6 on its first sum and, where rows, seed and members are those of an earlier run, on later ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drawnGroups, leavesOfTree } from '../../src/aggregation/index.ts';
import { type Account, type Digest, digestOf, isSwarmError, utf8 } from '../../src/common/index.ts';
import type { RoundView, RunView } from '../../src/peer/consortium.ts';
import type { PeerContext } from '../../src/peer/context.ts';
import { Precedents } from '../../src/peer/precedents.ts';
import { releaseKey } from '../../src/peer/releases.ts';
import { Journal } from '../../src/peer/store/journal.ts';

const account = (member: number): Account => `0x${member.toString(16).padStart(40, '0')}` as Account;
const hash = (name: string): Digest => digestOf(utf8(name));
const own = { rows: hash('rows'), hasStatistics: true };
const study = hash('study');
const states = ['genesis', 'one', 'two', 'three'].map(hash);
const accounts = (members: readonly number[]): readonly Account[] => members.map(account);

let home = '';
let journal: Journal;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'schwarm-precedents-'));
  journal = new Journal(home);
});
afterEach(() => {
  journal[Symbol.dispose]();
  rmSync(home, { recursive: true, force: true });
});

/** An earlier run over `roster` whose rounds were FINAL over these sets, one after the other; its sums are in the journal. */
function earlier(roster: readonly number[], sets: readonly (readonly number[])[], of = study): RunView {
  const rounds = sets.map((set, round) => {
    journal.addRelease(releaseKey(own, round === 0, states[round]!), accounts(set));
    return { round, phase: 'final', base: states[round], state: states[round + 1], set: set.map((member) => roster.indexOf(member)) };
  });
  return { run: 1, study: of, roster: accounts(roster), rounds: rounds as unknown as readonly RoundView[] } as RunView;
}

interface Intended {
  readonly runs?: readonly RunView[];
  readonly away?: readonly number[];
  readonly minMembers?: number;
  readonly groupSize?: number;
  readonly open?: boolean;
}

function precedents(roster: readonly number[], { runs = [], away = [], minMembers = 3, groupSize = 0, open = false }: Intended = {}): Precedents {
  const context = {
    account: account(roster[0]!),
    journal,
    consortium: { runs: new Map(runs.map((run) => [run.run, run])), nameOf: (one: Account) => `site ${Number(one)}` },
    ledger: { chainId: 1, contract: account(99) },
    network: { connections: () => accounts(roster.slice(1).filter((member) => !away.includes(member))).map((one) => ({ account: one })) },
  } as unknown as PeerContext;
  const seconds = { joinS: 9, shareS: 9, commitS: 9, readyS: 9, revealS: 9 };
  const terms = { rounds: 9, minMembers, maxAttempts: 3, ...seconds, open, groupSize, protocol: 2 };
  return new Precedents(context, { study, roster: accounts(roster), terms, base: states[0]!, own });
}

const four = [0, 1, 2, 3];

function outcomeOf(run: Precedents): string {
  try {
    run.refuseFirst();
    return 'taken';
  } catch (error) {
    return isSwarmError(error) ? error.code : String(error);
  }
}

describe('the first sum', () => {
  it.each([
    ['the same members', four, four, {}, 'taken'],
    ['one less', four, [0, 1, 2], {}, 'PEER_SET_TOO_CLOSE'],
    ['three others', four, [0, 1, 2, 3, 4, 5, 6], {}, 'taken'],
    ['three others, where sums have five members at least', four, [0, 1, 2, 3, 4, 5, 6], { minMembers: 5 }, 'PEER_SET_TOO_CLOSE'],
    ['fewer members who all open theirs, after a sum with one more', four, [0, 1, 2], { open: true }, 'PEER_SET_TOO_CLOSE'],
    ['more members who all open theirs, after a sum', four, [0, 1, 2, 3, 4], { open: true }, 'taken'],
  ] as const)('over %s', (_what, before, now, terms, outcome) => {
    earlier(before, [before]);
    expect(outcomeOf(precedents(now, terms))).toBe(outcome);
  });

  it('names who is missing and who is new', () => {
    earlier(four, [four]);
    expect(() => precedents([0, 1, 2, 4]).refuseFirst()).toThrow(/missing now: site 3; new: site 4/);
  });

  it('looks at groups one by one: a list that differs from one of them by one is too close, the sum of all nine is not', () => {
    const nine = Array.from({ length: 9 }, (_, member) => member);
    const [first = [], second = []] = leavesOfTree(drawnGroups(accounts(nine), account(99), 3));
    journal.addRelease(own.rows, accounts(nine));
    journal.addRelease(own.rows, accounts(first));
    expect(outcomeOf(precedents(nine, { groupSize: 3 }))).toBe('taken');
    journal.addRelease(own.rows, accounts([...first, ...second.slice(0, 1)]));
    expect(outcomeOf(precedents(nine, { groupSize: 3 }))).toBe('PEER_SET_TOO_CLOSE');
  });
});

describe('later sums', () => {
  it('are nothing to speak of where nothing was opened before, or another list with other results', () => {
    expect(precedents(four).notice()).toBeUndefined();
    const runs = [earlier([0, 1, 2, 3, 4, 5, 6], [[0, 1, 2, 3, 4, 5, 6]])];
    expect(precedents(four, { runs }).notice()).toBeUndefined();
  });

  it('must have the members that they had, and those who are not connected are named', () => {
    const runs = [earlier(four, [four, four, four])];
    expect(precedents(four, { runs }).notice()).toMatch(/^The first 3 sums of this run were opened before .* values\.$/);
    expect(precedents(four, { runs, away: [2] }).notice()).toMatch(/; not connected now: site 2\.$/);
    expect(precedents(four, { runs, open: true }).notice()).toBeUndefined();
  });

  it('repeat only once after another study, whose seed may be another', () => {
    expect(precedents(four, { runs: [earlier(four, [four, four, four], hash('other'))] }).notice()).toMatch(/^The first sum of this run was opened before/);
  });

  it('are those of the same members: what others came to from the same state is nothing to them', () => {
    const own = earlier(four, [four, four]);
    const elsewhere = { ...own, run: 2, roster: accounts([4, 5, 6, 7]), rounds: own.rounds.map((round) => ({ ...round, state: hash('elsewhere') })) };
    expect(precedents(four, { runs: [own, elsewhere] }).notice()).toMatch(/^The first 2 sums/);
  });

  it('cannot be had with a member that had left by then', () => {
    const runs = [earlier(four, [four, four, [0, 1, 2]])];
    expect(precedents(four, { runs }).notice()).toMatch(/^Round 2 of this run was summed before, .* without site 3: with site 3 it will be void/);
  });
});
