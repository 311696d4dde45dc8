/**
 * `npm run bench -- round`: a round over real processes by size of the model: seconds from FINAL to FINAL, bytes over all links, peak memory of a peer.
 * Training is one step on eight rows of a two-layer network over sixty rows a member, so that what is measured is the round. `--sizes 1e4,1e6,1e7 --members 4 --exchange auto`; the exchange `open` is a run in open mode.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DemoConsortium } from '../../deploy/demo/consortium.ts';
import { median } from '../../deploy/demo/result.ts';
import { approve, discover } from '../../deploy/demo/steps.ts';
import { readStudy } from '../../src/study/index.ts';
import { wait } from '../support/demo.ts';
import { twoLayers } from '../support/onnx-models.ts';

const heart = fileURLToPath(new URL('../../deploy/studies/heart-disease/', import.meta.url));
const signal = new AbortController().signal;
const features = 13;

/** The shipped study with another network, few rounds, and the exchange that is asked for. */
function writeStudy(folder: string, options: { readonly parameters: number; readonly rounds: number; readonly exchange: string }): void {
  mkdirSync(folder);
  const text = readFileSync(join(heart, 'study.toml'), 'utf8')
    .replace(/localSteps = .*/, 'localSteps = 1')
    .replace(/batchSize = .*/, 'batchSize = 8')
    .replace(/rounds = .*/, `rounds = ${options.rounds}`);
  writeFileSync(
    join(folder, 'study.toml'),
    `${text}\n[terms]\n${options.exchange === 'open' ? 'mode = "open"\nrule = { kind = "mean" }' : `exchange = "${options.exchange}"`}\n`,
  );
  writeFileSync(join(folder, 'features.sql'), readFileSync(join(heart, 'features.sql')));
  writeFileSync(join(folder, 'model.onnx'), twoLayers(features, options.parameters));
}

/** The header and sixty rows: a wide network's activations over all rows of a hospital would not fit. */
const fewRows = (csv: string): string => csv.split('\n').slice(0, 61).join('\n');

/** Peak resident memory of a process in MB, since it started or since `peakSoFarMb`. */
function peakMb(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** The peak of a process until now; from here on `peakMb` is that of the time to come (proc(5), clear_refs). */
function peakSoFarMb(pid: number): number {
  const peak = peakMb(pid);
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return peak;
}

/** Processor seconds of a process and of all its children that have ended, user and system. */
function cpuS(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return [11, 12].reduce((ticks, at) => ticks + Number(fields[at] ?? 0), 0) / 100;
}

interface RunLine {
  readonly finalRounds: number;
  readonly outcome: string | null;
}

/** One run of one size: seconds between FINALs, and bytes of content and messages over all links a round. */
async function measure(parameters: number, members: number, exchange: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-bench-'));
  const consortium = new DemoConsortium(join(folder, 'demo'));
  try {
    const rounds = 6;
    writeStudy(join(folder, 'study'), { parameters, rounds, exchange });
    const study = await readStudy(join(folder, 'study'), { signal });
    const files = readdirSync(join(heart, 'data')).filter((name) => name.endsWith('.csv'));
    for (const name of files) writeFileSync(join(folder, name), fewRows(readFileSync(join(heart, 'data', name), 'utf8')));
    const sites = Array.from({ length: members }, (_, at) => ({
      name: `Site ${at + 1}`,
      dataset: 'heart',
      files: [join(folder, files[at % files.length] ?? '')],
    }));
    await consortium.startPeers(sites, [], await consortium.startLedger(members, []));
    const { peers } = consortium;
    const [first] = peers;
    if (!first) return;
    await discover(peers);
    await approve(study, peers, { open: exchange === 'open', limitMs: 600_000 });
    const received = async (): Promise<number> => {
      const all = await Promise.all(peers.map(({ api }) => api().get<{ counters: { bytesIn: number } }>('/v1/peers')));
      return all.reduce((sum, { counters }) => sum + counters.bytesIn, 0);
    };
    const { run } = await first.api().send<{ run: number }>('POST', '/v1/runs', { study: study.id });
    const finals: { readonly atS: number; readonly bytes: number; readonly cpuS: number }[] = [];
    const before: number[] = [];
    const cpu = (): number => peers.reduce((sum, { service }) => sum + cpuS(service.pid), 0) / members;
    let line: RunLine = { finalRounds: 0, outcome: null };
    while (line.outcome === null) {
      line = await first.api().get<RunLine>(`/v1/runs/${run}`);
      if (line.finalRounds > finals.length) {
        finals.push({ atS: performance.now() / 1_000, bytes: await received(), cpuS: cpu() });
        if (finals.length === 2) before.push(...peers.map(({ service }) => peakSoFarMb(service.pid)));
      }
      await wait(20);
    }
    const gaps = finals.slice(2).map((final, at) => {
      const last = finals[at + 1] ?? final;
      return { seconds: final.atS - last.atS, bytes: final.bytes - last.bytes, cpuS: final.cpuS - last.cpuS };
    });
    const seconds = median(gaps.map((gap) => gap.seconds));
    const megabytes = median(gaps.map((gap) => gap.bytes)) / 1e6;
    const memory = Math.max(...peers.map(({ service }) => peakMb(service.pid)));
    const cells = [
      parameters.toExponential(0),
      members,
      exchange,
      line.outcome,
      seconds.toFixed(2),
      megabytes.toFixed(2),
      median(gaps.map((gap) => gap.cpuS)).toFixed(2),
      Math.max(...before).toFixed(0),
      memory.toFixed(0),
    ];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  } finally {
    await consortium.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One line a size and an exchange. */
export async function roundFigures(args: readonly string[]): Promise<void> {
  const text = (standard: string) => ({ type: 'string' as const, default: standard });
  const options = { sizes: text('1e4,1e6,1e7'), members: text('4'), exchange: text('auto,reduce-scatter') };
  const { values } = parseArgs({ args: [...args], options });
  const columns = [
    'parameters',
    'members',
    'exchange',
    'outcome',
    'seconds a round',
    'MB over all links a round',
    'CPU seconds of one peer a round',
    'peak MB of a peer to the second FINAL',
    'and after it',
  ];
  process.stdout.write(`| ${columns.join(' | ')} |\n|${columns.map(() => '---|').join('')}\n`);
  for (const size of values.sizes.split(',')) for (const exchange of values.exchange.split(',')) await measure(Number(size), Number(values.members), exchange);
}
