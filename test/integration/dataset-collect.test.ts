/** From a result of DuckDB to features: every type of number, missing values across chunks, and the split by hash. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { hashFields } from '../../src/common/index.ts';
import { collect } from '../../src/dataset/collect.ts';
import { hashShare } from '../../src/dataset/judge.ts';

let connection: DuckDBConnection;

beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
});

const terms = (names: readonly string[], missing: 'drop-row' | 'refuse' = 'drop-row') => ({
  features: { column: names.map((name) => ({ name, min: -1e30, max: 1e30, standardise: true })) },
  label: { column: 'label', classes: [0, 'yes', true] },
  split: { by: 'column' as const, column: 'side', train: ['a'], test: ['b', 2] },
  missing,
});

async function collected(sql: string, names: readonly string[], missing?: 'drop-row' | 'refuse') {
  return await collect(await connection.stream(sql), terms(names, missing));
}

describe('numbers', () => {
  const literals = [
    "'1.5'::DOUBLE",
    "'-2.25'::FLOAT",
    '-7::BIGINT',
    '9007199254740993::BIGINT',
    '(-9223372036854775807)::BIGINT',
    '4294967296::BIGINT',
    '-1::INTEGER',
    '4000000000::UINTEGER',
    '-300::SMALLINT',
    '60000::USMALLINT',
    '-5::TINYINT',
    '200::UTINYINT',
    '18446744073709551615::UBIGINT',
    'true',
    '12.34::DECIMAL(4,2)',
    '-12345678901234.5::DECIMAL(20,1)',
    '170141183460469231731687303715884105727::HUGEINT',
  ] as const;

  test.each(literals)('%s, in every other row, is what the client says', async (literal) => {
    const sql = `SELECT CASE WHEN range % 2 = 0 THEN ${literal} END AS x, 0 AS label, 'a' AS side FROM range(5000)`;
    const said = await connection.runAndReadAll(`SELECT (${literal})::DOUBLE`);
    const { features, report } = await collected(sql, ['x']);
    expect(report).toMatchObject({ rows: literal.includes('HUGE') ? 0 : 2_500 });
    if (literal.includes('HUGE')) expect(report.problems).toMatchObject([{ code: 'DATASET_OUT_OF_RANGE', count: 2_500 }]);
    else expect(new Set(features)).toEqual(new Set([Math.fround(Number(said.getRows()[0]?.[0]))]));
  });

  test('texts and dates are none', async () => {
    for (const literal of ["'5'", "DATE '2024-01-01'", '[1]'])
      expect((await collected(`SELECT ${literal} AS x, 0 AS label, 'a' AS side FROM range(3)`, ['x'])).report.problems).toMatchObject([
        { code: 'DATASET_WRONG_TYPE', count: 3 },
      ]);
  });

  test('features stand row by row, over chunks of rows of which some are left out for different reasons', async () => {
    const sql = `SELECT range AS x, CASE WHEN range % 7 = 0 THEN NULL ELSE -range END AS y, CASE WHEN range % 11 = 0 THEN NULL WHEN range % 2 = 0 THEN '0' ELSE 'yes' END AS label,
      CASE WHEN range % 13 = 0 THEN NULL WHEN range % 3 = 0 THEN '2' ELSE 'a' END AS side FROM range(7000)`;
    const { features, labels, split, report } = await collected(sql, ['x', 'y']);
    const kept = Array.from({ length: 7_000 }, (_, at) => at).filter((at) => at % 7 > 0 && at % 11 > 0 && at % 13 > 0);
    expect([...features]).toEqual(kept.flatMap((at) => [at, -at]));
    expect([...labels]).toEqual(kept.map((at) => at % 2));
    expect([...split]).toEqual(kept.map((at) => (at % 3 === 0 ? 1 : 0)));
    const all = Array.from({ length: 7_000 }, (_, at) => at);
    expect(report.dropped).toEqual(
      expect.arrayContaining([
        { reason: 'no value in the split column', count: all.filter((at) => at % 13 === 0).length },
        { reason: 'a feature is missing', count: all.filter((at) => at % 13 > 0 && at % 7 === 0).length },
        { reason: 'the label is missing', count: all.filter((at) => at % 13 > 0 && at % 7 > 0 && at % 11 === 0).length },
      ]),
    );
    expect((await collected(sql, ['x', 'y'], 'refuse')).report.problems).toMatchObject([
      { code: 'DATASET_EMPTY_CELLS', column: 'y' },
      { code: 'DATASET_EMPTY_CELLS', column: 'label' },
    ]);
  });

  test('a value beyond float32 is not finite, one beyond the range is named as such, and of a row only its first fault counts', async () => {
    const { report } = await collected(
      "SELECT CASE range WHEN 0 THEN 1e39 WHEN 1 THEN 'nan'::DOUBLE WHEN 2 THEN 2e30 ELSE 1 END AS x, 'inf'::DOUBLE AS y, 0 AS label, 'a' AS side FROM range(4)",
      ['x', 'y'],
    );
    expect(report.problems.map(({ code, column, count }) => [code, column, count])).toEqual([
      ['DATASET_NOT_FINITE', 'x', 2],
      ['DATASET_OUT_OF_RANGE', 'x', 1],
      ['DATASET_NOT_FINITE', 'y', 1],
    ]);
  });
});

test('a key falls where its hash says, short or long', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('ä'.repeat(1_400)), fc.constant('x'.repeat(5_000))), { maxLength: 8 }),
      (seed, keys) => {
        const share = hashShare(seed);
        for (const key of keys) {
          const [a = 0, b = 0, c = 0, d = 0] = hashFields('split', seed, key);
          expect(share(key)).toBe((a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32);
        }
      },
    ),
  );
});
