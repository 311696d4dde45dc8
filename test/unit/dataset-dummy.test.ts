/** Dummy data: what a record publishes is in them, and nothing else can be; the same record and seed give the same bytes on every machine. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { afterAll, describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { readRecord, writeDummyData } from '../../src/dataset/index.ts';
import { dateOf, dayOf } from '../../src/dataset/record/days.ts';
import { type DummyTable, dummyCsv, dummyTables } from '../../src/dataset/record/dummy.ts';
import { recordOf } from '../../src/dataset/record/read.ts';
import type { DatasetRecord } from '../../src/dataset/record/schema.ts';
import { project } from '../support/demo.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-dummy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The record that the operator's guide shows. */
const shown = /```toml\n(format = "schwarm\.record\/1"[\s\S]*?)```/.exec(readFileSync(join(project, 'deploy/README.md'), 'utf8'))?.[1] ?? '';
const record = recordOf(parse(shown), 'deploy/README.md');

const tableNamed = (tables: readonly DummyTable[], name: string): DummyTable => tables.find((table) => table.name === name) ?? { name, columns: [], rows: [] };
const columnOf = ({ columns, rows }: DummyTable, name: string): (string | undefined)[] => rows.map((row) => row[columns.indexOf(name)]);

describe('rows of the record in the operator’s guide', () => {
  const tables = dummyTables(record, { seed: 1, rows: 4_000 });
  const [patients, cases] = [tableNamed(tables, 'patients'), tableNamed(tables, 'cases')];

  test('have the columns that it names, and as many as asked', () => {
    for (const [table, wanted] of [
      [patients, 'patients'],
      [cases, 'cases'],
    ] as const) {
      expect(table.columns).toEqual(record.table.find(({ name }) => name === wanted)?.column.map(({ name }) => name));
      expect(table.rows).toHaveLength(4_000);
    }
  });

  test('have keys that tell them apart, and join across tables', () => {
    const keys = columnOf(patients, 'patient_id');
    expect(new Set(keys).size).toBe(4_000);
    expect(columnOf(cases, 'patient_id').every((key) => keys.includes(key))).toBe(true);
    expect(new Set(columnOf(cases, 'patient_id')).size).toBeGreaterThan(2_000);
  });

  test('have values by their shares, and gaps as often as it says', () => {
    const districts = columnOf(patients, 'district');
    const share = (value: string | undefined): number => districts.filter((one) => one === value).length / districts.length;
    expect(share('05911')).toBeCloseTo(0.5 * 0.98, 1);
    expect(share('05913')).toBeCloseTo(0.25 * 0.98, 1);
    expect(share(undefined)).toBeCloseTo(0.02, 1);
    expect(new Set(districts)).toEqual(new Set(['05911', '05913', '05915', undefined]));
    expect(columnOf(cases, 'crp').filter((value) => value === undefined).length / 4_000).toBeCloseTo(0.3, 1);
  });

  test('have numbers between their bounds, with their decimals, along their deciles', () => {
    const values = columnOf(cases, 'crp').flatMap((value) => value ?? []);
    expect(values.every((value) => /^\d+\.\d$/.test(value) && Number(value) >= 0 && Number(value) <= 500)).toBe(true);
    const sorted = values.map(Number).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeCloseTo(8, 0);
    expect(sorted[Math.floor(0.9 * sorted.length)]).toBeGreaterThan(70);
    expect(sorted[Math.floor(0.9 * sorted.length)]).toBeLessThan(120);
  });

  test('have dates in their order', () => {
    const [from, to] = [columnOf(cases, 'admitted'), columnOf(cases, 'discharged')];
    from.forEach((date, at) => {
      expect(date && to[at] && date <= to[at] && to[at] <= '2025-12-31').toBe(true);
    });
  });

  test('go together where the record says so, and nowhere else', () => {
    const ranks = (values: readonly number[]): number[] => {
      const order = values.map((value, at) => ({ value, at })).sort((a, b) => a.value - b.value);
      const rank = new Array<number>(values.length);
      order.forEach(({ at }, place) => {
        rank[at] = place;
      });
      return rank;
    };
    const spearman = (a: readonly (string | undefined)[], b: readonly (string | undefined)[]): number => {
      const both = a.flatMap((value, at) => (value !== undefined && b[at] !== undefined ? [[Number(value), Number(b[at])] as const] : []));
      const [x, y] = [ranks(both.map(([value]) => value)), ranks(both.map(([, value]) => value))];
      const mean = (both.length - 1) / 2;
      const product = (p: number[], q: number[]): number => p.reduce((sum, value, at) => sum + (value - mean) * ((q[at] ?? 0) - mean), 0);
      return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
    };
    expect(spearman(columnOf(cases, 'crp'), columnOf(cases, 'leukocytes'))).toBeCloseTo(0.5, 1);
    expect(Math.abs(spearman(columnOf(cases, 'crp'), columnOf(cases, 'case_id')))).toBeLessThan(0.05);
  });
});

describe('the same bytes', () => {
  const bytes = (given: DatasetRecord, seed: number): string =>
    createHash('sha256')
      .update(dummyTables(given, { seed, rows: 200 }).map(dummyCsv).join())
      .digest('hex');

  test('come from the same record and seed, on whichever machine: this hash was made on x64', () => {
    expect(bytes(record, 1)).toBe('f675b3be20ac54759179008b287e5932bc70edc5673d149b2b9ee5805bf17659');
    expect(bytes(record, 2)).not.toBe(bytes(record, 1));
  });

  test('stay in all other columns when one column is described anew', () => {
    const changed = recordOf(parse(shown.replace('to = "2020-12-31"', 'to = "2010-12-31"')), 'changed');
    const [before, after] = [record, changed].map((given) => tableNamed(dummyTables(given, { seed: 1, rows: 50 }), 'patients'));
    expect(columnOf(after as DummyTable, 'district')).toEqual(columnOf(before as DummyTable, 'district'));
    expect(columnOf(after as DummyTable, 'born')).not.toEqual(columnOf(before as DummyTable, 'born'));
  });

  test('dates are those of the calendar', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), (day) => {
        const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
        expect(dateOf(day)).toBe(date);
        expect(dayOf(date)).toBe(day);
      }),
    );
  });
});

describe('a record', () => {
  const problemsOf = (text: string): readonly { place: string }[] => {
    try {
      recordOf(parse(text), 'record.toml');
      return [];
    } catch (error) {
      return isSwarmError(error, 'DATASET_BAD_RECORD') ? (Reflect.get(error.detail, 'problems') as { place: string }[]) : [];
    }
  };

  test.each([
    ['a number without a range', shown.replace('maximum = 500\n', ''), 'table "cases", column "crp"'],
    ['deciles out of order', shown.replace('12, 20, 40', '12, 40, 20'), 'table "cases", column "crp"'],
    ['shares above one', shown.replace('share = 0.5', 'share = 1.5'), 'table[1].column[3].values[1].share'],
    ['shares that add up to more than one', shown.replace('{ value = "05913" }', '{ value = "05913", share = 0.6 }'), 'table "patients", column "district"'],
    [
      'a reference to what is no key',
      shown.replace('references = "patients.patient_id"', 'references = "patients.born"'),
      'table "cases", column "patient_id"',
    ],
    ['a date before one that comes later', shown.replace('notBefore = "admitted"', 'notBefore = "discharged"'), 'table "cases", column "discharged"'],
    [
      'columns that go together but are not there',
      shown.replace('columns = ["crp", "leukocytes"]', 'columns = ["crp", "nothing"]'),
      'table "cases".together[1]',
    ],
    ['a table twice', shown.replace('name = "cases"', 'name = "patients"'), 'table'],
    ['a title in no language', shown.replace(/^title = .*$/m, 'title = {}'), 'title'],
    ['an unknown key', shown.replace('name = "admissions"', 'name = "admissions"\nrows_exact = 1'), 'rows_exact'],
    ['a source that is not held and cannot be reached', shown.replace('name = "admissions"', 'name = "admissions"\nheld = false'), 'route'],
  ])('with %s is refused by place', (_, text, place) => {
    expect(problemsOf(text).map((problem) => problem.place)).toContain(place);
  });

  test('is read from its file, and its dummy data are written once', async () => {
    const path = join(folder, 'record.toml');
    writeFileSync(path, shown);
    const read = await readRecord(path);
    expect(await writeDummyData(read, join(folder, 'dummy'), { seed: 1, rows: 20 })).toEqual(['patients.csv', 'cases.csv']);
    expect(readFileSync(join(folder, 'dummy', 'cases.csv'), 'utf8').split('\n')).toHaveLength(22);
    await expect(writeDummyData(read, join(folder, 'dummy'), { seed: 1, rows: 20 })).rejects.toMatchObject({ code: 'DATASET_BAD_DUMMY' });
    await expect(writeDummyData(read, join(folder, 'more'), { seed: -1, rows: 20 })).rejects.toMatchObject({ code: 'DATASET_BAD_DUMMY' });
    await expect(writeDummyData(read, join(folder, 'more'), { seed: 1, rows: 0 })).rejects.toMatchObject({ code: 'DATASET_BAD_DUMMY' });
    expect(readdirSync(folder).sort()).toEqual(['dummy', 'record.toml']);
    writeFileSync(path, 'format = = 1');
    await expect(readRecord(path)).rejects.toMatchObject({ code: 'DATASET_BAD_TOML' });
    await expect(readRecord(join(folder, 'none.toml'))).rejects.toMatchObject({ code: 'DATASET_UNREADABLE_FILE' });
  });
});
