/** Four real peers in network namespaces of their own: lines that the kernel makes thin and takes down. Needs root, `ip`, `tc` and openssl. */
import { expect, test } from 'vitest';
import { whyNoNamespaces } from '../support/namespaces.ts';
import { realLines } from './lines.ts';

const reason = whyNoNamespaces();

test('a thin line, a line that is down and a very thin one: the rounds go on, and all are counted again', { timeout: 600_000 }, async (context) => {
  if (reason) return context.skip(reason);
  const { wrong, outcome } = await realLines({ workS: 2, downS: 15 });
  expect(wrong).toEqual([]);
  expect(outcome).toBe('complete');
});
