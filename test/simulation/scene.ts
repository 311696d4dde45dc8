/** What the parts of a world share: one time, one stream of chance, one trace, and who is there. */
import { createHash } from 'node:crypto';
import type { Account, Chance } from '../../src/common/index.ts';
import type { Conditions } from './conditions.ts';
import type { Events } from './events.ts';
import type { Chain } from './ledger.ts';
import type { Place } from './place.ts';
import type { Range, Schedule } from './schedule.ts';
import type { Seen } from './seen.ts';
import type { Spectator } from './spectator.ts';

/** The parts of one world. */
export interface Scene {
  readonly schedule: Schedule;
  readonly time: Events;
  readonly luck: Luck;
  readonly conditions: Conditions;
  readonly chain: Chain;
  readonly seen: Seen;
  readonly spectator: Spectator;
  readonly trace: Trace;
  readonly accounts: readonly Account[];
  readonly places: readonly Place[];
}

/** What chance decides while a world runs. */
export class Luck {
  readonly chance: Chance;
  readonly #time: Events;
  readonly #faultsUntilMs: number;

  constructor(chance: Chance, time: Events, { faultsUntilMs }: Schedule) {
    this.chance = chance;
    this.#time = time;
    this.#faultsUntilMs = faultsUntilMs;
  }

  /** A whole number within a range, both ends included. */
  draw([low, high]: Range): number {
    return low + this.chance.below(high - low + 1);
  }

  /** Whether a fault of this probability happens now. */
  happens(probability: number): boolean {
    return probability > 0 && this.#time.nowMs < this.#faultsUntilMs && this.chance.real() < probability;
  }
}

/** The hash of everything that happened, in order: equal for the same seed. */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #time: Events;

  constructor(time: Events) {
    this.#time = time;
  }

  note(...parts: readonly (string | number)[]): void {
    this.#hash.update(`${this.#time.nowMs} ${parts.join(' ')}\n`);
  }

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
