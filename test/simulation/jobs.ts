/** Many schedules in several processes: each asks for the next piece of the seeds when it has done one, until all are done or enough was found. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BatchOptions, Found } from './batch.ts';
import { Coverage, type Tally } from './coverage.ts';

/** Seeds that a process takes at once. */
const pieceSeeds = 20;

/** A piece of work for a process. */
export interface Piece {
  readonly firstSeed: number;
  readonly count: number;
  readonly options: BatchOptions;
}

/** What a process made of a piece. */
export interface PieceDone {
  readonly tally: Tally;
  readonly found: readonly Found[];
}

/** Which seeds, in how many processes. */
export interface JobsOptions extends BatchOptions {
  readonly firstSeed: number;
  readonly schedules: number;
  readonly jobs: number;
}

/** Runs `schedules` seeds from `firstSeed` in `jobs` processes. What is found is in the order of the seeds. */
export async function runJobs({
  firstSeed,
  schedules,
  jobs,
  ...options
}: JobsOptions): Promise<{ readonly coverage: Coverage; readonly found: readonly Found[] }> {
  const coverage = new Coverage();
  const found: Found[] = [];
  const stopAfter = options.stopAfter ?? Number.POSITIVE_INFINITY;
  let next = firstSeed;
  const take = (): Piece | undefined => {
    const count = Math.min(pieceSeeds, firstSeed + schedules - next);
    if (count <= 0 || found.length >= stopAfter) return undefined;
    next += count;
    return { firstSeed: next - count, count, options };
  };
  const work = async (): Promise<void> => {
    const child = fork(fileURLToPath(new URL('job.ts', import.meta.url)), { execArgv: ['--max-semi-space-size=32'], serialization: 'advanced' });
    try {
      for (let piece = take(); piece; piece = take()) {
        const done = await sent(child, piece);
        coverage.merge(done.tally);
        found.push(...done.found);
      }
    } finally {
      child.disconnect();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, Math.ceil(schedules / pieceSeeds)) }, work));
  return { coverage, found: found.sort((a, b) => a.seed - b.seed) };
}

function sent(child: ChildProcess, piece: Piece): Promise<PieceDone> {
  const done = Promise.withResolvers<PieceDone>();
  const ended = (code: number | null): void => done.reject(new Error(`a process of the simulation ended with code ${code} in seeds from ${piece.firstSeed}`));
  child.once('exit', ended);
  child.once('message', (message) => {
    child.off('exit', ended);
    done.resolve(message as PieceDone);
  });
  child.send(piece);
  return done.promise;
}
