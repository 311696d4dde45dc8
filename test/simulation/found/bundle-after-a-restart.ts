import { deserialize, serialize } from 'node:v8';
import { expect } from 'vitest';
import { Custodian } from '../../../src/aggregation/index.ts';
import { strangers } from '../../support/custodians.ts';
import type { Case } from './case.ts';

export const found: Case = {
  by: 'the tests of the custodian',
  wrong: 'A member that restarted in a later attempt could not make its bundle again: the erased seeds were needed for it.',
  fix: 'The bundle is made from the stored hashes of the seeds (src/aggregation/secagg/custodian.ts).',
  check: () => {
    const [lower, higher] = strangers([0, 1, 2], { attempts: 3 });
    if (!lower || !higher) throw new Error('a group');
    const bundle = higher.bundle();
    higher.eraseBelow(1);
    const again = new Custodian(deserialize(serialize(higher.snapshot())));
    expect(again.bundle()).toEqual(bundle);
    lower.acceptBundle(1, bundle);
    again.acceptBundle(0, lower.bundle());
    const shares = lower.sharesFor(1);
    if (!shares) throw new Error('shares');
    again.acceptShares(0, shares);
    expect([again.shareOf(0, 0), again.shareOf(0, 1)?.share.length]).toEqual([undefined, 33]);
  },
};
