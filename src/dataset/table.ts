/** A member's rows as a study sees them: what leaves DuckDB and enters training, and never leaves the institution. */
import { type Digest, digestOf, utf8 } from '../common/index.ts';

/** Value of `FeatureTable.split` for a row that is trained on, and for one that is only scored. */
export const trainRow = 0;
export const testRow = 1;

/** Rows that the study leaves out, by reason, in numbers. */
export interface DroppedRows {
  readonly reason: string;
  readonly count: number;
}

/** The result of a study's SELECT at one member. */
export interface FeatureTable {
  readonly featureNames: readonly string[];
  readonly rows: number;
  /** float32 `[rows, features]`, row-major, as `features.sql` gave them: not standardised. */
  readonly features: Float32Array<ArrayBuffer>;
  /** Index of each row's class in the study's `label.classes`: 0 and 1 for a binary task. `[rows]` */
  readonly labels: Float32Array<ArrayBuffer>;
  /** `trainRow` or `testRow`. `[rows]` */
  readonly split: Uint8Array<ArrayBuffer>;
  /** SHA-256 over the bound files: equal rows come from equal versions. */
  readonly dataVersion: Digest;
  readonly dropped: readonly DroppedRows[];
}

/** All rows of several members in one table, as a comparison in one place needs them; features must be the same. */
export function pooledTable(tables: readonly FeatureTable[]): FeatureTable {
  const join = <T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(whole: T, parts: readonly T[]): T => {
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const featureNames = tables[0]?.featureNames ?? [];
  return {
    featureNames,
    rows,
    features: join(
      new Float32Array(rows * featureNames.length),
      tables.map((table) => table.features),
    ),
    labels: join(
      new Float32Array(rows),
      tables.map((table) => table.labels),
    ),
    split: join(
      new Uint8Array(rows),
      tables.map((table) => table.split),
    ),
    dataVersion: digestOf(utf8(tables.map((table) => table.dataVersion).join())),
    dropped: tables.flatMap((table) => table.dropped),
  };
}

/** How many rows of `table` are trained on and how many are only scored. */
export function splitCounts(table: FeatureTable): { readonly train: number; readonly test: number } {
  const test = table.split.reduce<number>((sum, side) => sum + (side === testRow ? 1 : 0), 0);
  return { train: table.rows - test, test };
}
