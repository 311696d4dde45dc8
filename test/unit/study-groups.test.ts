/** Groups that a study names: what may be said in `study.toml`, every problem with its place, and what the person who approves is told. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSwarmError, utf8 } from '../../src/common/index.ts';
import { exposureOf, packStudy, runTerms, type StudyProblem, type TrainingStudy, unpackStudy, writeStudyTemplate } from '../../src/study/index.ts';
import { checkManifest } from '../../src/study/problems.ts';
import { readTrainingStudy } from '../support/studies.ts';

const { signal } = new AbortController();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'schwarm-study-groups-'));
  await writeStudyTemplate(join(folder, 'new'), { signal });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The template with these lines at the end of its study.toml. */
async function studyWith(lines: string): Promise<TrainingStudy> {
  const copy = await mkdtemp(join(folder, 'edited-'));
  await cp(join(folder, 'new'), copy, { recursive: true });
  const path = join(copy, 'study.toml');
  await writeFile(path, `${await readFile(path, 'utf8')}\n${lines}\n`);
  return await readTrainingStudy(copy, { signal });
}

async function problemsOf(lines: string): Promise<readonly StudyProblem[]> {
  const error = await studyWith(lines).catch((caught: unknown) => caught);
  expect(isSwarmError(error, 'STUDY_INVALID')).toBe(true);
  return isSwarmError(error) ? (error.detail['problems'] as StudyProblem[]) : [];
}

const region = `
[terms]
minMembers = 9
rule = { kind = "coordinate-median", f = 1 }

[[terms.groups]]
name = "North"
members = ["North General", "North Clinic", "Nord-Süd e.V."]

[[terms.groups]]
name = "South"
groups = [
  { name = "Chain A", members = ["A1", "A2", "A3"] },
  { name = "Chain B", members = ["B1", "B2", "B3", "B4"] },
]

[[terms.groups]]
name = "West"
members = ["W1", "W2", "W3"]
`;

describe('named groups', () => {
  test('are read as they are written, are part of the hash, travel with the study, and are 255 on the ledger', async () => {
    const study = await studyWith(region);
    expect(study.manifest.terms.groups).toEqual([
      { name: 'North', members: ['North General', 'North Clinic', 'Nord-Süd e.V.'] },
      {
        name: 'South',
        groups: [
          { name: 'Chain A', members: ['A1', 'A2', 'A3'] },
          { name: 'Chain B', members: ['B1', 'B2', 'B3', 'B4'] },
        ],
      },
      { name: 'West', members: ['W1', 'W2', 'W3'] },
    ]);
    expect(runTerms(study).groupSize).toBe(255);
    expect(unpackStudy(packStudy(study), study.id)).toEqual(study);
    expect((await studyWith(region.replace('"B4"', '"B5"'))).id).not.toBe(study.id);
  });

  test('are told before approval: with whom a site sums, who learns what together, and where the rule gives way to the mean', async () => {
    const [seen, others, merged, listed] = exposureOf(await studyWith(region));
    expect(seen).toMatch(/^Secure in groups: .* sums of the 4 groups below .*never of fewer than three/);
    expect(others).toMatch(/^All others of its group, .* learn this site's update\. .* joins its neighbour/);
    expect(merged).toBe('Group sums are merged by the median of each parameter; by their mean where fewer than 3 meet: Chain A, Chain B.');
    expect(listed).toBe(
      'Groups: North (North General, North Clinic, Nord-Süd e.V.); South / Chain A (A1, A2, A3); South / Chain B (B1, B2, B3, B4); West (W1, W2, W3).',
    );
  });

  test('every wrong place is named at once', async () => {
    const problems = await problemsOf(`
[[terms.groups]]
name = "North"
members = ["a", "b"]
[[terms.groups]]
name = "South"
groups = [{ name = "Chain A", members = ["c", "d", "e"], groups = [] }, { name = "Chain B", membres = ["f", "g", "h"] }, { name = "C", members = [7, "i", "j"] }]
[[terms.groups]]
name = "West"
groups = [{ name = "only", members = ["k", "l", "m"] }]
[[terms.groups]]
members = ["o", "p", "q"]
`);
    expect(problems.map(({ place, found, allowed }) => [place, found, allowed])).toEqual([
      ['terms.groups[1].members', '["a","b"]', 'at least three members: a sum of fewer gives them away'],
      ['terms.groups[2].groups[1]', expect.stringContaining('"Chain A"'), 'a name with members, or a name with groups'],
      ['terms.groups[2].groups[2]', '{"name":"Chain B","membres":["f","g","h"]}', 'a name with members, or a name with groups'],
      ['terms.groups[2].groups[3].members[1]', '7', 'expected string'],
      ['terms.groups[3].groups', expect.any(String), 'at least two groups'],
      ['terms.groups[4]', '{"members":["o","p","q"]}', 'a name with members, or a name with groups'],
    ]);
  });

  test('a member twice, neighbours of one name, more members than a run has and fewer than it needs are named with both places', async () => {
    const twice = region.replace('"W2"', '"A3"').replace('"West"', '"North"').replace('minMembers = 9', 'minMembers = 14');
    expect((await problemsOf(twice)).map(({ place, found }) => [place, found])).toEqual([
      ['terms.groups[2].groups[1].members[3]', '"A3", as in terms.groups[3].members[2]'],
      ['terms.groups[3].name', '"North", as in terms.groups[1].name'],
      ['terms.minMembers', '14'],
    ]);
    const many = Array.from({ length: 2 }, (_, group) => `[[terms.groups]]\nname = "${group}"\nmembers = [${names(65, group)}]`).join('\n');
    expect(await problemsOf(many)).toMatchObject([{ place: 'terms.groups', found: '130', allowed: 'at most 128 members in all groups' }]);
  });

  test.each([
    ['a size and a list', '[terms]\ngroups = { size = 3, name = "x" }', 'terms.groups.name', 'only the keys of format schwarm.study/1'],
    ['neither', '[terms]\ngroups = "by city"', 'terms.groups', '{ size = 3 }, or a list [[terms.groups]] of named groups'],
    ['one group alone', '[[terms.groups]]\nname = "x"\nmembers = ["a", "b", "c"]', 'terms.groups', 'at least two groups'],
    ['a control character', region.replace('"W1"', '"\\u001b[2J"'), 'terms.groups[3].members[1]', 'a name without control characters'],
    ['a name that no member can have', region.replace('"W1"', `"${'ü'.repeat(33)}"`), 'terms.groups[3].members[1]', 'a name of at most 64 bytes'],
    [
      'a rule that no list of groups is enough for',
      region.replace('f = 1', 'f = 2').replace('minMembers = 9', 'minMembers = 13'),
      'terms.groups',
      /^at least 5 /,
    ],
    ['fewer members than the rule needs groups of three', region.replace('minMembers = 9', 'minMembers = 8'), 'terms.minMembers', /^at least 9, /],
    ['open mode', region.replace('minMembers = 9', 'mode = "open"\nminMembers = 9'), 'terms.groups', /^groups in mode "secure"/],
  ])('%s is refused', async (_what, lines, place, allowed) => {
    const expected = { place, allowed: typeof allowed === 'string' ? allowed : expect.stringMatching(allowed) };
    expect(await problemsOf(lines)).toContainEqual(expect.objectContaining(expected));
  });

  test('four levels are the most, and what is nested without end in a packed study is a problem to report, wherever it stands', () => {
    const deep = (depth: number): unknown => (depth === 0 ? leaf('bottom') : { name: `${depth}`, groups: [deep(depth - 1), leaf(`beside ${depth}`)] });
    const placesOf = (root: unknown): readonly string[] => {
      const checked = checkManifest(root);
      return 'problems' in checked ? checked.problems.map(({ place, allowed }) => `${place}: ${allowed}`) : [];
    };
    const groupsAt = (depth: number): readonly string[] =>
      placesOf({ kind: 'training', terms: { groups: [deep(depth), leaf('x')] } }).filter((one) => one.startsWith('terms'));
    expect(groupsAt(3)).toEqual([]);
    expect(groupsAt(4)).toEqual(['terms.groups[1].groups[1].groups[1].groups[1].groups: groups at most 4 deep']);
    const endless = (text: string): unknown =>
      JSON.parse(`{"kind":"training","title":${text.repeat(50_000)}${text === '[' ? ']'.repeat(50_000) : `1${'}'.repeat(50_000)}`}}`);
    for (const text of ['[', '{"a":']) expect(placesOf(endless(text))).toContainEqual(expect.stringContaining('title'));
  });
});

const names = (count: number, group: number): string => Array.from({ length: count }, (_, at) => `"m${group}-${at}"`).join(', ');
const leaf = (name: string) => ({ name, members: ['a', 'b', 'c'].map((member) => `${name} ${member}`) });

test('a packed study that is nested without end is refused with a code', () => {
  const manifest = utf8(`{"terms":${'['.repeat(60_000)}${']'.repeat(60_000)}}`);
  const section = (bytes: Uint8Array): Uint8Array => Buffer.concat([Buffer.from(Uint32Array.of(bytes.length).buffer), bytes]);
  const packed = Buffer.concat([utf8('schwarm.study/1\n'), section(manifest), section(utf8('SELECT 1')), section(Uint8Array.of(1))]);
  expect(() => unpackStudy(packed)).toThrow(expect.objectContaining({ code: 'STUDY_BAD_PACKAGE' }));
});
