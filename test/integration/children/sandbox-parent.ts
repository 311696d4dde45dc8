/** Starts a child and a program, prints their pids, and waits to be killed. */
import { silentLogger } from '../../../src/common/index.ts';
import { startChild, startProgram } from '../../../src/sandbox/index.ts';
import { realClock } from '../../support/clock.ts';

const child = await startChild(
  { module: new URL('./sandbox.ts', import.meta.url), name: 'orphan', memoryLimitMb: 64 },
  { clock: realClock, logger: silentLogger },
);
const program = await startProgram({ command: '/bin/sleep', args: ['1000'], name: 'sleeper' }, { logger: silentLogger });
process.stdout.write(`${JSON.stringify([child.pid, program.pid])}\n`);
setInterval(() => undefined, 1_000);
