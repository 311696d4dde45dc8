/** Figures of single faults on real processes: a member killed for good, a busy machine, a member that is cut off for minutes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { wait } from '../support/demo.ts';
import { judge } from './oracles.ts';
import { ChaosSwarm } from './swarm.ts';

/** What a figure says: numbers and names, and what was wrong. */
export interface Figure {
  readonly wrong: readonly string[];
  readonly [name: string]: unknown;
}

const others = (swarm: ChaosSwarm, member: number): readonly number[] => swarm.members.filter((other) => other !== member);
const nameOf = (member: number): string => `Hospital ${member + 1}`;

/** Four members, one killed for good while a round runs: seconds until the next FINAL, and how the run ends. */
export async function killedForGood({ rounds = 12 }: { readonly rounds?: number } = {}): Promise<Figure> {
  await using swarm = await ChaosSwarm.found({ members: 4, rounds });
  const victim = 2;
  await swarm.start();
  await swarm.rounds(4, 0);
  swarm.stopAt(victim, { words: ['"an effect begins"', '"effect":"mask/'], count: 1, signal: 'SIGKILL' });
  await swarm.gone(victim);
  const killedMs = performance.now();
  const before = (await swarm.view(0)).finalRounds;
  await swarm.rounds(before + 1, 0, 180_000);
  const seconds = (performance.now() - killedMs) / 1_000;
  await swarm.over(600_000, others(swarm, victim));
  const wrong = await judge(swarm, { outcome: 'complete 3 of 4', missing: [nameOf(victim)] }, others(swarm, victim));
  return { secondsToNextFinal: seconds, wrong };
}

/** Eight members beside two busy loops for each core. */
export async function busyMachine({ rounds = 20 }: { readonly rounds?: number } = {}): Promise<Figure> {
  await using swarm = await ChaosSwarm.found({ members: 8, rounds });
  const loops: ChildProcess[] = cpus().flatMap(() => [0, 1].map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })));
  try {
    const startedMs = performance.now();
    await swarm.start();
    await swarm.over(1_800_000);
    const seconds = (performance.now() - startedMs) / 1_000;
    const { history } = await swarm.view(0);
    const dropped = history.filter(({ phase, absent }) => phase !== 'final' || absent.length > 0).map(({ round, phase, absent }) => ({ round, phase, absent }));
    const wrong = await judge(swarm, { outcome: 'complete', missing: [] });
    return {
      loops: loops.length,
      seconds,
      rounds: history.length,
      dropped,
      wrong: [...wrong, ...dropped.map((entry) => `not all were counted: ${JSON.stringify(entry)}`)],
    };
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
  }
}

/** Eight members, one cut off from all and from the ledger for minutes, in a run that lasts longer. */
export async function cutForMinutes({ rounds = 20, minutes = 6 }: { readonly rounds?: number; readonly minutes?: number } = {}): Promise<Figure> {
  // more steps than anybody can do in the study's time: a round lasts as long on any machine
  const budgetS = Math.round((minutes * 60 * 1.35) / rounds);
  await using swarm = await ChaosSwarm.found({
    members: 8,
    rounds,
    log: 'info',
    rows: 4_000,
    study: (text) =>
      text
        .replace(/^localSteps = .*$/m, 'localSteps = 100000')
        .replace(/^batchSize = .*$/m, 'batchSize = 4000')
        .replace(/^budgetS = \d+/m, `budgetS = ${budgetS}`),
  });
  const victim = 5;
  await swarm.start();
  await swarm.rounds(3, 0, 600_000);
  const before = await swarm.view(0);
  const fault = swarm.faultOf(victim, { state: 'silent' });
  await wait(minutes * 60_000);
  fault[Symbol.dispose]();
  const meanwhile = await swarm.view(0);
  const healedMs = performance.now();
  const isBack = async (): Promise<boolean> => {
    const { history, outcome } = await swarm.view(0);
    const last = history.findLast(({ phase }) => phase === 'final');
    return outcome !== null || (last !== undefined && last.round > (meanwhile.newest?.round ?? 0) && last.absent.length === 0);
  };
  await swarm.consortium.until('the member takes part again', isBack, 600_000);
  const secondsToTakePart = (performance.now() - healedMs) / 1_000;
  await swarm.over(1_800_000);
  const { history, outcome } = await swarm.view(0);
  const absent = history.flatMap((entry) => (entry.absent.includes(nameOf(victim)) ? [entry.round] : []));
  const wrong = await judge(swarm, { outcome: 'complete', missing: [] });
  const stood = meanwhile.finalRounds - before.finalRounds;
  return {
    finalMeanwhile: stood,
    secondsToTakePart,
    absentIn: absent,
    outcome,
    rounds: history.length,
    wrong: [...wrong, ...(stood < 1 ? ['no round became final meanwhile'] : [])],
  };
}
