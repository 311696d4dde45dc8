/** Names of wishes and items: what is one wish and what is two, for whoever waits for it, counts it or asks again. */
import { expect, it } from 'vitest';
import { type Effect, effectKey, itemKey } from '../../src/round/index.ts';
import type { Item } from '../../src/wire/index.ts';
import { word } from '../support/rounds.ts';

const root = word('root');
const items: readonly (readonly [Item, string])[] = [
  [{ kind: 'bundle' }, 'bundle'],
  [{ kind: 'bundleOf', owner: 4 }, 'bundleOf/4'],
  [{ kind: 'shares' }, 'shares'],
  [{ kind: 'seed', attempt: 1 }, 'seed/1'],
  [{ kind: 'seedShare', attempt: 1, owner: 4 }, 'seedShare/1/4'],
  [{ kind: 'groupSum', attempt: 1 }, 'groupSum/1'],
  [{ kind: 'shardSum', attempt: 1, generation: 0, shard: 5 }, 'shardSum/1/0/5'],
  [{ kind: 'point', attempt: 1, generation: 0 }, 'point/1/0'],
  [{ kind: 'prints', attempt: 1, generation: 0 }, 'prints/1/0'],
];
const effects: readonly (readonly [Effect, string])[] = [
  [{ kind: 'makeBundle', context: root, roster: [0], threshold: 3, generations: 0 }, 'makeBundle'],
  [{ kind: 'prepareInput', roster: [0] }, 'prepareInput'],
  [{ kind: 'post', post: { kind: 'join', bundle: root } }, 'post/join'],
  [{ kind: 'post', post: { kind: 'advance' } }, 'post/advance'],
  [{ kind: 'post', post: { kind: 'commit', attempt: 2, root } }, 'post/commit/2'],
  [{ kind: 'post', post: { kind: 'have', attempt: 2, holds: [0] } }, 'post/have/2'],
  [{ kind: 'request', from: 3, item: { kind: 'seedShare', attempt: 1, owner: 4 } }, 'request/3/seedShare/1/4'],
  [{ kind: 'answer', to: 3, item: { kind: 'shares' } }, 'answer/3/shares'],
  [{ kind: 'mask', attempt: 2, set: [0] }, 'mask/2'],
  [{ kind: 'sum', attempt: 2, set: [0] }, 'sum/2'],
  [{ kind: 'unmask', attempt: 2, set: [0] }, 'unmask/2'],
  [{ kind: 'fetchVector', attempt: 2, member: 5, root, holders: [] }, 'fetchVector/2/5'],
  [{ kind: 'fetchGroup', attempt: 2, group: 1, root, holders: [] }, 'fetchGroup/2/1'],
  [{ kind: 'fetchPart', attempt: 2, shard: 1, member: 5, root }, 'fetchPart/2/1/5'],
  [{ kind: 'sumShard', attempt: 2, shard: 1, set: [0] }, 'sumShard/2/1'],
  [{ kind: 'auditPart', attempt: 2, shard: 1, member: 5, root, set: [0] }, 'auditPart/2/1'],
  [{ kind: 'print', attempt: 2, generation: 1, set: [0] }, 'print/2/1'],
  [{ kind: 'checkShard', attempt: 2, generation: 1, shard: 1, root, set: [0], holders: [] }, `checkShard/2/1/${root}`],
  [{ kind: 'erase', below: 2 }, 'erase/2'],
  [{ kind: 'fetchState', state: root, holders: [] }, 'fetchState'],
];

it.each(items)('an item: %o', (item, name) => expect(itemKey(item)).toBe(name));
it.each(effects)('a wish: %o', (effect, name) => expect(effectKey(effect)).toBe(name));
it('tells every kind of them from every other', () => expect(new Set([...items, ...effects].map(([, name]) => name)).size).toBe(items.length + effects.length));
