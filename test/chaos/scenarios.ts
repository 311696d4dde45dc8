/** Faults that end: each is laid on a running swarm, taken away again, and the members must go on together. */

import { wait } from '../support/demo.ts';
import { fill, makeRoom } from '../support/disk.ts';
import type { ChaosSwarm } from './swarm.ts';

/** How long a fault lasts, and whom it meets. */
export interface Blow {
  readonly member: number;
  readonly lastsMs: number;
}

/** A fault from its beginning to its end. */
export type Scenario = (swarm: ChaosSwarm, blow: Blow) => Promise<void>;

async function during(fault: Disposable, lastsMs: number): Promise<void> {
  using _ = fault;
  await wait(lastsMs);
}

/** Faults by name. */
export const scenarios = {
  'stopped and continued': async (swarm, { member, lastsMs }) => {
    const peer = swarm.consortium.peer(member);
    peer.kill('SIGSTOP');
    await wait(lastsMs);
    peer.kill('SIGCONT');
  },
  killed: async (swarm, { member, lastsMs }) => {
    await swarm.kill(member);
    await wait(lastsMs);
    await swarm.up(member);
  },
  cut: (swarm, { member, lastsMs }) => during(swarm.faultOf(member, { state: 'cut' }), lastsMs),
  'half-open': (swarm, { member, lastsMs }) => during(swarm.faultOf(member, { state: 'silent' }), lastsMs),
  stalled: (swarm, { member, lastsMs }) => during(swarm.faultOf(member, { state: 'stalled' }), lastsMs),
  'slow line': (swarm, { member, lastsMs }) => during(swarm.faultOf(member, { delayMs: 80, bytesPerS: 30_000 }), lastsMs),
  'one direction': (swarm, { member, lastsMs }) =>
    during(
      swarm.fault((_, to) => to === member, { state: 'cut' }),
      lastsMs,
    ),
  'clock ahead and back': async (swarm, { member, lastsMs }) => {
    swarm.jumpClock(member, 3_600_000);
    await wait(lastsMs / 2);
    swarm.jumpClock(member, -7_200_000);
    await wait(lastsMs / 2);
  },
  "the ledger's clock ahead and back": async (swarm, { lastsMs }) => {
    swarm.jumpClock('ledger', 3_600_000);
    await wait(lastsMs / 2);
    swarm.jumpClock('ledger', -7_200_000);
    await wait(lastsMs / 2);
  },
  'ledger stopped and continued': async (swarm, { lastsMs }) => {
    swarm.consortium.ledger.kill('SIGSTOP');
    await wait(lastsMs);
    swarm.consortium.ledger.kill('SIGCONT');
  },
  'ledger killed': async (swarm, { lastsMs }) => {
    swarm.consortium.ledger.kill('SIGKILL');
    await swarm.consortium.ledger.ended;
    await wait(lastsMs);
    await swarm.serveLedger();
  },
} as const satisfies Readonly<Record<string, Scenario>>;

/** Fills the disk under a member's home: the peer must end by itself with exit code 5. With room again it is started anew. */
export async function fillDisk(swarm: ChaosSwarm, member: number, disk: string): Promise<void> {
  const peer = swarm.consortium.peer(member);
  fill(disk);
  const end = await Promise.race([peer.ended, wait(60_000).then(() => 'nothing in a minute')]);
  makeRoom(disk);
  if (end !== 5) throw new Error(`with a full disk the peer ended with ${end}`);
  if (!peer.log.includes('PEER_DISK_FULL')) throw new Error(`the peer did not say that the disk is full:\n${peer.log.slice(-2_000)}`);
  await swarm.up(member);
}

/** How long to wait, and what is done before each look. */
interface Waiting {
  readonly limitMs?: number;
  readonly meanwhile?: () => Promise<void>;
}

/** Resolves once every member has seen a FINAL round that counts everybody and is `after` this one; gives the seconds. */
export async function together(swarm: ChaosSwarm, after: number, { limitMs = 90_000, meanwhile }: Waiting = {}): Promise<number> {
  const startedMs = performance.now();
  const isCounted = async (member: number): Promise<boolean> => {
    const { history, outcome } = await swarm.view(member);
    return outcome !== null || history.some(({ round, phase, absent }) => round > after && phase === 'final' && absent.length === 0);
  };
  const all = async (): Promise<boolean> => {
    await meanwhile?.();
    return (await Promise.all(swarm.members.map(isCounted))).every(Boolean);
  };
  await swarm.consortium.until(`all members are counted again after round ${after}`, all, limitMs);
  return (performance.now() - startedMs) / 1_000;
}

/** The newest round that any member knows. */
export async function newestRound(swarm: ChaosSwarm): Promise<number> {
  const views = await Promise.all(swarm.members.map((member) => swarm.view(member)));
  return Math.max(...views.map(({ newest }) => newest?.round ?? 0));
}
