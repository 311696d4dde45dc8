/** Every member killed at each of the nine places of a round, once. */
import { boundaries, killAt, type Resumed } from './boundaries.ts';
import type { Figure } from './figures.ts';
import { judge } from './oracles.ts';
import { ChaosSwarm } from './swarm.ts';

/** One run for each place; in it every member is killed there and started again. */
export async function matrix({ members }: { readonly members: number }): Promise<Figure> {
  const resumed: Resumed[] = [];
  const wrong: string[] = [];
  for (const boundary of boundaries) {
    await using swarm = await ChaosSwarm.found({ members, rounds: 3 * members + 6 });
    await swarm.start();
    await swarm.rounds(2, 0);
    for (const member of swarm.members) {
      const result = await killAt(swarm, member, boundary);
      resumed.push(result);
      process.stderr.write(`${JSON.stringify(result)}\n`);
    }
    await swarm.over(300_000);
    wrong.push(...(await judge(swarm, { outcome: 'complete', missing: [] })).map((text) => `${boundary.name}: ${text}`));
  }
  const seconds = resumed.map((result) => result.seconds).sort((a, b) => a - b);
  const late = resumed.filter((result) => result.seconds > 30 || result.leftover > 0);
  return {
    kills: resumed.length,
    counted: resumed.filter(({ counted }) => counted).length,
    medianSeconds: seconds[Math.floor(seconds.length / 2)],
    worstSeconds: seconds.at(-1),
    wrong: [...wrong, ...late.map((result) => `late, or something was left: ${JSON.stringify(result)}`)],
  };
}
