/** Views in a real DuckDB, locked as the data child locks it: the largest ones that are allowed, and random ones. */
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { compileView, viewValueError } from '../../src/dataset/index.ts';
import { cellIn, patients, withColumns } from '../support/patient.ts';
import { lockedResources, resourceTable, rowsOf } from '../support/resources.ts';

let connection: DuckDBConnection;

beforeAll(async () => {
  connection = await lockedResources(patients);
});

const cellOf = async (path: string, change: object = {}, more: object = {}) => await cellIn(connection, path, change, more);

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
