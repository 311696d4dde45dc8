/** Attacks on the people at a console: by what the ledger makes them read, and by one of their own. The real command line on real processes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { renderReport } from '../../src/console/report/report.ts';
import { CliConsortium, done } from '../support/consortium.ts';
import { project } from '../support/demo.ts';
import { Consortium, founderOf, freshKeys } from '../support/ledger.ts';
import { writePatients } from '../support/rows.ts';
import { attack } from './attack.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-console-'));
const studyFolder = join(folder, 'study');
/** Clears the screen, sets the title, an 8-bit control sequence, reads from right to left, and is HTML. */
const evil = '\u001b[2J\u001b]0;x\u0007\u009b31m\u202E<img src=x onerror=f()>\nroot#';
let consortium: CliConsortium;
let study: string;

beforeAll(async () => {
  await done(['study', 'new', studyFolder]);
  const toml = join(studyFolder, 'study.toml');
  const text = readFileSync(toml, 'utf8').replace(
    'title = "A new study"',
    `title = ${JSON.stringify(evil).replaceAll('\u202E', '\\u202E').replaceAll('\u009b', '\\u009b')}`,
  );
  writeFileSync(toml, text.replace('Can the outcome', '\\u001b[2JCan the outcome'));
  consortium = await CliConsortium.found({ founders: 3 });
  consortium.configure(0, (config) => config.replace('persons = 1', 'persons = 2'));
  await consortium.up(0);
  study = (await consortium.run<{ study: string }>(0, 'study', 'publish', studyFolder)).study;
  await consortium.run(0, 'dataset', 'bind', 'patients', writePatients(join(folder, 'patients.csv'), 60));
}, 120_000);
afterAll(async () => {
  await consortium[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

attack(20, 'malicious contract input: huge strings, terminal escapes, HTML, floods', 'refused', async () => {
  const home = join(folder, 'evil');
  await done(['init', '--home', home, '--name', evil, '--listen', '/ip4/127.0.0.1/tcp/0', '--console-port', '0']);
  await consortium.run(0, 'member', 'propose', join(home, 'enrolment.json'));
  await consortium.until('the proposal is known', async () => (await consortium.cli(0, 'member', 'list')).out.includes('proposal'));
  const shown = await Promise.all(
    [
      ['member', 'list'],
      ['member', 'list', '--json'],
      ['ledger', 'status'],
      ['study', 'show', study],
      ['study', 'show', study, '--json'],
    ].map((args) => consortium.cli(0, ...args)),
  );
  expect(shown.map(({ code }) => code)).toEqual(shown.map(() => 0));
  expect(shown.map(({ out }) => out).join(''), 'the text is there').toContain('onerror');
  for (const { out, err } of shown) expect(`${out}${err}`).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
  const { manifest } = JSON.parse(shown[4]?.out ?? '{}') as { manifest: { title: string } };
  expect(manifest.title, 'nothing is lost for a program').toBe(evil);

  const page = ['main.ts', 'parts.ts', 'words.ts', 'curve.ts'].map((file) => readFileSync(join(project, 'src/console/page', file), 'utf8')).join('');
  expect(page).not.toMatch(/innerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|eval\(/);
  const report = renderReport({
    title: evil,
    question: evil,
    outcome: evil,
    missing: [evil],
    rows: [],
    verdict: evil,
    curve: [],
    roc: [],
    facts: [[evil, evil]],
  });
  expect(report).not.toContain('<img');

  await using ledger = await Consortium.create({ members: 3 });
  const admit = (name: string) =>
    ({ kind: 'propose', action: { kind: 'admit', ...founderOf(freshKeys(1)[0] ?? { account: ledger.key(0).account }, ''), name } }) as const;
  await expect(ledger.submit(2, admit('x'.repeat(65)))).rejects.toThrow(/BadName|64/);
  await expect(ledger.submit(2, admit('x'.repeat(100_000)))).rejects.toThrow();
  for (let at = 0; at < 40; at++)
    await ledger.submit(2, {
      kind: 'record',
      label: 'flood',
      subject: ledger.keys[0] ? ('ab'.repeat(32) as never) : ('' as never),
      hash: 'cd'.repeat(32) as never,
    });
  expect((await ledger.events()).length, 'a flood is in the record under its sender, and nothing waits for it').toBeGreaterThan(40);
});

attack(22, 'an insider at one institution approves alone', 'refused', async () => {
  const [alice, bob] = [join(folder, 'alice.person'), join(folder, 'bob.person')];
  for (const [name, file] of [
    ['alice', alice],
    ['bob', bob],
  ] as const)
    await consortium.run(0, 'person', 'add', name, '--file', file);
  const approve = (...as: readonly string[]) => consortium.cli(0, 'study', 'approve', study, '--data', 'patients', ...as);
  const decided = async () => (await consortium.api(0).get<{ studies: { study: string; decisions: unknown[] }[] }>('/v1/studies')).studies[0]?.decisions.length;

  expect(await approve()).toMatchObject({ code: 5, err: expect.stringContaining('PEER_NO_PERSON') });
  expect(await approve('--as', alice)).toMatchObject({ code: 0, out: expect.stringContaining('1 more person') });
  expect(await approve('--as', alice)).toMatchObject({ code: 5, err: expect.stringContaining('PEER_SAME_PERSON') });
  const forged = join(folder, 'forged.person');
  writeFileSync(forged, JSON.stringify({ name: 'bob', secret: '0'.repeat(64) }));
  expect(await approve('--as', forged)).toMatchObject({ code: 5, err: expect.stringContaining('PEER_NO_PERSON') });
  expect(await decided(), 'one person is not the institution').toBe(0);
  expect(await approve('--as', bob)).toMatchObject({ code: 0, out: expect.stringContaining('approved') });
  await consortium.until('the ledger has it', async () => (await decided()) === 1);

  const file = join(consortium.home(0), 'actions.jsonl');
  const log = readFileSync(file, 'utf8');
  const { secret } = JSON.parse(readFileSync(alice, 'utf8')) as { secret: string };
  expect(log).not.toContain(secret);
  expect(readFileSync(join(consortium.home(0), 'persons.json'), 'utf8')).not.toContain(secret);
  const { actions } = await consortium.run<{ actions: { person: string; action: string }[] }>(0, 'person', 'log');
  expect(actions.filter(({ action }) => action === 'study approve').map(({ person }) => person)).toEqual(['alice', 'bob']);
  expect(actions.map(({ action }) => action)).toContain('Publish a study');
  writeFileSync(file, log.replace('"alice"', '"mallory"'));
  expect(await consortium.cli(0, 'person', 'log')).toMatchObject({ code: 5, err: expect.stringContaining('PEER_LOG_CHANGED') });
  writeFileSync(file, log);
});
