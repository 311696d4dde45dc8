/** What a batch of schedules went through, in numbers: schedules in which something happened, and how often it did in all. */

import { violations, voidsWithoutExcuse } from './oracles.ts';
import { drawSchedule, type ScheduleOptions } from './schedule.ts';
import type { Seen } from './seen.ts';
import { runWorld } from './world.ts';

/** Totals over many schedules. */
export class Coverage {
  schedules = 0;
  complete = 0;
  voidsWithoutExcuse = 0;
  readonly #inSchedules = new Map<string, number>();
  readonly #totals = new Map<string, number>();

  add(seen: Seen): void {
    this.schedules++;
    if (seen.events.some((event) => event.scope === 'run' && event.fact.kind === 'runEnded' && event.fact.outcome === 'complete')) this.complete++;
    this.voidsWithoutExcuse += voidsWithoutExcuse(seen).length;
    const counts = new Map([...seen.counts, ['keys watched', seen.keyUses.length], ['sums opened', seen.opened.length]]);
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
    const whole = `${this.schedules} schedules: ${this.complete} runs complete; rounds: ${final} final, ${voids} void (${this.voidsWithoutExcuse} of them with at most n-t impaired)`;
    const rows = [...this.#totals.keys()]
      .sort()
      .map((what) => `  ${what.padEnd(52)} ${String(this.inSchedules(what)).padStart(6)} schedules ${String(this.total(what)).padStart(8)} times`);
    return [whole, ...rows];
  }
}

/** A schedule in which an oracle was violated. */
export interface Found {
  readonly seed: number;
  readonly wrong: readonly string[];
}

/** Runs the schedules of `count` seeds from `firstSeed`; stops after `stopAfter` of them were violated. */
export async function runSeeds(
  firstSeed: number,
  count: number,
  { stopAfter = Number.POSITIVE_INFINITY, ...options }: ScheduleOptions & { readonly stopAfter?: number } = {},
): Promise<{ readonly coverage: Coverage; readonly found: readonly Found[] }> {
  const coverage = new Coverage();
  const found: Found[] = [];
  for (let seed = firstSeed; seed < firstSeed + count && found.length < stopAfter; seed++) {
    const { seen } = await runWorld(drawSchedule(seed, options));
    coverage.add(seen);
    const wrong = violations(seen);
    if (wrong.length > 0) found.push({ seed, wrong });
  }
  return { coverage, found };
}
