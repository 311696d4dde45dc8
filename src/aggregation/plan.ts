/**
 * The sum plan: what a secure sum adds, in a form that the sum itself need not understand. Shared statistics, model updates,
 * evaluation and statistics studies are plans of one protocol. The plan's hash is part of the round's context.
 */
import { type Digest, digest, hashFields, toHex, u64 } from '../common/index.ts';
import { dequantise, type Quantised, quantise, type WordBits } from '../tensor/index.ts';
import { aggregationErrors } from './errors.ts';
import { maxSegments, maxVectorSizeBytes } from './limits.ts';

/** What a sum is for. */
export type PlanPurpose = 'statistics' | 'update' | 'presence' | 'tables' | 'votes' | 'step';

/** A run of words with one meaning. */
export interface Segment {
  readonly name: string;
  /** Number of words. */
  readonly length: number;
  readonly wordBits: WordBits;
  /** Largest absolute value that one member may contribute to a word. */
  readonly range: number;
  /** Power of two by which reals are multiplied before rounding. */
  readonly scale: number;
}

/** All words of one secure sum in order; segments of 64-bit words come first, so that every word is aligned. */
export interface SumPlan {
  readonly purpose: PlanPurpose;
  /** Number of this sum within its run, from 0. */
  readonly ordinal: number;
  readonly segments: readonly Segment[];
}

/** Values by segment name, each `[length]`. */
export type SegmentValues = Readonly<Record<string, ArrayLike<number>>>;

/** Where a segment's bytes lie in the vector. */
export interface SegmentSlot extends Segment {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** The segments with their places. Throws AGGREGATION_BAD_PLAN where lengths, order or size are out of bounds. */
export function planSlots(plan: SumPlan): readonly SegmentSlot[] {
  let offsetBytes = 0;
  let widest: WordBits = 64;
  const slots = plan.segments.map((segment) => {
    const sizeBytes = (segment.length * segment.wordBits) / 8;
    if (segment.wordBits > widest) throw aggregationErrors.AGGREGATION_BAD_PLAN({ reason: `segment "${segment.name}": 64-bit segments come first` });
    if (!Number.isInteger(segment.length) || segment.length < 1)
      throw aggregationErrors.AGGREGATION_BAD_PLAN({ reason: `segment "${segment.name}" has length ${segment.length}` });
    widest = segment.wordBits;
    const slot = { ...segment, offsetBytes, sizeBytes };
    offsetBytes += sizeBytes;
    return slot;
  });
  if (slots.length < 1 || slots.length > maxSegments)
    throw aggregationErrors.AGGREGATION_BAD_PLAN({ reason: `${slots.length} segments, allowed are 1 to ${maxSegments}` });
  if (offsetBytes > maxVectorSizeBytes) throw aggregationErrors.AGGREGATION_BAD_PLAN({ reason: `${offsetBytes} bytes, allowed are ${maxVectorSizeBytes}` });
  return slots;
}

/** Bytes of one member's vector under `plan`. */
export function planSizeBytes(plan: SumPlan): number {
  return planSlots(plan).reduce((size, slot) => size + slot.sizeBytes, 0);
}

function float64Bytes(value: number): Uint8Array {
  return new Uint8Array(new Float64Array([value]).buffer);
}

/** SHA-256 over every field of the plan, in order. */
export function planDigest(plan: SumPlan): Digest {
  const fields = plan.segments.flatMap((segment) => [
    segment.name,
    u64(BigInt(segment.length)),
    segment.wordBits,
    float64Bytes(segment.range),
    float64Bytes(segment.scale),
  ]);
  return digest(toHex(hashFields('schwarm/sum-plan/1', plan.purpose, plan.ordinal, ...fields)));
}

/** A member's contribution as words, each rounded to the nearest integer. Throws AGGREGATION_NOT_FINITE or AGGREGATION_BAD_PLAN (a segment without its values). */
export function encodeContribution(plan: SumPlan, values: SegmentValues): Quantised {
  const slots = planSlots(plan);
  const words = new Uint8Array(slots.reduce((size, slot) => size + slot.sizeBytes, 0));
  let saturated = 0;
  for (const slot of slots) {
    const given = values[slot.name];
    if (given?.length !== slot.length)
      throw aggregationErrors.AGGREGATION_BAD_PLAN({ reason: `segment "${slot.name}" wants ${slot.length} values, given were ${given?.length ?? 'none'}` });
    for (let at = 0; at < given.length; at++)
      if (!Number.isFinite(given[at])) throw aggregationErrors.AGGREGATION_NOT_FINITE({ segment: slot.name, index: at });
    const part = quantise(given, { range: slot.range, scale: slot.scale, bits: slot.wordBits });
    words.set(part.words, slot.offsetBytes);
    saturated += part.saturated;
  }
  return { words, saturated };
}

/** The sum's reals by segment name, float64 `[length]` each. */
export function decodeSum(plan: SumPlan, words: Uint8Array): Readonly<Record<string, Float64Array>> {
  const slots = planSlots(plan);
  return Object.fromEntries(
    slots.map((slot) => [
      slot.name,
      dequantise(words.subarray(slot.offsetBytes, slot.offsetBytes + slot.sizeBytes), { scale: slot.scale, bits: slot.wordBits }),
    ]),
  );
}
