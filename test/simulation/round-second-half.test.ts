/** The round under a thousand seeded schedules, second half. */
import { it } from 'vitest';
import { half, holdsOver } from './thousand.ts';

it('holds over 500 more schedules', { timeout: 900_000 }, async () => {
  await holdsOver(1 + half);
});
