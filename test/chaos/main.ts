/** Chaos by hand and at night: `node test/chaos/main.ts matrix|random|killed|busy|cut|soak|lines [--members N] [--rounds N] [--seed N] [--seeds N] [--minutes N]`. Exit code 1 where anything is wrong, 77 where a kind cannot run here. */
import { parseArgs } from 'node:util';
import { whyNoNamespaces } from '../support/namespaces.ts';
import { busyMachine, cutForMinutes, type Figure, killedForGood } from './figures.ts';
import { realLines } from './lines.ts';
import { matrix } from './matrix.ts';
import { random } from './random.ts';
import { soak } from './soak.ts';

/** How a kind ends that cannot run on this machine; `test/night.mjs` knows it. */
const cannotRun = 77;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    members: { type: 'string' },
    rounds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '6' },
  },
});
const rounds = values.rounds === undefined ? {} : { rounds: Number(values.rounds) };
const [members, seed, seeds, minutes] = [values.members ?? 8, values.seed, values.seeds, values.minutes].map(Number) as [number, number, number, number];

const kinds: Readonly<Record<string, () => Promise<Figure>>> = {
  matrix: () => matrix({ members }),
  random: () => random({ members, seed, seeds, rounds: 30, ...rounds }),
  killed: () => killedForGood(rounds),
  busy: () => busyMachine(rounds),
  cut: () => cutForMinutes({ minutes, ...rounds }),
  lines: () => realLines({ members: Number(values.members ?? 4), ...rounds }),
  soak: () => soak({ members, seed, rounds: 500, ...rounds }),
};

const kind = kinds[positionals[0] ?? ''];
if (!kind) {
  process.stderr.write(`say one of ${Object.keys(kinds).join(', ')}\n`);
  process.exit(2);
}
const reason = positionals[0] === 'lines' ? whyNoNamespaces() : undefined;
if (reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(cannotRun);
}
const figure = await kind();
process.stdout.write(`${JSON.stringify(figure, null, 2)}\n`);
process.exit(figure.wrong.length === 0 ? 0 : 1);
