/** Real lines: each peer, and the ledger, in a network namespace of its own; lines that the kernel makes thin (`tbf`) or that are taken down. */
import { wait } from '../support/demo.ts';
import { Namespaces, type Passed } from '../support/namespaces.ts';
import { twoLayers } from '../support/onnx-models.ts';
import type { SiteOf } from '../support/site.ts';
import type { Figure } from './figures.ts';
import { judge } from './oracles.ts';
import { newestRound, together } from './scenarios.ts';
import { ChaosSwarm } from './swarm.ts';

/** How long everything lasts. */
export interface LinesOptions {
  readonly members?: number;
  readonly rounds?: number;
  /** Seconds of local work in a round. */
  readonly workS?: number;
  /** Seconds for which a line is down. */
  readonly downS?: number;
}

/** A fault of one line, from before it until all are counted again. */
interface Blow {
  readonly what: string;
  readonly member: number;
  readonly seconds: number;
  /** FINAL rounds from its beginning to its end, as the first member saw them. */
  readonly finalMeanwhile: number;
  /** Rounds from its beginning on, until all were counted again, that list the member as absent. */
  readonly absentIn: readonly number[];
  /** From its end to a FINAL round that counts everybody, seen by everybody. */
  readonly secondsToTogether: number;
  /** How often it was suspended, after two rounds that went on without it, and its own admin had to say `run reinstate`. */
  readonly reinstated: number;
  readonly line: object;
  readonly wrong: readonly string[];
}

/** What a line that a fault lies on says of itself. */
interface Laid extends Disposable {
  readonly told: () => { readonly line: object; readonly wrong: readonly string[] };
}

const nameOf = (member: number): string => `Hospital ${member + 1}`;
const house = (member: number): string => `peer-${member}`;
const houseOf = (who: number | 'ledger'): string => (who === 'ledger' ? who : house(who));

async function sites(houses: Namespaces, members: number): Promise<SiteOf> {
  const ports = new Map<number | 'ledger', number>([['ledger', await houses.door('ledger', houses.address('ledger'))]]);
  for (let member = 0; member < members; member++) ports.set(member, await houses.door(house(member)));
  return (who) => ({ before: houses.before(houseOf(who)), host: houses.address(houseOf(who)), port: ports.get(who) ?? 0 });
}

/** A line that carries so much a second in each direction, and no more. */
function thin(houses: Namespaces, member: number, kilobitsPerS: number): Laid {
  const limit = houses.limit(house(member), kilobitsPerS);
  const startedMs = performance.now();
  const isKept = (way: Passed, rate: number): boolean => way.limitKilobitsPerS === kilobitsPerS && way.held > 0 && rate <= 1.1 * kilobitsPerS;
  const told = (): ReturnType<Laid['told']> => {
    const seconds = (performance.now() - startedMs) / 1_000;
    const passed = Object.entries(limit.passed());
    const rate = ({ bytes }: Passed): number => (bytes * 8) / 1_000 / seconds;
    return {
      line: Object.fromEntries(passed.map(([direction, way]) => [direction, { ...way, kilobitsPerS: rate(way) }])),
      wrong: passed.flatMap(([direction, way]) => (isKept(way, rate(way)) ? [] : [`the limit did not work ${direction}wards`])),
    };
  };
  return { told, [Symbol.dispose]: () => limit[Symbol.dispose]() };
}

/** A line that is taken down at the bridge. */
function pulled(houses: Namespaces, member: number): Laid {
  const down = houses.down(house(member));
  const before = houses.carried(house(member));
  const told = (): ReturnType<Laid['told']> => {
    const carriedBytes = houses.carried(house(member)) - before;
    return { line: { carriedBytes }, wrong: carriedBytes > 0 ? [`a line that was down carried ${carriedBytes} bytes`] : [] };
  };
  return { told, [Symbol.dispose]: () => down[Symbol.dispose]() };
}

/** What is done to a line, and for how long. */
interface Fault {
  readonly what: string;
  readonly member: number;
  readonly lay: (member: number) => Laid;
  readonly lasts: () => Promise<void>;
}

async function struck(swarm: ChaosSwarm, { what, member, lay, lasts }: Fault): Promise<Blow> {
  const before = await swarm.view(0);
  const from = await newestRound(swarm);
  const startedMs = performance.now();
  const { line, wrong } = await during(lay(member), lasts);
  const seconds = (performance.now() - startedMs) / 1_000;
  const finalMeanwhile = (await swarm.view(0)).finalRounds - before.finalRounds;
  let reinstated = 0;
  const meanwhile = async (): Promise<void> => {
    if (await reinstate(swarm, member)) reinstated += 1;
  };
  const secondsToTogether = await together(swarm, await newestRound(swarm), { limitMs: 180_000, meanwhile });
  const { history, outcome } = await swarm.view(0);
  const absentIn = history.flatMap(({ round, absent }) => (round >= from && absent.includes(nameOf(member)) ? [round] : []));
  const blow = { what, member, seconds, finalMeanwhile, absentIn, secondsToTogether, reinstated, line };
  process.stderr.write(`${JSON.stringify(blow)}\n`);
  const more = [
    ...(finalMeanwhile < 1 ? ['no round became final meanwhile'] : []),
    ...(outcome === null ? [] : ['the run was over before all were counted again']),
  ];
  return { ...blow, wrong: [...wrong, ...more].map((text) => `${what}: ${text}`) };
}

/** What a member's own admin does where it was suspended and its line is good again. Whether there was something to do. */
async function reinstate(swarm: ChaosSwarm, member: number): Promise<boolean> {
  const { suspended, outcome } = await swarm.view(member);
  if (outcome !== null || !suspended.includes(nameOf(member))) return false;
  await swarm.consortium.run(member, 'run', 'reinstate', String(swarm.run));
  return true;
}

async function during(laid: Laid, lasts: () => Promise<void>): Promise<ReturnType<Laid['told']>> {
  using lies = laid;
  await lasts();
  return lies.told();
}

/** More steps than anybody can do in a round's time, so small that no site votes against what comes out. */
function longRounds(workS: number): (text: string) => string {
  return (text) =>
    text
      .replace(/^localSteps = .*$/m, 'localSteps = 100000')
      .replace('learningRate = 0.1', 'learningRate = 0.0001')
      .replace(/^budgetS = \d+/m, `budgetS = ${workS}`);
}

/** A run in which one member's line is thin, then another's is down, then a third one's is very thin. */
export async function realLines({ members = 4, rounds = 24, workS = 5, downS = 30 }: LinesOptions = {}): Promise<Figure> {
  if (members < 4) throw new Error(`with ${members} members there are not three lines to strike beside the one that is watched: four are needed`);
  using houses = Namespaces.build(['ledger', ...Array.from({ length: members }, (_, member) => house(member))]);
  const siteOf = await sites(houses, members);
  await using swarm = await ChaosSwarm.found({ members, rounds, siteOf, log: 'info', model: twoLayers(2, 10_000), study: longRounds(workS) });
  await swarm.start();
  await swarm.rounds(2, 0);
  const count = Math.max(2, Math.floor(rounds / 8));
  const someRounds = async (): Promise<void> => swarm.rounds((await swarm.view(0)).finalRounds + count, 0, 300_000);
  const faults: readonly Fault[] = [
    { what: '1 Mbit/s', member: 1, lay: (member) => thin(houses, member, 1_000), lasts: someRounds },
    { what: 'down', member: 2, lay: (member) => pulled(houses, member), lasts: () => wait(downS * 1_000) },
    { what: '256 kbit/s', member: 3, lay: (member) => thin(houses, member, 256), lasts: someRounds },
  ];
  const blows: Blow[] = [];
  for (const fault of faults) blows.push(await struck(swarm, fault));
  await swarm.over(600_000);
  const { history, outcome } = await swarm.view(0);
  const wrong = [...blows.flatMap((blow) => blow.wrong), ...(await judge(swarm, { outcome: 'complete', missing: [] })), ...(await left(swarm, houses))];
  return {
    outcome,
    rounds: history.length,
    final: history.filter(({ phase }) => phase === 'final').length,
    absent: history.flatMap(({ round, absent }) => (absent.length > 0 ? [{ round, absent }] : [])),
    blows: blows.map(({ wrong: _, ...blow }) => blow),
    wrong,
  };
}

/** Once everything is stopped, nothing runs in any house. */
async function left(swarm: ChaosSwarm, houses: Namespaces): Promise<readonly string[]> {
  houses.closeDoors();
  await swarm.consortium.until('nothing runs any more', async () => houses.processes().length === 0, 5_000).catch(() => undefined);
  return houses.processes().map((pid) => `process ${pid} still runs in a house`);
}
