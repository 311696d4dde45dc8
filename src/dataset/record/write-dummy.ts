/** Dummy data as files: one CSV for each table of a record. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { datasetErrors } from '../errors.ts';
import { datasetLimits } from '../limits.ts';
import { type DummyOptions, dummyCsv, dummyTables } from './dummy.ts';
import type { DatasetRecord } from './schema.ts';

/** Writes `TABLE.csv` for each table into the new folder `folder`; gives their names. Throws DATASET_BAD_DUMMY. */
export async function writeDummyData(record: DatasetRecord, folder: string, options: DummyOptions): Promise<readonly string[]> {
  const { rows, seed } = options;
  const bad = (what: string, found: string, allowed: string, cause?: unknown): Error => datasetErrors.DATASET_BAD_DUMMY({ what, found, allowed }, cause);
  if (!Number.isInteger(rows) || rows < 1 || rows > datasetLimits.dummyRows) throw bad('the number of rows', String(rows), `1 to ${datasetLimits.dummyRows}`);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) throw bad('the seed', String(seed), '0 to 4294967295');
  await mkdir(folder).catch((error: unknown) => {
    throw bad('the folder', folder, 'a folder that does not exist, in one that does', error);
  });
  const names: string[] = [];
  for (const table of dummyTables(record, options)) {
    const name = `${table.name}.csv`;
    await writeFile(join(folder, name), dummyCsv(table));
    names.push(name);
  }
  return names;
}
