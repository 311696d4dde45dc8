/** Real bindings of all kinds of sources, bound and loaded by real children under a small study whose columns have every type. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { isSwarmError, silentLogger } from '../../src/common/index.ts';
import { type Binding, bindDataset, checkDataset, type FeatureTable, loadFeatures, type QualityReport } from '../../src/dataset/index.ts';
import { type TrainingStudy, writeStudyTemplate } from '../../src/study/index.ts';
import { realClock } from './clock.ts';
import { readTrainingStudy } from './studies.ts';

const open = { signal: new AbortController().signal };
const parts = { clock: realClock, logger: silentLogger };

/** What a refusal says: its code, and its message. */
export interface Said {
  readonly code: string;
  readonly message: string;
}

/** A study over one table with columns of every type; label and split as `study new` writes them. */
function studyOf(template: TrainingStudy): TrainingStudy {
  const column = (name: string, datatype: 'string' | 'integer' | 'number' | 'boolean' | 'date', more: object = {}) => ({
    name,
    datatype,
    required: false,
    ...more,
  });
  return {
    ...template,
    manifest: {
      ...template.manifest,
      features: { column: template.manifest.features.column.map((feature) => ({ ...feature, max: 5_000 })) },
      table: [
        {
          name: 'patients',
          column: [
            column('patient_id', 'string', { required: true }),
            column('age', 'integer', { minimum: 0, maximum: 120 }),
            column('systolic', 'number', { minimum: 30, maximum: 350 }),
            column('smoker', 'boolean'),
            column('seen', 'date'),
            column('outcome', 'integer', { required: true, values: [0, 1] }),
          ],
        },
      ],
    },
    featuresSql:
      "SELECT age, systolic + CASE WHEN smoker THEN 0.5 ELSE 0 END + CASE WHEN seen < DATE '2000-01-01' THEN 1000 ELSE 0 END AS systolic, outcome, patient_id FROM patients",
  };
}

/** A folder of sources and snapshots, and a study to load them under. */
export class Site implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'schwarm-binding-'));
  readonly snapshots = join(this.folder, 'home', 'data');
  readonly study: TrainingStudy;
  #files = 0;

  private constructor(template: TrainingStudy) {
    this.study = studyOf(template);
  }

  static async create(): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), 'schwarm-template-'));
    try {
      await writeStudyTemplate(join(folder, 'study'), open);
      return new Site(await readTrainingStudy(join(folder, 'study'), open));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Writes a file and gives its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Binds a binding file with this text after its first line. */
  async bind(toml: string, signal: AbortSignal = open.signal): Promise<Binding> {
    const path = this.file(`binding-${++this.#files}.toml`, `format = "schwarm.binding/1"\n${toml}`);
    return await bindDataset('test', [path], { signal }, { ...parts, folder: this.snapshots });
  }

  async bindFiles(...paths: readonly string[]): Promise<Binding> {
    return await bindDataset('test', paths, open, { ...parts, folder: this.snapshots });
  }

  async load(binding: Binding, change: Partial<TrainingStudy> = {}): Promise<FeatureTable> {
    return await loadFeatures({ ...this.study, ...change }, binding, open, parts);
  }

  async check(binding: Binding): Promise<QualityReport> {
    return await checkDataset(this.study, binding, open, parts);
  }

  /** Files of the folder of snapshots. */
  kept(): readonly string[] {
    try {
      return readdirSync(this.snapshots).sort();
    } catch {
      return [];
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The code and the message of what `work` throws. */
export async function saidBy(work: Promise<unknown>): Promise<Said> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return isSwarmError(error) ? { code: error.code, message: error.message } : { code: `uncoded: ${String(error)}`, message: '' };
}

/** The rows of a Parquet file as JSON shows them. */
export async function parquetRows(path: string): Promise<readonly Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  return (await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`)).getRowObjectsJson();
}

/** Writes a Parquet file with the rows of a SELECT. */
export async function writeParquet(path: string, select: string): Promise<string> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  return path;
}
