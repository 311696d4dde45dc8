// Mutation testing of the two pure rooms that decide what leaves a peer: `npm run night -- mutation [FILES…]`. Text of comments and of errors is no rule.
const given = process.env['MUTATE'];

export default {
  mutate: given ? given.split(',') : ['src/round/**/*.ts', 'src/aggregation/**/*.ts', '!src/**/index.ts', '!src/**/errors.ts'],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/mutation.vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env['MUTATION_WORKERS'] ?? 2),
  timeoutMS: 20_000,
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
