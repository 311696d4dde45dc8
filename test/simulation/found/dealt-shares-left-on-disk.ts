import { serialize } from 'node:v8';
import { expect } from 'vitest';
import { acquainted } from '../../support/custodians.ts';
import type { Case } from './case.ts';

export const found: Case = {
  by: 'the tests of the custodian',
  wrong: 'What was dealt to others for an attempt given up stayed on the disk, sealed (R1).',
  fix: 'Sealed shares are made anew from those that are left, and not stored (src/aggregation/secagg/custodian.ts).',
  check: () => {
    const [custodian] = acquainted([0, 1, 2], { attempts: 2 });
    const before = custodian?.sharesFor(1)?.sealed ?? new Uint8Array(0);
    const piece = Buffer.from(before.slice(2, 100)).toString('hex');
    custodian?.eraseBelow(1);
    expect(serialize(custodian?.snapshot()).toString('hex')).not.toContain(piece);
    expect([...(custodian?.sharesFor(1)?.sealed.slice(0, 2) ?? [])]).toEqual([0, 0]);
  },
};
