import { expect } from 'vitest';
import { strangers } from '../../support/custodians.ts';
import type { Case } from './case.ts';

export const found: Case = {
  by: 'the oracle of blame, thought through with Byzantine keys',
  wrong:
    "A member that copied another's public key and whose bundle came first made third members refuse the owner of the key: an honest member was named and could not take part.",
  fix: "Only a copy of one's own key is held against its sender (src/aggregation/secagg/custodian.ts).",
  check: () => {
    const [owner, copier, third] = strangers([0, 1, 2]);
    if (!owner || !copier || !third) throw new Error('a group');
    third.acceptBundle(1, { ...copier.bundle(), x25519: owner.bundle().x25519 });
    expect(() => third.acceptBundle(0, owner.bundle())).not.toThrow();
    expect(() => owner.acceptBundle(1, { ...copier.bundle(), kem: owner.bundle().kem })).toThrow('key of this member');
  },
};
