// `npm test`: installs what is missing and runs all that needs only Node and less than ten minutes, under Node 24. `npm test -- NAME…` runs the named
// projects (`attacks`, `privacy`, `chaos` and `e2e` are the long ones, `gate` needs Spin, `databases` PostgreSQL) or files; `npm run bench` the bench.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, node24 } from '../deploy/install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const short = ['unit', 'vectors', 'simulation', 'exploration', 'compliance', 'integration', 'demo'];
const projects = [...short, 'gate', 'databases', 'attacks', 'privacy', 'chaos', 'e2e'];
const binary = (await ensureInstalled({ dev: true })) ? node24() : undefined;
if (!binary) process.exit(5);

const [first, ...rest] = process.argv.slice(2);
if (first === 'bench') {
  process.exit(spawnSync(binary, ['test/bench/main.ts', ...rest], { cwd: root, stdio: 'inherit' }).status ?? 1);
}
const given = process.argv.slice(2);
const args = (given.length > 0 ? given : short).flatMap((name) => (projects.includes(name) ? ['--project', name] : [name]));
const { status } = spawnSync(binary, ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', ...args], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
