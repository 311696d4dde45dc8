/**
 * Loaded into a peer or a ledger before its own code (`node --import`): lets a test stop the process exactly where it writes a certain log line,
 * and make its wall clock jump. The product itself knows nothing of it.
 */
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pino from 'pino';

/** Stops this process with `signal` at the `count`-th line that contains all `words`. */
export interface StopAt {
  readonly kind: 'stopAt';
  readonly words: readonly string[];
  readonly count: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** Moves this process's wall clock, from now on, by so much. */
export interface JumpClock {
  readonly kind: 'jumpClock';
  readonly byMs: number;
}

/** Asks this process for its memory after a full collection of garbage; it answers with a `Weight`. */
export interface Weigh {
  readonly kind: 'weigh';
  /** Where a heap snapshot is written too, if anywhere. */
  readonly snapshot?: string;
}

/** What a process still holds after a full collection, in MiB. */
export interface Weight {
  readonly kind: 'weight';
  /** Objects of the main thread. */
  readonly heapMiB: number;
  /** Memory outside the heap that objects hold, buffers among it. */
  readonly externalMiB: number;
  readonly buffersMiB: number;
  readonly residentMiB: number;
}

let armed: { readonly stop: StopAt; left: number } | undefined;
let ahead = 0;

function look(line: string): void {
  if (!armed?.stop.words.every((word) => line.includes(word)) || --armed.left > 0) return;
  const { signal } = armed.stop;
  armed = undefined;
  process.kill(process.pid, signal);
}

const { destination } = pino;
pino.destination = ((options: Parameters<typeof destination>[0]) => {
  const made = destination(options);
  const write = made.write.bind(made);
  made.write = (line: string) => {
    const written = write(line);
    look(line);
    return written;
  };
  return made;
}) as typeof destination;

const realNow = Date.now;
Date.now = () => realNow() + ahead;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function weigh({ snapshot }: Weigh): void {
  collect();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  const [heapMiB = 0, externalMiB = 0, buffersMiB = 0, residentMiB = 0] = [heapUsed, external, arrayBuffers, rss].map((bytes) => bytes / 1_048_576);
  process.send?.({ kind: 'weight', heapMiB, externalMiB, buffersMiB, residentMiB } satisfies Weight);
  if (snapshot) writeHeapSnapshot(snapshot);
}

process.on('message', (message: StopAt | JumpClock | Weigh) => {
  if (message.kind === 'stopAt') armed = { stop: message, left: message.count };
  else if (message.kind === 'weigh') weigh(message);
  else if (message.kind === 'jumpClock') ahead += message.byMs;
});
process.channel?.unref();
