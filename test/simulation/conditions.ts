/** What the schedule does to links and to views of the ledger at the present time of its world. */
import type { Events } from './events.ts';
import type { Schedule, Span } from './schedule.ts';

/** Who is cut off from whom now. */
export class Conditions {
  readonly #schedule: Schedule;
  readonly #time: Events;
  readonly #lost = new Set<object>();

  constructor(schedule: Schedule, time: Events) {
    this.#schedule = schedule;
    this.#time = time;
  }

  /** Whether two members are on one side of every partition, and not deaf to each other. */
  connects(from: number, to: number): boolean {
    const { partitions, deaf } = this.#schedule;
    const cut = partitions.some((span) => this.#isNow(span) && span.group.includes(from) !== span.group.includes(to));
    return !cut && !deaf.some((span) => this.#isNow(span) && span.pair.includes(from) && span.pair.includes(to));
  }

  /** Whether the training of a sum is lost here: once, and the next time no more. */
  losesTraining(member: number, ordinal: number): boolean {
    const loss = this.#schedule.lostTrainings.find((one) => one.member === member && one.ordinal === ordinal);
    if (!loss || this.#lost.has(loss)) return false;
    this.#lost.add(loss);
    return true;
  }

  /** On the side of a partition that has no ledger. */
  isCutOff(member: number): boolean {
    return this.#schedule.partitions.some((span) => span.ledger === 'others' && this.#isNow(span) && span.group.includes(member));
  }

  /** Milliseconds until a member sees blocks again. */
  silentMs(member: number): number {
    const { silences, partitions } = this.#schedule;
    const cut = partitions.filter(({ ledger, group }) => ledger === 'others' && group.includes(member));
    const spans = [...silences.filter((span) => span.member === member), ...cut].filter((span) => this.#isNow(span));
    return Math.max(0, ...spans.map(({ toMs }) => toMs - this.#time.nowMs));
  }

  #isNow({ fromMs, toMs }: Span): boolean {
    return this.#time.nowMs >= fromMs && this.#time.nowMs < toMs;
  }
}
