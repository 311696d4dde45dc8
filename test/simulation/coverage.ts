/** What a batch of schedules went through, in numbers: schedules in which something happened, and how often it did in all. */

import { roundsByBurden } from './oracles-presence.ts';
import type { Seen } from './seen.ts';

/** Totals as plain values, for another process. */
export interface Tally {
  readonly schedules: number;
  readonly complete: number;
  readonly light: { readonly final: number; readonly void: number };
  readonly inSchedules: readonly (readonly [string, number])[];
  readonly totals: readonly (readonly [string, number])[];
}

const plus = (counts: Map<string, number>, what: string, times: number): void => void counts.set(what, (counts.get(what) ?? 0) + times);

/** Totals over many schedules. */
export class Coverage {
  schedules = 0;
  complete = 0;
  /** Rounds without a Byzantine member in which at most n-t members were impaired. */
  light = { final: 0, void: 0 };
  readonly #inSchedules = new Map<string, number>();
  readonly #totals = new Map<string, number>();

  /** Everything counted so far. */
  tally(): Tally {
    const { schedules, complete, light } = this;
    return { schedules, complete, light, inSchedules: [...this.#inSchedules], totals: [...this.#totals] };
  }

  /** Adds what another process counted. */
  merge({ schedules, complete, light, inSchedules, totals }: Tally): void {
    this.schedules += schedules;
    this.complete += complete;
    this.light = { final: this.light.final + light.final, void: this.light.void + light.void };
    for (const [what, times] of inSchedules) plus(this.#inSchedules, what, times);
    for (const [what, times] of totals) plus(this.#totals, what, times);
  }

  add(seen: Seen): void {
    this.schedules++;
    if (seen.events.some((event) => event.scope === 'run' && event.fact.kind === 'runEnded' && event.fact.outcome === 'complete')) this.complete++;
    const { final, void: voids } = roundsByBurden(seen);
    this.light = { final: this.light.final + final, void: this.light.void + voids };
    const counts = new Map([
      ...seen.counts,
      ['keys watched', seen.keyUses.length],
      ['sums opened', seen.opened.length],
      ['with Byzantine members', seen.faulty.size],
      ['with wrong clocks', seen.schedule.clocks.length],
      ['with the protocol’s own key agreement', Number(seen.schedule.exact)],
    ]);
    for (const [what, times] of counts) {
      if (times === 0) continue;
      this.#inSchedules.set(what, this.inSchedules(what) + 1);
      this.#totals.set(what, this.total(what) + times);
    }
  }

  /** Schedules in which `what` happened at least once. */
  inSchedules(what: string): number {
    return this.#inSchedules.get(what) ?? 0;
  }

  /** How often `what` happened in all. */
  total(what: string): number {
    return this.#totals.get(what) ?? 0;
  }

  /** Rounds that ended, and those of them that are VOID. */
  rounds(): { readonly final: number; readonly void: number } {
    const voids = [...this.#totals].filter(([what]) => what.startsWith('void ')).reduce((sum, [, times]) => sum + times, 0);
    return { final: this.total('final'), void: voids };
  }

  /** Lines for people: what happened, in how many schedules, how often. */
  lines(): readonly string[] {
    const { final, void: voids } = this.rounds();
    const share = (100 * this.light.void) / Math.max(1, this.light.final + this.light.void);
    const whole = `${this.schedules} schedules: ${this.complete} runs complete; rounds: ${final} FINAL, ${voids} VOID`;
    const light = `without Byzantine members and with at most n-t members impaired: ${this.light.final} FINAL, ${this.light.void} VOID (${share.toFixed(2)} %)`;
    const rows = [...this.#totals.keys()]
      .sort()
      .map((what) => `  ${what.padEnd(52)} ${String(this.inSchedules(what)).padStart(6)} schedules ${String(this.total(what)).padStart(8)} times`);
    return [whole, light, ...rows];
  }
}

/** A schedule in which an oracle was violated. */
export interface Found {
  readonly seed: number;
  readonly wrong: readonly string[];
}
