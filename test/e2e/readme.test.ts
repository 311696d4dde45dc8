/** The README's own commands, as written there, in the order in which they stand. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandsBelow, Terminal, workplace } from '../support/readme.ts';

test('"Your own consortium" builds one from nothing and trains a model', { timeout: 300_000 }, async () => {
  const lines = commandsBelow('README.md', 'Your own consortium');
  expect(lines.length).toBeGreaterThan(25);
  await using terminal = new Terminal(workplace(mkdtempSync(join(tmpdir(), 'schwarm-readme-'))));
  const said = new Map<string, string>();
  for (const line of lines) said.set(line, await terminal.type(line));
  const answer = (part: string): string => [...said].find(([line]) => line.includes(part))?.[1] ?? '';
  expect(answer('up --home d')).toContain('is up');
  expect(answer('peers --home d')).toMatch(/^connected .*Hospital A/m);
  expect(answer('study show')).toContain('SELECT');
  expect(answer('run watch')).toMatch(/complete\b(?! \d)/);
  expect(answer('run report')).toContain('report.html');
  expect(answer('model export')).toContain('bytes');
});
