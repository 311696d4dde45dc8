/** Collection of garbage by hand, at the two moments at which V8's own choice is too late. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much the heap may grow over what lives in it before the next full collection, in per cent. */
const growthPercent = 50;

setFlagsFromString('--expose-gc');
setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
const collect: unknown = runInNewContext('gc');

/**
 * Collects now: a pause of tens of milliseconds, so not for a round. At the start of a peer, because a heap that was never collected takes hundreds
 * of MiB of garbage before V8 looks at it, and is bounded by `growthPercent` afterwards. At the end of a run, because native copies of keys that
 * nobody refers to any more are overwritten (OPENSSL_cleanse) only when they are collected.
 */
export function collectGarbage(): void {
  if (typeof collect === 'function') collect();
}
