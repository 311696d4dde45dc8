/** `npm run bench`, `npm run bench -- kernels`, `npm run bench -- fhir` and `npm run bench -- loading`: the demo's times and memory as processes, then a round by phase and the bytes of a member. Ratios and medians; nothing here fails by time. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../../deploy/demo/result.ts';
import { Demo, type DemoDocument, wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';
import { fhirFigures } from './fhir.ts';
import { kernelFigures } from './kernels.ts';
import { loadingFigures } from './loading.ts';
import { roundFigures } from './round.ts';

function row(name: string, value: string): void {
  process.stdout.write(`| ${name.padEnd(58)} | ${value.padStart(16)} |\n`);
}

interface ProcessLine {
  readonly pid: number;
  readonly parent: number;
  readonly peakMb: number;
}

function processes(): readonly ProcessLine[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const status = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/status`, 'utf8') : '';
      const of = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
      return status === '' ? [] : [{ pid: Number(name), parent: of('PPid'), peakMb: of('VmHWM') / 1024 }];
    } catch {
      return [];
    }
  });
}

function tree(root: number, all: readonly ProcessLine[]): readonly ProcessLine[] {
  const below = all.filter(({ parent }) => parent === root).flatMap(({ pid }) => tree(pid, all));
  return [...all.filter(({ pid }) => pid === root), ...below];
}

/** Proportional set size of a process in MB: pages that several processes share count once in the sum over all. */
function proportionalMb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The demo as `npm start` runs it, with the peak memory of its processes. */
async function demoFigures(): Promise<void> {
  await using demo = new Demo();
  let [peakPeerMb, peakAllMb] = [0, 0];
  let over = false;
  const end: { document: DemoDocument | undefined } = { document: undefined };
  void demo.ended.then(({ document }) => {
    end.document = document;
    over = true;
  });
  while (!over) {
    const all = processes();
    const peers: readonly number[] = existsSync(join(demo.folder, 'processes.json')) ? demo.processes().peers.map(({ pid }) => pid) : [];
    for (const line of all.filter(({ pid }) => peers.includes(pid))) peakPeerMb = Math.max(peakPeerMb, line.peakMb);
    const ours = [...tree(process.pid, all)].filter(({ pid }) => pid !== process.pid);
    peakAllMb = Math.max(
      peakAllMb,
      ours.reduce((sum, { pid }) => sum + proportionalMb(pid), 0),
    );
    await wait(250);
  }
  const { document } = end;
  row('demo: outcome', document?.outcome ?? 'none');
  row('demo: seconds from the command to the start of the run', document?.seconds.start.toFixed(1) ?? '–');
  row('demo: seconds in all', document?.seconds.total.toFixed(1) ?? '–');
  row('demo: median seconds a round, FINAL to FINAL', document?.seconds.roundMedian.toFixed(2) ?? '–');
  row("demo: peak memory of a peer's main process, MB", peakPeerMb.toFixed(0));
  row('demo: peak memory of all processes together (PSS), MB', peakAllMb.toFixed(0));
  row('demo: bytes that a member receives in a round', String(document?.bytes.perRoundPerMember ?? '–'));
}

/** Four peers in this process: when the ledger's facts reach the first of them. */
async function phaseFigures(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { peers, study, rounds } = await heartPeers(stack);
  const [first] = peers;
  if (!first) return;
  const phases = new Map<string, number[]>();
  let last = { key: '', phase: '', atMs: performance.now() };
  first.onChange(() => {
    const round = [...first.context.consortium.runs.values()].at(-1)?.rounds.at(-1);
    const key = `${round?.round}/${round?.phase}`;
    if (!round || key === last.key) return;
    if (last.phase) phases.set(last.phase, [...(phases.get(last.phase) ?? []), performance.now() - last.atMs]);
    last = { key, phase: round.phase, atMs: performance.now() };
  });
  const run = await first.runs.start(study);
  while (first.context.consortium.runs.get(run)?.outcome === undefined) await wait(50);
  for (const [phase, values] of phases) row(`round: milliseconds in ${phase}, median of ${values.length}`, median(values).toFixed(0));
  const { counters } = first.status();
  row('round: control messages that a member sends', (counters.messagesOut / rounds).toFixed(1));
  row('round: bytes of control messages that a member sends', (counters.bytesOut / rounds).toFixed(0));
}

if (process.argv[2] !== 'round') {
  row('what', 'figure');
  row('---', '---');
}
if (process.argv[2] === 'round') await roundFigures(process.argv.slice(3));
else if (process.argv[2] === 'kernels') await kernelFigures();
else if (process.argv[2] === 'fhir') await fhirFigures();
else if (process.argv[2] === 'loading') await loadingFigures(process.argv.slice(3));
else {
  await demoFigures();
  await phaseFigures();
}
