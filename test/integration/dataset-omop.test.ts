/** Tables of the OMOP common data model (v5.4), as sites have them: names in upper or lower case, CSV with tabs or commas, Parquet; and a study over two of them. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TrainingStudy } from '../../src/study/index.ts';
import { Site, writeParquet } from '../support/bindings.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.create();
});
afterAll(() => site[Symbol.dispose]());

const person = [
  ['person_id', 'gender_concept_id', 'year_of_birth', 'month_of_birth', 'birth_datetime', 'race_concept_id', 'person_source_value'],
  ['1', '8507', '1950', '', '1950-03-01 00:00:00', '0', 'a'],
  ['2', '8532', '1960', '4', '', '0', 'b'],
  ['3', '8507', '1970', '', '', '0', 'c'],
];
const condition = [
  ['condition_occurrence_id', 'person_id', 'condition_concept_id', 'condition_start_date', 'condition_end_date', 'condition_type_concept_id'],
  ['10', '1', '201826', '2020-01-01', '', '32817'],
  ['11', '1', '320128', '2020-02-01', '2020-03-01', '32817'],
  ['12', '3', '320128', '2021-01-01', '', '32817'],
];

const text = (rows: readonly (readonly string[])[], separator: string, upper = false) =>
  rows.map((row, at) => (at === 0 && upper ? row.map((name) => name.toUpperCase()) : row).join(separator)).join('\n');

/** Age in 2020 and the number of conditions tell who has hypertension. */
function omopStudy({ study }: Site): TrainingStudy {
  const column = (name: string, datatype: 'string' | 'integer' | 'date', required = true) => ({ name, datatype, required });
  return {
    ...study,
    manifest: {
      ...study.manifest,
      table: [
        { name: 'person', column: [column('person_id', 'string'), column('gender_concept_id', 'integer'), column('year_of_birth', 'integer')] },
        {
          name: 'condition_occurrence',
          column: [
            column('person_id', 'string'),
            column('condition_concept_id', 'integer'),
            column('condition_start_date', 'date'),
            column('condition_end_date', 'date', false),
          ],
        },
      ],
    },
    featuresSql: `SELECT 2020 - p.year_of_birth AS age, 100 + count(c.condition_concept_id) AS systolic, max((c.condition_concept_id IS NOT DISTINCT FROM 320128)::INT) AS outcome, p.person_id AS patient_id
      FROM person p LEFT JOIN condition_occurrence c USING (person_id) GROUP BY ALL ORDER BY patient_id`,
  };
}

const expected = { features: [70, 102, 60, 100, 50, 101], labels: [1, 0, 1] };

async function found(binding: Awaited<ReturnType<Site['bind']>>) {
  const { features, labels } = await site.load(binding, omopStudy(site));
  return { features: [...features], labels: [...labels] };
}

test('CSV with tabs and names in lower case, with commas and names in upper case, by the names of the files', async () => {
  const lower = [site.file('lower/person.csv', text(person, '\t')), site.file('lower/condition_occurrence.csv', text(condition, '\t'))];
  expect(await found(await site.bindFiles(...lower))).toEqual(expected);
  const upper = [site.file('upper/PERSON.CSV', text(person, ',', true)), site.file('upper/CONDITION_OCCURRENCE.csv', text(condition, ',', true))];
  expect(await found(await site.bindFiles(...upper))).toEqual(expected);
});

test('Parquet with the types of the model, in a binding file', async () => {
  const values = (rows: readonly (readonly string[])[]) =>
    `(VALUES ${rows
      .slice(1)
      .map((row) => `(${row.map((cell) => (cell === '' ? 'NULL' : `'${cell}'`)).join(', ')})`)
      .join(', ')})`;
  await writeParquet(
    join(site.folder, 'p.parquet'),
    `SELECT PERSON_ID::BIGINT AS PERSON_ID, GENDER_CONCEPT_ID::INTEGER AS GENDER_CONCEPT_ID, YEAR_OF_BIRTH::INTEGER AS YEAR_OF_BIRTH, BIRTH::TIMESTAMP AS BIRTH_DATETIME
     FROM ${values(person)} AS t(PERSON_ID, GENDER_CONCEPT_ID, YEAR_OF_BIRTH, MONTH, BIRTH, RACE, SOURCE)`,
  );
  site.file('condition.csv', text(condition, ','));
  const toml =
    '[[table]]\nname = "PERSON"\nsource = { kind = "parquet", path = "p.parquet" }\n[[table]]\nname = "condition_occurrence"\nsource = { kind = "csv", path = "condition.csv" }\n';
  expect(await found(await site.bind(toml))).toEqual(expected);
});
