/** Views in a real DuckDB, locked as the data child locks it: what hostile texts do (nothing), what paths mean beyond the official suite, and what a resource may hold. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { openDatabase } from '../../src/dataset/database.ts';
import { compileView, viewValueError } from '../../src/dataset/index.ts';
import { checkOneStatement } from '../../src/dataset/select.ts';
import { cellIn, patients, withColumns } from '../support/patient.ts';
import { lockedResources, resourceTable, rowsOf } from '../support/resources.ts';

let connection: DuckDBConnection;

beforeAll(async () => {
  connection = await lockedResources(patients);
});

const cellOf = async (path: string, change: object = {}, more: object = {}) => await cellIn(connection, path, change, more);

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => `no error but ${JSON.stringify(value)}`,
    (caught: unknown) => viewValueError(caught) ?? caught,
  );
  return isSwarmError(error, 'DATASET_VIEW_VALUE') ? error.message : String(error);
}

describe('three-valued logic', () => {
  const words = { true: true, false: false, 'nothing.exists().where($this)': null } as const;
  const names = Object.keys(words) as readonly (keyof typeof words)[];
  const tables = {
    and: (a: boolean | null, b: boolean | null) => (a === false || b === false ? false : a === null || b === null ? null : true),
    or: (a: boolean | null, b: boolean | null) => (a === true || b === true ? true : a === null || b === null ? null : false),
    xor: (a: boolean | null, b: boolean | null) => (a === null || b === null ? null : a !== b),
    implies: (a: boolean | null, b: boolean | null) => (a === false || b === true ? true : a === null || b === null ? null : false),
  };
  const cases = Object.entries(tables).flatMap(([operator, table]) =>
    names.flatMap((a) => names.map((b) => ({ path: `${a} ${operator} ${b}`, wanted: table(words[a], words[b]) }))),
  );

  test.each(cases)('$path is $wanted', async ({ path, wanted }) => expect(await cellOf(path)).toBe(wanted));
});

describe('what paths mean', () => {
  const value: readonly (readonly [path: string, wanted: unknown, change?: object])[] = [
    ['getResourceKey()', 'Patient/a'],
    ['Patient.id', 'a'],
    ['name.given', ['Ä', 'B', '"', '\\'], { collection: true }],
    ['name[0].given[1]', 'B'],
    ['name[5].family', null],
    ["name.family.first() + ', ' + name.given.first()", 'Groß, Ä'],
    ["name.where(use = 'official').given.join('|')", 'Ä|B'],
    ["name.exists(use = 'official')", true],
    ["name.where(family = 'none').exists().not()", true],
    ["name.given = 'Ä'", false],
    ['nothing.exists()', false],
    ['nothing = 1', null],
    ['name.where(period.start < @2002).family', 'Groß'],
    ['identifier.value = identifier.value', true],
    ["identifier.where(system = 't').value", '2'],
    ['active and name.first()', true],
    ['where(active).id', 'a'],
    ['where(active.not()).id', null],
    ['deceased.exists()', true],
    ['deceased', '2024-03-01T10:00:00+02:00'],
    ['deceased.ofType(boolean).exists()', false],
    ['deceased.ofType(dateTime) = @2024-03-01T08:00:00Z', true],
    ['deceased.ofType(dateTime) > @2024-03-01T08:00:00Z', false],
    ['deceased.ofType(dateTime) = @2024-03-01', null],
    ['deceased.ofType(dateTime) < @2025', true],
    ['birthDate = @1980-02', true],
    ['birthDate = @1980', null],
    ['birthDate < @1980-02-15', null],
    ['birthDate <= @1980-03', true],
    ['birthDate > @1980-01-31', true],
    ['birthDate != @1981', true],
    ['birthDate.ofType(date)', '1980-02'],
    ['birthDate.ofType(integer).exists()', false],
    ['birthDate.highBoundary()', '1980-02-29'],
    ['birthDate.highBoundary()', '1980-02-29T23:59:59.999-12:00', { type: 'dateTime' }],
    ['deceased.ofType(dateTime).lowBoundary()', '2024-03-01T10:00:00.000+02:00'],
    ['@T08:30:00 < @T08:30:01', true],
    ['@T08:30:00.5.highBoundary()', '08:30:00.599'],
    ['@2024.lowBoundary()', '2024-01-01'],
    ['multipleBirth', 2, { type: 'integer' }],
    ['multipleBirth.ofType(integer) + count', 9],
    ['count div 2 + count mod 2', 4],
    ['-count', -7],
    ['count / 0', null],
    ['1.5.lowBoundary()', 1.45],
    ["extension('it\\'s \"so\"').value.ofType(decimal)", 0.1],
    ["extension('u').value", '[1]'],
    ["extension('u').value.ofType(string)", '[1]'],
    ['contained.ofType(Organization).name', 'Org'],
    ['contained.ofType(Device).exists()', false],
    ['managingOrganization.getReferenceKey()', 'Organization/o1'],
    ['managingOrganization.getReferenceKey(Organization)', 'Organization/o1'],
    ['generalPractitioner.getReferenceKey()', ['Practitioner/p1', 'Organization/o2'], { collection: true }],
    ['generalPractitioner.getReferenceKey(Practitioner)', 'Practitioner/p1'],
    ['generalPractitioner.getReferenceKey(Patient).exists()', false],
    ['ofType(Patient).id', 'a'],
    ['ofType(Device).exists()', false],
    ['`name`.`family`.first()', 'Groß'],
  ];
  for (const [path, wanted, change] of value) test(path, async () => expect(await cellOf(path, change)).toEqual(wanted));
});

describe('what a resource may not hold', () => {
  const values: readonly (readonly [name: string, path: string, change: object, says: RegExp])[] = [
    [
      'two values in a cell',
      'name.family',
      {},
      /select\[0\]\.column\[0\]\.path: a resource has more than one value; allowed: one value, or "collection": true/,
    ],
    ['an object in a cell', 'name.first()', {}, /\(column x\): a resource has a value that is no primitive/],
    ['a text in a column of numbers', 'name.family.first()', { type: 'decimal' }, /a value that is no decimal/],
    ['a fraction in a column of whole numbers', "extension('it\\'s \"so\"').value.ofType(decimal)", { type: 'integer' }, /a value that is no integer/],
    ['arithmetic with a text', 'name.family.first() * 2', {}, /something that is no number; allowed: a number/],
    ['a date that is none', 'id < @2024', {}, /something that is no date or dateTime/],
    ['two values as an operand', "name.family < 'x'", {}, /more than one value; allowed: one; take/],
    ['a number and a text', 'count < id', {}, /values of two kinds in one comparison/],
    ['two booleans in a condition', 'identifier and true', {}, /more than one value/],
  ];
  test.each(values)('%s', async (_, path, change, says) => {
    const message = await refusalOf(cellOf(path, change));
    expect(message).toMatch(says);
    expect(message).not.toMatch(/Groß|DROP/);
  });

  test('a condition that is no boolean; but not of a resource of another type, nor of one that another condition leaves out', async () => {
    expect(await refusalOf(cellOf('id', {}, { where: [{ path: 'name.family.first()' }] }))).toMatch(
      /where\[0\]\.path: a resource has something that is neither true nor false/,
    );
    expect(await cellOf('id', {}, { where: [{ path: 'active' }] })).toBe('a');
    expect(await cellOf('id', {}, { where: [{ path: 'active.not()' }, { path: 'name.family.first()' }] })).toBeUndefined();
  });

  test('an error of DuckDB that is not ours is left alone', () => {
    expect(viewValueError(new Error('Invalid Input Error: DATASET_VIEW_VALUE [broken'))).toBeUndefined();
    expect(viewValueError(new Error('Out of Memory'))).toBeUndefined();
  });
});

describe('files', () => {
  const view = withColumns([{ name: 'x', path: 'id' }]);
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'schwarm-views-'));
    await mkdir(join(folder, 'id=7'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function read(...texts: readonly string[]) {
    const paths = texts.map((_, at) => join(folder, 'id=7', `${at} *[x].ndjson`));
    for (const [at, text] of texts.entries()) await writeFile(paths[at] ?? '', text);
    return await rowsOf(await openDatabase(), compileView(view, { kind: 'files', paths }));
  }

  test('several of them, with empty lines, other resources, signs of patterns in their names and = in their folder', async () => {
    await writeFile(join(folder, 'id=7', '0 other[x].ndjson'), '{"resourceType":"Patient","id":"not bound"}');
    expect(await read('{"resourceType":"Patient","id":"a"}\n\n{"resourceType":"Device","id":["x","y"]}\n', '{"id":"b","resourceType":"Patient"}')).toEqual([
      { x: 'a' },
      { x: 'b' },
    ]);
  });

  test.each(['[{"resourceType":"Patient"}]', '"Patient"', '{"resourceType":"Patient"', '{"resourceType":"Patient","id":1,"id":2}'])(
    'a line that is no resource is an error: %s',
    async (line) => {
      await expect(read(`{"resourceType":"Patient","id":"a"}\n${line}\n`)).rejects.toThrow(/JSON/);
    },
  );
});

describe('hostile texts', () => {
  const attacks = [
    "'; DROP TABLE resources; --",
    "') FROM resources; COPY resources TO 'x.csv'; --",
    "''",
    "\\'",
    '"',
    '$."id"',
    '*',
    '[0]',
    'null',
    '{"a":1}',
    '/* */ --',
    '\u202e\u0007\n\r\t',
    '%x',
    "' || (SELECT string_agg(resource, '') FROM resources) || '",
    'x\u2028y\ud83d\ude00',
    'a'.repeat(8_000),
  ];
  const asPath = (text: string) =>
    `'${[...text].map((one) => ((one.codePointAt(0) ?? 0) < 32 || "\\'".includes(one) ? `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}` : one)).join('')}'`;

  test.each(attacks)('%s is a text like any other', async (text) => {
    const constant = [{ name: 'c', valueString: text }];
    const paths = [
      '%c',
      'name.given.join(%c)',
      'extension(%c).exists()',
      'name.where(family = %c).exists()',
      "%c + ''",
      'getResourceKey() = %c',
      'name.exists(given.first() < %c)',
    ];
    if (text.length < 1_000) paths.push(asPath(text), `extension(${asPath(text)}).exists()`);
    const compiled = compileView(
      withColumns(
        paths.map((path, at) => ({ name: `c${at}`, path })),
        { constant, where: [{ path: "'a' != %c" }], description: text },
      ),
      resourceTable,
    );
    await checkOneStatement(connection, compiled.sql);
    const [row] = await rowsOf(connection, compiled);
    expect(row).toMatchObject({ c0: text, c1: ['Ä', 'B', '"', '\\'].join(text), c2: false, c3: false, c4: text, c5: false });
    if (text.length < 1_000) expect(row).toMatchObject({ c7: text, c8: false });
  });

  test('any text comes back as it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\0')),
        async (text) => {
          expect(await cellOf('%c', {}, { constant: [{ name: 'c', valueMarkdown: text }] })).toBe(text);
          expect(await cellOf(asPath(text))).toBe(text);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('values of resources that look like JSON, names or SQL stay values', async () => {
    expect(await cellOf("name.where(family = 'O\\'Neil; DROP TABLE resources; --').given", { collection: true })).toEqual(['"', '\\']);
    expect(await cellOf("extension.where(url = 'u').value.ofType(string).exists()")).toBe(true);
  });

  test('the locked connection reads no file, whatever the view', async () => {
    const compiled = compileView(withColumns([{ name: 'x', path: 'id' }]), { kind: 'files', paths: ['package.json'] });
    await expect(rowsOf(connection, compiled)).rejects.toThrow(/disabled/);
  });
});
