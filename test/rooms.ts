/**
 * The room table: which room of `src` may import which, which vendor lives where, which rooms are pure. Run by `npm run check`, and as a test.
 * Fails where an import breaks it, and where it saw fewer modules than there are.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult } from 'dependency-cruiser';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Rooms in order of dependency, with what each may import. */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  common: [],
  sandbox: ['common'],
  wire: ['common'],
  tensor: ['common'],
  aggregation: ['common', 'tensor'],
  round: ['common', 'wire', 'aggregation'],
  study: ['common', 'wire'],
  dataset: ['common', 'sandbox', 'study'],
  training: ['common', 'sandbox', 'tensor', 'study', 'dataset'],
  ledger: ['common', 'sandbox', 'wire'],
  network: ['common', 'wire'],
  peer: ['common', 'sandbox', 'wire', 'tensor', 'aggregation', 'round', 'study', 'dataset', 'training', 'ledger', 'network'],
  console: ['common', 'peer'],
};

/** Where the launcher stands in the table. */
const launcher = ['common', 'dataset', 'study', 'training', 'console'];

/** Vendors that only some places may import: a pattern of the resolved path, and the places. */
const vendors: readonly (readonly [string, string])[] = [
  ['node_modules/(@libp2p|@chainsafe|libp2p|@multiformats)/', '^src/network/'],
  ['node_modules/ethers/', '^src/ledger/'],
  ['node_modules/onnxruntime-node/', '^src/training/'],
  ['node_modules/@duckdb/', '^src/dataset/'],
  ['node_modules/(pg|pg-cursor|hucre)/', '^src/dataset/sources/'],
  ['node_modules/protobufjs/', '^src/(wire|training/onnx)/'],
  ['node_modules/pino/', '^src/peer/'],
  ['^(node:)?sqlite$', '^src/(peer/store|dataset)/'],
  ['^(node:)?child_process$', '^src/sandbox/'],
  ['^(node:)?worker_threads$', '^src/peer/bulk/'],
];

const pure = '^src/(common|wire|tensor|aggregation|round|training/autodiff)/';
const io =
  '^(node:)?(fs|fs/promises|net|http|https|dgram|dns|tls|worker_threads|child_process|timers|timers/promises|os|process|readline|sqlite|v8|async_hooks)$';

function rules(): object {
  const forbidden = [
    { name: 'no-cycles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    ...Object.entries(rooms).map(([room, may]) => ({
      name: `${room}-imports`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/[^/]+/', pathNot: `^src/(${[room, ...may].join('|')})/` },
    })),
    {
      name: 'front-door-only',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/.+', pathNot: ['^src/$1/', '^src/[^/]+/index[.]ts$'] },
    },
    {
      name: 'launcher-imports',
      severity: 'error',
      from: { path: '^deploy/demo/' },
      to: { path: '^src/', pathNot: `^src/(${launcher.join('|')})/index[.]ts$` },
    },
    { name: 'src-never-imports-outside', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|deploy)/' } },
    { name: 'pure-rooms-do-no-io', severity: 'error', from: { path: pure }, to: { path: io } },
    {
      name: 'crypto-in-two-places-of-pure-rooms',
      severity: 'error',
      from: { path: pure, pathNot: '^src/(common/hash[.]ts|aggregation/secagg/)' },
      to: { path: '^(node:)?crypto$' },
    },
    ...vendors.map(([vendor, place], at) => ({
      name: `vendor-${at}-${vendor}`,
      severity: 'error',
      from: { path: '^src/', pathNot: place },
      to: { path: vendor },
    })),
  ];
  return { forbidden };
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.ts$/.test(entry.name) ? [path] : [];
  });
}

/** Impure words inside pure rooms that no import shows. */
function impurities(): string[] {
  const words = /\b(Math\.random|Date\b|setTimeout|setInterval|setImmediate|process\.|async\b|await\b|globalThis)/;
  return sources('src')
    .filter((path) => new RegExp(pure).test(path))
    .flatMap((path) => {
      const lines = readFileSync(join(root, path), 'utf8').split('\n');
      return lines.flatMap((line, at) => (words.test(line.replace(/\/\/.*|^\s*(\/?\*).*/, '')) ? [`${path}:${at + 1} is in a pure room: ${line.trim()}`] : []));
    });
}

/** All breaches of the table, in words; empty where it holds. */
export async function breaches(): Promise<readonly string[]> {
  const expected = sources('src');
  const previous = process.cwd();
  process.chdir(root);
  try {
    const { output } = await cruise(
      ['src', 'deploy/demo'],
      { ruleSet: rules(), validate: true, tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' } } as never,
      {},
      {},
    );
    const result = output as ICruiseResult;
    const seen = new Set(result.modules.map(({ source }) => source));
    const unseen = expected.filter((path) => !seen.has(relative(root, join(root, path))));
    const doors = Object.keys(rooms).filter((room) => !expected.includes(`src/${room}/index.ts`));
    const strangers = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory() && !(entry.name in rooms));
    return [
      ...result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
      ...unseen.map((path) => `${path} was not looked at`),
      ...doors.map((room) => `the room ${room} has no index.ts`),
      ...strangers.map((entry) => `src/${entry.name} is not in the room table`),
      ...impurities(),
    ];
  } finally {
    process.chdir(previous);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await breaches();
  for (const breach of found) process.stderr.write(`${breach}\n`);
  process.stdout.write(`${sources('src').length} modules in ${Object.keys(rooms).length} rooms, ${found.length} breaches\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
