/** Binding files at a running peer, by the command line: mistakes in them, sources that fail, and snapshots that stay only as long as a data set names them. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CliConsortium, done } from '../support/consortium.ts';
import { expectRefusal } from '../support/refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-refusals-'));
let consortium: CliConsortium;

interface Bound {
  readonly name: string;
  readonly dataVersion: string;
  readonly files: readonly { readonly path: string; readonly leftOut?: number }[];
}

beforeAll(async () => {
  await done(['study', 'new', join(folder, 'study')]);
  consortium = await CliConsortium.found({ founders: 3 });
  await consortium.upAll();
});

afterAll(async () => {
  await consortium[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const rows = (change: (row: readonly (string | number)[], at: number) => readonly (string | number)[] = (row) => row) =>
  [
    'patient_id;age;systolic;outcome;zustimmung',
    ...Array.from({ length: 60 }, (_, at) => change([`Ä${at}`, 30 + at, `1${at % 10}0,5`, at % 2, at < 50 ? 'ja' : 'nein'], at).join(';')),
  ].join('\n');

function write(text: string, more = ''): string {
  writeFileSync(join(folder, 'patienten.csv'), Buffer.from(text, 'latin1'));
  const toml = `format = "schwarm.binding/1"\n[[table]]\nname = "patients"\nsource = { kind = "csv", path = "patienten.csv", encoding = "windows-1252", decimal = ","${more} }\nconsent = { column = "zustimmung", values = ["ja"] }\n`;
  writeFileSync(join(folder, 'binding.toml'), toml);
  return join(folder, 'binding.toml');
}

const snapshots = () => readdirSync(join(consortium.home(0), 'data'));
const list = async () => (await consortium.api(0).get<{ dataSets: readonly Bound[] }>('/v1/datasets')).dataSets;

test('a data set from a binding file: bound, checked, approved; a new version takes the place of the old, and what fails leaves it as it was', async () => {
  const first = await consortium.run<Bound>(0, 'dataset', 'bind', 'german', write(rows()));
  expect(first.files).toMatchObject([{ leftOut: 10 }]);
  expect(snapshots().map((name) => join(consortium.home(0), 'data', name))).toEqual(first.files.map(({ path }) => path));
  expect(statSync(join(consortium.home(0), 'data')).mode & 0o777).toBe(0o700);
  const told = await consortium.cli(0, 'dataset', 'list');
  expect(told.out).toMatch(/german · 1 files · version [0-9a-f]{12}\n +patients from .*patienten\.csv · 10 rows without consent left out/);

  const { study } = await consortium.run<{ study: string }>(0, 'study', 'publish', join(folder, 'study'));
  const { rows: used, dropped } = await consortium.run<{ rows: number; dropped: unknown }>(0, 'dataset', 'check', 'german', study);
  expect({ used, dropped }).toEqual({ used: 50, dropped: [{ reason: 'no consent, so it was not bound', count: 10 }] });
  await consortium.run(0, 'study', 'approve', study, '--data', 'german');

  for (const [change, expected] of [
    [
      () => write(rows(), ', dateFormat = "tt.mm.jjjj"'),
      { code: 5, name: 'DATASET_BINDING_INVALID', says: ['table[1].source.dateFormat', '"tt.mm.jjjj"', 'dd.mm.yyyy'] },
    ],
    [
      () => write(rows((row, at) => (at === 5 ? row.slice(1) : row))),
      { code: 5, name: 'DATASET_UNREADABLE_FILE', says: ['patienten.csv', 'line 7', 'another number of fields'] },
    ],
    [() => write(rows().replace('zustimmung', 'anderes')), { code: 5, name: 'DATASET_NO_CONSENT_COLUMN', says: ['"zustimmung"'] }],
  ] as const) {
    expectRefusal(await consortium.cli(0, 'dataset', 'bind', 'german', change()), expected);
    expect(await list()).toEqual([first]);
    expect(snapshots()).toHaveLength(1);
  }

  const second = await consortium.run<Bound>(
    0,
    'dataset',
    'bind',
    'german',
    write(rows((row, at) => (at === 3 ? [row[0] ?? '', 'alt', ...row.slice(2)] : row))),
  );
  expect(second.dataVersion).not.toBe(first.dataVersion);
  expect(snapshots().map((name) => join(consortium.home(0), 'data', name))).toEqual(second.files.map(({ path }) => path));
  const check = await consortium.cli(0, 'dataset', 'check', 'german', study);
  expect(check.code).toBe(5);
  expect(check.out).toMatch(/problem: .*patienten\.csv · age · 1 values that are no integer · first in line 5 · integer/);
});

test('what a bind that was killed left behind goes when the peer starts again; what a data set names stays', async () => {
  const [bound] = await list();
  consortium.peer(0).kill('SIGKILL');
  for (const name of ['patients.new', `${'0'.repeat(64)}.parquet`]) writeFileSync(join(consortium.home(0), 'data', name), 'rows');
  await consortium.up(0);
  await consortium.until('the rest is gone', async () => snapshots().length === 1);
  expect(snapshots()).toEqual([bound?.files[0]?.path.split('/').at(-1)]);
});
