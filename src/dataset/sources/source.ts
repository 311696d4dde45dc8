/** What every kind of source becomes in the binding child: one SELECT over what it holds. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { datasetErrors } from '../errors.ts';

/** A source that can be read from. */
export interface OpenSource {
  /** Its rows; the columns are the source's, and `placeColumn` where `places` is given. */
  readonly select: string;
  readonly places?: 'line' | 'row' | undefined;
  /** What an error on its rows means, in words without a value; undefined where it is none of the source's. */
  readonly fault: (error: unknown) => Error | undefined;
}

/** Where a source is opened, and what it is called. */
export interface SourceContext {
  readonly connection: DuckDBConnection;
  /** Name for a table of its own. */
  readonly scratch: string;
  /** The study's table, for errors. */
  readonly table: string;
}

/** DATASET_SOURCE_FAILED for a source, which is named as a person would. */
export function sourceFailed({ table }: SourceContext, source: string, reason: string, cause?: unknown): Error {
  return datasetErrors.DATASET_SOURCE_FAILED({ table, source, reason }, cause);
}

/** A source whose rows are all in a table of its own: no fault is the source's any more. */
export function readSource(select: string, places?: 'line' | 'row'): OpenSource {
  return { select, places, fault: () => undefined };
}
