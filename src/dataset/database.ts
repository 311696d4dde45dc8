/** How the one database of a data child is opened. */
import { join } from 'node:path';
import { datasetLimits } from './limits.ts';

/** One thread, so that sums in a SELECT come out alike each time; no extensions. */
const always = { threads: '1', autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' };

/** A database in memory: nothing is spilled to disk. */
export const databaseSettings = { ...always, memory_limit: `${datasetLimits.memoryLimitMb}MB`, temp_directory: '' };

/** A database in the child's own folder, for rows that memory does not hold; what it spills lies beside it, and all of it goes with the child. */
export const fileDatabaseSettings = {
  ...always,
  memory_limit: `${datasetLimits.fileMemoryLimitMb}MB`,
  temp_directory: join(process.cwd(), 'spilled'),
  max_temp_directory_size: `${datasetLimits.spilledMb}MB`,
};

/** Name of its file, in the child's own folder. */
export const databaseFile = 'rows.duckdb';
