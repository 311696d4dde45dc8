/** The machine's clock behind the `Clock` interface: the only place that reads time or sets timers. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, commonErrors } from '../common/index.ts';

/** The real clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  calendarMs: () => Date.now(),
  sleep: async (ms, { signal }) => {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      throw commonErrors.COMMON_CANCELLED({ what: 'a wait' }, error);
    }
  },
  timeout: (ms, { signal }) => AbortSignal.any([signal, AbortSignal.timeout(ms)]),
};
