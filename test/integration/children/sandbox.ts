/** A child for the sandbox tests: echoes, fails, hangs, dies. */
import { readdirSync } from 'node:fs';
import { commonErrors } from '../../../src/common/index.ts';
import { serveParent } from '../../../src/sandbox/index.ts';

serveParent({
  echo: async (header, body) => ({ header, body }),
  surroundings: async () => ({ header: { environment: Object.keys(process.env), files: readdirSync('.'), aligned: new Uint8Array(0).byteOffset } }),
  print: async () => {
    process.stdout.write('words on standard output\n');
    return {};
  },
  alignment: async (_header, body) => ({ header: body.byteOffset % 8 }),
  refuse: async () => {
    throw commonErrors.COMMON_BAD_IDENTITY({ what: 'digest', found: 'x', shape: 'y' });
  },
  stumble: async () => {
    throw new TypeError('a plain mistake');
  },
  hang: () => new Promise(() => undefined),
  die: async () => {
    process.stderr.write('last words\n');
    process.exit(7);
  },
  fill: async () => {
    const hoard: unknown[] = [];
    for (;;) hoard.push(new Array(100_000).fill({}));
  },
});
