/** Hostile and mistaken ViewDefinitions: each is refused with the place, what was found, and what is allowed, before any SQL is made. */
import { describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { compileView } from '../../src/dataset/index.ts';

const source = { kind: 'table', table: 'resources', column: 'resource' } as const;
const id = { name: 'id', path: 'id' };
const patient = (change: object) => ({ resource: 'Patient', select: [{ column: [id] }], ...change });
const column = (change: object) => patient({ select: [{ column: [{ ...id, ...change }] }] });
const path = (text: string) => column({ path: text });
const nested = (depth: number): object => (depth === 0 ? { column: [id] } : { select: [nested(depth - 1)] });
const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)]);
const criteria = (depth: number): string => (depth === 0 ? 'b' : `a.where(${criteria(depth - 1)})`);

const refused: readonly (readonly [name: string, view: unknown, says: RegExp])[] = [
  ['no object', null, /the view: found nothing; allowed: an object/],
  ['a list', [], /the view: found a list/],
  ['a text', 'Patient', /the view: found a string/],
  ['an unknown field', patient({ wher: [] }), /the view: found the field "wher"; allowed: resourceType, id/],
  ['a modifier extension', patient({ modifierExtension: [] }), /the field "modifierExtension"/],
  ['SQL as the resource', { ...patient({}), resource: "Patient'; DROP TABLE resources; --" }, /resource: found "Patient'; DROP/],
  ['SQL as the name of the view', patient({ name: 'a"b' }), /name: found "a"b"/],
  ['no select', { resource: 'Patient' }, /select: found nothing; allowed: a list/],
  ['no column', patient({ select: [{}] }), /select: found no column/],
  ['a misspelt forEach', patient({ select: [{ foreach: 'name', column: [id] }] }), /select\[0\]: found the field "foreach"/],
  ['values too deep', patient({ contact: deep(60) }), /values more than 48 deep/],
  ['too many values', patient({ contact: Array.from({ length: 20_001 }, () => 1) }), /more than 20000 values/],
  ['a huge text', patient({ description: 'x'.repeat(10_000) }), /a text of 10000 characters/],
  ['selects too deep', patient({ select: [nested(13)] }), /selects more than 12 deep/],
  ['too many selects', patient({ select: Array.from({ length: 60 }, () => ({ select: [{}, {}] })) }), /more than 64 selects/],
  [
    'too many columns',
    patient({ select: [{ column: Array.from({ length: 1_025 }, (_, at) => ({ name: `c${at}`, path: 'id' })) }] }),
    /1025 items; allowed: at most 1024/,
  ],
  ['SQL as a column name', column({ name: 'a" FROM x; --' }), /select\[0\]\.column\[0\]\.name: found "a" FROM x; --"/],
  ['an empty column name', column({ name: '' }), /name: found an empty text/],
  ['a column name with a leading underscore', column({ name: '_a' }), /name: found "_a"/],
  ['a long column name', column({ name: 'a'.repeat(64) }), /at most 63/],
  ['a column twice', patient({ select: [{ column: [id] }, { column: [{ name: 'ID', path: 'id' }] }] }), /a second column "ID"/],
  ['a path that is no text', column({ path: 7 }), /path: found a number; allowed: a text/],
  ['an unknown type', column({ type: 'HumanName' }), /type: found "HumanName"; allowed: a primitive type: boolean/],
  ['SQL as a type', column({ type: 'VARCHAR); DROP TABLE x; --' }), /type: found "VARCHAR\);/],
  ['a collection that is no boolean', column({ collection: 'yes' }), /collection: found a string; allowed: true or false/],
  ['a type that does not fit', column({ path: 'name.exists()', type: 'integer' }), /true or false in the column "id" of type integer/],
  ['the whole resource in a column', path('$this'), /path: found a whole resource/],
  ['forEach and repeat', patient({ select: [{ forEach: 'name', repeat: ['item'], column: [id] }] }), /forEach and repeat; allowed: only one/],
  ['an empty repeat', patient({ select: [{ repeat: [], column: [id] }] }), /repeat: found an empty list/],
  ['a repeat that stays', patient({ select: [{ repeat: ['$this'], column: [id] }] }), /repeat\[0\]: found a path that stays where it is/],
  ['a repeat of a filter', patient({ select: [{ repeat: ['item', 'where(true).first()'], column: [id] }] }), /repeat\[1\]: found a path that stays/],
  ['a repeat of a literal', patient({ select: [{ repeat: ['@2024'], column: [id] }] }), /repeat\[0\]: found a path that stays/],
  ['a repeat of texts', patient({ select: [{ repeat: ['link.getReferenceKey()'], column: [id] }] }), /repeat\[0\]: found a text/],
  [
    'branches with other columns',
    patient({ select: [{ unionAll: [{ column: [id] }, { column: [{ ...id, name: 'other' }] }] }] }),
    /unionAll\[1\]: found the columns other VARCHAR/,
  ],
  [
    'branches with other types',
    patient({ select: [{ unionAll: [{ column: [id] }, { column: [{ ...id, type: 'integer' }] }] }] }),
    /unionAll\[1\]: found the columns id INTEGER/,
  ],
  ['a condition that is a text', patient({ where: [{ path: "'a'" }] }), /where\[0\]\.path: found a text; allowed: true, false or nothing/],
  ['a condition without path', patient({ where: [{}] }), /where\[0\]\.path: found nothing/],
  ['an undeclared constant', path('%toString'), /the constant "%toString", which the view does not declare; allowed: %rowIndex/],
  ['a constant without value', patient({ constant: [{ name: 'c' }] }), /constant\[0\]: found 0 values for the constant "c"/],
  ['a constant with two values', patient({ constant: [{ name: 'c', valueString: 'a', valueCode: 'b' }] }), /found 2 values/],
  ['a constant of another kind', patient({ constant: [{ name: 'c', valueInteger: '1; DROP TABLE x' }] }), /valueInteger: found a string; allowed: a number/],
  ['a constant that is no number', patient({ constant: [{ name: 'c', valueDecimal: Number.POSITIVE_INFINITY }] }), /valueDecimal: found a number/],
  ['a constant of a type that has none', patient({ constant: [{ name: 'c', valueQuantity: { value: 1 } }] }), /the field "valueQuantity"/],
  ['a date that is none', patient({ constant: [{ name: 'c', valueDate: "2024-05'" }] }), /valueDate: found "2024-05'"; allowed: a date as FHIR writes it/],
  ['a dateTime with a month only before its time', patient({ constant: [{ name: 'c', valueDateTime: '2024-05T08:00:00Z' }] }), /valueDateTime: found/],
  ['a time without seconds', patient({ constant: [{ name: 'c', valueTime: '08:30' }] }), /valueTime: found "08:30"/],
  [
    'a constant twice',
    patient({
      constant: [
        { name: 'c', valueString: 'a' },
        { name: 'c', valueString: 'b' },
      ],
    }),
    /constant\[1\]\.valueString: found a second constant "c"/,
  ],
  ['NUL in a constant', patient({ constant: [{ name: 'c', valueString: 'a\0b' }] }), /NUL/],
  ['an unknown function', path("read_text('passwords')"), /the function "read_text\(\)"; allowed: where, exists, empty/],
  ['a function of JavaScript', path('constructor()'), /the function "constructor\(\)"/],
  ['an argument too many', path('name.first(1)'), /1 arguments of first\(\); allowed: 0/],
  ['an argument too few', path('name.where()'), /0 arguments of where\(\); allowed: 1/],
  ['criteria too deep', path(criteria(8)), /criteria more than 6 deep/],
  ['an index that is a text', path("name['a']"), /an index that is no number/],
  ['an index that is a path', path('name[count]'), /an index that is no number/],
  ['a type that is a text', path("value.ofType('Quantity')"), /ofType\(\) with something that is no type/],
  ['a type that is nowhere', path('value.ofType(quantity)'), /ofType\("quantity"\)/],
  ['ofType without an element', path('name.first().ofType(string)'), /the element directly before it/],
  ['a key of a type that is none', path('link.getReferenceKey(patient)'), /getReferenceKey\("patient"\)/],
  ['a key of an element', path('name.getResourceKey()'), /getResourceKey\(\) of an element/],
  ['a separator that is a path', path('name.given.join(name)'), /join\(\) with something that is no text/],
  ['an extension by path', path('extension(url)'), /extension\(\) with something that is no text/],
  ['a step of a text', path("'a'.b"), /the step b of a text/],
  ['text and number', path("'a' = 1"), /a comparison of string with number/],
  ['a date as a text', path("@2024 < '2025'"), /a comparison of date with string; allowed: .*a date is written @2024-05-01/],
  ['an order of booleans', path('true < false'), /true and false with </],
  ['a product of texts', path("'a' * 2"), /a text with \*/],
  ['elements that differ only in case', path('name.exists() and Name.exists()'), /the elements "name" and "Name"/],
];

describe('refused', () => {
  test.each(refused)('%s', (_, view, says) => {
    const error = (() => {
      try {
        return compileView(view, source);
      } catch (caught) {
        return caught;
      }
    })();
    expect(isSwarmError(error, 'DATASET_BAD_VIEW') ? error.message : error).toMatch(says);
  });
});

describe('text of a view in a message', () => {
  test('is cut and has no control characters', () => {
    expect(() => compileView(column({ name: `\u001b[31m${'x'.repeat(200)}` }), source)).toThrow(/found "\?\[31mx{75}…"/);
  });
});

describe('a compiled view', () => {
  test('names its columns in order with their types', () => {
    const columns = ['a boolean', 'b integer', 'c decimal', 'd date', 'e']
      .map((text) => text.split(' '))
      .map(([name, type]) => ({ name, path: `${name}x`, ...(type ? { type } : {}) }));
    const list = { name: 'f', path: 'f', type: 'decimal', collection: true };
    expect(compileView(patient({ select: [{ column: [...columns, list] }, { column: [{ name: 'g', path: 'g.exists()' }] }] }), source).columns).toEqual([
      { name: 'a', type: 'BOOLEAN' },
      { name: 'b', type: 'INTEGER' },
      { name: 'c', type: 'DOUBLE' },
      { name: 'd', type: 'VARCHAR' },
      { name: 'e', type: 'VARCHAR' },
      { name: 'f', type: 'DOUBLE[]' },
      { name: 'g', type: 'BOOLEAN' },
    ]);
  });

  test('is the same text each time, and reads each element of a resource once', () => {
    const view = patient({
      select: [
        {
          column: [
            { name: 'a', path: 'name.family.first()' },
            { name: 'b', path: 'name.given.first()' },
          ],
        },
      ],
    });
    const { sql } = compileView(view, { kind: 'files', paths: ["a'b.ndjson"] });
    expect(compileView(view, { kind: 'files', paths: ["a'b.ndjson"] }).sql).toBe(sql);
    expect(sql).toContain(
      `read_json(['a''b.ndjson'], format = 'newline_delimited', records = 'true', hive_partitioning = false, columns = {'resourceType': 'JSON', 'name': 'JSON'})`,
    );
  });
});
