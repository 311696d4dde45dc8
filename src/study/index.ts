/**
 * study: the research question as data.
 *
 * Owns the study package (`study.toml`, `features.sql`, `model.onnx`): its schema, validation with place and remedy, its RFC 8785 hash,
 * the packed form that travels, the terms that the ledger enforces, and the template of `study new`.
 * Does not own: what the model's bytes mean (`training`), running the SQL (`dataset`), who approved it (`ledger`).
 * Main path: `readStudy` → `packStudy` … `unpackStudy` → `runTerms`.
 */
export type { StudyProblem } from './errors.ts';
export { exposureOf } from './exposure.ts';
export { namedGroupsOf, type StudyGroup } from './groups.ts';
export type { FeatureColumn, Loss, OptimiserTerms, StudyManifest, TrainingManifest } from './manifest.ts';
export { isTraining, packStudy, readStudy, type StatisticsStudy, type Study, type TrainingStudy, unpackStudy, withSeed } from './package.ts';
export { type PlacedProblem, schemaProblems, shown } from './schema-problems.ts';
export type { StudyColumn, StudyTable } from './shared-manifest.ts';
export type { StatisticsManifest, StudyDimension, StudyModel, StudyVariable } from './statistics-manifest.ts';
export { writeStudyTemplate } from './template.ts';
export { logisticModel } from './template-model.ts';
export { auditSentences, hasStatisticsRound, isOpen, runTerms } from './terms.ts';
