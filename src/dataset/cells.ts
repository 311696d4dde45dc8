/** One cell of a result of DuckDB as plain values. DuckDB child only. */
import { DuckDBDecimalValue, type DuckDBValue } from '@duckdb/node-api';

/** A value; undefined where there is none. */
export type Cell = number | string | boolean | undefined;

/** What DuckDB gave as a plain value. */
export function cellOf(value: DuckDBValue): Cell {
  if (value === null) return undefined;
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof DuckDBDecimalValue ? value.toDouble() : String(value);
}

/** A number, or 0 and 1 for false and true; undefined for everything else. */
export function numberOf(cell: Cell): number | undefined {
  return typeof cell === 'number' ? cell : typeof cell === 'boolean' ? Number(cell) : undefined;
}

/** Whether a cell holds a value that a study names: as text, or as the number that a text is. */
export function isValue(cell: Cell, wanted: string | number | boolean): boolean {
  return typeof wanted === 'string' ? String(cell) === wanted : cell === wanted || (typeof cell === 'string' && cell.trim() !== '' && Number(cell) === wanted);
}
