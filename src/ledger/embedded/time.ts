/** Ledger time of the embedded chain: the wall clock's while nothing runs, and a clock that cannot leap while a run is live. */
import type { Clock } from '../../common/index.ts';
import { maxTimeStepMs } from '../limits.ts';

/** Gives each block its timestamp. */
export class LedgerTime {
  readonly #clock: Clock;
  #ledgerMs: number;
  #seenMs: number;

  constructor(clock: Clock, lastBlockS: number) {
    this.#clock = clock;
    this.#ledgerMs = lastBlockS * 1_000;
    this.#seenMs = clock.nowMs();
  }

  /** Timestamp in seconds for a block made now, never lower than the one before. While a run is live at most two seconds pass between two calls. */
  next(live: boolean): number {
    const nowMs = this.#clock.nowMs();
    const passedMs = nowMs - this.#seenMs;
    this.#seenMs = nowMs;
    this.#ledgerMs = live ? this.#ledgerMs + Math.min(passedMs, maxTimeStepMs) : Math.max(this.#ledgerMs, this.#clock.calendarMs());
    return Math.floor(this.#ledgerMs / 1_000);
  }
}
