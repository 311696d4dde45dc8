/** What is known about a member's files under a study: counts and lines, for the member's own eyes. */
import type { DroppedRows } from './table.ts';

/** Kinds of problems, each with the error code that it ends in. */
export type ProblemCode =
  | 'DATASET_MISSING_COLUMN'
  | 'DATASET_WRONG_TYPE'
  | 'DATASET_OUT_OF_RANGE'
  | 'DATASET_EMPTY_CELLS'
  | 'DATASET_NOT_FINITE'
  | 'DATASET_BAD_LABEL'
  | 'DATASET_BAD_SPLIT'
  | 'DATASET_NO_ROWS';

/** One thing that keeps the study from running on these files. `found` counts, it never quotes a value. */
export interface DatasetProblem {
  readonly code: ProblemCode;
  /** A file, or `features.sql`. */
  readonly place: string;
  readonly column: string;
  readonly found: string;
  readonly allowed: string;
  readonly count: number;
  /** Line of the file (the header is line 1) of the first case, where it is known. */
  readonly line?: number;
  /** The same for a file without lines: the row of a Parquet file or of a sheet, the first being 1. */
  readonly row?: number;
}

/** One bound file as it was read. */
export interface FileReport {
  readonly table: string;
  readonly path: string;
  readonly rows: number;
  /** Empty cells in each declared column. */
  readonly empty: readonly { readonly column: string; readonly count: number }[];
}

/** What `dataset check` prints. Without problems the study can run. */
export interface QualityReport {
  readonly files: readonly FileReport[];
  readonly problems: readonly DatasetProblem[];
  /** Rows that the study uses. */
  readonly rows: number;
  /** Rows of each class in training and test, in the order of the study's classes. */
  readonly classes: readonly { readonly value: string; readonly train: number; readonly test: number }[];
  readonly dropped: readonly DroppedRows[];
}
