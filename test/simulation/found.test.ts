/**
 * Defects that the simulation found, each kept in its smallest form. The seed is that of the schedule that found it; schedules change, so the case is
 * written down, not the seed.
 */
import { deserialize, serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { Custodian } from '../../src/aggregation/index.ts';
import type { Account } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import { Consortium } from '../../src/peer/consortium.ts';
import { type Input, initialState, type RoundConfig, step } from '../../src/round/index.ts';
import { acquainted, seededBytes, strangers } from '../support/custodians.ts';
import { named } from './named.ts';
import { releasesAreRemembered, violations } from './oracles.ts';
import type { Schedule } from './schedule.ts';
import { runWorld, terms } from './world.ts';

const quiet: Schedule = {
  seed: 1,
  members: 3,
  rounds: 2,
  statistics: false,
  latencyMs: [5, 20],
  ledgerDelayMs: [5, 50],
  loss: 0,
  doubles: 0,
  garble: 0,
  ledgerLoss: 0,
  faultsUntilMs: 90_000,
  crashes: [],
  partitions: [],
  deaf: [],
  silences: [],
  late: [],
  slow: [],
  curious: 0,
  lieInRound: undefined,
};

const accounts = [1, 2, 3].map((member) => `0x${String(member).repeat(40)}` as Account);

describe('found by the simulation', () => {
  it('holds where nothing goes wrong', async () => {
    expect(violations((await runWorld(quiet)).seen)).toEqual([]);
  });

  it('a request for a bundle or for shares that comes after the round is over is not answered (seed 301: the keys were gone, and the peer called it a defect)', () => {
    const config: RoundConfig = {
      chainId: 1,
      contract: accounts[0] as Account,
      study: named('study'),
      run: 1,
      round: 0,
      accounts,
      self: 0,
      terms: { ...terms, rounds: 1 },
      shareGraceS: 3,
      earlierReleases: [],
    };
    const inputs: readonly Input[] = [
      { kind: 'fact', fact: { kind: 'opened', base: named('base'), plan: named('plan'), roster: [0, 1, 2], deadlineS: 10 } },
      { kind: 'baseReady', base: named('base'), plan: named('plan') },
      { kind: 'bundleMade', bundle: named('bundle') },
      { kind: 'fact', fact: { kind: 'void', attempt: 0, reason: 'too-few-joined' } },
      { kind: 'erased', below: terms.maxAttempts },
    ];
    const over = inputs.reduce((state, input) => step(config, state, input).state, initialState());
    expect(step(config, over, { kind: 'requested', by: 1, item: { kind: 'bundle' } }).effects).toEqual([]);
    expect(step(config, over, { kind: 'requested', by: 1, item: { kind: 'shares' } }).effects).toEqual([]);
  });

  // Seed 36. The driver stored the inputs of a step and then, as a second entry, the release; a crash between the two forgot the release for good.
  it('a release is remembered beyond its round although the crash came right after the inputs were stored', async () => {
    const wrong: string[] = [];
    for (let action = 1; action <= 24; action++) {
      const crash = { member: 1, action, inPhase: 'reveal', before: false, downMs: 2_000 };
      wrong.push(...releasesAreRemembered((await runWorld({ ...quiet, crashes: [crash] })).seen));
    }
    expect(wrong).toEqual([]);
  });
});

describe('found by the tests of the custodian', () => {
  it('a member that restarts in a later attempt still has its bundle and takes others’ bundles and shares (the erased seeds were needed to make it again)', () => {
    const [lower, higher] = strangers([0, 1, 2], { attempts: 3 });
    if (!lower || !higher) throw new Error('a group');
    const bundle = higher.bundle();
    higher.eraseBelow(1);
    const again = new Custodian(deserialize(serialize(higher.snapshot())), seededBytes('again'));
    expect(again.bundle()).toEqual(bundle);
    lower.acceptBundle(1, bundle);
    again.acceptBundle(0, lower.bundle());
    const shares = lower.sharesFor(1);
    if (!shares) throw new Error('shares');
    again.acceptShares(0, shares);
    expect([again.shareOf(0, 0), again.shareOf(0, 1)?.share.length]).toEqual([undefined, 33]);
  });

  it('shares can be sent for the first time in a later attempt: those of the attempts given up are left out', () => {
    const [lower, higher] = strangers([0, 1, 2], { attempts: 3 });
    if (!lower || !higher) throw new Error('a group');
    lower.acceptBundle(1, higher.bundle());
    higher.acceptBundle(0, lower.bundle());
    lower.eraseBelow(1);
    const shares = lower.sharesFor(1);
    if (!shares) throw new Error('shares');
    expect(() => higher.acceptShares(0, shares)).toThrow('shares that do not open');
    higher.eraseBelow(1);
    higher.acceptShares(0, shares);
    expect([higher.shareOf(0, 0), higher.shareOf(0, 2)?.share.length]).toEqual([undefined, 33]);
  });

  it('what was dealt to others for an attempt given up is gone from the disk, sealed or not (R1)', () => {
    const [custodian] = acquainted([0, 1, 2], { attempts: 2 });
    const before = custodian?.sharesFor(1)?.sealed ?? new Uint8Array(0);
    const piece = Buffer.from(before.slice(2, 100)).toString('hex');
    custodian?.eraseBelow(1);
    expect(serialize(custodian?.snapshot()).toString('hex')).not.toContain(piece);
    expect([...(custodian?.sharesFor(1)?.sealed.slice(0, 2) ?? [])]).toEqual([0, 0]);
  });
});

describe('found in src/peer', () => {
  // Seed 20059. `Runs.resume` took up live runs only.
  it('a member that is killed between the end of a run and the last state fetches that state after its restart', async () => {
    const crash = { member: 3, action: 2, inPhase: undefined, before: true, downMs: 3_000 };
    const { seen } = await runWorld({ ...quiet, members: 4, rounds: 1, late: [{ member: 3, fromMs: 20_000 }], crashes: [crash] });
    expect(seen.counts.get('restarts')).toBe(1);
    expect(seen.standing.map(({ holds }) => holds)).toEqual([true, true, true, true]);
  });

  // Seed 706. A vote that comes after FINAL moves its round behind the newer one, so a restarted driver takes the older round for the newest.
  it('rounds stay in their order when a late vote comes', () => {
    const consortium = new Consortium(1);
    const place = (block: number) => ({ id: `${block}:0`, block, timeS: block, transaction: '0x', run: 1 });
    const open = { base: named('base'), plan: named('plan'), roster: [0, 1, 2], deadlineS: 9 };
    const voted = { kind: 'voted', member: 2, state: named('state'), model: named('model'), nextPlan: named('next') } as const;
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
  });
});
