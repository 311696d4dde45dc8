/** Chance as an argument. Keys come from `FreshBytes` (the OS); repeatable draws from `Chance`, seeded by a hash. */
import { hashFields } from './hash.ts';

/** Fresh bytes from the operating system's generator, or a seeded stand-in in simulations. */
export type FreshBytes = (sizeBytes: number) => Uint8Array;

/** A repeatable stream of draws (xoshiro128**, Blackman and Vigna 2018): for shuffles, splits and rounding; never for keys. */
export interface Chance {
  /** Uniform integer in 0 … 2^32-1. */
  word(): number;
  /** Uniform real in [0, 1) with 32 bits. */
  real(): number;
  /** Uniform integer in 0 … bound-1 without bias; `bound` from 1 to 2^32. */
  below(bound: number): number;
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** A stream of draws that depends on the label and every part of the seed, and on nothing else. */
export function seededChance(label: string, ...seed: readonly (string | number)[]): Chance {
  const state = new Uint32Array(hashFields(label, ...seed.map(String)).slice(0, 16).buffer);
  const word = (): number => {
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const c1 = c ^ a;
    const d1 = d ^ b;
    state[0] = a ^ d1;
    state[1] = b ^ c1;
    state[2] = c1 ^ (b << 9);
    state[3] = rotateLeft(d1, 11);
    return result;
  };
  const below = (bound: number): number => {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const draw = word();
      if (draw < limit) return draw % bound;
    }
  };
  return { word, below, real: () => word() / 2 ** 32 };
}

/** `items` in an order drawn from `chance` (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = chance.below(at + 1);
    const [a, b] = [order[at], order[other]];
    if (a !== undefined && b !== undefined) {
      order[at] = b;
      order[other] = a;
    }
  }
  return order;
}
