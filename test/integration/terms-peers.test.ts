/** Terms of a study and of a run on real peers: rejection by own rows, roll-back, leaving in mid-round, a second run over a list too close to the first, dominance. */
import { expect, test } from 'vitest';
import type { Peer, RunStatus } from '../../src/peer/index.ts';
import { wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

const minutes = 60_000;

async function status(peer: Peer | undefined, run: number, holds: (status: RunStatus) => boolean): Promise<RunStatus> {
  for (;;) {
    const now = peer?.runs.list().find(({ view }) => view.run === run);
    if (now && holds(now)) return now;
    await wait(30);
  }
}

const finals = ({ view }: RunStatus): number => view.rounds.filter(({ phase }) => phase === 'final').length;

test('a result that makes the loss on own rows worse is voted down, and says by whom', { timeout: 3 * minutes }, async () => {
  await using stack = new AsyncDisposableStack();
  const wild = (toml: string): string =>
    `${toml.replace('learningRate = 0.02', 'learningRate = 50').replace('clipNorm = 1.0', 'clipNorm = 500')}\n[validation]\nworsening = 0.1\n`;
  const { peers, study } = await heartPeers(stack, undefined, { edit: wild });
  const run = (await peers[0]?.runs.start(study)) ?? 0;
  const { view, outcome } = await status(peers[2], run, (now) => now.outcome !== undefined);
  expect(outcome).toBe('failed');
  expect(view.rounds.map(({ phase, reason }) => [phase, reason])).toEqual([
    ['final', undefined],
    ['void', 'rejected'],
    ['void', 'rejected'],
    ['void', 'rejected'],
  ]);
  for (const { rejected } of view.rounds.slice(1)) expect(rejected.length).toBeGreaterThanOrEqual(2);
  expect(new Set(view.rounds.slice(1).map(({ base }) => base)).size).toBe(1);
});

test('roll-back, leaving once the run is past what was opened before, stopping, and what is said of a second run with and without the one that left', {
  timeout: 4 * minutes,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const { peers, study } = await heartPeers(stack);
  const run = (await peers[0]?.runs.start(study)) ?? 0;
  const { view } = await status(peers[0], run, (now) => finals(now) >= 6);
  const kept = view.rounds.find(({ round }) => round === 3)?.state;
  await expect(peers[1]?.runs.rollBack(run, 3)).rejects.toMatchObject({ detail: { reason: 'NotStarter()' } });
  await expect(peers[0]?.runs.rollBack(run, 77)).rejects.toMatchObject({ code: 'PEER_UNKNOWN' });
  await peers[0]?.runs.rollBack(run, 3);
  const back = await status(peers[2], run, (now) => now.view.rounds.some(({ reason }) => reason === 'rolled-back'));
  const opened = new Set(back.view.rounds.filter(({ reason }) => reason === 'rolled-back').map(({ base }) => base));
  const after = await status(peers[2], run, ({ view: { rounds } }) => {
    const newest = rounds.at(-1);
    return newest !== undefined && rounds.some(({ base, phase }) => base === kept && phase === 'final') && newest.base !== kept && !opened.has(newest.base);
  });
  const standing = after.view.rounds.filter(({ phase }) => phase === 'final');
  expect(standing.some(({ base }) => base === kept)).toBe(true);
  expect(standing.at(-1)?.set).toEqual([0, 1, 2, 3]);
  expect(await peers[3]?.runs.stop(run)).toBe('left');
  const without = await status(peers[2], run, (now) => now.view.rounds.some(({ phase, set }) => phase === 'final' && set.length === 3));
  expect(without.view.rounds.every(({ reason }) => reason === undefined || reason === 'rolled-back')).toBe(true);
  expect(await peers[0]?.runs.stop(run)).toBe('stopped');
  await status(peers[1], run, (now) => now.outcome === 'stopped');
  const notice = await peers[0]?.runs.foreseen(study);
  expect(notice).toMatch(/^Round \d+ of this run was summed before, .* without long-beach: with long-beach it will be void/);
  const again = (await peers[0]?.runs.start(study)) ?? 0;
  const refused = await status(peers[0], again, (now) => now.trouble !== undefined);
  expect(refused.trouble).toContain('differs by fewer than 3 members');
  expect(`Round ${finals(refused)} of this run`, 'as it was said').toBe(notice?.slice(0, notice.indexOf(' was')));
  expect(await peers[0]?.runs.stop(again)).toBe('stopped');
  await status(peers[1], again, (now) => now.outcome === 'stopped');
  await peers[3]?.studies.decline(study);
  while ((peers[0]?.context.consortium.approvers(study).length ?? 0) > 3) await wait(20);
  await expect(peers[0]?.runs.start(study)).rejects.toMatchObject({ code: 'PEER_SET_TOO_CLOSE', detail: { missing: ['long-beach'], added: [] } });
});

test('a run that is started before all approvals are here is refused, and says what to do', { timeout: 2 * minutes }, async () => {
  await using stack = new AsyncDisposableStack();
  const { peers, study } = await heartPeers(stack);
  const consortium = peers[0]?.context.consortium;
  const seen = consortium?.approvers(study).slice(1) ?? [];
  Object.assign(consortium ?? {}, { approvers: () => seen });
  await expect(peers[0]?.runs.start(study)).rejects.toMatchObject({
    code: 'PEER_APPROVALS_DIFFER',
    detail: { names: seen.map((account) => consortium?.nameOf(account)) },
  });
});

test('a member with too large a share of the rows takes no part in an update, and says why', { timeout: 3 * minutes }, async () => {
  await using stack = new AsyncDisposableStack();
  const { peers, study } = await heartPeers(stack, undefined, { edit: (toml) => `${toml}\n[terms]\ndominance = 0.38\n` });
  const run = (await peers[1]?.runs.start(study)) ?? 0;
  const large = await status(peers[0], run, (now) => now.trouble !== undefined);
  expect(large.trouble).toContain('41 % of all training rows');
  const rest = await status(peers[2], run, (now) => finals(now) >= 3);
  const self = rest.view.roster.indexOf(peers[0]?.context.account ?? rest.view.starter);
  expect(rest.view.left).toEqual([self]);
  expect(rest.view.rounds.filter(({ phase, round }) => phase === 'final' && round > 0).every(({ set }) => !set.includes(self))).toBe(true);
});
