/** A binding over a real PostgreSQL server: types, TLS, passwords, OMOP tables, and a server that goes away. Needs Debian's `postgresql` and openssl. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parquetRows, Site, saidBy } from '../support/bindings.ts';
import { PostgresServer, serverPassword } from '../support/postgres.ts';

let site: Site;
let server: PostgresServer;
let password: string;

beforeAll(async () => {
  site = await Site.create();
  server = await PostgresServer.start();
  password = site.file('password', `${serverPassword}\n`);
  chmodSync(password, 0o600);
  await server.run(`
    CREATE SCHEMA clinic;
    CREATE TABLE clinic.visits ("PATIENT_ID" text, "Age" smallint, systolic numeric(6,2), smoker boolean, seen date, outcome bigint, at timestamptz, weight real, note text);
    INSERT INTO clinic.visits VALUES ('a', 50, 120.50, true, '1999-12-31', 0, '2024-07-01 10:00:00+00', 70.5, 'Größe; "x"'),
      ('b', 61, 140, false, '2000-01-01', 1, NULL, 'NaN', ''), ('c', NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL);
    CREATE TABLE clinic.photos (patient_id text, photo bytea);
    INSERT INTO clinic.photos VALUES ('a', 'x');
    CREATE SCHEMA cdm;
    CREATE TABLE cdm.person (person_id bigint, gender_concept_id int, year_of_birth int);
    CREATE TABLE cdm.condition_occurrence (condition_occurrence_id bigint, person_id bigint, condition_concept_id int, condition_start_date date);
    INSERT INTO cdm.person VALUES (1, 8507, 1950), (2, 8532, 1960), (3, 8507, 1970);
    INSERT INTO cdm.condition_occurrence VALUES (10, 1, 201826, '2020-01-01'), (11, 1, 320128, '2020-02-01'), (12, 3, 320128, '2021-01-01');
  `);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  site[Symbol.dispose]();
});

const overSocket = () => `url = "postgres://postgres@:${server.port}/postgres?host=${server.folder}", passwordFile = "password"`;
const overTcp = (host = 'localhost') => `url = "postgres://postgres@${host}:${server.port}/postgres", passwordFile = "password"`;
const table = (source: string, more = '') => `[[table]]\nname = "patients"\nsource = { kind = "postgres", ${source} }\n${more}`;
const visits = 'schema = "clinic", table = "visits"';
const expected = [50, 1121, 61, 140];

test('a table over the socket keeps its types, and becomes a snapshot', async () => {
  const binding = await site.bind(table(`${overSocket()}, ${visits}`));
  expect([...(await site.load(binding)).features]).toEqual(expected);
  expect(await parquetRows(binding.files[0]?.path ?? '')).toEqual([
    {
      PATIENT_ID: 'a',
      Age: '50',
      systolic: 120.5,
      smoker: true,
      seen: '1999-12-31',
      outcome: '0',
      at: '2024-07-01 12:00:00',
      weight: 70.5,
      note: 'Größe; "x"',
    },
    { PATIENT_ID: 'b', Age: '61', systolic: 140, smoker: false, seen: '2000-01-01', outcome: '1', at: null, weight: 'NaN', note: '' },
    { PATIENT_ID: 'c', Age: null, systolic: null, smoker: null, seen: null, outcome: '1', at: null, weight: null, note: null },
  ]);
  expect((await site.bind(table(`${overSocket()}, ${visits}`))).dataVersion).toBe(binding.dataVersion);
  expect(JSON.stringify(binding)).not.toContain(serverPassword);
});

test('TLS is checked against the authority that is named, and is asked for where the server is elsewhere', async () => {
  const ca = `certificate = "${server.certificate}"`;
  expect([...(await site.load(await site.bind(table(`${overTcp()}, ${ca}, ${visits}`)))).features]).toEqual(expected);
  expect([...(await site.load(await site.bind(table(`${overTcp('127.0.0.1')}, tls = "off", ${visits}`)))).features]).toEqual(expected);
  execFileSync('openssl', 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=other -keyout other.key -out other.pem'.split(' '), {
    cwd: site.folder,
    stdio: 'ignore',
  });
  for (const refused of [`certificate = "other.pem"`, 'tls = "verify"'])
    expect(await saidBy(site.bind(table(`${overTcp()}, ${refused}, ${visits}`)))).toMatchObject({
      code: 'DATASET_SOURCE_FAILED',
      message: expect.stringMatching(/TLS: .*certificate/),
    });
  expect(await saidBy(site.bind(table(`${overTcp('127.0.0.2')}, ${ca}, ${visits}`)))).toMatchObject({
    code: 'DATASET_SOURCE_FAILED',
    message: expect.stringMatching(/TLS: .*127\.0\.0\.2 is not in the cert/),
  });
});

test.each([
  ['an unknown table', 'schema = "clinic", table = "none"', /relation "clinic\.none" does not exist/],
  ['a query that writes', `query = "DELETE FROM clinic.visits RETURNING *"`, /the query writes/],
  ['a query that writes by a function', `query = "SELECT pg_catalog.setval('clinic.s', 1)"`, /does not exist|writes/],
  ['two statements', 'query = "SELECT 1; SELECT 2"', /multiple commands/],
  ['no rows at all', 'query = "SET work_mem = 1000"', /no columns/],
  ['a cast that fails', `query = "SELECT ('canary' || note)::int FROM clinic.visits"`, /PostgreSQL error 22P02$/],
  ['binary data', 'schema = "clinic", table = "photos"', /"photo" holds binary data/],
])('%s is refused, without a value', async (_what, given, says) => {
  const before = site.kept();
  const said = await saidBy(site.bind(table(`${overSocket()}, ${given}`)));
  expect(said).toMatchObject({ code: 'DATASET_SOURCE_FAILED', message: expect.stringMatching(says) });
  expect(said.message).not.toMatch(/canary/);
  expect(site.kept()).toEqual(before);
});

test('a wrong password, one that others may read, none at all, and a port where nothing listens', async () => {
  chmodSync(site.file('wrong', 'other\n'), 0o600);
  const wrong = await saidBy(site.bind(table(`${overSocket().replace('"password"', '"wrong"')}, ${visits}`)));
  expect(wrong).toMatchObject({ code: 'DATASET_SOURCE_FAILED', message: expect.stringMatching(/password authentication failed/) });
  chmodSync(site.file('open', `${serverPassword}\n`), 0o644);
  const open = await saidBy(site.bind(table(`${overSocket().replace('"password"', '"open"')}, ${visits}`)));
  expect(open).toMatchObject({ code: 'DATASET_SOURCE_FAILED', message: expect.stringMatching(/others may read the password file .*open/) });
  const none = await saidBy(site.bind(table(`${overSocket().replace(', passwordFile = "password"', '')}, ${visits}`)));
  expect(none).toMatchObject({ code: 'DATASET_SOURCE_FAILED' });
  const nobody = await saidBy(site.bind(table(`url = "postgres://postgres@127.0.0.1:1/postgres", ${visits}`)));
  expect(nobody).toMatchObject({ code: 'DATASET_SOURCE_FAILED', message: expect.stringMatching(/nothing listens there/) });
  for (const { message } of [wrong, open, none, nobody]) expect(message).not.toContain(serverPassword);
});

test('OMOP tables become one table of patients by a SELECT of the site', async () => {
  const source = (name: string, of: string) =>
    `[[table.source]]\nkind = "postgres"\nname = "${name}"\nschema = "cdm"\ntable = "${of}"\nurl = "postgres://postgres@:${server.port}/postgres?host=${server.folder}"\npasswordFile = "password"\n`;
  const binding = await site.bind(`[[table]]
name = "patients"
sql = """
SELECT p.PERSON_ID AS patient_id, 2020 - p.YEAR_OF_BIRTH AS age, 100 + count(c.CONDITION_CONCEPT_ID) AS systolic, false AS smoker,
  max(c.CONDITION_START_DATE) AS seen, max((c.CONDITION_CONCEPT_ID IS NOT DISTINCT FROM 320128)::INT) AS outcome
FROM person p LEFT JOIN condition_occurrence c USING (person_id) GROUP BY ALL ORDER BY 1
"""
${source('person', 'person')}${source('condition_occurrence', 'condition_occurrence')}`);
  const loaded = await site.load(binding);
  expect([...loaded.features]).toEqual([70, 102, 60, 100, 50, 101]);
  expect([...loaded.labels]).toEqual([1, 0, 1]);
});

/** Command lines and environments of the children that read from sources. */
function childrenSay(): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const said = /^\d+$/.test(pid) ? readFileSync(join('/proc', pid, 'cmdline'), 'utf8') : '';
      return said.includes('binding-child.ts') ? [`${said}\n${readFileSync(join('/proc', pid, 'environ'), 'utf8')}`] : [];
    } catch {
      return [];
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}

test('a read that is given up ends its child; a server that goes away is one error; neither leaves anything behind', async () => {
  const slow = table(`${overSocket()}, query = "SELECT g AS patient_id, pg_sleep(0.002)::text AS age FROM generate_series(1, 1000000) g"`);
  const before = site.kept();
  const stop = new AbortController();
  const given = saidBy(site.bind(slow, stop.signal));
  await until(() => childrenSay().length === 1);
  expect(childrenSay().join('\n')).not.toContain(serverPassword);
  stop.abort();
  expect(await given).toMatchObject({ code: 'COMMON_CANCELLED' });
  const lost = saidBy(site.bind(slow));
  await until(() => childrenSay().length === 1);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await server.fail();
  expect(await lost).toMatchObject({ code: 'DATASET_SOURCE_FAILED', message: expect.stringMatching(/broken|terminat/) });
  expect(site.kept()).toEqual(before);
  expect(childrenSay()).toEqual([]);
});
