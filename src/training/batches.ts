/** Which rows make up each batch: shuffled passes over the training rows, drawn from (seed, member, round) alone. */
import { type Chance, seededChance, shuffled } from '../common/index.ts';

/** The draws of one local training; the same arguments give the same batches on every machine. */
export function batchChance(seed: number, member: string, round: number): Chance {
  return seededChance('batches', seed, member, round);
}

/** `steps` batches of at most `batchSize` of `rows`. Each pass uses every row once; its last batch may be smaller. */
export function* drawBatches(rows: readonly number[], batchSize: number, steps: number, chance: Chance): Generator<readonly number[]> {
  let order: readonly number[] = [];
  let at = 0;
  for (let step = 0; step < steps; step++) {
    if (at >= order.length) {
      order = shuffled(rows, chance);
      at = 0;
    }
    yield order.slice(at, at + batchSize);
    at += batchSize;
  }
}

/** The indexes of the rows on one side of the split, ascending. */
export function rowsOf(split: Uint8Array, side: number): readonly number[] {
  return Array.from(split.keys()).filter((row) => split[row] === side);
}
