/** Simulated time: a queue of things that happen, in order of their time and, at one time, of their making. */
import type { Clock } from '../../src/common/index.ts';

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** How a member's clock differs from the true time. */
export interface Skew {
  readonly aheadMs: number;
  readonly rate: number;
}

const before = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** A binary heap of due events and the time of the newest one that ran. */
export class Events {
  readonly #heap: Due[] = [];
  #order = 0;
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets `run` happen after `delayMs`. */
  after(delayMs: number, run: () => void): void {
    const due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || before(parent, due)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  /** Runs everything due at the next time; false where nothing is left. */
  runNext(): boolean {
    const [first] = this.#heap;
    if (!first) return false;
    this.#nowMs = first.atMs;
    while (this.#heap[0]?.atMs === first.atMs) this.#pop()?.run();
    return true;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (!left) break;
      if (right && before(right, left)) below++;
      const child = heap[below];
      if (!child || before(last, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return top;
  }

  /** The same time as the port that members are given: a calendar that is `aheadMs` ahead, and all time at `rate` times the true one. A fetch of the simulated network ends by itself, so `timeout` only passes the signal on. */
  clock({ aheadMs, rate }: Skew = { aheadMs: 0, rate: 1 }): Clock {
    return {
      nowMs: () => rate * this.#nowMs,
      calendarMs: () => aheadMs + rate * this.#nowMs,
      sleep: (ms) => new Promise((resolve) => this.after(ms / rate, resolve)),
      timeout: (_ms, { signal }) => signal,
    };
  }
}
