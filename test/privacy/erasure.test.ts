/** A round's secrets after its end: not in the process, the database, its write-ahead log, the blobs or the vault. The test is the site's own admin and reads them while they live. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RoundSecrets, Vault } from '../../src/peer/store/vault.ts';
import { WordStore } from '../../src/peer/store/words.ts';
import { CliConsortium, done } from '../support/consortium.ts';
import { wait } from '../support/demo.ts';
import { inEveryForm, type Needle, searchBytes, searchProcess } from '../support/process-memory.ts';
import { writePatients } from '../support/rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-erasure-'));
const watched = 0;
let consortium: CliConsortium;
let study: string;

beforeAll(async () => {
  const studyFolder = join(folder, 'study');
  await done(['study', 'new', studyFolder]);
  const toml = join(studyFolder, 'study.toml');
  writeFileSync(toml, readFileSync(toml, 'utf8').replace('rounds = 30', 'rounds = 4'));
  consortium = await CliConsortium.found({ founders: 3 });
  await consortium.upAll();
  study = (await consortium.run<{ study: string }>(0, 'study', 'publish', studyFolder)).study;
  for (const member of [0, 1, 2]) {
    await consortium.until('the study is known', async () => (await consortium.api(member).get<{ studies: unknown[] }>('/v1/studies')).studies.length > 0);
    await consortium.run(member, 'dataset', 'bind', 'patients', writePatients(join(folder, `patients-${member}.csv`), 80, member));
    await consortium.run(member, 'study', 'approve', study, '--data', 'patients');
  }
}, 180_000);

afterAll(async () => {
  await consortium[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What must never be seen again: keys, pair secrets, seeds and shares of attempts that opened nothing, and the member's own words. */
function needlesOf({ custodian, wordsKey }: RoundSecrets, words: Uint8Array | undefined, round: number): readonly Needle[] {
  if (!custodian) return [];
  const { keys, seeds, pairs, held, dealt } = custodian;
  const of = (what: string, bytes: Uint8Array | undefined) => (bytes ? inEveryForm(`round ${round}: ${what}`, bytes) : []);
  return [
    ...of('X25519 key', keys.x25519),
    ...of('ML-KEM seed', keys.kemSeed),
    ...Object.entries(seeds).flatMap(([attempt, seed]) => (attempt === '0' ? [] : of(`seed of attempt ${attempt}`, seed))),
    ...Object.entries(dealt).flatMap(([attempt, shares]) => (attempt === '0' ? [] : shares.flatMap((share) => of(`dealt share of attempt ${attempt}`, share)))),
    ...Object.entries(pairs).flatMap(([member, { secret }]) => of(`pair secret with ${member}`, secret)),
    ...Object.values(held).flatMap((shares) =>
      Object.entries(shares).flatMap(([attempt, { share }]) => (attempt === '0' ? [] : of(`held share of attempt ${attempt}`, share))),
    ),
    ...of('own words', words),
    ...of('key of the own words', wordsKey),
  ];
}

/** Secrets of every round of a run as the site's own admin can read them while they live. */
async function readWhileTheyLive(
  home: string,
  run: number,
  over: () => Promise<boolean>,
): Promise<{ readonly needles: readonly Needle[]; readonly foundLive: readonly string[] }> {
  const vault = new Vault(home);
  const { pid } = consortium.peer(watched);
  const byRound = new Map<number, readonly Needle[]>();
  let foundLive: readonly string[] = [];
  while (!(await over())) {
    for (let round = 0; round < 6; round++) {
      const secrets = load(vault, run, round);
      if (!secrets) continue;
      const words = secrets.wordsKey && new WordStore(home).get({ round: { run: run as never, round }, key: secrets.wordsKey });
      const needles = needlesOf(secrets, words, round);
      if (needles.length >= (byRound.get(round)?.length ?? 0)) byRound.set(round, needles);
      if (round !== 1 || foundLive.length > 0 || secrets.wordsKey === undefined) continue;
      process.kill(pid, 'SIGSTOP');
      foundLive = searchProcess(pid, needles);
      process.kill(pid, 'SIGCONT');
    }
    await wait(20);
  }
  return { needles: [...byRound.values()].flat(), foundLive };
}

/** The file may be replaced while it is read. */
function load(vault: Vault, run: number, round: number): RoundSecrets | undefined {
  try {
    return vault.load({ run: run as never, round });
  } catch {
    return undefined;
  }
}

test('keys, pair secrets, unused seeds and shares, and own words are found while a round lives, and nowhere after the end', { timeout: 240_000 }, async () => {
  const home = consortium.home(watched);
  const { run } = await consortium.run<{ run: number }>(1, 'run', 'start', study);
  const over = async () => {
    const { outcome } = await consortium
      .api(watched)
      .get<{ outcome: string | null }>(`/v1/runs/${run}`)
      .catch(() => ({ outcome: null }));
    return outcome !== null;
  };
  const { needles, foundLive } = await readWhileTheyLive(home, run, over);
  expect(new Set(needles.map(({ name }) => name.slice(0, 7))).size, 'rounds whose secrets were read').toBeGreaterThanOrEqual(3);
  expect(foundLive.filter((name) => /key|seed|pair secret/.test(name)).length, 'the search finds what is there').toBeGreaterThan(3);
  await consortium.until('every run is closed', async () => readdirSync(join(home, 'vault', 'keys')).length === 0);
  await wait(3_000);

  const onDisk = new Set<string>();
  for (const name of ['journal.db', 'journal.db-wal', 'journal.db-shm', ...readdirSync(home)]) {
    const file = join(home, name);
    if (existsSync(file) && !readdirSync(home, { withFileTypes: true }).some((entry) => entry.name === name && entry.isDirectory()))
      searchBytes(readFileSync(file), needles, onDisk);
  }
  for (const inside of ['blobs', 'vault/sealed', 'vault/keys'])
    for (const name of readdirSync(join(home, inside))) searchBytes(readFileSync(join(home, inside, name)), needles, onDisk);
  expect([...onDisk], 'on disk').toEqual([]);
  expect(searchProcess(consortium.peer(watched).pid, needles), 'in the process').toEqual([]);
});
