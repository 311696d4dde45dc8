/** The code table and `src/README.md` say the same. `REWRITE=1` renews the page. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import '../../src/console/index.ts';
import { type ErrorEntry, errorTable } from '../../src/common/index.ts';

const page = fileURLToPath(new URL('../../src/README.md', import.meta.url));
const row = ({ code, blame, remedy }: ErrorEntry): string => `| \`${code}\` | ${blame} | ${remedy.replaceAll('|', '\\|')} |`;

test('every error code stands in src/README.md with blame and remedy, and no other', () => {
  const table = ['| code | whose fault | what to do |', '| --- | --- | --- |', ...errorTable().map(row)].join('\n');
  const text = readFileSync(page, 'utf8');
  const [head = ''] = text.split('| code | whose fault');
  if (process.env['REWRITE']) writeFileSync(page, `${head}${table}\n`);
  expect(readFileSync(page, 'utf8')).toBe(`${head}${table}\n`);
});

test('every code is named after its room and says what to do in a sentence', () => {
  for (const { code, remedy } of errorTable()) {
    expect(code).toMatch(/^(COMMON|SANDBOX|WIRE|AGGREGATION|STUDY|DATASET|TRAINING|LEDGER|NETWORK|PEER|CONSOLE)_[A-Z_]+$/);
    expect(remedy).toMatch(/^[A-Z].{15,}[.]$/s);
  }
});
