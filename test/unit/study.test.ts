/** The study package: validation with every problem at once, the canonical hash, the packed form, and the template. */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import {
  auditSentences,
  exposureOf,
  hasStatisticsRound,
  logisticModel,
  packStudy,
  runTerms,
  type StudyProblem,
  type TrainingStudy,
  unpackStudy,
  withSeed,
  writeStudyTemplate,
} from '../../src/study/index.ts';
import { readTrainingStudy } from '../support/studies.ts';

const { signal } = new AbortController();
let folder: string;
let study: TrainingStudy;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'schwarm-study-'));
  await writeStudyTemplate(join(folder, 'new'), { signal });
  study = await readTrainingStudy(join(folder, 'new'), { signal });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The template with its manifest changed by `edit`. */
async function edited(edit: (toml: string) => string): Promise<string> {
  const copy = await mkdtemp(join(folder, 'edited-'));
  await cp(join(folder, 'new'), copy, { recursive: true });
  const path = join(copy, 'study.toml');
  await writeFile(path, edit(await readFile(path, 'utf8')));
  return copy;
}

async function problemsOf(edit: (toml: string) => string): Promise<readonly StudyProblem[]> {
  const error = await readTrainingStudy(await edited(edit), { signal }).catch((caught: unknown) => caught);
  expect(isSwarmError(error, 'STUDY_INVALID')).toBe(true);
  return isSwarmError(error) ? (error.detail['problems'] as StudyProblem[]) : [];
}

describe('reading', () => {
  test('the template is valid, and its terms count the statistics round', () => {
    expect(study.manifest.title).toBe('A new study');
    expect(hasStatisticsRound(study)).toBe(true);
    expect(runTerms(study)).toEqual({
      rounds: 31,
      minMembers: 3,
      maxAttempts: 4,
      joinS: 120,
      shareS: 120,
      commitS: 1260,
      readyS: 600,
      revealS: 120,
      open: false,
      groupSize: 0,
    });
    expect(exposureOf(study)).toEqual([expect.stringMatching(/^Secure: .* at least 3 members/)]);
  });

  test('open mode is a term that the ledger knows, and says what the others see', async () => {
    const rule = '{ kind = "krum", f = 1 }';
    const open = await readTrainingStudy(await edited((toml) => `${toml}\n[terms]\nmode = "open"\nminMembers = 5\nrule = ${rule}\n`), { signal });
    expect(runTerms(open)).toEqual({ ...runTerms(study), minMembers: 5, open: true });
    expect(exposureOf(open)).toEqual([expect.stringMatching(/^OPEN: every other member/), expect.stringMatching(/Krum.*1 of them may be/)]);
    expect(open.id).not.toBe(study.id);
  });

  test('COMMIT follows from the budget, and dominance is three fifths wherever rows are counted', async () => {
    const quick = await readTrainingStudy(await edited((toml) => toml.replace('budgetS = 600', 'budgetS = 5')), { signal });
    expect(runTerms(quick).commitS).toBe(70);
    expect(study.manifest.terms.dominance).toBe(0.6);
    expect(study.manifest.validation).toEqual({ worsening: 0.5 });
    const uncounted = (toml: string): string => toml.replace('standardisation = "swarm"', 'standardisation = "none"');
    expect((await readTrainingStudy(await edited(uncounted), { signal })).manifest.terms.dominance).toBeUndefined();
    expect(await problemsOf((toml) => `${uncounted(toml)}\n[terms]\ndominance = 0.5\n`)).toMatchObject([{ place: 'terms.dominance' }]);
  });

  test('every problem is reported at once, each with its place, what was found and what is allowed', async () => {
    const problems = await problemsOf((toml) =>
      toml
        .replace('learningRate = 0.1', 'learningRate = -1')
        .replace('title = "A new study"', 'titel = "A new study"')
        .replace('batchSize = 16', 'batchSize = "many"')
        .replace('weightCap = 1024', 'weightCap = 1000'),
    );
    expect(problems.map(({ place }) => place).sort()).toEqual([
      'titel',
      'title',
      'training.batchSize',
      'training.optimiser.learningRate',
      'training.weightCap',
    ]);
    expect(problems.find(({ place }) => place === 'training.weightCap')).toEqual({
      file: 'study.toml',
      place: 'training.weightCap',
      found: '1000',
      allowed: 'a power of two',
    });
    expect(problems.find(({ place }) => place === 'titel')?.found).toBe('an unknown key');
  });

  test.each([
    ['a loss that does not fit the task', (t: string) => t.replace('loss = "binary', 'loss = "softmax'), 'training.loss'],
    ['three classes in a binary study', (t: string) => t.replace('classes = [0, 1]', 'classes = [0, 1, 2]'), 'label.classes'],
    ['a feature twice', (t: string) => t.replace('[[features.column]]\nname = "systolic"', '[[features.column]]\nname = "age"'), 'features.column'],
    ['the label among the features', (t: string) => t.replace('column = "outcome"', 'column = "age"'), 'features.column'],
    ['a range upside down', (t: string) => t.replace('min = 30\nmax = 350', 'min = 350\nmax = 30'), 'features.column "systolic"'],
    ['a table twice', (t: string) => `${t}\n[[table]]\nname = "Patients"\n[[table.column]]\nname = "a"\ndatatype = "string"\n`, 'table'],
    ['a rule in secure mode', (t: string) => `${t}\n[terms]\nrule = { kind = "krum", f = 0 }\n`, 'terms.rule'],
    ['groups in open mode', (t: string) => `${t}\n[terms]\nmode = "open"\ngroups = { size = 3 }\n`, 'terms.groups'],
    [
      'too few members for the rule over groups',
      (t: string) => `${t}\n[terms]\nminMembers = 8\ngroups = { size = 3 }\nrule = { kind = "trimmed-mean", f = 1 }\n`,
      'terms.minMembers',
    ],
    ['too few members for the rule', (t: string) => `${t}\n[terms]\nmode = "open"\nrule = { kind = "krum", f = 1 }\n`, 'terms.minMembers'],
    ['an audit window in open mode', (t: string) => `${t}\n[terms]\nmode = "open"\naudit = true\n`, 'terms.audit'],
    ['too few members', (t: string) => `${t}\n[terms]\nminMembers = 2\n`, 'terms.minMembers'],
  ])('%s is refused with its place', async (_what, edit, place) => {
    expect((await problemsOf(edit)).map((problem) => problem.place)).toContain(place);
  });

  test('a line that is no TOML is named', async () => {
    const error = await readTrainingStudy(await edited((toml) => toml.replace('seed = 1', 'seed = = 1')), { signal }).catch((caught: unknown) => caught);
    expect(isSwarmError(error, 'STUDY_BAD_TOML') && error.detail['line']).toBe(8);
  });

  test('a missing file and an empty file are named', async () => {
    const copy = await edited((toml) => toml);
    await writeFile(join(copy, 'features.sql'), '');
    await expect(readTrainingStudy(copy, { signal })).rejects.toThrow(/features\.sql, whole file: found 0 bytes/);
    await rm(join(copy, 'model.onnx'));
    await expect(readTrainingStudy(copy, { signal })).rejects.toMatchObject({ code: 'STUDY_UNREADABLE' });
  });

  test('the template overwrites nothing', async () => {
    await expect(writeStudyTemplate(join(folder, 'new'), { signal })).rejects.toMatchObject({ code: 'STUDY_FOLDER_IN_USE' });
  });
});

describe('identity', () => {
  test('the id is SHA-256 over sorted-key JSON that names the hashes of the other files', () => {
    const sorted = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(sorted)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([k, v]) => [k, sorted(v)]),
            )
          : value;
    const sha = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
    const json = JSON.stringify(sorted({ ...study.manifest, files: { 'features.sql': sha(study.featuresSql), 'model.onnx': sha(study.model) } }));
    expect(study.id).toBe(sha(json));
  });

  test('comments and order of keys do not matter, the smallest change of content does', async () => {
    const same = await readTrainingStudy(
      await edited((toml) => `# a comment\n${toml.replace('task = "binary"                      # or "multiclass"\nseed = 1', 'seed = 1\ntask = "binary"')}`),
      { signal },
    );
    expect(same.id).toBe(study.id);
    const copy = await edited((toml) => toml);
    await writeFile(join(copy, 'features.sql'), `${study.featuresSql} `);
    expect((await readTrainingStudy(copy, { signal })).id).not.toBe(study.id);
    expect(withSeed(study, 2).id).not.toBe(study.id);
    expect(withSeed(withSeed(study, 2), 1).id).toBe(study.id);
  });
});

describe('the packed form', () => {
  test('returns the same study, and equal studies give equal bytes', () => {
    const packed = packStudy(study);
    expect(unpackStudy(packed, study.id)).toEqual(study);
    expect(packStudy(unpackStudy(packed))).toEqual(packed);
  });

  test('an audit window is off unless the study says so, is part of the hash, and is said before approval', async () => {
    expect(study.manifest.terms.audit).toBe(false);
    expect(auditSentences(study)).toEqual([]);
    const audited = await readTrainingStudy(await edited((toml) => `${toml}\n[terms]\naudit = true\n`), { signal });
    expect(audited.id).not.toBe(study.id);
    expect(auditSentences(audited).join(' ')).toMatch(/^AUDIT WINDOW: .*offline key.* Only this institution can open it/);
  });

  test('a study under another hash is refused', () => {
    expect(() => unpackStudy(packStudy(withSeed(study, 9)), study.id)).toThrow(expect.objectContaining({ code: 'STUDY_WRONG_ID' }));
  });

  test('every cut and every appended byte is refused with a code', () => {
    const packed = packStudy(study);
    for (let length = 0; length < packed.length; length += 7)
      expect(() => unpackStudy(packed.subarray(0, length))).toThrow(expect.objectContaining({ code: 'STUDY_BAD_PACKAGE' }));
    expect(() => unpackStudy(Uint8Array.from([...packed, 0]))).toThrow(expect.objectContaining({ code: 'STUDY_BAD_PACKAGE' }));
  });

  test('no changed byte gives the same study', () => {
    const packed = packStudy(study);
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = packed.slice();
        changed[at] = (changed[at] ?? 0) ^ flip;
        try {
          return unpackStudy(changed).id !== study.id;
        } catch (error) {
          return isSwarmError(error);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('the template model is a whole number of features wide', () => {
  expect(logisticModel(300).length - logisticModel(299).length).toBe(4);
});
