/** How many messages a member may send: a bucket that fills at a steady rate. A member that floods is not read, and costs one line of log at a time. */
import type { Clock, PeerId } from '../common/index.ts';
import { maxMessages, warnEveryMs } from './limits.ts';

interface Bucket {
  readonly left: number;
  readonly atMs: number;
  readonly warnedMs: number;
  /** Messages dropped since the last warning. */
  readonly dropped: number;
}

/** One bucket a member. */
export class Allowance {
  readonly #clock: Clock;
  readonly #buckets = new Map<PeerId, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one more message of `from` is read now. */
  take(from: PeerId): boolean {
    const nowMs = this.#clock.nowMs();
    const bucket = this.#bucket(from, nowMs);
    const left = Math.min(maxMessages.atOnce, bucket.left + ((nowMs - bucket.atMs) * maxMessages.perSecond) / 1000);
    this.#buckets.set(from, { ...bucket, left: left >= 1 ? left - 1 : left, atMs: nowMs });
    return left >= 1;
  }

  /** Counts a message of `from` that was dropped; the number since the last warning where the next one is due. */
  dropped(from: PeerId): number | undefined {
    const nowMs = this.#clock.nowMs();
    const bucket = this.#bucket(from, nowMs);
    const isDue = nowMs - bucket.warnedMs >= warnEveryMs;
    const dropped = bucket.dropped + 1;
    this.#buckets.set(from, isDue ? { ...bucket, dropped: 0, warnedMs: nowMs } : { ...bucket, dropped });
    return isDue ? dropped : undefined;
  }

  #bucket(from: PeerId, nowMs: number): Bucket {
    return this.#buckets.get(from) ?? { left: maxMessages.atOnce, atMs: nowMs, warnedMs: Number.NEGATIVE_INFINITY, dropped: 0 };
  }
}
