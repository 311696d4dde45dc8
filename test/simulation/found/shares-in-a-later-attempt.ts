import { expect } from 'vitest';
import { strangers } from '../../support/custodians.ts';
import type { Case } from './case.ts';

export const found: Case = {
  by: 'the tests of the custodian',
  wrong: 'Shares could not be sent for the first time in a later attempt.',
  fix: 'Those of the attempts given up are left out (src/aggregation/secagg/custodian.ts).',
  check: () => {
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
  },
};
