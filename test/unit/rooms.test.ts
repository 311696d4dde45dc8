import { expect, test } from 'vitest';
import { breaches } from '../rooms.ts';

test('every import keeps to the room table, and every module was looked at', async () => {
  expect(await breaches()).toEqual([]);
}, 60_000);
