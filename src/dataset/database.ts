/** How the one database of a data child is opened. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { datasetLimits } from './limits.ts';

/** One thread, so that sums in a SELECT come out alike each time; no extensions. */
const always = { threads: '1', autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' };

/** A database in memory: nothing is spilled to disk. */
export const databaseSettings = { ...always, memory_limit: `${datasetLimits.memoryLimitMb}MB`, temp_directory: '' };

/** A new database in memory. */
export async function openDatabase(): Promise<DuckDBConnection> {
  return await (await DuckDBInstance.create(':memory:', databaseSettings)).connect();
}

/**
 * A new database in a file in `folder`, for rows that memory does not hold. DuckDB lets every SELECT read the file of its own database and what it spills,
 * whatever is locked: so the file loses its name at once (where the operating system can do that), and only a child that runs no study's SELECT `spills`.
 */
export async function openFileDatabase(folder: string, { spills }: { readonly spills: boolean }): Promise<DuckDBConnection> {
  const path = join(folder, 'rows.duckdb');
  const instance = await DuckDBInstance.create(path, {
    ...always,
    memory_limit: `${datasetLimits.fileMemoryLimitMb}MB`,
    temp_directory: spills ? join(folder, 'spilled') : '',
    max_temp_directory_size: `${datasetLimits.spilledMb}MB`,
  });
  await rm(path).catch(() => undefined);
  return await instance.connect();
}

/** Writes all that was loaded to where it stays, so that no log of it is left beside the file. */
export async function settleDatabase(connection: DuckDBConnection): Promise<void> {
  await connection.run('CHECKPOINT');
}
