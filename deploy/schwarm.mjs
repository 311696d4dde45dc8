#!/usr/bin/env node
// The command `schwarm`. Plain JavaScript that Node 20 understands: it starts itself again under the Node 24 that comes with the project.
import { underNode24 } from './node24.mjs';

const code = await underNode24(import.meta.filename ?? new URL(import.meta.url).pathname, process.argv.slice(2));
if (code === undefined) {
  const { runCommandLine } = await import('../src/console/index.ts');
  process.exitCode = (await runCommandLine(process.argv.slice(2))) || process.exitCode;
} else process.exitCode = code;
