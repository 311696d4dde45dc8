/** Bulk steps in the calling thread, done before the call returns: for simulations, where every step is an event of the world. */
import { commonErrors } from '../../common/index.ts';
import type { Bulk } from './bulk.ts';
import { type BulkStores, bulkSteps } from './steps.ts';

/** Bulk steps over the given stores. */
export function createInlineBulk(stores: BulkStores): Bulk {
  const steps = bulkSteps(stores);
  return {
    run: (kind, request, { signal }) => {
      if (signal.aborted) return Promise.reject(commonErrors.COMMON_CANCELLED({ what: kind }));
      try {
        return Promise.resolve(steps[kind](request));
      } catch (error) {
        return Promise.reject(error);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
