/** The machine's own time as a `Clock`, for tests with real parts. */
import { type Clock, commonErrors } from '../../src/common/index.ts';

export const realClock: Clock = {
  nowMs: () => performance.now(),
  calendarMs: () => Date.now(),
  sleep: (ms, { signal }) =>
    new Promise((resolve, reject) => {
      const cancel = (): void => {
        clearTimeout(timer);
        reject(commonErrors.COMMON_CANCELLED({ what: 'a wait' }));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', cancel);
        resolve();
      }, ms);
      if (signal.aborted) cancel();
      else signal.addEventListener('abort', cancel, { once: true });
    }),
  timeout: (ms, { signal }) => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), ms);
    timer.unref();
    const end = (): void => {
      clearTimeout(timer);
      controller.abort();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    return controller.signal;
  },
};
