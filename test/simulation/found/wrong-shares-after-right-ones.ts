import { expect } from 'vitest';
import { acquainted } from '../../support/custodians.ts';
import type { Case } from './case.ts';

export const found: Case = {
  by: 'seed 7000016',
  wrong:
    'Wrong shares that came right behind the right ones, before these were stored, took away the secret of the pair: the member vouched, could mask in no attempt of the round, and was left out of it. A Byzantine member could do that to everybody above it.',
  fix: 'Shares that are held stay; what else their sender sends changes nothing (src/aggregation/secagg/custodian.ts).',
  check: () => {
    const members = [0, 1, 2];
    const [lower, higher] = acquainted(members);
    const shares = lower?.sharesFor(1);
    if (!shares || !higher) throw new Error('a group');
    higher.acceptShares(0, { ...shares, sealed: shares.sealed.map((byte) => byte ^ 1) });
    expect(higher.masks(0, members)).toHaveLength(members.length);
  },
};
