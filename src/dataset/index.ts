/**
 * dataset: the member's own data as a study sees it.
 *
 * Owns bindings of names to local data, loading and checking it in DuckDB, the walls around the study's one SELECT, the split, and the quality report.
 * `binding` reads a site's `binding.toml` and keeps snapshots of what is no plain file; `sources` is what reads them, in a child that no study enters.
 * `fhir` turns a ViewDefinition over FHIR resources into one SELECT: `compileView` (pure).
 * Does not own: what is asked (`study`), standardisation and learning (`training`). Rows leave this room for `training` only, and never the institution.
 * Main path: `bindDataset` → `loadFeatures`: `load.ts` → child (`load-tables.ts`, `select.ts`, `collect.ts`) → `FeatureTable`.
 */

export { type BindingParts, removeSnapshots } from './binding/snapshots.ts';
export { type Binding, bindDataset } from './binding.ts';
export { type CompiledView, compileView } from './fhir/compile-view.ts';
export { viewValueError } from './fhir/refusal.ts';
export type { ViewSource } from './fhir/source.ts';
export { checkDataset, type DatasetParts, type LoadOptions, loadFeatures, loadRecords } from './load.ts';
export { readRecord } from './record/read.ts';
export type { DatasetRecord } from './record/schema.ts';
export { writeDummyData } from './record/write-dummy.ts';
export type { RecordTable } from './records.ts';
export type { DatasetProblem, FileReport, QualityReport } from './report.ts';
export { type SparseFeature, sparseFeatures } from './sparse.ts';
export { type DroppedRows, type FeatureTable, pooledTable, splitCounts, testRow, trainRow } from './table.ts';
