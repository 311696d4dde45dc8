/**
 * Merging vectors of one update plan by a rule: members' open contributions, or the sums of groups. What comes out has the form of
 * a secure sum, so that one decode serves every mode: W = fround(W + Σ ω Δ / Σ ω). Read slice by slice; memory does not grow with the model.
 */
import { chunkSizeBytes } from '../../common/index.ts';
import { planSizeBytes, planSlots, type SegmentSlot, type SumPlan } from '../plan.ts';
import { addPieces } from '../secagg/masking.ts';
import { median, middleMean } from './coordinates.ts';
import { Distances } from './distances.ts';
import { checkCount, type MergeRule } from './rule.ts';
import { medianMoments } from './statistics.ts';
import { clippingWeights, geometricWeights, krumWeights, type Weights, weighted } from './weights.ts';

/** A vector of a plan: `members` of them summed (one in open mode), and its bytes from `start` to `end`. */
export interface MergeSource {
  readonly members: number;
  readonly read: (start: number, end: number) => Uint8Array;
}

/** What a merge needs to know besides the vectors. */
export interface MergeTerms {
  readonly rule: MergeRule;
  /** Rows of one full vote: the weight cap of the study. */
  readonly weightCap: number;
  /** The last merged update at weight one, as `levelledUpdate` gives it; what centred clipping moves from. Absent before the first. */
  readonly last?: Uint8Array | undefined;
}

/** A merged update was made here, over any number of members: its rows are not cut. */
const anyMembers = 2 ** 20;

/** A vector in memory as a source. */
export function wholeSource(bytes: Uint8Array, members = 1): MergeSource {
  return { members, read: (start, end) => bytes.subarray(start, end) };
}

function* slicesOf(slot: Pick<SegmentSlot, 'offsetBytes' | 'sizeBytes'>): Generator<readonly [start: number, end: number]> {
  const last = slot.offsetBytes + slot.sizeBytes;
  for (let start = slot.offsetBytes; start < last; start += chunkSizeBytes) yield [start, Math.min(last, start + chunkSizeBytes)];
}

/** The plain sum of sources, word by word modulo the word size: what a secure sum over all their members would be. */
function plainSum(plan: SumPlan, sources: readonly MergeSource[]): Uint8Array {
  const sum = new Uint8Array(planSizeBytes(plan));
  for (const slot of planSlots(plan)) {
    for (const [start, end] of slicesOf(slot)) {
      const pieces = sources.map(({ read }) => ({ words: read(start, end), sign: 1 as const }));
      addPieces(sum.subarray(start, end), pieces, start, [slot]);
    }
  }
  return sum;
}

/** A source's 64-bit header word, cut to what its members may honestly say. */
function headerOf(source: MergeSource, slot: SegmentSlot, at = 0): bigint {
  const bytes = source.read(slot.offsetBytes + 8 * at, slot.offsetBytes + 8 * at + 8);
  const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
  const most = BigInt(Math.floor(slot.range * slot.scale)) * BigInt(source.members);
  return value < 0n ? 0n : value > most ? most : value;
}

/** A slice of a source as an update of weight one: round(word · cap / rows), cut to the plan's range; zeros where it says no rows. */
function levelled(source: MergeSource, slot: SegmentSlot, factor: number, [start, end]: readonly [number, number]): Int32Array {
  const words = new Int32Array(new Uint8Array(source.read(start, end)).buffer);
  const limit = Math.floor(slot.range * slot.scale);
  for (let at = 0; at < words.length; at++) words[at] = Math.min(limit, Math.max(-limit, Math.floor((words[at] ?? 0) * factor + 0.5)));
  return words;
}

/** What a source's words are multiplied with to have weight one; 0 where it says no rows. */
function levelOf(source: MergeSource, rows: SegmentSlot, weightCap: number): number {
  const own = Number(headerOf(source, rows));
  return own > 0 ? weightCap / own : 0;
}

function lastSource(slot: SegmentSlot, last: Uint8Array | undefined): MergeSource {
  return { members: 1, read: (start, end) => last?.subarray(start - slot.offsetBytes, end - slot.offsetBytes) ?? new Uint8Array(end - start) };
}

/** The 32-bit words of a merged update at weight one, little-endian int32 `[parameters]`: what the next centred clipping moves from. */
export function levelledUpdate(plan: SumPlan, merged: Uint8Array, weightCap: number): Uint8Array {
  const slots = planSlots(plan);
  const [rows, words] = [slots[0], slots.find(({ wordBits }) => wordBits === 32)];
  if (!rows || !words) return new Uint8Array(0);
  const source = wholeSource(merged, anyMembers);
  const level = levelled(source, words, levelOf(source, rows, weightCap), [words.offsetBytes, words.offsetBytes + words.sizeBytes]);
  return new Uint8Array(level.buffer);
}

/** A robust merge of the 32-bit words of one plan: sources that are read level, two passes for rules that measure distances. */
class Merge {
  readonly #slot: SegmentSlot;
  readonly #terms: MergeTerms;
  readonly #count: number;
  readonly #sources: readonly { readonly source: MergeSource; readonly factor: number }[];

  constructor(slot: SegmentSlot, rows: SegmentSlot, terms: MergeTerms, sources: readonly MergeSource[]) {
    this.#slot = slot;
    this.#terms = terms;
    this.#count = sources.length;
    const level = sources.map((source) => ({ source, factor: levelOf(source, rows, terms.weightCap) }));
    this.#sources = terms.rule.kind === 'centred-clipping' ? [...level, { source: lastSource(slot, terms.last), factor: 1 }] : level;
  }

  /** The merged words of each slice, in units of the plan, for an update of weight one. */
  *slices(): Generator<{ readonly start: number; readonly values: Float64Array }> {
    const { rule } = this.#terms;
    const byCoordinate = rule.kind === 'coordinate-median' || rule.kind === 'trimmed-mean';
    const weights = byCoordinate ? undefined : this.#weights();
    for (const slice of slicesOf(this.#slot)) {
      const vectors = this.#read(slice);
      if (weights) yield { start: slice[0], values: weighted(vectors, weights) };
      else yield { start: slice[0], values: rule.kind === 'trimmed-mean' ? middleMean(vectors, rule.f, rule.f) : median(vectors) };
    }
  }

  #read(slice: readonly [number, number]): readonly Int32Array[] {
    return this.#sources.map(({ source, factor }) => levelled(source, this.#slot, factor, slice));
  }

  #weights(): Weights {
    const { rule } = this.#terms;
    const distances = new Distances(this.#sources.length);
    for (const slice of slicesOf(this.#slot)) distances.add(this.#read(slice));
    switch (rule.kind) {
      case 'krum':
        return krumWeights(distances, this.#count, rule.f, 1);
      case 'multi-krum':
        return krumWeights(distances, this.#count, rule.f, this.#count - rule.f - 2);
      case 'centred-clipping':
        return clippingWeights(distances, this.#count, rule.radius * this.#slot.scale);
      default:
        return geometricWeights(distances, this.#count);
    }
  }
}

/**
 * One vector of a plan out of several. `mean` is the plain sum. Every other rule levels updates to weight one, merges them, and weighs the result with
 * all rows again, with the 64-bit header words summed, each cut to what is honest; statistics are merged by medians. Throws AGGREGATION_TOO_FEW.
 */
export function mergeVectors(plan: SumPlan, terms: MergeTerms, sources: readonly MergeSource[]): Uint8Array {
  checkCount(terms.rule, sources.length);
  if (terms.rule.kind === 'mean') return plainSum(plan, sources);
  if (plan.purpose === 'update') return robustUpdate(plan, terms, sources);
  return medianMoments(
    plan,
    sources.map(({ members, read }) => ({ members, bytes: read(0, planSizeBytes(plan)) })),
  );
}

function robustUpdate(plan: SumPlan, terms: MergeTerms, sources: readonly MergeSource[]): Uint8Array {
  const slots = planSlots(plan);
  const [rows] = slots;
  if (rows === undefined) return plainSum(plan, sources);
  const merged = new Uint8Array(planSizeBytes(plan));
  const view = new DataView(merged.buffer);
  for (const slot of slots.filter(({ wordBits }) => wordBits === 64))
    for (let at = 0; at < slot.length; at++) {
      const sum = sources.reduce((total, source) => total + headerOf(source, slot, at), 0n);
      view.setBigInt64(slot.offsetBytes + 8 * at, sum, true);
    }
  const weight = Number(view.getBigInt64(rows.offsetBytes, true)) / terms.weightCap;
  for (const slot of slots.filter(({ wordBits }) => wordBits === 32))
    for (const { start, values } of new Merge(slot, rows, terms, sources).slices())
      values.forEach((value, at) => {
        view.setInt32(start + 4 * at, Math.floor(value * weight + 0.5), true);
      });
  return merged;
}
