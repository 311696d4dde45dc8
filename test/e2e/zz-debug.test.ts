import { readFileSync, writeFileSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { test } from 'vitest';
import { CliConsortium, done } from '../support/consortium.ts';
import { wait } from '../support/demo.ts';
import { writePatients } from '../support/rows.ts';
test('x', { timeout: 200000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dbg-'));
  const studyFolder = join(folder, 'study');
  await done(['study', 'new', studyFolder]);
  const toml = join(studyFolder, 'study.toml');
  writeFileSync(toml, readFileSync(toml, 'utf8').replace('rounds = 30', 'rounds = 8'));
  await using consortium = await CliConsortium.found({ founders: 4 });
  await consortium.upAll();
  const study = (await consortium.run<{ study: string }>(0, 'study', 'publish', studyFolder)).study;
  for (const member of [0,1,2,3]) {
    await consortium.until('the study is known', async () => (await consortium.api(member).get<{ studies: unknown[] }>('/v1/studies')).studies.length > 0);
    await consortium.run(member, 'dataset', 'bind', 'patients', writePatients(join(folder, `patients-${member}.csv`), 80, member));
    await consortium.run(member, 'study', 'approve', study, '--data', 'patients');
  }
  const { run } = await consortium.run<{ run: number }>(0, 'run', 'start', study);
  await consortium.api(0).send('POST', '/v1/proposals', { kind: 'revoke', member: 'Hospital 4' });
  await wait(500);
  for (const m of [1, 2]) await consortium.api(m).send('POST', '/v1/proposals/1/votes', { support: true });
  for (let i = 0; i < 14; i++) { await wait(5000); const v = await consortium.api(0).get<any>(`/v1/runs/${run}`); console.log(i*5, v.finalRounds, v.outcome, JSON.stringify(v.newest), JSON.stringify(v.waiting)); if (v.outcome) break; }
  console.log(JSON.stringify(((await consortium.api(0).get<any>('/v1/ledger')).facts).slice(0,60).map((f: any) => [f.round, f.words])));
  for (const m of [0,1,2,3]) console.log(consortium.peer(m).log.slice(-1500));
});
