/** Real DuckDB children: the shipped data, every refusal of cells and of SQL, and what may not be reached. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSwarmError, silentLogger } from '../../src/common/index.ts';
import { bindDataset, checkDataset, loadFeatures, splitCounts } from '../../src/dataset/index.ts';
import { type TrainingStudy, writeStudyTemplate } from '../../src/study/index.ts';
import { realClock } from '../support/clock.ts';
import { readTrainingStudy } from '../support/studies.ts';

const open = { signal: new AbortController().signal };
const parts = { clock: realClock, logger: silentLogger };
const good = 'patient_id,age,systolic,outcome,secret\na,50,120.5,0,x\nb,61,140,1,y\nc,72,,1,z\nd,40,110,0,w\n';
let folder: string;
let study: TrainingStudy;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'schwarm-dataset-'));
  await writeStudyTemplate(join(folder, 'study'), open);
  study = await readTrainingStudy(join(folder, 'study'), open);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function bound(...texts: readonly (string | Uint8Array)[]) {
  const paths = texts.map(() => join(folder, `${++files}.csv`));
  for (const [at, text] of texts.entries()) await writeFile(paths[at] ?? '', text);
  return await bindDataset('test', paths, open);
}

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return isSwarmError(error) ? { code: error.code, message: error.message } : { code: `uncoded: ${String(error)}`, message: '' };
}

const loaded = async (csv: string, change: Partial<TrainingStudy> = {}) => await loadFeatures({ ...study, ...change }, await bound(csv), open, parts);

describe('the shipped study', () => {
  const home = fileURLToPath(new URL('../../deploy/studies/heart-disease', import.meta.url));

  test('gives FLamby’s counts at each hospital', async () => {
    const heart = await readTrainingStudy(home, open);
    const counts: unknown[] = [];
    for (const name of ['cleveland', 'budapest', 'zurich', 'long-beach']) {
      const table = await loadFeatures(heart, await bindDataset(name, [join(home, 'data', `${name}.csv`)], open), open, parts);
      expect(table.features.length).toBe(13 * table.rows);
      counts.push({ ...splitCounts(table), positive: Math.round((1000 * table.labels.reduce((sum, label) => sum + label, 0)) / table.rows) });
    }
    expect(counts).toEqual([
      { train: 199, test: 104, positive: 459 },
      { train: 172, test: 89, positive: 375 },
      { train: 30, test: 16, positive: 978 },
      { train: 85, test: 45, positive: 777 },
    ]);
  });

  test('its files are the ones whose checksums the data README names', async () => {
    const readme = await readFile(join(home, 'data', 'README.md'), 'utf8');
    const { files: found } = await bindDataset(
      'all',
      ['cleveland', 'budapest', 'zurich', 'long-beach'].map((name) => join(home, 'data', `${name}.csv`)),
      open,
    );
    for (const { sha256 } of found) expect(readme).toContain(sha256);
  });
});

describe('binding', () => {
  test('the data version covers contents, not places', async () => {
    const [a, b, c] = [await bound(good), await bound(good), await bound(`${good}e,50,120,0,v\n`)];
    expect(a.dataVersion).toBe(b.dataVersion);
    expect(a.dataVersion).not.toBe(c.dataVersion);
    expect(JSON.parse(JSON.stringify(a))).toEqual(a);
  });

  test('a missing file, a folder, a bad name and no file are refused', async () => {
    expect(await failure(bindDataset('a', [join(folder, 'none.csv')], open))).toMatchObject({ code: 'DATASET_UNREADABLE_FILE' });
    expect(await failure(bindDataset('a', [folder], open))).toMatchObject({ code: 'DATASET_UNREADABLE_FILE' });
    expect(await failure(bindDataset('../a', [join(folder, 'x')], open))).toMatchObject({ code: 'DATASET_BAD_BINDING' });
    expect(await failure(bindDataset('a', [], open))).toMatchObject({ code: 'DATASET_BAD_BINDING' });
  });

  test('a file that changed since is refused', async () => {
    const binding = await bound(good);
    await writeFile(binding.files[0]?.path ?? '', `${good}e,1,1,1,1\n`);
    expect(await failure(loadFeatures(study, binding, open, parts))).toMatchObject({ code: 'DATASET_CHANGED' });
  });
});

describe('rows', () => {
  test('several files make one table; rows with a missing feature are dropped and counted; the hash split repeats', async () => {
    const binding = await bound(good, good.replaceAll(/^(\w),/gm, '2$1,'));
    const table = await loadFeatures(study, binding, open, parts);
    expect(table).toMatchObject({ rows: 6, featureNames: ['age', 'systolic'], dropped: [{ reason: 'a feature is missing', count: 2 }] });
    expect([...table.features.slice(0, 4)]).toEqual([50, 120.5, 61, 140]);
    expect([...table.labels]).toEqual([0, 1, 0, 0, 1, 0]);
    expect(await loadFeatures(study, binding, open, parts)).toEqual(table);
  });

  test('German files: semicolons, a byte order mark, quoted cells with line breaks, columns in any order and case', async () => {
    const table = await loaded('\uFEFFOutcome;patient_id;"Age";Systolic;note\r\n0;a;50;120.5;"x;\ny"\r\n1;"b""c";61;140;\r\n');
    expect([...table.features]).toEqual([50, 120.5, 61, 140]);
  });

  test('a file that is not UTF-8 is refused with its line', async () => {
    const binding = await bound(Buffer.from(`${good}\u00fc,50,120,0,x\n`, 'latin1'));
    expect(await failure(loadFeatures(study, binding, open, parts))).toMatchObject({
      code: 'DATASET_UNREADABLE_FILE',
      message: expect.stringMatching(/unicode in line 6/),
    });
  });

  test('the quality report counts rows, classes and empty cells', async () => {
    const report = await checkDataset(study, await bound(good), open, parts);
    expect(report.problems).toEqual([]);
    expect(report.files[0]).toMatchObject({ table: 'patients', rows: 4 });
    expect(report.files[0]?.empty.find(({ column }) => column === 'systolic')?.count).toBe(1);
    expect(report.classes.map(({ value, train, test: testRows }) => [value, train + testRows])).toEqual([
      ['0', 2],
      ['1', 1],
    ]);
  });

  test.each([
    ['a missing column', good.replaceAll('systolic', 'sys'), 'DATASET_MISSING_COLUMN', /"systolic": no such column/],
    ['a value of another type', good.replace('61', 'sixty'), 'DATASET_WRONG_TYPE', /"age": 1 values that are no integer \(first in line 3\)/],
    ['half an integer', good.replace('61', '61.5'), 'DATASET_WRONG_TYPE', /line 3/],
    [
      'a value out of range',
      good.replace('72', '720').replace('140', '14'),
      'DATASET_OUT_OF_RANGE',
      /"age": 1 values out of range \(first in line 4\).*\n.*"systolic": 1 values out of range \(first in line 3\)/,
    ],
    ['a label with a third value', good.replace('110,0', '110,2'), 'DATASET_OUT_OF_RANGE', /"outcome": 1 other values \(first in line 5\); allowed: 0, 1/],
    ['NaN in a file', good.replace('120.5', 'NaN'), 'DATASET_NOT_FINITE', /"systolic": 1 values that are NaN or infinite \(first in line 2\)/],
    ['an empty required cell', good.replace('b,61', ',61'), 'DATASET_EMPTY_CELLS', /"patient_id": 1 empty cells/],
    ['a line with too many fields', `${good}e,1,2,1,x,y,z\n`, 'DATASET_UNREADABLE_FILE', /line 6/],
    ['a line with too few fields', good.replace('c,72,,1,z', 'c,72'), 'DATASET_UNREADABLE_FILE', /line 4/],
    ['an empty file', '', 'DATASET_UNREADABLE_FILE', /no header/],
    ['no rows', 'patient_id,age,systolic,outcome\n', 'DATASET_NO_ROWS', /no row/],
  ])('%s is refused with its column and count, and no value is quoted', async (_what, csv, code, message) => {
    const error = await failure(loaded(csv));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error.message).not.toMatch(/sixty|61\.5|720/);
  });

  test.each([
    [
      'NaN made by the SELECT',
      "SELECT 'nan'::DOUBLE AS age, systolic, outcome, patient_id FROM patients",
      'DATASET_NOT_FINITE',
      /features\.sql, column "age": 3 values/,
    ],
    [
      'a label with three values',
      'SELECT age, systolic, outcome + (age > 60)::INT AS outcome, patient_id FROM patients',
      'DATASET_BAD_LABEL',
      /column "outcome": 1 rows/,
    ],
    ['a column left out', 'SELECT age, outcome, patient_id FROM patients', 'DATASET_MISSING_COLUMN', /column "systolic"/],
    ['a feature that is text', 'SELECT patient_id AS age, systolic, outcome, patient_id FROM patients', 'DATASET_WRONG_TYPE', /column "age"/],
    ['a feature out of its range', 'SELECT age * 10 AS age, systolic, outcome, patient_id FROM patients', 'DATASET_OUT_OF_RANGE', /column "age": 3 values/],
  ])('%s is refused', async (_what, featuresSql, code, message) => {
    expect(await failure(loaded(good, { featuresSql }))).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('the SELECT', () => {
  const from = 'age, systolic, outcome, patient_id FROM patients';

  test.each([
    ['another file', () => `SELECT ${from}, read_csv('${join(folder, '1.csv')}') AS f`],
    ['another file by its name', () => `SELECT * FROM '${join(folder, '1.csv')}'`],
    ['a text file', () => "SELECT * FROM read_text('/etc/passwd')"],
    ['a listing of files', () => "SELECT * FROM glob('/*')"],
    ['the network', () => "SELECT * FROM 'http://127.0.0.1:1/a.csv'"],
  ])('reads nothing outside: %s', async (_what, sql) => {
    expect(await failure(loaded(good, { featuresSql: sql() }))).toMatchObject({ code: 'DATASET_SQL_OUTSIDE' });
  });

  test.each([
    ['two statements', `SELECT ${from}; SELECT 1`, 'DATASET_NOT_ONE_STATEMENT'],
    ['no statement', '-- nothing', 'DATASET_NOT_ONE_STATEMENT'],
    ['COPY', `COPY (SELECT ${from}) TO '/tmp/schwarm-leak.csv'`, 'DATASET_NOT_SELECT'],
    ['ATTACH', "ATTACH '/tmp/schwarm-leak.db'", 'DATASET_NOT_SELECT'],
    ['SET', 'SET threads = 4', 'DATASET_NOT_SELECT'],
    ['PRAGMA', 'PRAGMA enable_external_access', 'DATASET_NOT_SELECT'],
    ['CREATE', `CREATE TABLE t AS SELECT ${from}`, 'DATASET_NOT_SELECT'],
    ['DELETE behind a comment', '/* SELECT */ DELETE FROM patients', 'DATASET_NOT_SELECT'],
    ['INSTALL', 'INSTALL httpfs', 'DATASET_NOT_SELECT'],
    ['a syntax error', 'SELEKT 1', 'DATASET_NOT_SELECT'],
    ['an unknown column', 'SELECT nothing FROM patients', 'DATASET_SQL_FAILED'],
    ['a column that the study does not declare', 'SELECT secret FROM patients', 'DATASET_SQL_FAILED'],
    ['a failing cast, without the value', 'SELECT CAST(patient_id AS INTEGER) AS age, systolic, outcome, patient_id FROM patients', 'DATASET_SQL_FAILED'],
  ])('%s is refused', async (_what, featuresSql, code) => {
    const error = await failure(loaded(good, { featuresSql }));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("'a'");
  });

  test('a semicolon and a comment at the end are fine', async () => {
    expect((await loaded(good, { featuresSql: `SELECT ${from}; -- the end` })).rows).toBe(3);
  });

  test('one that does not end is ended', async () => {
    const featuresSql = `SELECT ${from} WHERE (SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b) > 0`;
    const work = loadFeatures({ ...study, featuresSql }, await bound(good), { ...open, timeoutMs: 1_500 }, parts);
    expect(await failure(work)).toMatchObject({ code: 'DATASET_TIMEOUT' });
  });
});
