/** A run followed from outside: by whichever peer answers. */
import { plain, type RunDocument } from '../../src/console/index.ts';
import { type DemoPeer, until } from './consortium.ts';
import { DemoError } from './failure.ts';
import { typed } from './processes.ts';
import { type MemberResult, median, type Outcome } from './result.ts';
import { bar, type Screen, sparkline } from './screen.ts';

/** A run with its rounds. */
export type RunWithHistory = Outcome['run'];

/** The answer of the first peer that gives one: any member's console will do. */
export async function ask<T>(peers: readonly DemoPeer[], path: string): Promise<T> {
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
export async function follow(
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

/** What a member holds at the end. */
export async function held(peer: DemoPeer, run: number): Promise<MemberResult> {
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

/** Bytes that all peers have received since they started. */
export async function bytesReceived(peers: readonly DemoPeer[]): Promise<number> {
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
