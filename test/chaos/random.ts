/** Faults drawn by seed, two at a time, until the run is over; then everything must be true. */
import { type Chance, seededChance } from '../../src/common/index.ts';
import { wait } from '../support/demo.ts';
import { boundaries, killAt } from './boundaries.ts';
import type { Figure } from './figures.ts';
import { judge } from './oracles.ts';
import { type Blow, type Scenario, scenarios } from './scenarios.ts';
import { ChaosSwarm } from './swarm.ts';

const names = Object.keys(scenarios) as readonly (keyof typeof scenarios)[];

interface Draw {
  readonly name: string;
  readonly blow: Blow;
  readonly scenario: Scenario;
}

function draw(chance: Chance, among: readonly number[]): Draw {
  const blow = { member: among[chance.below(among.length)] ?? 0, lastsMs: 1_000 + chance.below(9_000) };
  const boundary = boundaries[chance.below(2 * boundaries.length)];
  const name = names[chance.below(names.length)] ?? 'cut';
  if (!boundary) return { name, blow, scenario: scenarios[name] };
  return { name: `killed at ${boundary.name}`, blow, scenario: async (swarm, { member, lastsMs }) => void (await killAt(swarm, member, boundary, lastsMs)) };
}

/** One actor: faults on its own members one after another, until the run is over. */
async function act(swarm: ChaosSwarm, chance: Chance, own: readonly number[], told: (line: string) => void): Promise<void> {
  const isOver = async (): Promise<boolean> => (await swarm.view(own[0] ?? 0).catch(() => undefined))?.outcome != null;
  while (!(await isOver())) {
    const { name, blow, scenario } = draw(chance, own);
    told(`member ${blow.member}: ${name} for ${blow.lastsMs} ms`);
    try {
      await scenario(swarm, blow);
    } catch (error) {
      if (!(await isOver())) throw error;
    }
    await wait(500 + chance.below(3_000));
  }
}

async function once(seed: number, members: number, rounds: number): Promise<readonly string[]> {
  await using swarm = await ChaosSwarm.found({ members, rounds });
  const told: string[] = [];
  await swarm.start();
  // the ledger is one for all: only the first actor draws faults of it
  const halves = [swarm.members.filter((member) => member % 2 === 0), swarm.members.filter((member) => member % 2 === 1)];
  await Promise.all(halves.map((own, at) => act(swarm, seededChance('chaos', seed, at), own, (line) => told.push(line))));
  for (const member of swarm.members) if (!swarm.consortium.peer(member).isRunning) await swarm.up(member);
  await swarm.over(300_000);
  const wrong = await judge(swarm, undefined);
  for (const line of told) process.stderr.write(`seed ${seed}: ${line}\n`);
  return wrong.map((text) => `seed ${seed}: ${text}`);
}

/** Runs under faults drawn from `seed`, `seed` + 1, … */
export async function random({
  members,
  seed,
  seeds,
  rounds,
}: {
  readonly members: number;
  readonly seed: number;
  readonly seeds: number;
  readonly rounds: number;
}): Promise<Figure> {
  const wrong: string[] = [];
  for (let at = seed; at < seed + seeds; at++) wrong.push(...(await once(at, members, rounds)));
  return { seeds, wrong };
}
