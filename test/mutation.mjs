// Mutation testing of the two pure rooms that decide what leaves a peer: `npm run night -- mutation`, or MUTATE=src/round/rules.ts,… for some files.
// Text of comments and of errors is no rule; what the WebAssembly kernels compile from, and to, is held by a test of its own.
const given = process.env['MUTATE'];

export default {
  mutate: given
    ? given.split(',')
    : [
        'src/round/**/*.ts',
        'src/aggregation/**/*.ts',
        '!src/**/index.ts',
        '!src/**/errors.ts',
        '!src/aggregation/kernels/assembly/**',
        '!src/aggregation/kernels/module.ts',
      ],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner', './test/mutation-errors.mjs'],
  ignorers: ['texts-of-errors'],
  vitest: { configFile: 'test/mutation.vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env['MUTATION_WORKERS'] ?? 2),
  timeoutMS: 20_000,
  dryRunTimeoutMinutes: 30,
  ignoreStatic: true,
  disableTypeChecks: false,
  incremental: true,
  incrementalFile: '.reports/mutation.json',
  tempDirName: '.reports/mutation',
  reporters: ['clear-text', 'json'],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: '.reports/mutation-report.json' },
  thresholds: { high: 95, low: 92, break: 90 },
};
