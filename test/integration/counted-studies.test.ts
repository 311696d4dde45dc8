/** Studies that count, on real peers: what an attacker gets who subtracts two of them, to learn one patient, or one hospital. */
import { appendFileSync, copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StudyId } from '../../src/common/index.ts';
import type { Counted, Peer } from '../../src/peer/index.ts';
import { packStudy, readStudy } from '../../src/study/index.ts';
import { project, wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'schwarm-counted-'));
const stack = new AsyncDisposableStack();
const shipped = join(project, 'deploy/studies/heart-counts');
const files = ['cleveland', 'budapest', 'zurich', 'long-beach'].map((name) => join(folder, `${name}.csv`));
let peers: readonly Peer[];
let first: StudyId;
let made = 0;

/** Two steps are enough for what is tested here. */
const lean = (toml: string): string => toml.replace('unit = "patient"', 'unit = "patient"\nsteps = 2');

beforeAll(async () => {
  for (const file of files) copyFileSync(join(project, 'deploy/studies/heart-disease/data', file.slice(folder.length + 1)), file);
  const started = await heartPeers(stack, () => ({}), { edit: lean, question: { folder: shipped, fileOf: (peer) => files[peer] ?? '' } });
  [peers, first] = [started.peers, started.study];
}, 120_000);
afterAll(async () => {
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

/** Another study over the same data, published; `edit` changes its SELECT, `title` its manifest. */
async function published(title: string, edit: (sql: string) => string): Promise<StudyId> {
  const home = join(folder, `study-${made++}`);
  cpSync(shipped, home, { recursive: true });
  const toml = readFileSync(join(home, 'study.toml'), 'utf8');
  writeFileSync(join(home, 'study.toml'), lean(toml).replace(/^title = .*$/m, `title = "${title}"`));
  writeFileSync(join(home, 'features.sql'), edit(readFileSync(join(home, 'features.sql'), 'utf8')));
  const study = await readStudy(home, { signal });
  await peers[0]?.studies.publish(packStudy(study));
  while (peers.some((peer) => !peer.context.consortium.studies.has(study.id))) await wait(20);
  return study.id;
}

async function approvedBy(study: StudyId, who: readonly Peer[]): Promise<void> {
  await Promise.all(who.map((peer) => peer.studies.approve(study, 'heart')));
  while (peers.some((peer) => peer.context.consortium.approvers(study).length !== who.length)) await wait(20);
}

async function counted(study: StudyId): Promise<Counted> {
  const [peer] = peers as [Peer];
  const run = await peer.runs.start(study);
  while (peers.some((one) => one.context.consortium.runs.get(run)?.outcome === undefined)) await wait(50);
  expect(peer.runs.status(peer.runs.find(run)).outcome).toBe('complete');
  while ((await peer.runs.held(run).catch(() => undefined)) === undefined) await wait(50);
  return await peer.runs.counted(run);
}

const placesOf = ({ cells }: Counted, hidden: string): readonly string[] =>
  cells.flatMap(({ place, result }) => ('hidden' in result && result.hidden === hidden ? [place.map(({ label }) => label).join(', ') || 'everything'] : []));

test('four hospitals count, and each can say what it gave', { timeout: 120_000 }, async () => {
  const { cells, models } = await counted(first);
  expect(cells[0]?.result).toMatchObject({ rows: 920 });
  expect(models.map(({ result }) => 'estimates' in result && result.rows)).toEqual([865, 865]);
});

test('one patient: the same question without him is refused by the hospital that has him, with the reason, and approved by those that do not', async () => {
  const [cleveland, ...others] = peers as [Peer, ...Peer[]];
  const without = await published('Without one', (sql) => `${sql.trimEnd()}\nWHERE NOT (age = 63 AND sex = 1 AND cp = 1 AND thalach = 150)\n`);
  await expect(cleveland.studies.approve(without, 'heart')).rejects.toMatchObject({
    code: 'PEER_COUNTS_TOO_CLOSE',
    message: expect.stringMatching(/^3 cells of this study differ in fewer than 5 persons from what this member approved for "Heart disease by sex/),
  });
  expect(cleveland.context.consortium.studies.get(without)?.decisions.size).toBe(0);
  for (const peer of others) await expect(peer.studies.approve(without, 'heart')).resolves.toMatchObject({ rows: expect.any(Number) });
});

test('one patient: neither other names for the cells nor another order of rows help', async () => {
  const [cleveland] = peers as [Peer];
  const renamed = await published(
    'Renamed',
    (sql) => `${sql.replace('  sex,\n', '  1 - sex AS sex,\n').trimEnd()}\nWHERE NOT (age = 63 AND sex = 1 AND cp = 1 AND thalach = 150)\nORDER BY age DESC\n`,
  );
  await expect(cleveland.studies.approve(renamed, 'heart')).rejects.toMatchObject({ code: 'PEER_COUNTS_TOO_CLOSE' });
});

test('one hospital: the same rows asked in other words of all but one hospital are not summed, and who is missing is named', async () => {
  const again = await published('In other words', (sql) => sql.replace('  age,', '  age + 0 AS age,'));
  await approvedBy(again, peers.slice(0, 3));
  await expect(peers[0]?.runs.start(again)).rejects.toMatchObject({ code: 'PEER_SET_TOO_CLOSE', message: expect.stringContaining('long-beach') });
});

test('next year, with two patients more: their cells are withheld, all others are told', { timeout: 120_000 }, async () => {
  const [cleveland] = peers as [Peer];
  // two women with typical angina, of whom Cleveland has four
  appendFileSync(files[0] ?? '', '901,50,0,1,120,200,0,0,150,0,0,1,0,3,0,0,train\n902,52,0,1,130,210,0,0,140,0,0,1,0,3,0,0,train\n');
  await cleveland.dataSets.bind('heart', [files[0] ?? '']);
  const next = await published('Next year', (sql) => `-- asked again\n${sql}`);
  await approvedBy(next, peers);
  const found = await counted(next);
  expect(placesOf(found, 'withheld')).toEqual(['everything', 'women', 'women, typical angina']);
  expect(found.cells.filter(({ result }) => 'rows' in result).length).toBeGreaterThanOrEqual(3);
});
