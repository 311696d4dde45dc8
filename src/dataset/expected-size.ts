/** How much room the tables of a study will take, told before anything is loaded: from the sizes of CSV files, and from what Parquet files say of their rows. */
import { stat } from 'node:fs/promises';
import type { StudyTable } from '../study/index.ts';
import type { FileToLoad } from './child-messages.ts';
import { openDatabase } from './database.ts';
import { datasetLimits } from './limits.ts';
import { quotedText } from './sql.ts';

/** Bytes of one value in a table, short texts among numbers. */
const valueSizeBytes = 10;

async function rowsOf(path: string): Promise<number> {
  const connection = await openDatabase();
  try {
    const found = await connection.runAndReadAll(`SELECT num_rows FROM parquet_file_metadata(${quotedText(path)})`);
    return Number(found.getRows()[0]?.[0] ?? 0);
  } catch {
    // A damaged file: it is named when it is read.
    return 0;
  } finally {
    connection.closeSync();
  }
}

async function expectedBytes({ column }: StudyTable, { path, form }: FileToLoad): Promise<number> {
  if (form.kind === 'parquet') return (await rowsOf(path)) * column.length * valueSizeBytes;
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Whether the tables are loaded into memory rather than into a file. */
export async function fitsIntoMemory(tables: readonly { readonly table: StudyTable; readonly files: readonly FileToLoad[] }[]): Promise<boolean> {
  let bytes = 0;
  for (const { table, files } of tables) for (const file of files) bytes += await expectedBytes(table, file);
  return bytes <= datasetLimits.inMemoryBytes;
}
