/** Tables that memory does not hold: when they are expected, where they lie, and that the study's SELECT sees no more there than in memory. */
import { mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFileDatabase, settleDatabase } from '../../src/dataset/database.ts';
import { fitsIntoMemory } from '../../src/dataset/expected-size.ts';
import { loadTable } from '../../src/dataset/load-tables.ts';
import { lockDoors, runSelect } from '../../src/dataset/select.ts';
import type { StudyTable } from '../../src/study/index.ts';
import { Site, saidBy, writeParquet } from '../support/bindings.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.create();
});
afterAll(() => site[Symbol.dispose]());

const table: StudyTable = {
  name: 'labs',
  column: [
    { name: 'patient', datatype: 'integer', required: true },
    { name: 'value', datatype: 'number', required: false, minimum: 0, maximum: 100 },
  ],
};
const csv = (path: string) => ({ path, form: { kind: 'csv' as const, text: {} } });
const parquet = (path: string) => ({ path, form: { kind: 'parquet' as const, text: {} } });

test('what is expected to be large: by bytes of CSV, by rows of Parquet however well they are packed', async () => {
  const large = site.file('large.csv', 'patient,value\n');
  truncateSync(large, 600_000_000);
  const half = site.file('half.csv', 'patient,value\n');
  truncateSync(half, 300_000_000);
  const packed = await writeParquet(join(site.folder, 'packed.parquet'), 'SELECT 1 AS patient, 2.0::DOUBLE AS value FROM range(30000000)');
  expect(statSync(packed).size).toBeLessThan(5_000_000);
  const fits = (...files: Parameters<typeof fitsIntoMemory>[0][number]['files']) => fitsIntoMemory([{ table, files }]);
  expect(await fits(csv(large))).toBe(false);
  expect(await fits(csv(half))).toBe(true);
  expect(await fits(csv(half), csv(half))).toBe(false);
  expect(await fits(parquet(packed))).toBe(false);
  expect(await fits(parquet(await writeParquet(join(site.folder, 'small.parquet'), 'SELECT 1 AS patient, 2.0::DOUBLE AS value FROM range(1000)')))).toBe(true);
});

test('in a file: the same rows, the same problems with their lines, and the same walls', async () => {
  const folder = join(site.folder, 'own');
  mkdirSync(folder);
  const rows = Array.from({ length: 200_000 }, (_, at) => `${at % 10},${at % 50 === 0 ? '' : (at % 97) + 0.5},secret-${at}`);
  const path = site.file('labs.csv', ['patient,value,secret', ...rows, ''].join('\n'));
  const connection = await openFileDatabase(folder, { spills: false });
  expect(await loadTable(connection, table, [csv(path)])).toEqual({
    files: [
      {
        table: 'labs',
        path,
        rows: 200_000,
        empty: [
          { column: 'patient', count: 0 },
          { column: 'value', count: 4_000 },
        ],
      },
    ],
    problems: [],
  });
  const wrong = await loadTable(connection, { ...table, name: 'wrong', column: table.column.map((column) => ({ ...column, maximum: 90 })) }, [csv(path)]);
  expect(wrong.problems).toMatchObject([{ code: 'DATASET_OUT_OF_RANGE', column: 'value', line: 92 }]);
  await settleDatabase(connection);
  await lockDoors(connection);
  expect(readdirSync(folder)).toEqual([]);
  const [row] = (await (
    await runSelect(connection, 'SELECT count(*) AS n, sum(patient) AS s, count(DISTINCT value) AS v FROM labs')
  ).getRowObjectsJson()) as readonly unknown[];
  expect(row).toEqual({ n: '200000', s: '900000', v: '97' });
  for (const sql of [`SELECT * FROM '${path}'`, `SELECT * FROM glob('${folder}/*')`, "SELECT * FROM glob('*')"])
    expect(await saidBy(runSelect(connection, sql).then((result) => result.getRows()))).toMatchObject({ code: 'DATASET_SQL_OUTSIDE' });
  // DuckDB lets these through, and nothing is there.
  for (const name of ['rows.duckdb', 'rows.duckdb.wal'])
    expect(await (await runSelect(connection, `SELECT * FROM read_blob('${join(folder, name)}')`)).getRows()).toEqual([]);
  expect(await saidBy(runSelect(connection, `ATTACH '${join(folder, 'other.duckdb')}'`))).toMatchObject({ code: 'DATASET_NOT_SELECT' });
  expect(await saidBy(runSelect(connection, 'SELECT secret FROM labs'))).toMatchObject({ code: 'DATASET_SQL_FAILED' });
});
