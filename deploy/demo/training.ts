/** The demo of a study that trains: a model, and whether it was worth joining. */
import { join } from 'node:path';
import { plain, readChain, systemClock } from '../../src/console/index.ts';
import type { TrainingStudy } from '../../src/study/index.ts';
import { type Comparison, compare, loadTables } from './comparison.ts';
import { type DemoConsortium, until } from './consortium.ts';
import { DemoError } from './failure.ts';
import { bytesReceived, follow, held, type RunWithHistory } from './follow.ts';
import { median, type Outcome, resultDocument, type Timing, writeResult } from './result.ts';
import { resultTable, type Screen, verdict } from './screen.ts';
import type { DemoStudy } from './study.ts';

const signal = new AbortController().signal;

async function runStudy(demo: DemoStudy<TrainingStudy>, consortium: DemoConsortium, screen: Screen): Promise<Outcome> {
  const { peers } = consortium;
  const before = await bytesReceived(peers);
  const start = screen.seconds();
  const starter = peers[1] ?? peers[0];
  const { run: number } = (await starter?.api().send<{ run: number }>('POST', '/v1/runs', { study: demo.study.id })) ?? { run: 0 };
  const { run, finals } = await follow(peers, number, screen);
  const rounds = screen.seconds() - start;
  if (run.model === null) throw new DemoError(`The run ended as "${run.outcome}". Logs: ${consortium.folder}`);
  const [members, model] = await Promise.all([
    Promise.all(peers.map((peer) => held(peer, number))),
    until(
      async () =>
        (
          await Promise.all(
            peers.map((peer) =>
              peer
                .api()
                .bytes(`/v1/runs/${number}/model`)
                .catch(() => undefined),
            ),
          )
        ).find((bytes) => bytes !== undefined),
      20_000,
    ),
  ]);
  const received = (await bytesReceived(peers)) - before;
  const comparison: Comparison = await compare(demo.study, demo.members, await loadTables(demo.study, demo.members, signal), model, signal);
  const chain = await readChain(peers[0]?.home ?? '', number, { clock: systemClock }, { signal });
  const gaps = finals.slice(1).map((at, index) => at - (finals[index] ?? at));
  const timing: Timing = { start, rounds, total: screen.seconds(), roundMedian: median(gaps) };
  return { demo, run, members, comparison, chain, timing, model, bytesPerRoundPerMember: Math.round(received / peers.length / Math.max(1, run.finalRounds)) };
}

function showResult(outcome: Outcome, folder: string, screen: Screen, consortium: DemoConsortium): void {
  const { demo, run, chain, comparison, members } = outcome;
  const same = new Set([chain.finalModel, ...members.flatMap(({ modelSha256 }) => modelSha256 ?? [])]).size === 1;
  const without = run.missing.length > 0 ? ` · without ${run.missing.map(plain).join(', ')}` : '';
  screen.line(
    `  ${screen.strong(run.outcome ?? 'failed')}${without} · ${run.finalRounds} rounds · model ${chain.finalModel?.slice(0, 8)}…, ${same ? 'the same at every member and on the ledger' : 'NOT the same everywhere'}`,
  );
  screen.line();
  for (const line of resultTable(demo.members, comparison)) screen.line(line);
  screen.line();
  screen.line(`  ${verdict(demo.members, comparison)}`);
  screen.line();
  screen.line(`  report      ${join(folder, 'report.html')}`);
  const [first] = consortium.peers;
  if (first) screen.line(`  console     ${first.page}   (${first.member.name}'s; the others: \`npx schwarm status --home …\`)`);
  for (const { member, home } of consortium.peers) screen.line(screen.dim(`  ${member.name.padEnd(11)} ${home}`));
}

function wholeDemo(run: RunWithHistory, outcome: Outcome): boolean {
  const hashes = new Set(outcome.members.map(({ modelSha256 }) => modelSha256));
  return run.outcome === 'complete' && hashes.size === 1 && hashes.has(outcome.chain.finalModel ?? '');
}

/** Runs the study, writes its folder, shows the result; true where everybody holds one model and the run is complete. */
export async function showTraining(
  study: DemoStudy<TrainingStudy>,
  consortium: DemoConsortium,
  screen: Screen,
  { parent, json }: { readonly parent: string; readonly json: boolean },
): Promise<boolean> {
  const outcome = await runStudy(study, consortium, screen);
  const folder = writeResult(outcome, parent, systemClock.calendarMs());
  showResult(outcome, folder, screen, consortium);
  if (json) process.stdout.write(`${JSON.stringify(resultDocument(outcome, folder))}\n`);
  return wholeDemo(outcome.run, outcome);
}
