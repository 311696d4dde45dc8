/** What every refusal must be: one clear message with its remedy on standard error, the right exit code, and nothing left behind. */
import { expect } from 'vitest';
import type { Ended } from './consortium.ts';

/** Checks an ended command and gives its message. `says` must all be in it, in any order. */
export function expectRefusal(ended: Ended, expected: { readonly code: number; readonly name: string; readonly says: readonly (string | RegExp)[] }): string {
  const { code, out, err, leftover } = ended;
  expect(err, out).toMatch(new RegExp(`^error ${expected.name}: `));
  expect(err.match(/^error /gm)).toHaveLength(1);
  expect(err).not.toMatch(/^\s+at /m);
  expect(err.trimEnd().split('\n').at(-1), 'the last line is the remedy').toMatch(/^ {2}\S/);
  for (const words of expected.says) expect(err).toMatch(words);
  expect(out).toBe('');
  expect(code).toBe(expected.code);
  expect(leftover, 'processes that still run').toEqual([]);
  return err;
}
