/** What parent and DuckDB child say to each other. */
import type { StatisticsManifest, StudyTable, TrainingManifest } from '../study/index.ts';
import type { FileForm } from './file-form.ts';
import type { QualityReport } from './report.ts';

/** What a study that trains wants of a row. */
export type FeatureTerms = Pick<TrainingManifest, 'features' | 'label' | 'split' | 'missing'>;
/** What a study that counts wants of a row. */
export type RecordTerms = Pick<StatisticsManifest, 'unit' | 'dimension' | 'variable'> & {
  /** Hexadecimal; under it each unit gets its key. */
  readonly unitSecret: string;
};

/** One file, and how it is read. */
export interface FileToLoad {
  readonly path: string;
  readonly form: FileForm;
  /** What a snapshot was made from, for people. */
  readonly origin?: string | undefined;
}

/** The whole order: load these files, check them, lock the doors, run one SELECT. */
export interface LoadHeader {
  readonly tables: readonly { readonly table: StudyTable; readonly files: readonly FileToLoad[] }[];
  readonly sql: string;
  readonly terms: FeatureTerms | RecordTerms;
}

/**
 * The answer: `bytes` are the lengths of features, labels and split in the body, or of positions, units, values and keys of units; none where the report has problems.
 */
export interface LoadedHeader {
  readonly report: QualityReport;
  readonly bytes: readonly number[];
}
