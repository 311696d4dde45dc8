/** Binding files and the forms of real sources: German CSV, Parquet, SQLite, Excel, a SELECT of the site's own, consent; each read by real children. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { writeXlsx } from 'hucre/xlsx';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parquetRows, Site, saidBy, writeParquet } from '../support/bindings.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.create();
});
afterAll(() => site[Symbol.dispose]());

const german =
  'patient_id;age;systolic;smoker;seen;outcome;bemerkung\r\na;50;1.20,5;ja;31.12.1999;0;"x;\r\ny"\r\nb;61;140;NEIN;01.01.2000;1;Größe\r\nc;-9;k.A.;;;1;\r\n';
const germanForm =
  'separator = ";", decimal = ",", dateFormat = "dd.mm.yyyy", trueWords = ["ja", "wahr"], falseWords = ["nein", "falsch"], missing = ["k.A.", "NA"], missingIn = { age = ["-9"] }';
/** What the study makes of the German rows: the third lacks its features. */
const germanFeatures = [50, 120.5 + 0.5 + 1000, 61, 140];
const table = (source: string, more = '') => `[[table]]\nname = "patients"\nsource = { ${source} }\n${more}`;
const features = async (...given: Parameters<Site['bind']>) => [...(await site.load(await site.bind(...given))).features];

describe('German CSV', () => {
  const text = german.replace('1.20,5', '120,5');

  test('separator, decimal comma, dates, words and codes are the declared ones; the file stays where it is', async () => {
    site.file('german.csv', `\uFEFF${text}`);
    const binding = await site.bind(table(`kind = "csv", path = "german.csv", ${germanForm}`));
    expect(binding.files).toMatchObject([{ path: join(site.folder, 'german.csv'), table: 'patients' }]);
    expect(site.kept()).toEqual([]);
    const loaded = await site.load(binding);
    expect([...loaded.features]).toEqual(germanFeatures);
    expect(loaded.dropped).toEqual([{ reason: 'a feature is missing', count: 1 }]);
  });

  test('points between thousands count where they are declared, and are no number where they are not', async () => {
    site.file('thousands.csv', 'patient_id;age;systolic;smoker;seen;outcome\na;50;0.001.234,5;;;0\n');
    site.file('thousand.csv', 'patient_id;age;systolic;smoker;seen;outcome\na;50;0.120,5;;;0\nb;51;110;;;1\n');
    const form = (file: string, more: string) => table(`kind = "csv", path = "${file}", decimal = ","${more}`);
    expect(await features(form('thousand.csv', ', thousands = "."'))).toEqual([50, 120.5, 51, 110]);
    for (const toml of [form('thousand.csv', ''), form('thousand.csv', ', thousands = " "')])
      expect(await saidBy(site.bind(toml).then((bound) => site.load(bound)))).toMatchObject({
        code: 'DATASET_WRONG_TYPE',
        message: expect.stringMatching(/"systolic": 1 values that are no number \(first in line 2\)/),
      });
    expect(await saidBy(site.bind(form('thousands.csv', ', thousands = "."')).then((bound) => site.load(bound)))).toMatchObject({
      code: 'DATASET_OUT_OF_RANGE',
    });
  });

  test.each([
    ['a decimal point', text.replace('120,5', '120.5'), /"systolic": 1 values that are no number \(first in line 2\)/],
    ['an ISO date', text.replace('01.01.2000', '2000-01-01'), /"seen": 1 values that are no date/],
    ['a day that does not exist', text.replace('01.01.2000', '31.02.2000'), /"seen": 1 values that are no date/],
    ['a word that is not declared', text.replace('NEIN', 'no'), /"smoker": 1 values that are no boolean/],
    ['a code in a column where it is none', text.replace('140', '-9'), /"systolic": 1 values out of range/],
  ])('%s is a problem with its line, and is not quoted', async (_what, csv, says) => {
    site.file('wrong.csv', csv);
    const said = await saidBy(site.bind(table(`kind = "csv", path = "wrong.csv", ${germanForm}`)).then((bound) => site.load(bound)));
    expect(said).toMatchObject({ code: expect.stringMatching(/DATASET_(WRONG_TYPE|OUT_OF_RANGE)/), message: expect.stringMatching(says) });
    expect(said.message).not.toMatch(/120\.5|2000-01-01|31\.02/);
  });

  test.each([
    ['windows-1252', Buffer.from(text.replace('Größe', 'Gr\u00f6\u00dfe \u0080'), 'latin1')],
    ['iso-8859-1', Buffer.from(text, 'latin1')],
    ['utf-16le', Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ])('%s becomes a snapshot that only its owner reads, with the lines of the file', async (encoding, bytes) => {
    site.file('other.csv', bytes);
    const toml = table(`kind = "csv", path = "other.csv", encoding = "${encoding}", ${germanForm}`);
    const binding = await site.bind(toml);
    const path = binding.files[0]?.path ?? '';
    expect(path).toBe(join(site.snapshots, `${binding.files[0]?.sha256}.parquet`));
    expect([statSync(path).mode & 0o777, statSync(site.snapshots).mode & 0o777]).toEqual([0o600, 0o700]);
    expect((await parquetRows(path)).map((row) => [row['#place'], row['bemerkung']])).toEqual([
      ['2', 'x;\r\ny'],
      ['3', encoding === 'windows-1252' ? 'Größe €' : 'Größe'],
      ['4', null],
    ]);
    expect([...(await site.load(binding)).features]).toEqual(germanFeatures);
    expect((await site.bind(toml)).dataVersion).toBe(binding.dataVersion);
    site.file('other.csv', Buffer.from(text.replace('61', 'einundsechzig'), encoding === 'utf-16le' ? 'utf16le' : 'latin1'));
    expect(await saidBy(site.bind(toml).then((bound) => site.load(bound)))).toMatchObject({
      code: 'DATASET_WRONG_TYPE',
      message: expect.stringMatching(/other\.csv, column "age": 1 values that are no integer \(first in line 3\)/),
    });
  });

  test('UTF-8 in a file that is said to be UTF-16 is refused', async () => {
    site.file('half.csv', 'a;b\n1;2\n\n');
    expect(await saidBy(site.bind(table('kind = "csv", path = "half.csv", encoding = "utf-16le"')))).toMatchObject({ code: 'DATASET_UNREADABLE_FILE' });
    expect(site.kept().filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});

describe('the version', () => {
  test('covers what is declared and all contents, not places', async () => {
    site.file('one.csv', german);
    site.file('copy/two.csv', german);
    const version = async (source: string) => (await site.bind(table(source))).dataVersion;
    const one = await version(`kind = "csv", path = "one.csv", ${germanForm}`);
    expect(await version(`kind = "csv", path = "copy/two.csv", ${germanForm}`)).toBe(one);
    expect(await version(`kind = "csv", path = "one.csv", ${germanForm.replace('"NA"', '"N/A"')}`)).not.toBe(one);
    site.file('one.csv', german.replace('61', '62'));
    expect(await version(`kind = "csv", path = "one.csv", ${germanForm}`)).not.toBe(one);
  });
});

describe('Parquet', () => {
  const rows =
    "SELECT * FROM (VALUES ('a', 50::TINYINT, 120.5::DECIMAL(5,1), true, DATE '1999-12-31', 0::UBIGINT), ('b', 61, 140, false, NULL, 1), ('c', NULL, 100, NULL, NULL, 1)) AS t(PATIENT_ID, Age, SYSTOLIC, smoker, seen, outcome)";

  test('typed columns in any case, by name and by binding file', async () => {
    const path = await writeParquet(join(site.folder, 'patients.parquet'), rows);
    const expected = [50, 1121, 61, 140];
    expect([...(await site.load(await site.bindFiles(path))).features]).toEqual(expected);
    expect([...(await site.load(await site.bindFiles(`patients=${path}`))).features]).toEqual(expected);
    expect(await features(table('kind = "parquet", path = "patients.parquet"'))).toEqual(expected);
    expect((await site.check(await site.bindFiles(path))).files[0]).toMatchObject({ rows: 3, empty: expect.arrayContaining([{ column: 'smoker', count: 1 }]) });
  });

  test('problems name rows', async () => {
    const path = await writeParquet(join(site.folder, 'rows.parquet'), rows.replace('140', '14.5'));
    expect(await saidBy(site.load(await site.bindFiles(path)))).toMatchObject({
      code: 'DATASET_OUT_OF_RANGE',
      message: expect.stringMatching(/"systolic": 1 values out of range \(first in row 2\)/),
    });
  });

  test('text columns keep the declared form', async () => {
    await writeParquet(
      join(site.folder, 'text.parquet'),
      "SELECT 'a' AS patient_id, '50' AS age, '1.120,5' AS systolic, 'ja' AS smoker, '1.2.2024' AS seen, 1.0 AS outcome",
    );
    const toml = table('kind = "parquet", path = "text.parquet", decimal = ",", thousands = ".", dateFormat = "d.m.yyyy", trueWords = ["ja"]');
    expect(await saidBy(site.bind(toml).then((bound) => site.load(bound)))).toMatchObject({
      code: 'DATASET_OUT_OF_RANGE',
      message: expect.not.stringMatching(/1120|1\.120/),
    });
    await writeParquet(
      join(site.folder, 'text.parquet'),
      "SELECT 'a' AS patient_id, '50' AS age, '120,5' AS systolic, 'ja' AS smoker, '1.2.2024' AS seen, 1.0 AS outcome",
    );
    expect(await features(toml)).toEqual([50, 121]);
  });
});

describe('SQLite', () => {
  test('a table and a query; a column of mixed types is read in the declared form', async () => {
    const database = new DatabaseSync(join(site.folder, 'clinic.sqlite'));
    database.exec(
      "CREATE TABLE visits (patient_id TEXT, age INTEGER, systolic, smoker TEXT, seen TEXT, outcome REAL); INSERT INTO visits VALUES ('a', 50, 120.5, 'ja', '31.12.1999', 0), ('b', 61, '140,0', 'nein', NULL, 1.0), ('c', NULL, 'k.A.', NULL, NULL, 1)",
    );
    database.close();
    const form = germanForm.replace('separator = ";", ', '');
    const version = (await site.bind(table(`kind = "sqlite", path = "clinic.sqlite", table = "visits", ${form}`))).dataVersion;
    expect(await features(table(`kind = "sqlite", path = "clinic.sqlite", table = "visits", ${form}`))).toEqual(germanFeatures);
    expect(await features(table(`kind = "sqlite", path = "clinic.sqlite", query = "SELECT * FROM visits WHERE age > 55 -- older;", ${form}`))).toEqual([
      61, 140,
    ]);
    const again = new DatabaseSync(join(site.folder, 'clinic.sqlite'));
    again.exec("UPDATE visits SET age = 51 WHERE patient_id = 'a'");
    again.close();
    expect((await site.bind(table(`kind = "sqlite", path = "clinic.sqlite", table = "visits", ${form}`))).dataVersion).not.toBe(version);
  });
});

describe('Excel', () => {
  const workbook = async (name: string) =>
    site.file(
      name,
      await writeXlsx({
        sheets: [
          { name: 'Deckblatt', rows: [['nichts']] },
          {
            name: 'Labor',
            rows: [
              ['Auszug', null],
              [null, 'patient_id', 'age', 'systolic', 'smoker', 'seen', 'outcome'],
              [null, 'a', 50, 120.5, true, new Date(Date.UTC(1999, 11, 31)), 0],
              [],
              [null, 'b', 61, 140, false, new Date(Date.UTC(2000, 0, 1)), 1],
              [null, 'c', 'k.A.', 99, null, null, 1],
            ],
          },
        ],
      }),
    );

  test('a sheet by name and by place, with its header row; numbers, dates and booleans are what they are', async () => {
    await workbook('labor.xlsx');
    for (const sheet of ['"Labor"', '2'])
      expect(await features(table(`kind = "excel", path = "labor.xlsx", sheet = ${sheet}, header = 2, missing = ["k.A."]`))).toEqual([50, 1121, 61, 140]);
    expect(await features(table('kind = "excel", path = "labor.xlsx", sheet = "Labor", range = "B2:G3"'))).toEqual([50, 1121]);
  });

  test('problems name rows of the sheet', async () => {
    await workbook('labor.xlsx');
    expect(await saidBy(site.bind(table('kind = "excel", path = "labor.xlsx", sheet = "Labor", header = 2')).then((bound) => site.load(bound)))).toMatchObject({
      code: 'DATASET_WRONG_TYPE',
      message: expect.stringMatching(/sheet Labor of .*labor\.xlsx, column "age": 1 values that are no integer \(first in row 6\)/),
    });
  });

  test('a date in a column of texts is written in the declared form', async () => {
    site.file(
      'mixed.xlsx',
      await writeXlsx({
        sheets: [
          {
            name: 'x',
            rows: [
              ['patient_id', 'age', 'systolic', 'smoker', 'seen', 'outcome'],
              ['a', 50, 120.5, 'ja', new Date(Date.UTC(1999, 11, 31)), 0],
              ['b', 61, '140,25', true, '1.1.1999', 1],
            ],
          },
        ],
      }),
    );
    expect(
      await features(table('kind = "excel", path = "mixed.xlsx", decimal = ",", dateFormat = "dd.mm.yyyy", trueWords = ["ja"], falseWords = ["nein"]')),
    ).toEqual([50, 1121, 61, 1140.75]);
  });
});

describe('a SELECT of the site and consent', () => {
  const halves = `[[table]]
name = "patients"
sql = """
SELECT a.id AS patient_id, a.age, b.rr AS systolic, a.raucher AS smoker, a.gesehen AS seen, b.outcome, a.einwilligung
FROM stamm a JOIN labor b ON a.id = b.id -- joined;
"""
consent = { column = "EINWILLIGUNG", values = ["ja"] }
[[table.source]]
kind = "csv"
name = "stamm"
path = ["stamm-1.csv", "stamm-2.csv"]
dateFormat = "dd.mm.yyyy"
trueWords = ["ja"]
falseWords = ["nein"]
missing = ["-9"]
types = { age = "integer", raucher = "boolean", gesehen = "date" }
[[table.source]]
kind = "sqlite"
name = "labor"
path = "labor.sqlite"
table = "werte"
`;

  test('sources are joined, their declared types and codes hold, rows without consent are left out and counted', async () => {
    site.file('stamm-1.csv', 'id;age;raucher;gesehen;einwilligung\na;50;ja;31.12.1999;ja\n');
    site.file('stamm-2.csv', 'einwilligung;gesehen;raucher;age;id\nja;;nein;61;b\nnein;;nein;62;c\n;;;-9;d\n');
    const database = new DatabaseSync(join(site.folder, 'labor.sqlite'));
    database.exec(
      "CREATE TABLE werte (id TEXT, rr REAL, outcome INTEGER); INSERT INTO werte VALUES ('a', 120.5, 0), ('b', 140, 1), ('c', 100, 0), ('d', 101, 1)",
    );
    database.close();
    const binding = await site.bind(halves);
    expect(binding.files).toMatchObject([{ leftOut: 2, origin: expect.stringMatching(/stamm-1\.csv.* and werte in .*labor\.sqlite/) }]);
    const loaded = await site.load(binding);
    expect([...loaded.features]).toEqual([50, 1121, 61, 140]);
    expect(loaded.dropped).toEqual([{ reason: 'no consent, so it was not bound', count: 2 }]);
    expect((await parquetRows(binding.files[0]?.path ?? '')).map((row) => row['patient_id']).sort()).toEqual(['a', 'b']);
  });

  test('a value that is not of its declared type is refused without being quoted', async () => {
    site.file('stamm-2.csv', 'einwilligung;gesehen;raucher;age;id\nja;;nein;sechzig;b\n');
    expect(await saidBy(site.bind(halves))).toEqual({
      code: 'DATASET_SOURCE_FAILED',
      message: 'the table "patients" cannot be read from stamm: the column "age" has values that are no integer, as types declares it',
    });
  });

  test.each([
    ['two statements', 'SELECT 1; SELECT 2', 'DATASET_SITE_SQL', /2 statements/],
    ['no SELECT', "COPY source TO 'x.csv'", 'DATASET_SITE_SQL', /COPY|disabled/],
    ['another file', "SELECT * FROM read_csv('/etc/passwd')", 'DATASET_SITE_SQL', /disabled/],
    ['an unknown column', 'SELECT nothing FROM source', 'DATASET_SITE_SQL', /nothing/],
    ['a cast that fails', 'SELECT CAST(patient_id AS INTEGER) AS x FROM source', 'DATASET_SITE_SQL', /Conversion Error while rows were read/],
  ])('%s is refused and leaves nothing behind', async (_what, sql, code, message) => {
    site.file('plain.csv', 'patient_id;age\ncanary;50\n');
    const before = site.kept();
    const said = await saidBy(site.bind(table('kind = "csv", path = "plain.csv"', `sql = ${JSON.stringify(sql)}`)));
    expect(said).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(said.message).not.toMatch(/canary/);
    expect(site.kept()).toEqual(before);
  });

  test('consent on a plain file makes a snapshot with the lines of the file; numbers and booleans are compared as such', async () => {
    site.file('consent.csv', 'patient_id,age,systolic,smoker,seen,outcome,c\na,50,120.5,,,0,1\nb,51,120,,,0,0\nc,x,120,,,0,1.0\nd,53,130,,,1,true\n');
    const consent = (values: string) => table('kind = "csv", path = "consent.csv"', `consent = { column = "c", values = ${values} }`);
    const numbers = await site.bind(consent('[1]'));
    expect(numbers.files).toMatchObject([{ leftOut: 2 }]);
    expect(await saidBy(site.load(numbers))).toMatchObject({ message: expect.stringMatching(/first in line 4/) });
    expect(await features(consent('["true"]'))).toEqual([53, 130]);
    expect(await saidBy(site.bind(table('kind = "csv", path = "consent.csv"', 'consent = { column = "none", values = [1] }')))).toMatchObject({
      code: 'DATASET_NO_CONSENT_COLUMN',
    });
  });

  test('a snapshot that was written to is noticed', async () => {
    const binding = await site.bind(table('kind = "csv", path = "consent.csv"', 'consent = { column = "c", values = ["true"] }'));
    const path = binding.files[0]?.path ?? '';
    const bytes = readFileSync(path);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    site.file(join('home', 'data', binding.files[0]?.sha256 ? `${binding.files[0].sha256}.parquet` : ''), bytes);
    expect(await saidBy(site.load(binding))).toMatchObject({ code: 'DATASET_CHANGED' });
  });
});
