/** How the one database of a data child is opened. */
import { datasetLimits } from './limits.ts';

/** One thread, so that sums in a SELECT come out alike each time; no spilling, no extensions. */
export const databaseSettings = {
  threads: '1',
  memory_limit: `${datasetLimits.memoryLimitMb}MB`,
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};
