/** A member's rows as a study that counts sees them: what leaves DuckDB, and never leaves the institution. */
import type { Digest } from '../common/index.ts';
import type { DroppedRows } from './table.ts';

/** The result of such a study's SELECT at one member. */
export interface RecordTable {
  readonly rows: number;
  /** Place of each row's value in the list of each dimension, or -1. int32 `[rows, dimensions]`, row-major. */
  readonly positions: Int32Array<ArrayBuffer>;
  /** Whom each row is about, as a number from 0 in order of first appearance. int32 `[rows]` */
  readonly units: Int32Array<ArrayBuffer>;
  /** Different units. */
  readonly unitCount: number;
  /** A key of each unit under this member's own secret: equal in every study exactly where the unit is. uint64 `[units]` */
  readonly unitKeys: BigUint64Array<ArrayBuffer>;
  /** Values of the variables, NaN where there is none. float64 `[rows, variables]`, row-major. */
  readonly values: Float64Array<ArrayBuffer>;
  /** SHA-256 over the bound files: equal rows come from equal versions. */
  readonly dataVersion: Digest;
  readonly dropped: readonly DroppedRows[];
}
