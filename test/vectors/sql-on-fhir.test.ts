/**
 * The test suite of SQL on FHIR v2 against DuckDB, whole: all 134 cases pass, the experimental ones as well, so there is no list of exceptions.
 * Each runs over a table and over an NDJSON file, and again with every element as a list and with no list of one: views must not care.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { openDatabase } from '../../src/dataset/database.ts';
import { compileView, type ViewSource, viewValueError } from '../../src/dataset/index.ts';
import { lockedResources, resourceTable, rowsOf } from '../support/resources.ts';

interface Case {
  readonly title: string;
  readonly tags: readonly string[];
  readonly view: unknown;
  readonly expect?: readonly Readonly<Record<string, unknown>>[];
  readonly expectError?: true;
  readonly expectColumns?: readonly string[];
}

const home = fileURLToPath(new URL('./sql-on-fhir', import.meta.url));
const files = readdirSync(join(home, 'tests')).map((name) => {
  const text = readFileSync(join(home, 'tests', name), 'utf8');
  const { resources, tests } = JSON.parse(text) as { readonly resources: readonly unknown[]; readonly tests: readonly Case[] };
  return { name, text, resources, tests };
});
const folder = mkdtempSync(join(tmpdir(), 'schwarm-sql-on-fhir-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A row as text: the columns in the order of their names, absent ones as null. */
function rowText(row: Readonly<Record<string, unknown>>, columns: readonly string[]): string {
  return JSON.stringify([...columns].sort().map((name) => [name, row[name] ?? null]));
}

/** Every element, but for the type of a resource, as a list of itself. */
function listed(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => inside(item, listed));
  return name === '' || name === 'resourceType' ? inside(value, listed) : [inside(value, listed)];
}

/** Every list of one as the one itself. */
function unlisted(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? unlisted(value[0]) : value.map((item) => inside(item, unlisted));
  return inside(value, unlisted);
}

function inside(value: unknown, change: (value: unknown, name: string) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, change(inner, name)]));
}

async function check(connection: DuckDBConnection, source: ViewSource, { view, expect: rows, expectError, expectColumns }: Case): Promise<void> {
  if (expectError) {
    const error = await (async () => rowsOf(connection, compileView(view, source)))().then(
      (found) => `no error but ${JSON.stringify(found)}`,
      (caught: unknown) => viewValueError(caught) ?? caught,
    );
    expect(isSwarmError(error) ? error.code : error).toMatch(/^DATASET_(BAD_VIEW|VIEW_VALUE)$/);
    return;
  }
  const compiled = compileView(view, source);
  const columns = compiled.columns.map(({ name }) => name);
  const found = await rowsOf(connection, compiled);
  if (expectColumns) expect(columns).toEqual(expectColumns);
  for (const row of rows ?? []) expect(columns).toEqual(expect.arrayContaining(Object.keys(row)));
  expect(found.map((row) => rowText(row, columns)).sort()).toEqual((rows ?? []).map((row) => rowText(row, columns)).sort());
}

test('the files are the ones that were taken', () => {
  const listedFiles = [...readFileSync(join(home, 'README.md'), 'utf8').matchAll(/^\| (\S+) \| ([0-9a-f]{64}) \|$/gm)].map(([, name = '', sha256]) => ({
    name,
    sha256,
  }));
  for (const { name, sha256 } of listedFiles)
    expect(
      createHash('sha256')
        .update(readFileSync(join(home, name)))
        .digest('hex'),
      name,
    ).toBe(sha256);
  const there = ['LICENSE.md', 'tests.schema.json', ...files.map(({ name }) => `tests/${name}`)];
  expect(listedFiles.map(({ name }) => name).sort()).toEqual(there.sort());
  const cases = files.flatMap(({ tests }) => tests);
  expect([cases.length, cases.filter(({ tags }) => tags.includes('shareable')).length, cases.filter(({ expectError }) => expectError).length]).toEqual([
    134, 123, 11,
  ]);
});

for (const { name, text, resources, tests } of files) {
  describe(name, async () => {
    const connection = await lockedResources(`${/"resources"\s*:\s*(\[[\s\S]*\])\s*,\s*"tests"/.exec(text)?.[1]}`);
    const lines = (await connection.runAndReadAll('SELECT CAST(resource AS VARCHAR) FROM resources')).getRows().flat();
    const open = await openDatabase();
    const path = join(folder, `${name.replace('.json', '')} [it's].ndjson`);
    writeFileSync(path, `${lines.join('\n')}\n`);
    for (const one of tests) {
      test(`${one.title}: table`, () => check(connection, resourceTable, one));
      test(`${one.title}: file`, () => check(open, { kind: 'files', paths: [path] }, one));
    }
  });

  describe(`${name}, in another shape`, async () => {
    const asLists = await lockedResources(JSON.stringify(resources.map((resource) => listed(resource))));
    const asOnes = await lockedResources(JSON.stringify(resources.map((resource) => unlisted(resource))));
    // Through JavaScript 1.0 becomes 1, and with it the boundaries of a decimal change.
    for (const one of tests.filter(({ title }) => !title.startsWith('decimal '))) {
      test(`${one.title}: lists only`, () => check(asLists, resourceTable, one));
      test(`${one.title}: no list of one`, () => check(asOnes, resourceTable, one));
    }
  });
}
