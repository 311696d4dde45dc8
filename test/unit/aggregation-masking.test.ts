/** Masks and sealed messages: what ends with them, and what they leave of plain bytes. */
import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Masks, planSlots, statisticsPlan, updatePlan } from '../../src/aggregation/index.ts';
import { addMasks } from '../../src/aggregation/secagg/masking.ts';
import { seal, unseal } from '../../src/aggregation/secagg/secrets.ts';
import { digestBytes, digestOf, utf8 } from '../../src/common/index.ts';
import { seededBytes } from '../support/custodians.ts';

const [one, other] = [seededBytes('one')(32), seededBytes('other')(32)];

describe('masks', () => {
  it('are the same for a vector in one piece and in many, also where a piece ends between words of 64 and of 32 bits', () => {
    const slots = planSlots(updatePlan(1, { parameters: 50, members: 3, clipNorm: 1, weightCap: 8, maxLoss: 4 }));
    const streams = [
      { key: one, sign: 1 },
      { key: other, sign: -1 },
    ] as const;
    const words = seededBytes('words')(24 + 200);
    const whole = words.slice();
    addMasks(whole, streams, slots);
    for (const cuts of [
      [8, 24, 64],
      [16, 128],
      [24, 28],
    ]) {
      const pieces = words.slice();
      const masks = new Masks(streams, slots);
      [0, ...cuts].forEach((from, at) => {
        masks.next(pieces.subarray(from, cuts[at] ?? pieces.length));
      });
      expect(pieces).toEqual(whole);
    }
  });

  it('end: nothing is masked under their keys after it', () => {
    const slots = planSlots(statisticsPlan(0, { features: 1, members: 3 }));
    const masks = new Masks([{ key: one, sign: 1 }], slots);
    masks.next(new Uint8Array(8));
    masks.end();
    expect(() => masks.next(new Uint8Array(8))).toThrow();
  });
});

describe('a sealed message', () => {
  const context = digestOf(utf8('context'));
  const plain = (): Uint8Array => seededBytes('plain')(77);

  it('is ChaCha20-Poly1305 (RFC 8439) under a zero nonce, with the context as further data, as OpenSSL opens it', () => {
    const sealed = seal(one, context, plain());
    const opener = createDecipheriv('chacha20-poly1305', one, new Uint8Array(12), { authTagLength: 16 });
    opener.setAAD(digestBytes(context), { plaintextLength: 77 });
    opener.setAuthTag(sealed.subarray(-16));
    expect(new Uint8Array(Buffer.concat([opener.update(sealed.subarray(0, -16)), opener.final()]))).toEqual(plain());
    expect(unseal(one, context, sealed)).toEqual(plain());
  });

  it('takes the plain bytes with it', () => {
    const given = plain();
    seal(one, context, given);
    expect(given).toEqual(new Uint8Array(77));
  });

  it('opens under no other key or context, nor where it is cut or changed', () => {
    const sealed = seal(one, context, plain());
    expect(unseal(other, context, sealed)).toBeUndefined();
    expect(unseal(one, digestOf(utf8('another')), sealed)).toBeUndefined();
    for (const size of [0, 1, 15, 16, sealed.length - 1]) expect(unseal(one, context, sealed.subarray(0, size))).toBeUndefined();
    for (const at of [0, 76, 77, 92])
      expect(
        unseal(
          one,
          context,
          sealed.map((byte, index) => (index === at ? byte ^ 1 : byte)),
        ),
      ).toBeUndefined();
  });
});
