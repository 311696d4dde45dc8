/** What parent and DuckDB child say to each other. */
import type { StudyManifest, StudyTable } from '../study/index.ts';
import type { QualityReport } from './report.ts';

/** The whole order: load these files, check them, lock the doors, run one SELECT. */
export interface LoadHeader {
  readonly tables: readonly { readonly table: StudyTable; readonly paths: readonly string[] }[];
  readonly sql: string;
  readonly terms: Pick<StudyManifest, 'features' | 'label' | 'split' | 'missing'>;
}

/** The answer: `bytes` are the lengths of features, labels and split in the body; all 0 where the report has problems. */
export interface LoadedHeader {
  readonly report: QualityReport;
  readonly bytes: readonly [features: number, labels: number, split: number];
}
