/** Columns of a result as numbers, from DuckDB's own memory: a value at a time through the client costs three times as much. DuckDB child only. */
import { type DuckDBDataChunk, DuckDBDecimalValue, type DuckDBType, DuckDBTypeId, type DuckDBValue } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';

/** One cell as JavaScript has it. */
export type Cell = number | string | boolean | undefined;

/** What a row of a column holds. */
export const isNumber = 0;
export const isMissing = 1;
export const isOther = 2;

/** The numbers of one column in one chunk; those whose state is not `isNumber` mean nothing. */
export interface ColumnNumbers {
  readonly numbers: Float64Array;
  /** `isNumber`, `isMissing` or `isOther` of each row. */
  readonly states: Uint8Array;
}

/** A value as the client gives it. */
export function cellOf(value: DuckDBValue): Cell {
  if (value === null) return undefined;
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof DuckDBDecimalValue ? value.toDouble() : String(value);
}

type Reader = (bytes: Uint8Array, rows: number, into: Float64Array) => void;

function plain(view: (buffer: ArrayBufferLike, offset: number, rows: number) => ArrayLike<number>): Reader {
  return ({ buffer, byteOffset }, rows, into) => {
    const values = view(buffer, byteOffset, rows);
    for (let at = 0; at < rows; at++) into[at] = values[at] ?? 0;
  };
}

/** 64-bit integers by their halves: exact where a number can be, and rounded once where it cannot. */
const wide: Reader = ({ buffer, byteOffset }, rows, into) => {
  const low = new Uint32Array(buffer, byteOffset, 2 * rows);
  const high = new Int32Array(buffer, byteOffset, 2 * rows);
  for (let at = 0; at < rows; at++) into[at] = (high[2 * at + 1] ?? 0) * 4_294_967_296 + (low[2 * at] ?? 0);
};

/** How the vectors of DuckDB's number types lie in memory, with the bytes of one value. */
const readers: ReadonlyMap<DuckDBTypeId, { readonly sizeBytes: number; readonly read: Reader }> = new Map([
  [DuckDBTypeId.DOUBLE, { sizeBytes: 8, read: plain((buffer, offset, rows) => new Float64Array(buffer, offset, rows)) }],
  [DuckDBTypeId.FLOAT, { sizeBytes: 4, read: plain((buffer, offset, rows) => new Float32Array(buffer, offset, rows)) }],
  [DuckDBTypeId.BIGINT, { sizeBytes: 8, read: wide }],
  [DuckDBTypeId.INTEGER, { sizeBytes: 4, read: plain((buffer, offset, rows) => new Int32Array(buffer, offset, rows)) }],
  [DuckDBTypeId.UINTEGER, { sizeBytes: 4, read: plain((buffer, offset, rows) => new Uint32Array(buffer, offset, rows)) }],
  [DuckDBTypeId.SMALLINT, { sizeBytes: 2, read: plain((buffer, offset, rows) => new Int16Array(buffer, offset, rows)) }],
  [DuckDBTypeId.TINYINT, { sizeBytes: 1, read: plain((buffer, offset, rows) => new Int8Array(buffer, offset, rows)) }],
  [DuckDBTypeId.BOOLEAN, { sizeBytes: 1, read: plain((buffer, offset, rows) => new Uint8Array(buffer, offset, rows)) }],
]);

/** Bits of a vector's validity; undefined where every row has a value. */
function validityOf(vector: ReturnType<typeof duckdb.data_chunk_get_vector>, rows: number): Uint8Array | undefined {
  // The client's types leave out that there is none where nothing is missing.
  const bits = duckdb.vector_get_validity(vector, 8 * Math.ceil(rows / 64)) as Uint8Array | null | undefined;
  return bits ?? undefined;
}

/** Reads the column `at` of `chunk` into `into`. */
export function readNumbers(chunk: DuckDBDataChunk, at: number, type: DuckDBType, { numbers, states }: ColumnNumbers): void {
  const rows = chunk.rowCount;
  const reader = readers.get(type.typeId);
  if (reader === undefined) return readValues(chunk, at, { numbers, states });
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, at);
  reader.read(duckdb.vector_get_data(vector, rows * reader.sizeBytes), rows, numbers);
  const validity = validityOf(vector, rows);
  if (validity === undefined) states.fill(isNumber, 0, rows);
  else for (let row = 0; row < rows; row++) states[row] = ((validity[row >> 3] ?? 0) >> (row & 7)) & 1 ? isNumber : isMissing;
}

/** The same for types that are no plain numbers in memory. */
function readValues(chunk: DuckDBDataChunk, at: number, { numbers, states }: ColumnNumbers): void {
  for (const [row, value] of chunk.getColumnValues(at).entries()) {
    const cell = cellOf(value);
    states[row] = cell === undefined ? isMissing : typeof cell === 'number' ? isNumber : isOther;
    if (typeof cell === 'number') numbers[row] = cell;
  }
}
