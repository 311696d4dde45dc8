/** A study that counts without peers: every member's words are added as they are, sum after sum. */
import {
  afterCount,
  type CountedRows,
  type CountState,
  contribution,
  countPlan,
  encodeContribution,
  firstCountState,
  planSlots,
  type TableTerms,
} from '../../src/aggregation/index.ts';
import { sumVectors } from './custodians.ts';

/** Terms with one site enough and no protection, unless a test says otherwise. */
export function termsOf(own: Partial<TableTerms>): TableTerms {
  return { members: 3, widths: [], variables: [], models: [], steps: 10, minSites: 2, minCount: 3, dominance: 1, rounding: 1, ...own };
}

/** Rows given one by one: whom it is about, its place in each dimension, its values. */
export type PlainRow = readonly [unit: number, positions: readonly number[], values: readonly number[]];

/** Rows of one member in the form in which peers hold them. */
export function recordsOf(rows: readonly PlainRow[]): CountedRows {
  const numbers = new Map<number, number>();
  for (const [unit] of rows) if (!numbers.has(unit)) numbers.set(unit, numbers.size);
  return {
    rows: rows.length,
    positions: Int32Array.from(rows.flatMap(([, positions]) => positions)),
    units: Int32Array.from(rows, ([unit]) => numbers.get(unit) ?? 0),
    unitCount: numbers.size,
    values: Float64Array.from(rows.flatMap(([, , values]) => values)),
  };
}

/** The state after `sums` sums over all members; `seen` gets every sum as it was opened in the process, before anything is left out. */
export function countedBy(
  terms: TableTerms,
  members: readonly CountedRows[],
  sums: number,
  { withheld = [], seen = () => undefined }: { withheld?: readonly ReadonlySet<number>[]; seen?: (ordinal: number, sum: Uint8Array) => void } = {},
): CountState {
  let state = firstCountState(terms);
  for (let ordinal = 0; ordinal < sums; ordinal++) {
    const plan = countPlan(terms, state);
    const vectors = members.map((records, at) => encodeContribution(plan, contribution(terms, state, records, withheld[at])).words);
    const sum = sumVectors(vectors, planSlots(plan));
    seen(ordinal, sum);
    state = afterCount(terms, state, sum);
  }
  return state;
}

/** The state after sums that opened these values, one after the other: for rules of what is kept of a sum, whoever contributed to it. */
export function openedBy(terms: TableTerms, sums: readonly Parameters<typeof encodeContribution>[1][]): CountState {
  return sums.reduce<CountState>((state, values) => {
    const plan = countPlan(terms, state);
    const segments = plan.segments.map((segment) => ({ ...segment, range: segment.range * terms.members }));
    return afterCount(terms, state, encodeContribution({ ...plan, segments }, values).words);
  }, firstCountState(terms));
}
