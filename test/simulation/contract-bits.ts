/** Sets of members as bit words, the refusal of a call, and the time that a phase may last: what the contract model is written in. */
import type { RunTerms } from '../../src/wire/index.ts';

/** The contract's phases in the order of its enum. */
export const phases = ['none', 'join', 'share', 'commit', 'ready', 'reveal'] as const;
export type Phase = (typeof phases)[number];
export type Bits = bigint;

export const one = (member: number): Bits => 1n << BigInt(member);
export const has = (set: Bits, member: number): boolean => (set & one(member)) !== 0n;
export const isWithin = (part: Bits, whole: Bits): boolean => (part & ~whole) === 0n;
export const quorum = (size: number): number => Math.floor((2 * size) / 3) + 1;

export function count(set: Bits): number {
  let size = 0;
  for (let rest = set; rest !== 0n; rest &= rest - 1n) size++;
  return size;
}

/** Ends a call without effect, as `revert` does. */
export class Refusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

export function need(condition: boolean, reason: string): void {
  if (!condition) throw new Refusal(reason);
}

export function withMember(done: Bits, allowed: Bits, member: number): Bits {
  need(has(allowed, member), 'NotInRound');
  need(!has(done, member), 'AlreadyDone');
  return done | one(member);
}

/** The pace of each phase: the slowest seconds seen with everybody acting, easing by a quarter. */
export class Pace {
  readonly #terms: RunTerms;
  readonly #seen = new Map<Phase, number>();

  constructor(terms: RunTerms) {
    this.#terms = terms;
  }

  /** Seconds that a phase may last now. */
  limitS(phase: Phase): number {
    const { joinS, shareS, commitS, readyS, revealS } = this.#terms;
    const longest = { none: 0, join: joinS, share: shareS, commit: commitS, ready: readyS, reveal: revealS }[phase];
    const pace = this.#seen.get(phase);
    return pace === undefined ? longest : Math.min(longest, Math.max(8, 4 * pace + 2));
  }

  learn(phase: Phase, tookS: number): void {
    this.#seen.set(phase, Math.max(1, tookS, Math.floor(((this.#seen.get(phase) ?? 0) * 3) / 4)));
  }

  ease(phase: Phase, limitS: number): void {
    if (this.#seen.has(phase)) this.#seen.set(phase, Math.floor(limitS / 2));
  }
}
