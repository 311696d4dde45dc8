/** One process of many: `jobs.ts` sends it pieces of seeds, and it sends back what it saw. It ends when its parent lets go of it. */
import { runSeeds } from './batch.ts';
import type { Piece, PieceDone } from './jobs.ts';

process.on('message', (piece) => {
  const { firstSeed, count, options } = piece as Piece;
  void runSeeds(firstSeed, count, options).then(({ coverage, found }) => {
    const done: PieceDone = { tally: coverage.tally(), found };
    process.send?.(done);
  });
});
