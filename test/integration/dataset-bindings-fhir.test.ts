/** FHIR through a binding file: a bulk export and a ViewDefinition become a table of a study, consent and all; and what stands wrong in them. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Site, saidBy } from '../support/bindings.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.create();
});
afterAll(() => site[Symbol.dispose]());

const patient = (id: string, birthDate: string, more: object = {}) => ({ resourceType: 'Patient', id, birthDate, ...more });
const pressure = (id: string, of: string, value: number | string) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  subject: { reference: `Patient/${of}` },
  effectiveDateTime: `2024-0${id.length}-01T08:00:00+01:00`,
  valueQuantity: { value, unit: 'mmHg' },
});
const consent = (of: string, type: string) => ({ resourceType: 'Consent', id: `c-${of}`, patient: { reference: `Patient/${of}` }, provision: { type } });

const lines = (...resources: readonly object[]) => resources.map((resource) => `${JSON.stringify(resource)}\n`).join('');
const view = (resource: string, columns: Readonly<Record<string, string>>, types: Readonly<Record<string, string>> = {}) =>
  JSON.stringify({
    resource,
    select: [{ column: Object.entries(columns).map(([name, path]) => ({ name, path, ...(types[name] === undefined ? {} : { type: types[name] }) })) }],
  });

function writeExport(folder: string): void {
  site.file(`${folder}/Patient.000.ndjson`, lines(patient('a', '1950-03'), patient('b', '1960')));
  site.file(`${folder}/Patient.001.ndjson`, lines(patient('c', '1970-01-01'), { resourceType: 'Device', id: 'x' }));
  site.file(`${folder}/Observation.ndjson`, lines(pressure('o', 'a', 120.5), pressure('oo', 'a', 130), pressure('o', 'b', 140), pressure('o', 'c', 110)));
  site.file(`${folder}/Consent.ndjson`, lines(consent('a', 'permit'), consent('b', 'permit'), consent('c', 'deny')));
  site.file(`${folder}/README.txt`, 'no resource');
}

const source = (name: string, folder: string, file: string) => `[[table.source]]\nkind = "fhir"\nname = "${name}"\nfolder = "${folder}"\nview = "${file}"\n`;
const joined = (folder: string) => `[[table]]
name = "patients"
consent = { column = "consent", values = ["permit"] }
sql = """
SELECT p.id AS patient_id, 2024 - CAST(left(p.born, 4) AS INT) AS age, arg_max(o.value, o.at) AS systolic, false AS smoker, NULL AS seen,
  (max(o.value) > 125)::INT AS outcome, any_value(c.type) AS consent
FROM patients p JOIN pressures o ON o.patient = p.id JOIN consents c ON c.patient = p.id GROUP BY ALL ORDER BY patient_id
"""
${source('patients', folder, 'patient.json')}${source('pressures', folder, 'pressure.json')}${source('consents', folder, 'consent.json')}`;

test('three views of one export, joined by the site, without the one who did not consent', async () => {
  writeExport('export');
  site.file('patient.json', view('Patient', { id: 'getResourceKey()', born: 'birthDate' }));
  site.file(
    'pressure.json',
    view(
      'Observation',
      { patient: 'subject.getReferenceKey(Patient)', value: 'value.ofType(Quantity).value', at: 'effective.ofType(dateTime)' },
      { value: 'decimal' },
    ),
  );
  site.file('consent.json', view('Consent', { patient: 'patient.getReferenceKey(Patient)', type: 'provision.type' }));
  const binding = await site.bind(joined('export'));
  expect(binding.files).toMatchObject([{ leftOut: 1, origin: expect.stringMatching(/^patient\.json over .*export and pressure\.json/) }]);
  const loaded = await site.load(binding);
  expect([...loaded.features]).toEqual([74, 130, 64, 140]);
  expect([...loaded.labels]).toEqual([1, 1]);
  writeExport('moved');
  expect((await site.bind(joined('moved'))).dataVersion).toBe(binding.dataVersion);
  site.file('consent.json', view('Consent', { patient: 'patient.getReferenceKey(Patient)', type: "provision.type.where($this != 'x')" }));
  expect((await site.bind(joined('export'))).dataVersion).not.toBe(binding.dataVersion);
});

test('consent in a column of the view itself, without a SELECT', async () => {
  site.file('rows/rows.ndjson', lines({ ...patient('a', '1950'), x: { age: 50, rr: 120, ok: true } }, { ...patient('b', '1950'), x: { age: 51, rr: 121 } }));
  site.file(
    'rows.json',
    view(
      'Patient',
      { patient_id: 'id', age: 'x.age', systolic: 'x.rr', smoker: 'x.none', seen: 'x.none', outcome: '0', ok: 'x.ok' },
      { age: 'integer', ok: 'boolean' },
    ),
  );
  const binding = await site.bind(
    `[[table]]\nname = "patients"\nsource = { kind = "fhir", folder = "rows", view = "rows.json" }\nconsent = { column = "ok", values = [true] }\n`,
  );
  expect(binding.files).toMatchObject([{ leftOut: 1 }]);
  expect([...(await site.load(binding)).features]).toEqual([50, 120]);
});

test.each([
  [
    'a line that is no JSON',
    'export-1',
    '{"resourceType":"Patient","id":"canary"',
    'DATASET_UNREADABLE_FILE',
    /bad\.ndjson cannot be read: line 2 is no resource/,
  ],
  ['a line that is a list', 'export-4', '["canary"]', 'DATASET_UNREADABLE_FILE', /bad\.ndjson cannot be read: line 2 is no resource/],
  ['two values in a cell', 'export-2', '{"resourceType":"Patient","id":["canary","canary2"]}', 'DATASET_VIEW_VALUE', /more than one value/],
  ['a text in a column of numbers', 'export-3', '{"resourceType":"Patient","id":"canary","age":"canary"}', 'DATASET_VIEW_VALUE', /no decimal/],
])('%s is refused at its place and not quoted', async (_what, folder, line, code, says) => {
  site.file(`${folder}/bad.ndjson`, `${lines(patient('a', '1950'))}${line}\n`);
  site.file('age.json', view('Patient', { id: 'id', age: 'age' }, { age: 'decimal' }));
  const said = await saidBy(site.bind(`[[table]]\nname = "patients"\nsource = { kind = "fhir", folder = "${folder}", view = "age.json" }\n`));
  expect(said).toMatchObject({ code, message: expect.stringMatching(says) });
  expect(said.message).not.toContain('canary');
});

test('a view that is none, a folder without resources or with a pipe in it', async () => {
  const bind = (folder: string, file: string) =>
    saidBy(site.bind(`[[table]]\nname = "patients"\nsource = { kind = "fhir", folder = "${folder}", view = "${file}" }\n`));
  site.file('bad/Patient.ndjson', '');
  site.file('none.json', 'no JSON');
  site.file('wrong.json', view('Patient', { id: 'id..' }));
  expect(await bind('bad', 'none.json')).toMatchObject({
    code: 'DATASET_UNREADABLE_FILE',
    message: expect.stringMatching(/none\.json cannot be read: it is no JSON/),
  });
  expect(await bind('bad', 'wrong.json')).toMatchObject({ code: 'DATASET_BAD_VIEW', message: expect.stringMatching(/select\[0\]\.column\[0\]\.path/) });
  expect(await bind('bad', 'missing.json')).toMatchObject({ code: 'DATASET_UNREADABLE_FILE', message: expect.stringMatching(/missing\.json.*does not exist/) });
  expect(await bind('missing', 'age.json')).toMatchObject({
    code: 'DATASET_UNREADABLE_FILE',
    message: expect.stringMatching(/missing cannot be read: it does not exist/),
  });
  site.file('empty/README.txt', '');
  expect(await bind('empty', 'age.json')).toMatchObject({ code: 'DATASET_UNREADABLE_FILE', message: expect.stringMatching(/no \.ndjson file/) });
  expect(await bind(join(site.folder, 'age.json'), 'age.json')).toMatchObject({ code: 'DATASET_UNREADABLE_FILE' });
});
