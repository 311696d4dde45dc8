/** Every defect that was found is looked for again: one file each in `found`, with what found it, what was wrong and what mended it. */
import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { type Case, quiet } from './found/case.ts';
import { violations } from './oracles.ts';
import { runWorld } from './world.ts';

const folder = new URL('found/', import.meta.url);
const names = (await readdir(folder)).filter((name) => name !== 'case.ts');

it('nothing is wrong where nothing goes wrong', async () => {
  expect(violations((await runWorld(quiet)).seen)).toEqual([]);
});

for (const name of names) {
  const { found } = (await import(new URL(name, folder).href)) as { readonly found: Case };
  it(`${found.wrong} (found by ${found.by})`, async () => {
    await found.check();
  });
}
