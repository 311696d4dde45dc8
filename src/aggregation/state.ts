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
}

const magic = utf8('schwarm/state/1\n');

function float64Bytes(values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => {
    view.setFloat64(at * 8, value, true);
  });
  return bytes;
}

function float64From(bytes: Uint8Array): Float64Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float64Array.from({ length: bytes.length / 8 }, (_, at) => view.getFloat64(at * 8, true));
}

/** Canonical bytes: a mark, ordinal, number of parameters and of features, rows, mean and sd (float64), parameters (float32), all little-endian. */
export function stateBytes(state: RoundState): Uint8Array<ArrayBuffer> {
  const { parameters, standardisation } = state;
  const features = standardisation?.mean.length ?? 0;
  const statistics = standardisation ? [u32(standardisation.rows), float64Bytes(standardisation.mean), float64Bytes(standardisation.sd)] : [];
  return concat(magic, u32(state.ordinal), u32(parameters.length), u32(features), ...statistics, vectorBytes(parameters));
}

/** Bytes of the state of a model with `parameters` parameters and, once shared statistics are in it, `features` features (else 0). */
export function stateSizeBytes(parameters: number, features: number): number {
  return magic.length + 12 + (features > 0 ? 4 + 16 * features : 0) + 4 * parameters;
}

/** Reads canonical bytes. Throws AGGREGATION_BAD_STATE. */
export function stateFromBytes(bytes: Uint8Array): RoundState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = magic.length;
  if (bytes.length < at + 12 || !magic.every((byte, index) => bytes[index] === byte))
    throw aggregationErrors.AGGREGATION_BAD_STATE({ sizeBytes: bytes.length });
  const [ordinal, count, features] = [view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
  if (bytes.length !== stateSizeBytes(count, features)) throw aggregationErrors.AGGREGATION_BAD_STATE({ sizeBytes: bytes.length });
  const parameters = vectorFromBytes(bytes.subarray(bytes.length - 4 * count)) ?? new Float32Array(0);
  if (features === 0) return { ordinal, parameters };
  const start = at + 16;
  const mean = float64From(bytes.subarray(start, start + 8 * features));
  const sd = float64From(bytes.subarray(start + 8 * features, start + 16 * features));
  return { ordinal, parameters, standardisation: { rows: view.getUint32(at + 12, true), mean, sd } };
}

/** The hash by which FINAL names a state: the Merkle root over its chunks. */
export function stateDigest(bytes: Uint8Array): Digest {
  return digest(toHex(merkleRoot(leavesOf(bytes))));
}
