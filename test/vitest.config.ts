import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const project = (name: string, timeoutMs: number, extra: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeoutMs, hookTimeout: timeoutMs, ...extra },
});

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      project('unit', 20_000),
      project('vectors', 20_000),
      project('simulation', 300_000),
      project('exploration', 300_000, { exclude: ['test/exploration/gate.test.ts'] }),
      project('gate', 120_000, { include: ['test/exploration/gate.test.ts'] }),
      project('compliance', 120_000),
      project('integration', 120_000),
      project('databases', 120_000),
      project('attacks', 120_000, { globalSetup: 'test/attacks/summary.ts' }),
      project('privacy', 120_000),
      project('demo', 120_000, { include: ['test/e2e/demo.test.ts'] }),
      project('chaos', 600_000, { fileParallelism: false }),
      project('e2e', 600_000, { exclude: ['test/e2e/demo.test.ts'], fileParallelism: false }),
    ],
  },
});
