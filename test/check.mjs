// `npm run check`: types, format and lint, the room table, unused exports and dependencies. Plain JavaScript for Node 20: it installs what is missing.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, node24 } from '../deploy/install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const binary = (await ensureInstalled({ dev: true })) ? node24() : undefined;
if (!binary) process.exit(5);

const steps = [
  ['types', 'node_modules/typescript/bin/tsc', '-p', '.'],
  ['format and lint', 'node_modules/@biomejs/biome/bin/biome', 'check', '--config-path=test/lint.jsonc', '--error-on-warnings', '.'],
  ['room table', 'test/rooms.ts'],
  ['unused exports and dependencies', 'node_modules/knip/bin/knip.js'],
];
let failed = 0;
for (const [name, script, ...args] of steps) {
  const started = Date.now();
  const { status } = spawnSync(binary, [script, ...args], { cwd: root, stdio: 'inherit' });
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
  if (status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
