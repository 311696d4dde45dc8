/** Each seeded bug still applies to the code as it is: a patch that does not would say nothing about the oracles, and only a night would show it. */
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { bugsIn, SourceCopy } from '../support/seeded-bugs.ts';

const copy = new SourceCopy('src');
afterAll(() => copy[Symbol.dispose]());

describe.each(['simulation', 'exploration'])('seeded bugs of the %s', (suite) => {
  it.each(bugsIn(fileURLToPath(new URL(`../${suite}/bugs`, import.meta.url))))('$name applies', ({ patch }) => {
    expect(() => copy.apply(patch, '--check')).not.toThrow();
  });
});
