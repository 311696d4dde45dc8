import { expect } from 'vitest';
import { violations } from '../oracles.ts';
import { honestMessagesAreTaken } from '../oracles-bounds.ts';
import { nothingSeen } from '../seen.ts';
import { runWorld } from '../world.ts';
import { type Case, quiet } from './case.ts';

export const found: Case = {
  by: 'seed 1004473',
  wrong:
    'A member that came back in a later attempt gave its shares to one that saw no block and still stood before the first; these shares are rightly refused, also without groups, but the oracle excused them in groups only, and there it excused every refusal once there was a retry.',
  fix: 'The world looks whether refused shares lack what their sender has given up and the receiver has not; nothing else is excused (test/simulation/oracles-bounds.ts).',
  check: async () => {
    const crash = { member: 0, action: 1, inPhase: 'share', before: true, downMs: 29_000 };
    const silence = { fromMs: 8_000, toMs: 60_000, member: 4 };
    const times = { latencyMs: [10, 200], ledgerDelayMs: [20, 500] } as const;
    const { seen } = await runWorld({ ...quiet, ...times, members: 5, rounds: 1, crashes: [crash], silences: [silence] });
    expect(seen.dropped.map(({ member, from, kind, givenUp }) => ({ member, from, kind, givenUp }))).toEqual([
      { member: 4, from: 0, kind: 'shares', givenUp: true },
    ]);
    expect(violations(seen)).toEqual([]);
    const wrong = { ...nothingSeen(quiet), dropped: seen.dropped.map((one) => ({ ...one, givenUp: false })) };
    expect(honestMessagesAreTaken(wrong)).toEqual(['member 4 refused shares of member 0: AGGREGATION_BAD_SHARE']);
  },
};
