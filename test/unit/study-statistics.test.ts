/** Studies that count: what study.toml may say, what is refused and where, and how long a run is. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { exposureOf, packStudy, readStudy, runTerms, type Study, type StudyProblem, unpackStudy, writeStudyTemplate } from '../../src/study/index.ts';

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'schwarm-statistics-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const toml = `format = "schwarm.study/1"
kind = "statistics"
title = "Admissions"
question = "Where are admissions high?"
purpose = "A test."
unit = "person"

[[table]]
name = "cases"
[[table.column]]
name = "person"
datatype = "string"

[[dimension]]
name = "district"
values = ["05911", "05913"]

[[variable]]
name = "days"
minimum = 0
maximum = 365
quantiles = [0.5]

[[variable]]
name = "died"
minimum = 0
maximum = 1

[[model]]
name = "death"
kind = "logistic"
outcome = "died"
predictors = ["days"]
`;

async function read(text: string, files: Readonly<Record<string, string>> = {}): Promise<Study> {
  writeFileSync(join(folder, 'study.toml'), text);
  writeFileSync(join(folder, 'features.sql'), 'SELECT * FROM cases');
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return await readStudy(folder, { signal });
}

async function problemsOf(text: string): Promise<readonly StudyProblem[]> {
  const error = await read(text).catch((caught: unknown) => caught);
  return isSwarmError(error, 'STUDY_INVALID') ? (Reflect.get(error.detail, 'problems') as readonly StudyProblem[]) : [];
}

describe('a study that counts', () => {
  test('needs no model, travels with its hash, and is the same when it comes back', async () => {
    const study = await read(toml);
    expect(study.model).toHaveLength(0);
    expect(unpackStudy(packStudy(study), study.id)).toEqual(study);
    expect((await read(toml.replace('minimum = 0', 'minimum = -1'))).id).not.toBe(study.id);
  });

  test('takes a sum for who contributes, one for the tables, one for votes, and its steps', async () => {
    expect(runTerms(await read(toml))).toMatchObject({ rounds: 3 + 8, open: false, groupSize: 0, minMembers: 3 });
    expect(runTerms(await read(`${toml}\n[disclosure]\ndominance = 1\n`)).rounds).toBe(2 + 8);
    expect(runTerms(await read(toml.slice(0, toml.indexOf('[[model')))).rounds).toBe(3);
  });

  test('says to the person who approves it what is opened and from how many', async () => {
    const sentences = exposureOf(await read(`${toml}\n[disclosure]\nminSites = 2\nminCount = 10\nrounding = 5\n`));
    expect(sentences.join('\n')).toMatch(/at least 2 sites contribute and 10 different persons/);
    expect(sentences.join('\n')).toMatch(/rounded to multiples of 5/);
    expect(sentences.join('\n')).toMatch(/logistic regression "death" of died on days/);
  });
});

test('what `study new --kind statistics` writes is a valid study', async () => {
  const home = join(folder, 'new');
  await writeStudyTemplate(home, { signal, kind: 'statistics' });
  const study = await readStudy(home, { signal });
  expect([study.manifest.kind, runTerms(study).rounds]).toEqual(['statistics', 3 + 8]);
  expect(readdirSync(home).sort()).toEqual(['features.sql', 'study.toml']);
});

describe('is refused by place', () => {
  test.each([
    ['a value twice', toml.replace('"05913"', '"05911"'), 'dimension "district"'],
    ['labels that do not fit', toml.replace('values = ["05911"', 'labels = ["one"]\nvalues = ["05911"'), 'dimension "district"'],
    ['a range the wrong way round', toml.replace('maximum = 365', 'maximum = -1'), 'variable "days"'],
    ['numbers that no sum keeps exact', toml.replace('maximum = 365', 'maximum = 365\ndecimals = 6'), 'variable "days"'],
    ['quantiles of what is not in the tables', toml.replace('quantiles = [0.5]', 'quantiles = [0.5]\ntable = false'), 'variable "days"'],
    ['an unknown column in a model', toml.replace('predictors = ["days"]', 'predictors = ["weeks"]'), 'model "death"'],
    ['the outcome among its predictors', toml.replace('predictors = ["days"]', 'predictors = ["died"]'), 'model "death"'],
    [
      'a logistic outcome of more than two values',
      toml.replace('outcome = "died"\npredictors = ["days"]', 'outcome = "days"\npredictors = ["died"]'),
      'model "death"',
    ],
    ['an offset outside a rate', toml.replace('predictors = ["days"]', 'predictors = ["days"]\noffset = "died"'), 'model "death"'],
    ['one column in two roles', toml.replace('name = "district"', 'name = "days"'), 'unit, dimension and variable'],
    ['more sites than members', `${toml}\n[disclosure]\nminSites = 4\n`, 'disclosure.minSites'],
    ['a threshold below three', `${toml}\n[disclosure]\nminCount = 2\n`, 'disclosure.minCount'],
    ['a mode', `${toml}\n[terms]\nmode = "open"\n`, 'terms.mode'],
    ['training', `${toml}\n[training]\nrounds = 3\n`, 'training'],
  ])('%s', async (_, text, place) => {
    expect((await problemsOf(text)).map((problem) => problem.place)).toContain(place);
  });

  test('more cells, or more numbers, than a sum may have', async () => {
    const wide = (name: string, count: number): string =>
      `[[dimension]]\nname = "${name}"\nvalues = [${Array.from({ length: count }, (_, at) => at).join(', ')}]\n`;
    expect(await problemsOf(`${toml}\n${wide('a', 1000)}${wide('b', 100)}`)).toMatchObject([{ place: 'dimension', found: '202003 cells in all levels' }]);
    const parts = toml.replace('quantiles = [0.5]', 'quantiles = [0.5]\nbins = 256');
    expect(await problemsOf(`${parts}\n${wide('a', 1000)}${wide('b', 10)}`)).toMatchObject([{ place: 'variable' }]);
  });

  test('a packed one that brings a model', async () => {
    const study = await read(toml);
    expect(() => unpackStudy(packStudy({ ...study, model: new Uint8Array(4) } as Study))).toThrow(/no model in a study of kind "statistics"/);
  });
});
