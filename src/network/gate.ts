/** A door that lets so many in at a time; the others wait in order. */
import { commonErrors } from '../common/index.ts';

/** Counts who is inside. Whoever entered must leave once. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** `places` may be inside at a time. */
  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves once there is a place. Throws COMMON_CANCELLED where the signal fires before. */
  enter(signal: AbortSignal): Promise<void> {
    if (this.#free > 0 && !signal.aborted) {
      this.#free--;
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const give = (): void => {
      signal.removeEventListener('abort', cancel);
      resolve();
    };
    const cancel = (): void => {
      const at = this.#waiting.indexOf(give);
      if (at >= 0) this.#waiting.splice(at, 1);
      reject(commonErrors.COMMON_CANCELLED({ what: 'waiting for a place' }));
    };
    if (signal.aborted) cancel();
    else {
      this.#waiting.push(give);
      signal.addEventListener('abort', cancel, { once: true });
    }
    return promise;
  }

  /** Gives the place to the next that waits. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
