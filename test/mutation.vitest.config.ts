/** The tests that a mutant of `round` or `aggregation` meets: those that need a second or two. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/unit/aggregation*.test.ts', 'test/unit/round*.test.ts', 'test/vectors/{bytes,machine,rounds}.test.ts'],
    testTimeout: 300_000,
  },
});
