/** The demo of a study that counts: tables and regressions over all members' rows. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plain, readChain, systemClock, writeTables } from '../../src/console/index.ts';
import type { StatisticsStudy } from '../../src/study/index.ts';
import type { DemoConsortium } from './consortium.ts';
import { DemoError } from './failure.ts';
import { follow, held } from './follow.ts';
import type { Screen } from './screen.ts';
import type { DemoStudy } from './study.ts';

/** Runs the study, writes its folder, shows the result; true where everybody holds one state and the run is complete. */
export async function showCounting(
  { name, study }: DemoStudy<StatisticsStudy>,
  consortium: DemoConsortium,
  screen: Screen,
  { parent, json }: { readonly parent: string; readonly json: boolean },
): Promise<boolean> {
  const { peers } = consortium;
  const [first] = peers;
  if (!first) throw new DemoError('a demo has members');
  const startS = screen.seconds();
  const { run: number } = await first.api().send<{ run: number }>('POST', '/v1/runs', { study: study.id });
  const { run } = await follow(peers, number, screen);
  const roundsS = screen.seconds() - startS;
  if (!run.outcome?.startsWith('complete')) throw new DemoError(`The run ended as "${run.outcome}". Logs: ${consortium.folder}`);
  const members = await Promise.all(peers.map((peer) => held(peer, number)));
  const day = new Date(systemClock.calendarMs()).toISOString().slice(0, 10);
  const folder = join(parent, `${day}-${name}-${(run.model ?? 'none').slice(0, 4)}-${number}`);
  const written = await writeTables(first.api(), number, folder);
  const chain = await readChain(first.home, number, { clock: systemClock }, { signal: new AbortController().signal });
  const isSame = members.every(({ modelSha256 }) => modelSha256 !== null && modelSha256 === chain.finalModel);
  const result = {
    format: 'schwarm.demo/1',
    outcome: run.outcome,
    missing: run.missing,
    study: { id: study.id, title: study.manifest.title },
    rounds: run.finalRounds,
    members,
    ledger: {
      engine: chain.engine,
      chainId: chain.chainId,
      contract: chain.contract,
      transactions: chain.transactions,
      finalStateSha256: chain.finalModel ?? null,
    },
    seconds: { start: startS, rounds: roundsS, total: screen.seconds() },
    folder,
  };
  writeFileSync(join(folder, 'run.json'), `${JSON.stringify({ ...result, history: run.history }, null, 2)}\n`);
  screen.line(
    `  ${screen.strong(run.outcome)} · ${run.finalRounds} sums · ${isSame ? 'the same numbers at every member, named on the ledger' : 'NOT the same everywhere'} · ${roundsS.toFixed(1)} s`,
  );
  for (const line of written.lines.slice(1)) screen.line(`  ${plain(line)}`);
  screen.line();
  screen.line(`  report      ${join(folder, 'report.html')}`);
  screen.line(`  tables      ${join(folder, 'cells.csv')}`);
  screen.line(`  console     ${first.page}   (${first.member.name}'s)`);
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  return isSame && run.outcome === 'complete';
}
