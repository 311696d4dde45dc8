/** The binding file of the operator's guide, bound and loaded as it stands there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { writeXlsx } from 'hucre/xlsx';
import { parse } from 'smol-toml';
import { expect, test } from 'vitest';
import { bindingSchema } from '../../src/dataset/binding/schema.ts';
import { parquetRows, Site } from '../support/bindings.ts';

const guide = readFileSync(fileURLToPath(new URL('../../deploy/README.md', import.meta.url)), 'utf8');
const examples = [...guide.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, text = '']) => text).filter((text) => text.includes('[table.source]'));

function writeSources(site: Site): void {
  const head = 'patient_id;age;systolic;smoker;seen;outcome;einwilligung\n';
  site.file('patienten-2023.csv', Buffer.from(`${head}a;50;1.20,5;ja;31.12.1999;0;ja\n`.replace('1.20', '120'), 'latin1'));
  site.file('patienten-2024.csv', Buffer.from(`${head}Gr\u00f6\u00dfe;61;140;falsch;01.01.2000;1;ja\nc;-9;k.A.;;;1;ja\nd;70;130;nein;;1;nein\n`, 'latin1'));
  const database = new DatabaseSync(join(site.folder, 'geraet.sqlite'));
  database.exec(
    "CREATE TABLE results (patient, value, day, kind); INSERT INTO results VALUES ('b', 1.5, '02.01.2024', 'creatinine'), ('b', 9, '02.01.2024', 'sodium')",
  );
  database.close();
  const observation = (loinc: string, value: number) => ({
    resourceType: 'Observation',
    code: { coding: [{ system: 'http://loinc.org', code: loinc }] },
    subject: { reference: 'Patient/c' },
    effectiveDateTime: '2024-01-03T08:00:00+01:00',
    valueQuantity: { value },
  });
  site.file('export/Observation.ndjson', `${JSON.stringify(observation('2160-0', 2.5))}\n${JSON.stringify(observation('718-7', 14))}\n`);
  const column = (name: string, path: string, type?: string) => ({ name, path, ...(type === undefined ? {} : { type }) });
  const columns = [
    column('patient', 'subject.reference'),
    column('loinc', "code.coding.where(system = 'http://loinc.org').code.first()"),
    column('value', 'value.ofType(Quantity).value', 'decimal'),
    column('taken', 'effective.ofType(dateTime)'),
  ];
  site.file('laboratory.json', JSON.stringify({ resource: 'Observation', select: [{ column: columns }] }));
}

test('the example reads CSV, Excel, SQLite and FHIR', async () => {
  using site = await Site.create();
  writeSources(site);
  const rows = [['Labor'], ['pid', 'wert', 'datum'], ['a', 0.5, new Date(Date.UTC(2024, 0, 1))]];
  site.file(
    'labor.xlsx',
    await writeXlsx({
      sheets: [
        { name: 'Deckblatt', rows: [] },
        { name: 'Werte', rows },
      ],
    }),
  );
  const path = site.file('binding.toml', examples[0] ?? '');
  const binding = await site.bindFiles(path);
  expect(binding.files).toMatchObject([
    { table: 'patients', leftOut: 1 },
    { table: 'labs', leftOut: 0 },
  ]);
  const loaded = await site.load(binding);
  expect([...loaded.features]).toEqual([50, 1121, 61, 140]);
  expect(loaded.dropped).toEqual([
    { reason: 'no consent, so it was not bound', count: 1 },
    { reason: 'a feature is missing', count: 1 },
  ]);
  expect(await parquetRows(binding.files[1]?.path ?? '')).toEqual([
    { patient_id: 'a', value: 0.5, taken: '2024-01-01' },
    { patient_id: 'b', value: 1.5, taken: '2024-01-02' },
    { patient_id: 'Patient/c', value: 2.5, taken: '2024-01-03' },
  ]);
});

test('the example of PostgreSQL is a valid table', () => {
  expect(examples).toHaveLength(2);
  expect(bindingSchema.safeParse({ format: 'schwarm.binding/1', ...parse(examples[1] ?? '') })).toMatchObject({ success: true });
});
