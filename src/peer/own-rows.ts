/** The member's own rows under a study of either kind. */
import { type Binding, type DatasetParts, type FeatureTable, type LoadOptions, loadFeatures, loadRecords, type RecordTable } from '../dataset/index.ts';
import { isTraining, type Study } from '../study/index.ts';

/** Rows with features, or rows that are counted. */
export type OwnRows = FeatureTable | RecordTable;

/** Runs the study's SELECT over what is bound. Throws DATASET_…. */
export async function loadOwnRows(
  study: Study,
  binding: Binding,
  options: LoadOptions & { readonly unitSecret: string },
  parts: DatasetParts,
): Promise<OwnRows> {
  return isTraining(study) ? await loadFeatures(study, binding, options, parts) : await loadRecords(study, binding, options, parts);
}

/** Rows that are counted, over memory that threads share. */
export function sharedRecords(records: RecordTable): RecordTable {
  const shared = (size: number): ArrayBuffer => new SharedArrayBuffer(size) as unknown as ArrayBuffer;
  const positions = new Int32Array(shared(records.positions.byteLength));
  const units = new Int32Array(shared(records.units.byteLength));
  const values = new Float64Array(shared(records.values.byteLength));
  positions.set(records.positions);
  units.set(records.units);
  values.set(records.values);
  return { ...records, positions, units, values };
}
