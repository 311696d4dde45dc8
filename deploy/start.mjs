// `npm start`: checks the machine, installs what is missing, and runs the demo under Node 24. Plain JavaScript that Node 20 understands.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, node24 } from './install.mjs';

const binary = (await ensureInstalled({ dev: false })) ? node24() : undefined;
if (!binary) process.exit(5);
const child = spawn(binary, [fileURLToPath(new URL('./demo/main.ts', import.meta.url)), ...process.argv.slice(2)], { stdio: 'inherit' });
// Ctrl-C reaches the whole group; this process only waits until the demo has stopped what it started.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 130 : 1)));
