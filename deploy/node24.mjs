// Runs a script under Node 24.15 or newer: this very process where it is one, else the binary that npm installed as an optional dependency.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** True where this process is new enough to run TypeScript sources. */
export function isNode24(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 15);
}

/** The Node 24 binary among the installed packages, or undefined. */
export function installedNode24() {
  try {
    const folder = dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`));
    const binary = join(folder, 'bin', 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where this process already is Node 24; else the exit code of the script run under it. Signals are passed on. */
export async function underNode24(script, args) {
  if (isNode24()) return undefined;
  const binary = installedNode24();
  if (!binary) {
    process.stderr.write(
      `This needs Node 24.15 or newer; this is ${process.version}, and no Node 24 is installed beside it.\nRun \`npm ci\` first, or install Node 24.\n`,
    );
    return 5;
  }
  const child = spawn(binary, [script, ...args], { stdio: 'inherit' });
  const pass = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1))));
}
