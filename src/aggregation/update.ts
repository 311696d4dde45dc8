/**
 * Two plans of the one secure sum: shared statistics before round 1, and model updates.
 * Encode: what a member puts in. Decode: what every member computes from the sum, with the same bits.
 */
import { chunkSizeBytes, hashFields, ownMemory } from '../common/index.ts';
import { differenceNorm, firstNonFinite, largestScale } from '../tensor/index.ts';
import { aggregationErrors } from './errors.ts';
import { kernels } from './kernels/fastest.ts';
import { decodeSum, encodeContribution, planSlots, type SegmentSlot, type SumPlan } from './plan.ts';
import { KeyStream } from './secagg/stream.ts';

/** What an update plan needs to know of the study. */
export interface UpdateTerms {
  readonly parameters: number;
  readonly members: number;
  readonly clipNorm: number;
  /** Rows above this count as this many: a power of two, so that weights are exact. */
  readonly weightCap: number;
  /** Largest loss that a row can report; above it the report is cut. */
  readonly maxLoss: number;
}

/** The plan of a model update: header words (rows, rows with loss, loss) of 64 bits, then one 32-bit word a parameter. */
export function updatePlan(ordinal: number, terms: UpdateTerms): SumPlan {
  const lossRange = terms.weightCap * terms.maxLoss;
  return {
    purpose: 'update',
    ordinal,
    segments: [
      { name: 'rows', length: 1, wordBits: 64, range: terms.weightCap, scale: 1 },
      { name: 'saturated', length: 1, wordBits: 64, range: 2 ** 32, scale: 1 },
      { name: 'lossSum', length: 1, wordBits: 64, range: lossRange, scale: Math.min(2 ** 20, largestScale(lossRange, terms.members, 64)) },
      { name: 'update', length: terms.parameters, wordBits: 32, range: terms.clipNorm, scale: largestScale(terms.clipNorm, terms.members, 32) },
    ],
  };
}

/** One member's result of local training. */
export interface LocalUpdate {
  readonly base: Float32Array;
  readonly trained: Float32Array;
  readonly rows: number;
  /** Training loss at `base`, summed over the rows. */
  readonly lossSum: number;
}

/** The key (32 bytes) of the draws by which one update is rounded: value l is drawn from the u32 at byte 4l of its AES-256-CTR stream. */
export function roundingKey(seed: number, member: string, ordinal: number): Uint8Array {
  return hashFields('schwarm/rounding/1', seed, member, ordinal);
}

/** The header segments of an update plan, and the place of the update behind them. */
function parts(plan: SumPlan): { readonly header: SumPlan; readonly update: SegmentSlot } {
  const update = planSlots(plan).find(({ name }) => name === 'update');
  if (!update) throw aggregationErrors.AGGREGATION_BAD_PLAN({ reason: 'it has no segment "update"' });
  return { header: { ...plan, segments: plan.segments.filter(({ name }) => name !== 'update') }, update };
}

/** Clips, weighs by rows / weightCap and rounds by the draws of `key`: the words that are masked. Throws AGGREGATION_NOT_FINITE or AGGREGATION_BAD_PLAN. */
export function encodeUpdate(plan: SumPlan, terms: UpdateTerms, local: LocalUpdate, key: Uint8Array): Uint8Array<ArrayBuffer> {
  const { trained, base } = local;
  const { header, update } = parts(plan);
  if (trained.length !== update.length || base.length !== update.length)
    throw aggregationErrors.AGGREGATION_BAD_PLAN({ reason: `segment "update" wants ${update.length} values, given were ${trained.length}` });
  const norm = differenceNorm(trained, base);
  if (!Number.isFinite(norm))
    throw aggregationErrors.AGGREGATION_NOT_FINITE({ segment: update.name, index: firstNonFinite(trained) ?? firstNonFinite(base) ?? 0 });
  const rows = Math.min(local.rows, terms.weightCap);
  const gain = Math.min(1, terms.clipNorm / norm) * (rows / terms.weightCap);
  const words = ownMemory(update.offsetBytes + update.sizeBytes);
  const draws = new KeyStream(key);
  let cuts = 0;
  for (let at = 0; at < update.length; at += chunkSizeBytes / 4) {
    const end = Math.min(update.length, at + chunkSizeBytes / 4);
    const into = words.subarray(update.offsetBytes + 4 * at, update.offsetBytes + 4 * end);
    const values = { trained: trained.subarray(at, end), base: base.subarray(at, end) };
    cuts += kernels.quantise(into, values, draws.next(into.length), { gain, range: update.range, scale: update.scale });
  }
  draws.end();
  const lossSum = [local.lossSum * (rows / Math.max(1, local.rows))];
  const { saturated } = encodeContribution(header, { rows: [rows], saturated: [0], lossSum });
  words.set(encodeContribution(header, { rows: [rows], saturated: [cuts + saturated], lossSum }).words);
  return words;
}

/** What every member reads from the sum of updates. */
export interface UpdateResult {
  readonly parameters: Float32Array;
  readonly rows: number;
  readonly meanLoss: number;
  readonly saturated: number;
}

/**
 * The weighted mean of the updates applied to `base`: W = fround(base + Σ ω_i Δ_i / Σ ω_i) (protocol 3.2), written to `parameters` (which may be on
 * shared memory). Honest updates have a norm of at most C = `clipNorm`, and so has their weighted mean: a longer one holds forged words and is cut to C.
 * So whatever members send, a round moves the model by C at most. A sum of no rows leaves it as it is.
 */
export function decodeUpdate(
  plan: SumPlan,
  terms: UpdateTerms,
  sum: Uint8Array,
  base: Float32Array,
  parameters: Float32Array = new Float32Array(base.length),
): UpdateResult {
  const { header, update } = parts(plan);
  const { rows, saturated, lossSum } = decodeSum(header, sum);
  const total = within(rows?.[0], terms.members * terms.weightCap);
  const words = sum.subarray(update.offsetBytes, update.offsetBytes + update.sizeBytes);
  const weight = Math.max(total / terms.weightCap, integersNorm(words) / update.scale / terms.clipNorm);
  if (total > 0) kernels.dequantise(parameters, base, words, { scale: update.scale, weight });
  else parameters.set(base);
  return {
    parameters,
    rows: total,
    meanLoss: total > 0 ? within((lossSum?.[0] ?? 0) / total, terms.maxLoss) : 0,
    saturated: within(saturated?.[0], terms.members * terms.parameters),
  };
}

/** Euclidean norm of signed 32-bit words, summed in float64 in index order. */
function integersNorm(words: Uint8Array): number {
  const view = new DataView(words.buffer, words.byteOffset, words.length);
  let sum = 0;
  for (let at = 0; at < words.length; at += 4) sum += view.getInt32(at, true) ** 2;
  return Math.sqrt(sum);
}

/** A header word of the sum as far as honest members could have made it. */
function within(value: number | undefined, largest: number): number {
  return Math.min(largest, Math.max(0, value ?? 0));
}
