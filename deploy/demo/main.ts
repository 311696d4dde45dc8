/** The demo: an embedded ledger and one peer for each member on this machine, a study from approval to result. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plain, type RunDocument, readChain, systemClock } from '../../src/console/index.ts';
import { type Comparison, compare, loadTables } from './comparison.ts';
import { DemoConsortium, type DemoPeer, until } from './consortium.ts';
import { DemoError } from './failure.ts';
import { type DemoOptions, readOptions } from './options.ts';
import { systemUser, typed } from './processes.ts';
import { type MemberResult, median, type Outcome, resultDocument, type Timing, writeResult } from './result.ts';
import { bar, resultTable, Screen, sparkline, verdict } from './screen.ts';
import { approve, discover } from './steps.ts';
import { type DemoStudy, readDemoStudy } from './study.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const signal = new AbortController().signal;

type RunWithHistory = Outcome['run'];

/** The answer of the first peer that gives one: any member's console will do. */
async function ask<T>(peers: readonly DemoPeer[], path: string): Promise<T> {
  let last: unknown;
  for (const peer of peers) {
    try {
      return await peer.api().get<T>(path);
    } catch (error) {
      last = error;
    }
  }
  throw last ?? new DemoError('no peer answers');
}

/** A line about the round that runs: rate, time left, loss, and whom it waits for. */
function progressLine(run: RunDocument, secondsPerRound: number): string {
  const losses = run.figures.flatMap(({ meanLoss }) => (meanLoss === undefined ? [] : [meanLoss]));
  const loss = losses.length === 0 ? '' : ` · loss ${losses.at(-1)?.toFixed(3)} ${sparkline(losses)} from ${losses[0]?.toFixed(3)}`;
  const left = Math.max(0, run.rounds - run.finalRounds) * secondsPerRound;
  const rate = secondsPerRound > 0 ? `${secondsPerRound.toFixed(2)} s a round, ${left.toFixed(0)} s left` : '';
  const waits = run.waiting ? ` · ${run.waiting.phase}: waiting for ${run.waiting.members.map(plain).join(', ') || 'the ledger'}` : '';
  return `round ${String(run.finalRounds).padStart(2)} of ${run.rounds}  ${bar(run.finalRounds, run.rounds)}  ${rate}${loss}${waits}`;
}

/** Follows a run to its end by whichever peer answers. */
async function follow(
  peers: readonly DemoPeer[],
  number: number,
  screen: Screen,
): Promise<{ readonly run: RunWithHistory; readonly finals: readonly number[] }> {
  const finals: number[] = [];
  const gone = new Set<number>();
  for (;;) {
    const run = await ask<RunWithHistory>(peers, `/v1/runs/${number}`);
    const now = screen.seconds();
    while (finals.length < run.finalRounds) finals.push(now);
    const gaps = finals.slice(1).map((at, index) => at - (finals[index] ?? at));
    screen.progress(progressLine(run, median(gaps.slice(-8))));
    for (const { service, member } of peers) {
      if (service.isRunning || gone.has(service.pid)) continue;
      gone.add(service.pid);
      screen.line(screen.warn(`  ${member.name}'s peer has ended; start it again with: ${typed(service.args)}`));
    }
    if (run.outcome !== null) return { run, finals };
    await new Promise((wait) => setTimeout(wait, 80));
  }
}

async function held(peer: DemoPeer, run: number): Promise<MemberResult> {
  const { member, enrolment, service } = peer;
  const look = async (): Promise<string | undefined> =>
    (
      await peer
        .api()
        .get<{ model: string }>(`/v1/runs/${run}/held`)
        .catch(() => undefined)
    )?.model;
  const modelSha256 = await until(look, 10_000).catch(() => null);
  return { name: member.name, peerId: enrolment.peerId, account: enrolment.account, pid: service.pid, modelSha256 };
}

async function bytesReceived(peers: readonly DemoPeer[]): Promise<number> {
  const all = await Promise.all(
    peers.map((peer) =>
      peer
        .api()
        .get<{ counters: { bytesIn: number } }>('/v1/peers')
        .catch(() => ({ counters: { bytesIn: 0 } })),
    ),
  );
  return all.reduce((sum, { counters }) => sum + counters.bytesIn, 0);
}

async function runStudy(demo: DemoStudy, consortium: DemoConsortium, screen: Screen): Promise<Outcome> {
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

function banner(demo: DemoStudy, consortium: DemoConsortium, screen: Screen): void {
  screen.line();
  screen.line(`${screen.strong('Schwarm 0.1.0')} · demo "${demo.name}" · ledger: ${screen.warn('embedded, one process, operated by this machine')}`);
  screen.line(`Node ${process.versions.node} · ${process.platform} ${process.arch} · ${demo.members.length} peers, 1 ledger · everything stays on 127.0.0.1`);
  if (!consortium.isNew)
    screen.line(`Kept from the last start in ${consortium.folder}: keys, members, ledger and earlier runs. Delete the folder to begin anew.`);
  screen.line();
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

async function demo(options: DemoOptions, screen: Screen, consortium: DemoConsortium, study: DemoStudy): Promise<number> {
  banner(study, consortium, screen);
  const users = await Promise.all(options.users.map(systemUser));
  const url = await consortium.startLedger(study.members.length, users);
  screen.step('ledger', `chain 7341 at ${url}`);
  await consortium.startPeers(study.members, users, url);
  screen.step('members', `${study.members.map(({ name }) => name).join(', ')} · ${consortium.isNew ? 'three founded, the others admitted by vote' : 'kept'}`);
  await discover(consortium.peers);
  screen.step('discovery', `${study.members.length} of ${study.members.length} peers found each other over the DHT; each was given one address`);
  await approve(study.study, consortium.peers);
  screen.step('study', `"${study.study.manifest.title}" ${study.study.id.slice(0, 8)}… · approved by ${study.members.length} of ${study.members.length}`);
  const outcome = await runStudy(study, consortium, screen);
  const folder = writeResult(outcome, join(project, 'runs'), systemClock.calendarMs());
  showResult(outcome, folder, screen, consortium);
  if (options.json) process.stdout.write(`${JSON.stringify(resultDocument(outcome, folder))}\n`);
  return wholeDemo(outcome.run, outcome) ? 0 : 1;
}

/** Waits for Ctrl-C. */
function interrupted(): Promise<void> {
  return new Promise((stop) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop());
  });
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === 'string') throw new DemoError(`${options}\nUsage: npm start -- [NAME] [--exit] [--json] [--seed N]`, 2);
  const screen = new Screen(options.json);
  const study = await readDemoStudy(options.study, options.seed, signal);
  const consortium = new DemoConsortium(resolve(options.folder ?? join(project, '.schwarm', options.study)));
  const stop = interrupted();
  try {
    const code = await Promise.race([demo(options, screen, consortium, study), stop.then(() => 130)]);
    if (!options.exit && code !== 130) {
      screen.line(`\nCtrl-C stops the ledger and the ${study.members.length} peers.`);
      await stop;
    }
    return code;
  } finally {
    await consortium.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof DemoError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = error instanceof DemoError ? error.exitCode : 1;
}
