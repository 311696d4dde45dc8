/** What may leave on request, and when: every item at the borders of its phase, attempt and member (R1, R2, R3 of proto/README.md). */
import { describe, expect, it } from 'vitest';
import { aggregatorOf } from '../../src/aggregation/index.ts';
import { contextOf } from '../../src/round/context.ts';
import { answers } from '../../src/round/release.ts';
import type { Gather, Ground, RoundState, ShardState } from '../../src/round/state.ts';
import type { Item } from '../../src/wire/index.ts';
import { attempt, config, everyone, ground, terms, word } from '../support/rounds.ts';

type Phase<Name extends RoundState['phase']> = RoundState & { readonly phase: Name };

const own: Ground = { ...ground, bundle: word('bundle') };
const share = (known: Ground): RoundState => ({ phase: 'share', ground: known, sinceS: 0, deadlineS: 9, joined: everyone, vouched: [], holds: [] });
const summed: ShardState = { parts: [1, 2], summed: word('shard'), announced: undefined, claims: [], verified: undefined, failed: false };
const gather: Gather = {
  ...{ openedS: 0, order: [2, 0, 1], generation: 0, points: [[], []], printed: [0], prints: [[], []], audit: undefined, blamed: [] },
  shards: [summed, summed, summed],
};
const ready = (change: Partial<Phase<'ready'>> = {}): RoundState => ({
  ...{ phase: 'ready', ground: own, ...attempt, vectors: [], sum: word('sum'), gather, ready: {}, haves: [] },
  ...change,
});
const consent = Object.fromEntries([0, 1, 2].map((member) => [member, { context: contextOf(ground, attempt) ?? word(''), sum: word('sum') }]));
const reveal = (change: Partial<Phase<'reveal'>> = {}, known: Partial<Ground> = {}): RoundState => ({
  ...{ phase: 'reveal', ground: { ...own, shares: [1], ...known }, ...attempt, sum: word('sum'), gather: undefined, ready: consent, seeds: [] },
  ...{ unmasked: undefined, votes: [] },
  ...change,
});
const ended = { attempt: 0, set: [0, 1, 2], state: word('state'), model: word('model'), nextPlan: word('plan'), held: true, differs: false };

/** Whether `by` gets the item now. What is not given waits, once. */
function leaves(state: RoundState, item: Item, by = 1, self = 0, open = false): boolean {
  const asked = { ...state, ground: { ...state.ground, asked: [{ by, item }] } } as RoundState;
  const { effects, state: after } = answers({ ...config, self, terms: { ...terms, open } }, asked);
  expect(after.ground.asked).toHaveLength(effects.length === 0 ? 1 : 0);
  if (effects.length === 0) expect(after, 'nothing else changes').toBe(asked);
  else expect(effects).toEqual([{ kind: 'answer', to: by, item }]);
  return effects.length > 0;
}

describe('keys', () => {
  const bundle: Item = { kind: 'bundle' };
  it('leave once they are made, until the round is over', () => {
    expect(leaves(share(own), bundle)).toBe(true);
    expect(leaves(share(ground), bundle)).toBe(false);
    expect(leaves({ phase: 'final', ground: own, ...ended }, bundle)).toBe(false);
    expect(leaves({ phase: 'void', ground: own, attempt: 0, reason: 'no-agreement' }, bundle)).toBe(false);
  });
  it('do not leave a member that has abandoned the round, nor one in open mode', () => {
    expect(leaves(share({ ...own, abandoned: true }), bundle)).toBe(false);
    expect(leaves(share(own), bundle, 1, 0, true)).toBe(false);
  });
  it('of others are passed on by whoever holds them', () => {
    expect(leaves(share({ ...ground, bundles: [2] }), { kind: 'bundleOf', owner: 2 })).toBe(true);
    expect(leaves(share({ ...ground, bundles: [2] }), { kind: 'bundleOf', owner: 3 })).toBe(false);
  });
});

describe('shares', () => {
  const shares: Item = { kind: 'shares' };
  it('leave for a higher member once its bundle is here', () => {
    expect(leaves(share({ ...own, bundles: [1] }), shares, 1, 0)).toBe(true);
    expect(leaves(share({ ...own, bundles: [2] }), shares, 1, 0)).toBe(false);
  });
  it('leave for a lower member once its own are here, for the ciphertext comes with them', () => {
    expect(leaves(share({ ...own, bundles: [1] }), shares, 1, 2)).toBe(false);
    expect(leaves(share({ ...own, bundles: [1], shares: [1] }), shares, 1, 2)).toBe(true);
  });
  it('do not leave for the member itself', () => expect(leaves(share({ ...own, bundles: [2] }), shares, 2, 2)).toBe(false));
});

describe('the sum of a group', () => {
  const sum: Item = { kind: 'groupSum', attempt: 0 };
  it('leaves once it is known, in READY and in REVEAL, for its own attempt', () => {
    expect(leaves(ready(), sum)).toBe(true);
    expect(leaves(reveal(), sum)).toBe(true);
    expect(leaves(ready({ sum: undefined }), sum)).toBe(false);
    expect(leaves(ready(), { kind: 'groupSum', attempt: 1 })).toBe(false);
    expect(leaves({ phase: 'commit', ground: own, ...attempt }, sum)).toBe(false);
  });
});

describe('shards', () => {
  const print: Item = { kind: 'prints', attempt: 0, generation: 0 };
  const point: Item = { kind: 'point', attempt: 0, generation: 0 };
  const announced = gather.shards.map((shard) => ({ ...shard, announced: word('shard') }));
  const shard = [0, 1, 2].find((at) => aggregatorOf(gather.order, at, 0) === 0) ?? -1;

  it('leave in READY only, for the attempt that is open, and for its members', () => {
    expect(leaves(ready(), print)).toBe(true);
    expect(leaves(ready({ set: [0, 2] }), print)).toBe(false);
    expect(leaves(ready(), { ...print, attempt: 1 })).toBe(false);
    expect(leaves(reveal({ gather }), print)).toBe(false);
    expect(leaves(ready({ gather: undefined }), print)).toBe(false);
  });
  it('fingerprints leave once they are taken', () => expect(leaves(ready(), { ...print, generation: 1 })).toBe(false));
  it('points leave once nothing can be announced any more', () => {
    expect(leaves(ready(), point)).toBe(false);
    expect(leaves(ready({ gather: { ...gather, shards: announced } }), point)).toBe(true);
  });
  it('sums leave from who sums them, once they are made', () => {
    const item = (at: number): Item => ({ kind: 'shardSum', attempt: 0, generation: 0, shard: at });
    expect(leaves(ready(), item(shard))).toBe(true);
    expect(leaves(ready(), item((shard + 1) % 3))).toBe(false);
    expect(leaves(ready({ gather: { ...gather, shards: gather.shards.map((one) => ({ ...one, summed: undefined })) } }), item(shard))).toBe(false);
    expect(leaves(ready(), item(7))).toBe(false);
  });
});

describe('what unmasks', () => {
  const seed: Item = { kind: 'seed', attempt: 0 };
  const held: Item = { kind: 'seedShare', attempt: 0, owner: 1 };
  it('leaves behind the consent of all, in REVEAL', () => {
    expect(leaves(reveal(), seed)).toBe(true);
    expect(leaves(reveal(), held)).toBe(true);
    expect(leaves(ready(), seed)).toBe(false);
    for (const item of [seed, held]) expect(leaves(reveal({ ready: { 0: consent[0] ?? { context: word(''), sum: word('') } } }), item)).toBe(false);
  });
  it('leaves for one attempt (R3), and for that one', () => {
    for (const item of [seed, held]) {
      expect(leaves(reveal({}, { released: { attempt: 0, set: [0, 1, 2] } }), item)).toBe(true);
      expect(leaves(reveal({}, { released: { attempt: 1, set: [0, 1, 2] } }), item)).toBe(false);
      expect(leaves(reveal(), { ...item, attempt: 1 })).toBe(false);
    }
  });
  it('leaves after the secrets of earlier attempts are destroyed (R1)', () => {
    const later = {
      attempt: 1,
      ready: Object.fromEntries([0, 1, 2].map((member) => [member, { context: contextOf(ground, { ...attempt, attempt: 1 }) ?? word(''), sum: word('sum') }])),
    };
    expect(leaves(reveal(later), { ...seed, attempt: 1 })).toBe(false);
    expect(leaves(reveal(later, { erasedBelow: 1 }), { ...seed, attempt: 1 })).toBe(true);
  });
  it('a seed leaves from a member of the set, a share from whoever holds it, of a member of the set', () => {
    expect(leaves(reveal({}, {}), seed, 1, 4)).toBe(false);
    expect(leaves(reveal(), held, 2, 4)).toBe(true);
    expect(leaves(reveal(), { ...held, owner: 2 })).toBe(false);
    expect(leaves(reveal({}, { shares: [1, 4] }), { ...held, owner: 4 })).toBe(false);
  });
});
