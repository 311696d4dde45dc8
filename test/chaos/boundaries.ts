/** The nine places of a round at which a peer is killed, as lines of its log: the line is written between what it names and what follows. */
import type { StopAt } from './preload.ts';
import type { ChaosSwarm } from './swarm.ts';

/** A place in a round. */
export interface Boundary {
  readonly name: string;
  readonly words: readonly string[];
  /** Which of the lines that fit. */
  readonly count?: number;
}

const ended = (effect: string): readonly string[] => ['"an effect has ended"', `"effect":"${effect}`];

/** In the order of a round. */
export const boundaries: readonly Boundary[] = [
  { name: 'bundle and shares made', words: ended('makeBundle"') },
  { name: 'JOIN sent', words: ended('post/join"') },
  { name: 'shares held and vouched', words: ended('post/vouch"') },
  { name: 'masked', words: ended('mask/') },
  { name: 'COMMIT sent', words: ended('post/commit/') },
  { name: 'sum stored', words: ended('sum/') },
  { name: 'READY sent', words: ended('post/ready/') },
  { name: 'seed revealed', words: ['"an effect has ended"', '"effect":"answer/', '/seed/'], count: 2 },
  { name: 'FINAL voted', words: ended('post/vote"') },
];

/** How a peer came back. */
export interface Resumed {
  readonly boundary: string;
  readonly member: number;
  readonly round: number;
  /** Seconds from the start of the process to the first FINAL, seen by itself, of the round in which it was killed or a later one. */
  readonly seconds: number;
  /** Whether that round counts this member. */
  readonly counted: boolean;
  /** Processes that outlived the kill by two seconds. */
  readonly leftover: number;
}

/** Kills `member` the next time it is at `boundary`, starts it again after `awayMs`, and waits until it goes on. */
export async function killAt(swarm: ChaosSwarm, member: number, { name, words, count = 1 }: Boundary, awayMs = 0): Promise<Resumed> {
  const { consortium } = swarm;
  const before = (await swarm.view(member)).finalRounds;
  swarm.stopAt(member, { words, count, signal: 'SIGKILL' } satisfies Omit<StopAt, 'kind'>);
  const end = await Promise.race([consortium.peer(member).ended, new Promise((resolve) => setTimeout(resolve, 60_000, 'in time').unref())]);
  if (end !== 'SIGKILL') throw new Error(`member ${member} was not killed at "${name}", but ended ${end}; it had seen ${before} final rounds`);
  const leftover = (await swarm.gone(member)).length;
  const round = lastRound(consortium.peer(member).log);
  await new Promise((resolve) => setTimeout(resolve, awayMs));
  const startedMs = performance.now();
  await swarm.up(member);
  const view = async () => (await swarm.view(member)).history.findLast((entry) => entry.round >= round && entry.phase === 'final');
  await consortium.until(`member ${member} goes on after "${name}" in round ${round}`, async () => (await view()) !== undefined, 90_000);
  const names = (await swarm.view(member)).members.map((entry) => entry.name);
  const counted = !(await view())?.absent.includes(names[await indexOf(swarm, member)] ?? '');
  return { boundary: name, member, round, seconds: (performance.now() - startedMs) / 1_000, counted, leftover };
}

async function indexOf(swarm: ChaosSwarm, member: number): Promise<number> {
  const { members } = await swarm.view(member);
  return members.findIndex(({ name }) => name === `Hospital ${member + 1}`);
}

function lastRound(log: string): number {
  const rounds = [...log.matchAll(/"round":(\d+)/g)];
  return Number(rounds.at(-1)?.[1] ?? 0);
}
