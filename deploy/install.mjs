// What has to be there before anything of Schwarm can run: a platform that its packages know, Node 24, the packages. Plain JavaScript for Node 20.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedNode24, isNode24 } from './node24.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (text) => process.stderr.write(`${text}\n`);

/** Problems of this machine, each with a way out; empty where everything fits. */
export function platformProblems({ platform, arch, glibc } = machine()) {
  const known = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64', 'win32-x64'];
  if (!known.includes(`${platform}-${arch}`)) return [`${platform} on ${arch} is not supported. Use Linux, macOS or Windows on x64 or arm64.`];
  if (platform !== 'linux')
    return isNode24() ? [] : [`On ${platform} Schwarm needs Node 24.15 or newer; this is ${process.version}. Install it from nodejs.org.`];
  if (!glibc) return ['This Linux has no glibc (Alpine, for example). Use a distribution with glibc 2.35 or newer, such as Debian 12 or Ubuntu 22.04.'];
  const [major, minor] = glibc.split('.').map(Number);
  return major > 2 || minor >= 35 ? [] : [`The C library is glibc ${glibc}; the embedded ledger needs 2.35 or newer. Use Debian 12, Ubuntu 22.04 or newer.`];
}

function machine() {
  const { header } = process.report.getReport();
  return { platform: process.platform, arch: process.arch, glibc: header.glibcVersionRuntime };
}

function isInstalled(dev) {
  const needed = [
    'libp2p',
    'onnxruntime-node',
    '@duckdb/node-api',
    'ethers',
    '@foundry-rs/anvil',
    'pg',
    'hucre',
    ...(dev ? ['vitest', 'typescript', '@biomejs/biome'] : []),
  ];
  return needed.every((name) => existsSync(join(root, 'node_modules', name, 'package.json'))) && (isNode24() || installedNode24() !== undefined);
}

/** Runs npm and says every few seconds that it goes on, also where npm itself is told to be silent. */
function npm(args) {
  const started = Date.now();
  const child = spawn('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  const goingOn = setInterval(() => say(`  still installing, ${Math.round((Date.now() - started) / 1000)} s`), 5_000);
  return new Promise((resolve) => {
    const end = (code) => {
      clearInterval(goingOn);
      resolve(code);
    };
    child.once('error', () => end(1));
    child.once('exit', end);
  });
}

/** Installs what is missing with `npm ci`; says beforehand how much. Gives false where it failed. */
export async function ensureInstalled({ dev }) {
  const problems = platformProblems();
  for (const problem of problems) say(problem);
  if (problems.length > 0) return false;
  if (isInstalled(dev)) return true;
  say(
    `Installing ${dev ? 'everything for development: about 310 packages, 900' : 'what running needs: about 190 packages, 700'} MB on disk, half a minute to a few minutes.`,
  );
  const code = await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', dev ? '--include=dev' : '--omit=dev']);
  if (code !== 0) say('The installation failed. `npm ci --ignore-scripts` shows why; behind a proxy, set it for npm first (`npm config set proxy …`).');
  return code === 0 && isInstalled(dev);
}

/** The Node that runs TypeScript sources. */
export function node24() {
  return isNode24() ? process.execPath : installedNode24();
}
