import { expect } from 'vitest';
import type { Account } from '../../../src/common/index.ts';
import { type Input, initialState, type RoundConfig, step } from '../../../src/round/index.ts';
import { named } from '../named.ts';
import { terms } from '../terms.ts';
import type { Case } from './case.ts';

const accounts = [1, 2, 3].map((member) => `0x${String(member).repeat(40)}` as Account);

export const found: Case = {
  by: 'seed 301',
  wrong:
    'A request for a bundle or for shares that came after the round was over was answered: the keys were gone, and the peer called it a defect of its own.',
  fix: 'Nothing is available in FINAL and VOID (src/round/release.ts).',
  check: () => {
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
      { kind: 'fact', fact: { kind: 'opened', base: named('base'), plan: named('plan'), roster: [0, 1, 2], sinceS: 0, deadlineS: 10 } },
      { kind: 'baseReady', base: named('base'), plan: named('plan'), exchange: { kind: 'broadcast' } },
      { kind: 'bundleMade', bundle: named('bundle') },
      { kind: 'fact', fact: { kind: 'void', attempt: 0, reason: 'too-few-joined' } },
      { kind: 'erased', below: terms.maxAttempts },
    ];
    const over = inputs.reduce((state, input) => step(config, state, input).state, initialState());
    expect(step(config, over, { kind: 'requested', by: 1, item: { kind: 'bundle' } }).effects).toEqual([]);
    expect(step(config, over, { kind: 'requested', by: 1, item: { kind: 'shares' } }).effects).toEqual([]);
  },
};
