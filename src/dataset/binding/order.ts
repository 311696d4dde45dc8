/** What the parent asks of the binding child: one table to be read from its sources and written as one Parquet file. Paths are absolute. */
import type { Source } from './schema.ts';

/** A source with whatever the parent has looked up for it. */
export interface SourceOrder {
  readonly source: Source;
  /** Files of the source, in order; empty for a database. */
  readonly files: readonly string[];
}

export interface SnapshotOrder {
  readonly table: string;
  readonly sources: readonly SourceOrder[];
  readonly sql?: string | undefined;
  readonly consent?: { readonly column: string; readonly values: readonly (string | number | boolean)[] } | undefined;
  /** Where the Parquet file goes. */
  readonly target: string;
}

/** What was written. */
export interface SnapshotMade {
  readonly rows: number;
  /** Rows without consent, which are not in it. */
  readonly leftOut: number;
  /** Whether a column says from which line or row of the source each row is. */
  readonly places?: 'line' | 'row' | undefined;
}
