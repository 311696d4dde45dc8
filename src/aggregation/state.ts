/**
 * The round state: everything that the next round starts from, as canonical bytes. FINAL names its hash; the model is a part of it.
 * Its hash is the Merkle root over 64 KiB chunks, so that a late member can fetch it by hash from any holder.
 */
import { concat, type Digest, digest, leavesOf, merkleRoot, toHex, u32, utf8 } from '../common/index.ts';
import { vectorBytes, vectorFromBytes } from '../tensor/index.ts';
import { aggregationErrors } from './errors.ts';
import type { SharedStatistics } from './statistics.ts';

/** What a training run carries from round to round. */
export interface RoundState {
  /** Sums that became FINAL before this state: the ordinal of the next plan. */
  readonly ordinal: number;
  /** The model: float32 `[parameters]`. */
  readonly parameters: Float32Array;
  /** Shared statistics; absent before the statistics round, or where the study has none. */
  readonly standardisation?: SharedStatistics;
  /** The last merged update at weight one, little-endian int32 `[parameters]`; only in studies whose rule moves from it. */
  readonly last?: Uint8Array;
}

const magic = utf8('schwarm/state/1\n');

function float64Bytes(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function float64From(bytes: Uint8Array): Float64Array<ArrayBuffer> {
  const values = new Float64Array(bytes.length / 8);
  new Uint8Array(values.buffer).set(bytes);
  return values;
}

/** Bytes of a state that tell its size: the mark and three counts. */
export const stateStartSizeBytes = magic.length + 12;

/** Canonical bytes of a state of `count` parameters, without the parameters: a mark, ordinal, number of parameters and of features, rows, mean and sd (float64). */
export function stateHeader({ ordinal, standardisation }: Omit<RoundState, 'parameters' | 'last'>, count: number): Uint8Array<ArrayBuffer> {
  const features = standardisation?.mean.length ?? 0;
  const statistics = standardisation ? [u32(standardisation.rows), float64Bytes(standardisation.mean), float64Bytes(standardisation.sd)] : [];
  return concat(magic, u32(ordinal), u32(count), u32(features), ...statistics);
}

/** Canonical bytes: the header, then the parameters (float32), then the last update (int32) where there is one, all little-endian. */
export function stateBytes(state: RoundState): Uint8Array<ArrayBuffer> {
  return concat(stateHeader(state, state.parameters.length), vectorBytes(state.parameters), ...(state.last ? [state.last] : []));
}

/** Bytes of the state of a model with `parameters` parameters and, once shared statistics are in it, `features` features (else 0); more with the last update. */
export function stateSizeBytes(parameters: number, features: number, { withLast = false }: { readonly withLast?: boolean } = {}): number {
  return magic.length + 12 + (features > 0 ? 4 + 16 * features : 0) + (withLast ? 8 : 4) * parameters;
}

function counts(bytes: Uint8Array): { readonly ordinal: number; readonly count: number; readonly features: number } {
  const at = magic.length;
  if (bytes.length < at + 12 || !magic.every((byte, index) => bytes[index] === byte))
    throw aggregationErrors.AGGREGATION_BAD_STATE({ sizeBytes: bytes.length });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { ordinal: view.getUint32(at, true), count: view.getUint32(at + 4, true), features: view.getUint32(at + 8, true) };
}

/** Bytes of the whole state that begins with `start`, with the last update or without it. Throws AGGREGATION_BAD_STATE. */
export function stateSizeOf(start: Uint8Array, options: { readonly withLast?: boolean } = {}): number {
  const { count, features } = counts(start);
  return stateSizeBytes(count, features, options);
}

/** What stands before the parameters of a state, out of all its canonical bytes. Throws AGGREGATION_BAD_STATE. */
function headerFrom(bytes: Uint8Array): Omit<RoundState, 'parameters' | 'last'> {
  const { ordinal, count, features } = counts(bytes);
  const withLast = count > 0 && bytes.length === stateSizeBytes(count, features, { withLast: true });
  if (bytes.length !== stateSizeBytes(count, features) && !withLast) throw aggregationErrors.AGGREGATION_BAD_STATE({ sizeBytes: bytes.length });
  if (features === 0) return { ordinal };
  const start = magic.length + 16;
  const mean = float64From(bytes.subarray(start, start + 8 * features));
  const sd = float64From(bytes.subarray(start + 8 * features, start + 16 * features));
  const rows = new DataView(bytes.buffer, bytes.byteOffset + magic.length + 12, 4).getUint32(0, true);
  return { ordinal, standardisation: { rows, mean, sd } };
}

/** Reads canonical bytes; the parameters are a view of them where they are aligned. Throws AGGREGATION_BAD_STATE. */
export function stateView(bytes: Uint8Array): RoundState {
  const header = headerFrom(bytes);
  const { count, features } = counts(bytes);
  const end = stateSizeBytes(count, features);
  const at = bytes.byteOffset + end - 4 * count;
  const parameters = at % 4 === 0 ? new Float32Array(bytes.buffer, at, count) : vectorFromBytes(bytes.subarray(end - 4 * count, end));
  return { ...header, parameters: parameters ?? new Float32Array(0), ...(bytes.length > end ? { last: bytes.subarray(end) } : {}) };
}

/** Reads canonical bytes into memory of its own. Throws AGGREGATION_BAD_STATE. */
export function stateFromBytes(bytes: Uint8Array): RoundState {
  const state = stateView(bytes);
  return { ...state, parameters: state.parameters.slice(), ...(state.last ? { last: state.last.slice() } : {}) };
}

/** The hash by which FINAL names a state: the Merkle root over its chunks. */
export function stateDigest(bytes: Uint8Array): Digest {
  return digest(toHex(merkleRoot(leavesOf(bytes))));
}
