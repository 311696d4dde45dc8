/** A record from its file, with every problem at once. */
import { schemaProblems } from '../../study/index.ts';
import { datasetErrors } from '../errors.ts';
import { datasetLimits } from '../limits.ts';
import { fileText } from '../regular-file.ts';
import { parsedToml } from '../toml.ts';
import { recordProblems } from './problems.ts';
import { type DatasetRecord, recordSchema } from './schema.ts';

/** The record that `root` is. Throws DATASET_BAD_RECORD with every problem. */
export function recordOf(root: unknown, path: string): DatasetRecord {
  const checked = recordSchema.safeParse(root);
  const problems = checked.success ? recordProblems(checked.data) : schemaProblems(checked.error, root, 'schwarm.record/1');
  if (!checked.success || problems.length > 0) throw datasetErrors.DATASET_BAD_RECORD({ path, problems: problems.slice(0, datasetLimits.recordProblems) });
  return checked.data;
}

/** The record in the file at `path`. Throws DATASET_UNREADABLE_FILE, DATASET_BAD_TOML or DATASET_BAD_RECORD. */
export async function readRecord(path: string): Promise<DatasetRecord> {
  return recordOf(parsedToml(await fileText(path, datasetLimits.recordSizeBytes), path), path);
}
