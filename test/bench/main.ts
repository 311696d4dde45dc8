/** `npm run bench`: the demo's times and memory as processes, then a round by phase and the bytes of a member. Ratios and medians; nothing here fails by time. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/common/index.ts';
import { deployConsortium, freshAccountKey, freshToken, serveLedger } from '../../src/ledger/index.ts';
import { createHome, createPeer, systemClock } from '../../src/peer/index.ts';
import { packStudy, readStudy } from '../../src/study/index.ts';
import { Demo, type DemoDocument, project, wait } from '../support/demo.ts';

const { signal } = new AbortController();
const parts = { clock: systemClock, logger: silentLogger };
const hospitals = ['cleveland', 'budapest', 'zurich', 'long-beach'];

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

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
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-bench-'));
  const token = freshToken('bench');
  await using ledger = await serveLedger({ folder: join(folder, 'ledger'), host: '127.0.0.1', port: 0, chainId: 7341, tokens: [token] }, parts);
  const homes = hospitals.map((name) => join(folder, name));
  const enrolments = await Promise.all(
    homes.map((home, at) => createHome(home, { name: hospitals[at] ?? '', listen: [`/ip4/127.0.0.1/tcp/${freePort()}`], consolePort: 0 })),
  );
  const { contract } = await deployConsortium(
    { url: ledger.url, token: token.token, chainId: 7341, key: freshAccountKey(), founders: enrolments, votePercent: 50 },
    parts,
    { signal },
  );
  for (const [at, home] of homes.entries()) {
    const before = enrolments[at - 1];
    const config = readFileSync(join(home, 'config.toml'), 'utf8');
    if (before) writeFileSync(join(home, 'config.toml'), config.replace(/^bootstrap = .*$/m, `bootstrap = ["${before.addresses[0]}/p2p/${before.peerId}"]`));
    writeFileSync(
      join(home, 'consortium.json'),
      JSON.stringify({ format: 'schwarm.consortium/1', mode: 'embedded', url: ledger.url, chainId: 7341, contract }),
    );
    writeFileSync(join(home, 'ledger.token'), token.token);
  }
  const peers = await Promise.all(homes.map((home) => createPeer(home, parts)));
  const [first] = peers;
  if (!first) return;
  while (peers.some((peer) => peer.status().connected < hospitals.length - 1)) await wait(20);
  const study = await readStudy(join(project, 'deploy/studies/heart-disease'), { signal });
  await first.studies.publish(packStudy(study));
  await Promise.all(
    peers.map(async (peer, at) => {
      while (!peer.context.consortium.studies.has(study.id)) await wait(20);
      await peer.dataSets.bind('heart', [join(project, `deploy/studies/heart-disease/data/${hospitals[at]}.csv`)]);
      await peer.studies.approve(study.id, 'heart');
    }),
  );
  while (first.context.consortium.approvers(study.id).length < 4) await wait(20);
  const phases = new Map<string, number[]>();
  let last = { key: '', phase: '', atMs: performance.now() };
  first.onChange(() => {
    const round = [...first.context.consortium.runs.values()].at(-1)?.rounds.at(-1);
    const key = `${round?.round}/${round?.phase}`;
    if (!round || key === last.key) return;
    if (last.phase) phases.set(last.phase, [...(phases.get(last.phase) ?? []), performance.now() - last.atMs]);
    last = { key, phase: round.phase, atMs: performance.now() };
  });
  const run = await first.runs.start(study.id);
  while (first.context.consortium.runs.get(run)?.outcome === undefined) await wait(50);
  for (const [phase, values] of phases) row(`round: milliseconds in ${phase}, median of ${values.length}`, median(values).toFixed(0));
  const { counters } = first.status();
  row('round: control messages that a member sends', (counters.messagesOut / study.manifest.training.rounds).toFixed(1));
  row('round: bytes of control messages that a member sends', (counters.bytesOut / study.manifest.training.rounds).toFixed(0));
  for (const peer of peers) await peer[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}

function freePort(): number {
  const script = "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})";
  return Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }));
}

row('what', 'figure');
row('---', '---');
await demoFigures();
await phaseFigures();
