/** Chaos by hand and at night: `node test/chaos/main.ts matrix|random|killed|busy|cut|soak [--members N] [--rounds N] [--seed N] [--seeds N] [--minutes N]`. Exit code 1 where anything is wrong. */
import { parseArgs } from 'node:util';
import { busyMachine, cutForMinutes, type Figure, killedForGood } from './figures.ts';
import { matrix } from './matrix.ts';
import { random } from './random.ts';
import { soak } from './soak.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    members: { type: 'string', default: '8' },
    rounds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '6' },
  },
});
const rounds = values.rounds === undefined ? {} : { rounds: Number(values.rounds) };
const [members, seed, seeds, minutes] = [values.members, values.seed, values.seeds, values.minutes].map(Number) as [number, number, number, number];

const kinds: Readonly<Record<string, () => Promise<Figure>>> = {
  matrix: () => matrix({ members }),
  random: () => random({ members, seed, seeds, rounds: 30, ...rounds }),
  killed: () => killedForGood(rounds),
  busy: () => busyMachine(rounds),
  cut: () => cutForMinutes({ minutes, ...rounds }),
  soak: () => soak({ members, seed, rounds: 500, ...rounds }),
};

const kind = kinds[positionals[0] ?? ''];
if (!kind) {
  process.stderr.write(`say one of ${Object.keys(kinds).join(', ')}\n`);
  process.exit(2);
}
const figure = await kind();
process.stdout.write(`${JSON.stringify(figure, null, 2)}\n`);
process.exit(figure.wrong.length === 0 ? 0 : 1);
