/** Views in a real DuckDB, locked as the data child locks it: what hostile texts do (nothing), what paths mean beyond the official suite, and what a resource may hold. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { compileView, viewValueError } from '../../src/dataset/index.ts';
import { checkOneStatement } from '../../src/dataset/select.ts';
import { lockedResources, openDatabase, resourceTable, rowsOf } from '../support/resources.ts';

const patients = JSON.stringify([
  {
    resourceType: 'Patient',
    id: 'a',
    active: true,
    birthDate: '1980-02',
    deceasedDateTime: '2024-03-01T10:00:00+02:00',
    multipleBirthInteger: 2,
    name: [
      { use: 'official', family: 'Groß', given: ['Ä', null, 'B'], period: { start: '2001-01-01' } },
      { family: "O'Neil; DROP TABLE resources; --", given: ['"', '\\'] },
    ],
    identifier: [
      { system: 's', value: '1' },
      { system: 't', value: '2' },
    ],
    extension: [
      { url: `it's "so"`, valueDecimal: 0.1 },
      { url: 'u', valueString: '[1]' },
    ],
    managingOrganization: { reference: 'https://x.example/fhir/Organization/o1/_history/3' },
    generalPractitioner: [
      { reference: 'Practitioner/p1' },
      { reference: 'urn:uuid:1' },
      { reference: '#c' },
      { reference: 'Organization/o2' },
      { display: 'nobody' },
    ],
    contained: [
      { resourceType: 'Organization', id: 'o', name: 'Org' },
      { resourceType: 'Patient', id: 'p' },
    ],
    count: 7,
    nothing: null,
  },
  { resourceType: 'Observation', id: 'o', status: 'final', active: 'not a boolean' },
]);
let connection: DuckDBConnection;

beforeAll(async () => {
  connection = await lockedResources(patients);
});

const withColumns = (column: readonly object[], more: object = {}) => ({ resource: 'Patient', select: [{ column }], ...more });

async function cellOf(path: string, change: object = {}, more: object = {}): Promise<unknown> {
  const compiled = compileView(withColumns([{ name: 'x', path, ...change }], more), resourceTable);
  return (await rowsOf(connection, compiled))[0]?.['x'];
}

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

describe('the largest that is allowed', () => {
  const criteria = (depth: number): string =>
    depth === 0 ? "family = 'x' or (given.first() < given.first()) = (use < use)" : `where(${criteria(depth - 1)}).exists()`;

  test.each([
    ['64 steps', `${'a.'.repeat(63)}a`, null],
    ['63 operators', `${'count = count and '.repeat(61)}true`, true],
    ['nested comparisons', `${'('.repeat(60)}count${' = count)'.repeat(60)}`, false],
    ['sums', `count${' + count'.repeat(62)}`, 441],
    ['filters one after the other', `name${".where(use = 'official')".repeat(60)}.use`, 'official'],
    ['choices of choices', `extension${'.value'.repeat(60)}`, null],
    ['joins of joins', `name.given${'.join()'.repeat(60)}`, 'ÄB"\\'],
    ['implications', `active${' implies active'.repeat(62)}`, true],
    ['quotients', `count${' / 7.0'.repeat(62)}`, 7 / 7 ** 62],
    ['conjunctions and disjunctions in turns', `${'('.repeat(32)}active${' and name[0].exists()) or id.exists())'.repeat(16)}`, true],
    ['boundaries of boundaries', `birthDate${'.lowBoundary()'.repeat(60)}`, '1980-02-01'],
    ['criteria six deep', `name.${criteria(6)}`, true],
  ])('%s', async (_, path, wanted) => {
    const found = await cellOf(path);
    if (typeof wanted === 'number') expect(found).toBeCloseTo(wanted, 60);
    else expect(found).toBe(wanted);
  });

  test('64 selects and 12 levels of them', async () => {
    const column = (at: number) => [{ name: `c${at}`, path: 'id' }];
    const flat = Array.from({ length: 64 }, (_, at) => ({ forEach: 'name.first()', column: [{ name: `c${at}`, path: 'use' }] }));
    const [row] = await rowsOf(connection, compileView({ resource: 'Patient', select: flat }, resourceTable));
    expect(Object.values(row ?? {})).toEqual(Array.from({ length: 64 }, () => 'official'));
    const nested = (depth: number): object =>
      depth === 11 ? { column: column(depth) } : { forEach: '$this', column: column(depth), unionAll: [nested(depth + 1)] };
    const deep = { resource: 'Patient', select: [{ forEach: 'contained', column: column(0), unionAll: [nested(1)] }] };
    expect(await rowsOf(connection, compileView(deep, resourceTable))).toHaveLength(2);
  });
});

test('whatever compiles, DuckDB takes: random paths', async () => {
  const leaf = fc.constantFrom(
    'name',
    'id',
    'count',
    'active',
    'deceased',
    "'x'",
    '1',
    '2.5',
    'true',
    '@2024-05',
    '@T08:00:00',
    '%c',
    '%d',
    '%rowIndex',
    '$this',
    'nothing',
  );
  const { path } = fc.letrec<{ path: string }>((tie) => ({
    path: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc
        .tuple(
          tie('path'),
          fc.constantFrom(
            '.family',
            '.given',
            '.value',
            '[0]',
            '[%rowIndex]',
            '.first()',
            '.exists()',
            '.empty()',
            '.not()',
            '.join()',
            ".join(',')",
            ".extension('u')",
            '.value.ofType(Quantity)',
            '.value.ofType(decimal)',
            '.birthDate.ofType(date)',
            '.contained.ofType(Patient)',
            '.getReferenceKey()',
            '.getReferenceKey(Patient)',
            '.lowBoundary()',
            '.highBoundary()',
          ),
        )
        .map((both) => both.join('')),
      fc.tuple(tie('path'), tie('path')).map(([of, criterion]) => `${of}.where(${criterion})`),
      fc
        .tuple(tie('path'), fc.constantFrom('=', '!=', '<', '>=', '+', '-', '*', '/', 'div', 'mod', 'and', 'or', 'xor', 'implies'), tie('path'))
        .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
      tie('path').map((operand) => `(-${operand})`),
    ),
  }));
  let compiled = 0;
  await fc.assert(
    fc.asyncProperty(path, fc.boolean(), fc.constantFrom(undefined, 'string', 'decimal', 'boolean', 'dateTime', 'integer'), async (text, collection, type) => {
      const constant = [
        { name: 'c', valueString: 'u' },
        { name: 'd', valueDateTime: '2024-05-01T00:00:00Z' },
      ];
      const view = withColumns([{ name: 'x', path: text, collection, ...(type === undefined ? {} : { type }) }], { constant });
      const sql = (() => {
        try {
          return compileView(view, resourceTable);
        } catch (error) {
          if (!isSwarmError(error, 'DATASET_BAD_VIEW')) throw error;
          return undefined;
        }
      })();
      if (sql === undefined) return;
      compiled++;
      await rowsOf(connection, sql).catch((error: unknown) => {
        if (viewValueError(error) === undefined) throw error;
      });
    }),
    { numRuns: 400 },
  );
  expect(compiled).toBeGreaterThan(100);
});

/** A select, and how many rows it makes of the one patient. */
interface Counted {
  readonly select: object;
  readonly rows: number;
}

test('selects beside each other multiply their rows, branches of a union add them up: random views against counting', async () => {
  const leaves: readonly Counted[] = [
    { select: {}, rows: 1 },
    { select: { forEach: 'name' }, rows: 2 },
    { select: { forEach: 'name.given' }, rows: 4 },
    { select: { forEach: 'nothing' }, rows: 0 },
    { select: { forEachOrNull: 'nothing' }, rows: 1 },
    { select: { forEachOrNull: 'identifier', select: [{ forEach: 'value' }] }, rows: 2 },
    { select: { repeat: ['name', 'given'] }, rows: 6 },
    { select: { repeat: ['contained', 'nothing'], unionAll: [{}, { forEach: 'id' }] }, rows: 4 },
  ];
  const { view } = fc.letrec<{ view: Counted }>((tie) => {
    const several = fc.array(tie('view'), { minLength: 1, maxLength: 3 });
    const product = several.map((all) => ({ select: { select: all.map(({ select }) => select) }, rows: all.reduce((rows, one) => rows * one.rows, 1) }));
    const sum = several.map((all) => ({ select: { unionAll: all.map(({ select }) => select) }, rows: all.reduce((rows, one) => rows + one.rows, 0) }));
    return { view: fc.oneof({ maxDepth: 3 }, fc.constantFrom(...leaves), product, sum) };
  });
  await fc.assert(
    fc.asyncProperty(
      view.filter(({ rows }) => rows < 10_000),
      async ({ select, rows }) => {
        const compiled = compileView({ resource: 'Patient', select: [{ column: [{ name: 'id', path: 'id' }] }, select] }, resourceTable);
        expect(await rowsOf(connection, compiled)).toEqual(Array.from({ length: rows }, () => ({ id: 'a' })));
      },
    ),
    { numRuns: 150 },
  );
});
