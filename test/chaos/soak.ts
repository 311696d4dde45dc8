/** A long run under broken connections: what grows, and whether anything ever differs. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seededChance } from '../../src/common/index.ts';
import { wait } from '../support/demo.ts';
import type { Figure } from './figures.ts';
import { judge } from './oracles.ts';
import type { Weigh, Weight } from './preload.ts';
import { ChaosSwarm } from './swarm.ts';

interface Sample {
  readonly round: number;
  /** MiB of each peer's main process: proportional set size. */
  readonly memory: readonly number[];
  /** KiB in the first member's home and in the ledger's folder. */
  readonly home: number;
  readonly ledger: number;
}

function memoryOf(pid: number): number {
  const [, kib = '0'] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}

function sizeOf(folder: string): number {
  return Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]);
}

/** Slope of `values` over `at`, by least squares. */
function slope(at: readonly number[], values: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [middle, height] = [mean(at), mean(values)];
  const over = at.reduce((sum, x, index) => sum + (x - middle) * ((values[index] ?? 0) - height), 0);
  return over / at.reduce((sum, x) => sum + (x - middle) ** 2, 0);
}

/** Growth for 100 rounds over the last four fifths of the samples. */
function growth(samples: readonly Sample[], value: (sample: Sample) => number): number {
  const late = samples.filter(({ round }) => round >= (samples.at(-1)?.round ?? 0) / 5);
  return (
    100 *
    slope(
      late.map(({ round }) => round),
      late.map(value),
    )
  );
}

/** What each peer holds after a full collection of garbage, in MiB: heap and what hangs on it. A peer that has ended counts as nothing. */
function weighed(swarm: ChaosSwarm): Promise<readonly number[]> {
  return Promise.all(
    swarm.members.map(async (member) => {
      const weight = await swarm.consortium.peer(member).ask<Weight>({ kind: 'weigh' } satisfies Weigh);
      return (weight?.heapMiB ?? 0) + (weight?.externalMiB ?? 0);
    }),
  );
}

/** Runs `rounds` rounds over eight members while a tenth of all connections is broken every minute. */
export async function soak({ rounds, seed, members }: { readonly rounds: number; readonly seed: number; readonly members: number }): Promise<Figure> {
  await using swarm = await ChaosSwarm.found({ members, rounds, log: 'warn', study: (text) => text.replace(/^localSteps = .*$/m, 'localSteps = 2') });
  const chance = seededChance('soak', seed);
  const samples: Sample[] = [];
  let broken = 0;
  const weighings: { readonly round: number; readonly live: readonly number[] }[] = [];
  await swarm.start();
  const startedMs = performance.now();
  for (;;) {
    await wait(3_000);
    broken += swarm.breakConnections(0.1 / 20, chance.real);
    const { newest, outcome } = await swarm.view(0);
    const memory = swarm.members.map((member) => memoryOf(swarm.consortium.peer(member).pid));
    const round = newest?.round ?? 0;
    if (round > (samples.at(-1)?.round ?? -1))
      samples.push({ round, memory, home: sizeOf(swarm.consortium.home(0)), ledger: sizeOf(join(swarm.consortium.folder, 'ledger')) });
    // from a fifth of the run on, six times, and never after its end, when a peer holds less
    if (outcome === null && round >= (rounds * (weighings.length + 1.5)) / 8) weighings.push({ round, live: await weighed(swarm) });
    if (samples.length % 20 === 0)
      process.stderr.write(
        `round ${round}: ${Math.max(...memory).toFixed(0)} MiB, home ${samples.at(-1)?.home} KiB, ledger ${samples.at(-1)?.ledger} KiB, ${broken} broken\n`,
      );
    if (outcome !== null) break;
  }
  await swarm.over(120_000);
  const { history, outcome } = await swarm.view(0);
  const final = history.filter(({ phase }) => phase === 'final').length;
  const files = readdirSync(swarm.consortium.home(0)).map((name) => `${name} ${statSync(join(swarm.consortium.home(0), name)).size}`);
  const slopes = swarm.members.map((member) => growth(samples, ({ memory }) => memory[member] ?? 0));
  const wrong = await judge(swarm, { outcome: 'complete', missing: [] });
  return {
    outcome,
    rounds: history.length,
    finalShare: final / history.length,
    allCounted: history.filter(({ absent }) => absent.length === 0).length / history.length,
    seconds: (performance.now() - startedMs) / 1_000,
    broken,
    liveMiB: weighings.at(-1)?.live,
    liveMiBPer100Rounds: swarm.members.map(
      (member) =>
        100 *
        slope(
          weighings.map(({ round }) => round),
          weighings.map(({ live }) => live[member] ?? 0),
        ),
    ),
    memoryMiB: samples.at(-1)?.memory,
    memoryMiBPer100Rounds: slopes,
    homeKiBPer100Rounds: growth(samples, ({ home }) => home),
    ledgerKiBPer100Rounds: growth(samples, ({ ledger }) => ledger),
    files,
    wrong,
  };
}
