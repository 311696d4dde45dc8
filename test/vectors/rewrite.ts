/** Vectors are files: a test compares them with what the code gives, and with `REWRITE=1` writes them anew, for a person to review the difference. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Plain JSON values of `value`: bytes in hexadecimal, what is undefined left out. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, one) => (one instanceof Uint8Array ? Buffer.from(one).toString('hex') : one)));
}

/** Expects `value` to be what the file says. */
export function expectVector(name: string, value: unknown): void {
  const path = fileURLToPath(new URL(name, import.meta.url));
  if (process.env['REWRITE'] === '1') writeFileSync(path, `${JSON.stringify(plain(value), null, 1)}\n`);
  expect(plain(value)).toEqual(JSON.parse(readFileSync(path, 'utf8')));
}
