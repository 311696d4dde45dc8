/** The pure parts of bindings: date formats, addresses of PostgreSQL, what an archive says of itself, names of columns. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { postgresPlace } from '../../src/dataset/binding/postgres-url.ts';
import { formByName } from '../../src/dataset/file-form.ts';
import { distinctNames } from '../../src/dataset/sources/names.ts';
import { zipContents } from '../../src/dataset/sources/zip-entries.ts';
import { missingCodes, presentText, strptimeFormat } from '../../src/dataset/text-form.ts';

test.each([
  ['dd.mm.yyyy', '%d.%m.%Y'],
  ['yyyy-mm-dd', '%Y-%m-%d'],
  ['d/m/yy', '%-d/%-m/%y'],
  ['dd mm yyyy', '%d %m %Y'],
  ['yyyymmdd', '%Y%m%d'],
  ['dd.mm', undefined],
  ['dd.dd.yyyy', undefined],
  ['dd.mm.yyyy yyyy', undefined],
  ["dd.mm.yyyy'", undefined],
  ['%Y-%m-%d', undefined],
  ['', undefined],
])('the date format %s is %s', (written, format) => expect(strptimeFormat(written)).toBe(format));

test('whatever is taken as a date format can stand in SQL', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('d', 'm', 'y', '.', '-', ' ', "'", '%', 'H', '\0'), maxLength: 14 }), (text) => {
      const format = strptimeFormat(text);
      expect(format === undefined || /^(%-?[dmyY]|[./ -])+$/.test(format)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('codes for missing values are texts in SQL, those of a column beside those of all', () => {
  const form = { missing: ["k'A", 'NA'], missingIn: { Age: ['-9', 'NA'] } };
  expect(missingCodes(form, 'AGE')).toEqual(["k'A", 'NA', '-9']);
  expect(missingCodes(form, 'other')).toEqual(["k'A", 'NA']);
  expect(presentText(form, 'other', '"x"')).toBe(`(CASE WHEN trim("x") NOT IN ('', 'k''A', 'NA') THEN "x" END)`);
});

test.each([
  ['postgres://a@h/d', { host: 'h', port: 5432, user: 'a', database: 'd', local: false }],
  ['postgresql://a%40b@localhost:1/d%20e', { host: 'localhost', port: 1, user: 'a@b', database: 'd e', local: true }],
  ['postgres://a@[::1]:6/d', { host: '::1', port: 6, user: 'a', database: 'd', local: true }],
  ['postgres://a@127.5.0.1/d', { host: '127.5.0.1', port: 5432, user: 'a', database: 'd', local: true }],
  ['postgres://a@127.example.org/d', { host: '127.example.org', port: 5432, user: 'a', database: 'd', local: false }],
  ['postgres://a@/d?host=/run/postgresql', { host: '/run/postgresql', port: 5432, user: 'a', database: 'd', local: true }],
  ['postgres://a@:7/d?host=/run/postgresql', { host: '/run/postgresql', port: 7, user: 'a', database: 'd', local: true }],
])('%s is a place', (address, place) => expect(postgresPlace(address)).toEqual(place));

test.each([
  'postgres://a:canary@h/d',
  'postgres://a@h',
  'postgres://h/d',
  'postgres://a@/d',
  'postgres://a@h/d?host=x',
  'postgres://a@h/d?host=/x&password=canary',
  'http://a@h/d',
  'nonsense',
  'postgres://a@h/d/e',
])('%s is none, and no password is repeated', (address) => {
  const checked = postgresPlace(address);
  expect(checked).toHaveProperty('problem');
  expect(JSON.stringify(checked)).not.toContain('canary');
});

test('bytes that are no archive of a workbook say nothing of their size', () => {
  expect(zipContents(new Uint8Array(0))).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 65_535 }), fc.nat(250), (bytes, entries, at) => {
      const end = Buffer.alloc(22);
      end.writeUInt32LE(0x06054b50, 0);
      end.writeUInt16LE(entries, 10);
      end.writeUInt32LE(at, 16);
      const contents = zipContents(Buffer.concat([bytes, end]));
      expect(contents === undefined || contents.entries === entries).toBe(true);
    }),
  );
});

test('names of columns are told apart whatever their case, and the first keeps its own', () => {
  expect(distinctNames(['a', ' A ', '', 'b'])).toEqual(['a', 'column 2', 'column 3', 'b']);
});

test('the form of a file by its name', () => {
  expect(['a.CSV', 'a.tsv', 'a.txt', 'a', 'a.parquet', 'a.xlsx', 'a.sqlite'].map((name) => formByName(name)?.kind)).toEqual([
    'csv',
    'csv',
    'csv',
    'csv',
    'parquet',
    undefined,
    undefined,
  ]);
});
