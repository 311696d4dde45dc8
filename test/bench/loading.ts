/**
 * `npm run bench -- loading`: from files to the features of a study, against csv-parse in the same run, in processor seconds of this process and its children;
 * and a SELECT over a hundred million rows, by the peak memory of the child. `--rows N --large N` take other sizes, `--large 0` leaves the second part out.
 */
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse';
import { median } from '../../deploy/demo/result.ts';
import { seededChance, silentLogger } from '../../src/common/index.ts';
import { bindDataset, loadFeatures } from '../../src/dataset/index.ts';
import { type TrainingStudy, writeStudyTemplate } from '../../src/study/index.ts';
import { realClock } from '../support/clock.ts';
import { readTrainingStudy } from '../support/studies.ts';

const signal = new AbortController().signal;
const parts = { clock: realClock, logger: silentLogger };
const numbers = Array.from({ length: 26 }, (_, at) => `x${at}`);

function row(name: string, value: string): void {
  process.stdout.write(`| ${name.padEnd(96)} | ${value.padStart(20)} |\n`);
}

/** Processor seconds of this process and of all children that have ended (proc(5), fields 14 to 17 of stat). */
function processorS(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100;
}

async function spentS(work: () => Promise<unknown>): Promise<number> {
  const before = processorS();
  await work();
  return processorS() - before;
}

/** Peak resident MiB of this process's children while `work` runs. */
async function peakOf(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const look = () => {
    for (const pid of readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean)) {
      try {
        peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
      } catch {
        // it has ended
      }
    }
  };
  const watch = setInterval(look, 100);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  return peak;
}

/** A study over 30 columns: 28 features, a label, and a key or a column that splits. */
function studyOf(template: TrainingStudy, split: TrainingStudy['manifest']['split']): TrainingStudy {
  const column = (name: string, datatype: 'string' | 'integer' | 'number' | 'date', more: object = {}) => ({ name, datatype, required: false, ...more });
  const feature = (name: string) => ({ name, min: -1_000, max: 1_000, standardise: true });
  return {
    ...template,
    manifest: {
      ...template.manifest,
      table: [
        {
          name: 'patients',
          column: [
            column('id', 'string', { required: true }),
            column('sex', 'string', { values: ['m', 'f'] }),
            column('birth', 'date'),
            column('label', 'integer', { required: true, values: [0, 1] }),
            ...numbers.map((name) => column(name, 'number', { minimum: -100, maximum: 200 })),
          ],
        },
      ],
      features: { column: ['male', 'age', ...numbers].map(feature) },
      label: { column: 'label', classes: [0, 1] },
      split,
    },
    featuresSql: `SELECT (sex = 'm')::FLOAT AS male, (2024 - year(birth))::FLOAT AS age, ${numbers.map((name) => `coalesce(${name}, 0) AS ${name}`).join(', ')}, label, id, sex FROM patients`,
  };
}

async function writeCsv(path: string, rows: number): Promise<void> {
  const chance = seededChance('bench loading', 1);
  const share = () => chance.word() / 2 ** 32;
  function* chunks() {
    let text = `${['id', 'sex', 'birth', 'label', ...numbers].join(',')}\n`;
    for (let at = 0; at < rows; at++) {
      const cells = numbers.map(() => (share() < 0.05 ? '' : (200 * share() - 50).toFixed(4)));
      text += `p${at},${share() < 0.5 ? 'm' : 'f'},${1930 + (at % 80)}-0${1 + (at % 9)}-1${at % 9},${share() < 0.3 ? 1 : 0},${cells.join(',')}\n`;
      if (text.length < 1_000_000) continue;
      yield text;
      text = '';
    }
    yield text;
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path));
}

/** The same features by csv-parse, as somebody would write it. */
async function byCsvParse(path: string, columns: boolean): Promise<Float32Array> {
  const names = ['male', 'age', ...numbers];
  let features = new Float32Array(1 << 20);
  let at = 0;
  for await (const record of createReadStream(path).pipe(parse({ columns, ...(columns ? {} : { from_line: 2 }) }))) {
    if (at + names.length > features.length) {
      const larger = new Float32Array(2 * features.length);
      larger.set(features);
      features = larger;
    }
    features[at++] = (columns ? record.sex : record[1]) === 'm' ? 1 : 0;
    features[at++] = 2024 - Number((columns ? record.birth : record[2]).slice(0, 4));
    for (let number = 0; number < numbers.length; number++) features[at++] = Number(columns ? record[`x${number}`] : record[4 + number]);
  }
  return features.slice(0, at);
}

async function comparison(folder: string, template: TrainingStudy, rows: number): Promise<void> {
  const csv = join(folder, 'patients.csv');
  const parquet = join(folder, 'patients.parquet');
  await writeCsv(csv, rows);
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(`COPY (SELECT * FROM read_csv('${csv}')) TO '${parquet}' (FORMAT parquet, COMPRESSION zstd)`);
  row('loading: rows; megabytes of CSV, of Parquet (zstd)', `${rows}; ${[csv, parquet].map((path) => (statSync(path).size / 1e6).toFixed(0)).join(', ')}`);
  const objects = await spentS(() => byCsvParse(csv, true));
  const arrays = await spentS(() => byCsvParse(csv, false));
  row('loading: csv-parse, processor seconds, records as objects; as lists', `${objects.toFixed(1)}; ${arrays.toFixed(1)}`);
  const byColumn: TrainingStudy['manifest']['split'] = { by: 'column', column: 'sex', train: ['m'], test: ['f'] };
  const byHash: TrainingStudy['manifest']['split'] = { by: 'hash', key: 'id', testFraction: 0.3, seed: 1 };
  for (const [name, path, split, goal] of [
    ['CSV, split by a column', csv, byColumn, 6],
    ['CSV, split by hash', csv, byHash, 6],
    ['Parquet, split by a column', parquet, byColumn, 12],
    ['Parquet, split by hash', parquet, byHash, 12],
  ] as const) {
    const binding = await bindDataset('patients', [path], { signal });
    const seconds: number[] = [];
    let features = 0;
    const peak = await peakOf(async () => {
      for (let pass = 0; pass < 3; pass++)
        seconds.push(await spentS(async () => ({ length: features } = (await loadFeatures(studyOf(template, split), binding, { signal }, parts)).features)));
    });
    if (features !== 28 * rows) throw new Error(`${features} values of ${28 * rows}`);
    const spent = median(seconds);
    row(
      `loading: ${name}: processor seconds; times less than csv-parse, objects (goal ${goal}), lists`,
      `${spent.toFixed(2)}; ${(objects / spent).toFixed(1)}, ${(arrays / spent).toFixed(1)}`,
    );
    row(`loading: ${name}: peak MiB of the child`, peak.toFixed(0));
  }
}

/** A SELECT that makes 1,000 rows of `rows`, over a table of four columns. */
async function large(folder: string, template: TrainingStudy, rows: number): Promise<void> {
  const column = (name: string, datatype: 'string' | 'integer' | 'number') => ({ name, datatype, required: true });
  const study: TrainingStudy = {
    ...template,
    manifest: {
      ...template.manifest,
      table: [{ name: 'labs', column: [column('patient', 'integer'), column('code', 'string'), column('value', 'number'), column('outcome', 'integer')] }],
      features: { column: ['mean', 'most'].map((name) => ({ name, min: 0, max: 1_000, standardise: true })) },
      label: { column: 'outcome', classes: [0, 1] },
      split: { by: 'hash', key: 'patient', testFraction: 0.3, seed: 1 },
    },
    featuresSql:
      "SELECT patient, avg(value) AS mean, max(value) FILTER (code = 'a') AS most, max(outcome) AS outcome FROM labs GROUP BY patient ORDER BY patient",
  };
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const select = `SELECT range % 1000 AS patient, CASE WHEN range % 3 = 0 THEN 'a' ELSE 'b' END AS code, round(500 + 400 * sin(range), 2) AS value, (range % 1000) % 2 AS outcome FROM range(${rows})`;
  for (const [name, format] of [
    ['labs.parquet', 'FORMAT parquet, COMPRESSION zstd'],
    ['labs.csv', 'FORMAT csv, HEADER'],
  ] as const) {
    const path = join(folder, name);
    await connection.run(`COPY (${select}) TO '${path}' (${format})`);
    const binding = await bindDataset('labs', [path], { signal });
    let found = 0;
    let seconds = 0;
    const peak = await peakOf(async () => {
      seconds = await spentS(async () => ({ rows: found } = await loadFeatures(study, binding, { signal, timeoutMs: 3_600_000 }, parts)));
    });
    row(
      `loading: ${rows} rows of ${name} (${(statSync(path).size / 1e9).toFixed(1)} GB) to ${found}: processor seconds; peak MiB of the child (goal 1536)`,
      `${seconds.toFixed(0)}; ${peak.toFixed(0)}`,
    );
    rmSync(path);
  }
}

/** All figures; `args` as the command line has them. */
export async function loadingFigures(args: readonly string[]): Promise<void> {
  const given = (name: string, standard: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : standard);
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-bench-'));
  try {
    await writeStudyTemplate(join(folder, 'study'), { signal });
    const template = await readTrainingStudy(join(folder, 'study'), { signal });
    const [rows, many] = [given('--rows', 1_000_000), given('--large', 100_000_000)];
    if (rows > 0) await comparison(folder, template, rows);
    if (many > 0) await large(folder, template, many);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
