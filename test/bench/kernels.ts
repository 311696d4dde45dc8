/** `npm run bench -- kernels`: word kernels side by side, processor time of the secure part of a round, event-loop delay and memory while its thread works. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { planSizeBytes, roundingKey, type Shard, type SumPlan, shardsOf, stateBytes, type UpdateTerms, updatePlan } from '../../src/aggregation/index.ts';
import { Fingerprinter } from '../../src/aggregation/kernels/fingerprint.ts';
import { javascriptKernels } from '../../src/aggregation/kernels/javascript.ts';
import type { Kernels } from '../../src/aggregation/kernels/kernels.ts';
import { webassemblyKernels } from '../../src/aggregation/kernels/webassembly.ts';
import { type Digest, seededChance } from '../../src/common/index.ts';
import { type Bulk, type BulkKind, type BulkOutcome, type BulkRequest, type SumSource, secretBytes, secretStreams } from '../../src/peer/bulk/bulk.ts';
import { createInlineBulk } from '../../src/peer/bulk/inline.ts';
import { createWorkerBulk } from '../../src/peer/bulk/worker.ts';
import { BlobStore } from '../../src/peer/store/blobs.ts';
import { WordStore } from '../../src/peer/store/words.ts';

const options = { signal: new AbortController().signal };

function row(name: string, value: string): void {
  process.stdout.write(`| ${name.padEnd(86)} | ${value.padStart(22)} |\n`);
}

function randomWords(count: number, seed: number): Uint32Array<ArrayBuffer> {
  const chance = seededChance('bench', seed);
  return Uint32Array.from({ length: count }, () => chance.word());
}

/** Every kernel over 4 MiB: gigabytes of words a processor second, the median of several passes, both twins in turns. */
function throughput(): void {
  const count = 2 ** 20;
  const [into, words, carries] = [new Uint8Array(4 * count), new Uint8Array(randomWords(count, 1).buffer), new Uint8Array(count)];
  const [trained, base, after] = [new Float32Array(count).fill(0.3), new Float32Array(count), new Float32Array(count)];
  const works = (kernels: Kernels): Readonly<Record<string, () => unknown>> => {
    const fingerprinter = new Fingerprinter(2n ** 59n + 12_345n, kernels);
    return {
      'add modulo 2^32': () => kernels.add(into, [{ words, sign: 1 }], 32),
      'subtract modulo 2^64': () => kernels.add(into, [{ words, sign: -1 }], 64),
      'add with carries': () => kernels.addWithCarries(into, carries, words),
      quantise: () => kernels.quantise(into, { trained, base }, words, { gain: 0.7, range: 1, scale: 2 ** 24 }),
      dequantise: () => kernels.dequantise(after, base, words, { scale: 2 ** 24, weight: 0.7 }),
      fingerprint: () => fingerprinter.of(words),
    };
  };
  const twins = [works(webassemblyKernels() ?? javascriptKernels), works(javascriptKernels)];
  for (const name of Object.keys(twins[0] ?? {})) {
    const rates = twins.map((): number[] => []);
    for (let pass = 0; pass < 60; pass++) for (const twin of twins) twin[name]?.();
    for (let pass = 0; pass < 15; pass++)
      for (const [at, twin] of twins.entries()) {
        const before = process.cpuUsage();
        for (let repeat = 0; repeat < 4; repeat++) twin[name]?.();
        rates[at]?.push((16 * count) / process.cpuUsage(before).user / 1e3);
      }
    const [wasm = 0, plain = 0] = rates.map((all) => [...all].sort((a, b) => a - b)[7] ?? 0);
    row(`kernel: ${name}, GB/s WebAssembly / JavaScript (ratio)`, `${wasm.toFixed(1)} / ${plain.toFixed(1)} (${(wasm / plain).toFixed(1)})`);
  }
}

type Run = <K extends BulkKind>(kind: K, request: BulkRequest<K>) => Promise<NonNullable<BulkOutcome<K>>>;

/** One member's round over a folder: its own vector, and those of the others as they lie after a transfer. */
class Rehearsal {
  readonly #folder = mkdtempSync(join(tmpdir(), 'schwarm-bench-'));
  readonly #members: number;
  readonly #terms: UpdateTerms;
  readonly #others: Digest[] = [];
  readonly #base: Digest;
  readonly #trained: Float32Array;
  readonly #made = new Set<Digest>();
  readonly plan: SumPlan;

  constructor(parameters: number, members: number) {
    const blobs = new BlobStore(this.#folder);
    this.#members = members;
    this.#terms = { parameters, members, clipNorm: 8, weightCap: 1024, maxLoss: 64 };
    this.plan = updatePlan(1, this.#terms);
    this.#base = blobs.put(stateBytes({ ordinal: 1, parameters: new Float32Array(parameters) }));
    this.#trained = new Float32Array(parameters).map((_, at) => ((at % 1000) - 500) / 1e6);
    const vector = new Uint8Array(randomWords(planSizeBytes(this.plan) / 4, 1).buffer);
    for (let other = 1; other < members; other++) {
      vector.fill(other, 0, 16);
      this.#others.push(blobs.put(vector));
    }
  }

  get home(): string {
    return this.#folder;
  }

  /** Encode, mask, sum over all vectors, unmask, decode. `each` is told when a step is over. */
  async whole(bulk: Bulk, each: (kind: BulkKind | 'setUp') => void): Promise<void> {
    const run = running(bulk, each);
    await this.#opened(run, { kind: 'vectors', roots: [await this.#masked(run), ...this.#others] });
  }

  /** The same by shards: a member sums one of n, takes the fingerprints of its own vector and checks all sums. Of `setUp` a member's share is 1 / n. */
  async sharded(bulk: Bulk, each: (kind: BulkKind | 'setUp') => void): Promise<void> {
    const run = running(bulk, each);
    const own = await this.#masked(run);
    const shards = shardsOf(planSizeBytes(this.plan), this.#members);
    const points = [2n ** 60n + 1n, 2n ** 59n + 3n] as const;
    const parts = await this.#summedByOthers(bulk, [own, ...this.#others], shards);
    each('setUp');
    await run('prints', { root: own, shards, points });
    const prints = Array.from({ length: this.#members }, () => points);
    for (const part of parts) await run('checkSum', { ...part, prints, points });
    await this.#opened(run, { kind: 'shards', parts, members: this.#members });
  }

  /** The sums of all shards; a member does one of them, which is a `members`-th of the work. */
  async #summedByOthers(bulk: Bulk, roots: readonly Digest[], shards: readonly Shard[]): Promise<readonly { readonly shard: Shard; readonly root: Digest }[]> {
    const parts: { readonly shard: Shard; readonly root: Digest }[] = [];
    for (const shard of shards) {
      const root = await running(bulk, () => undefined)('sumShard', { roots, shard });
      this.#made.add(root);
      parts.push({ shard, root });
    }
    return parts;
  }

  async #masked(run: Run): Promise<Digest> {
    const place = { round: { run: 1, round: 1 }, key: secretBytes(new Uint8Array(32)) };
    const given = { trained: this.#trained.slice(), rows: 100, lossSum: 9, roundingKey: roundingKey(1, 'bench', 1) };
    await run('encodeUpdate', { place, plan: this.plan, terms: this.#terms, base: this.#base, ...given });
    const root = await run('mask', { place, plan: this.plan, streams: this.#streams(1) });
    this.#made.add(root);
    return root;
  }

  async #opened(run: Run, source: SumSource): Promise<void> {
    const { plan } = this;
    await run('sum', { plan, source });
    const sum = await run('unmask', { plan, source, streams: this.#streams(-1) });
    const { hash } = await run('nextState', { base: this.#base, ordinal: 2, update: { plan, terms: this.#terms, sum } });
    this.#made.add(hash);
  }

  /** Removes what a round made, so that the next one makes it again. */
  forget(): void {
    for (const root of this.#made) new BlobStore(this.#folder).remove(root);
  }

  #streams(sign: 1 | -1) {
    return secretStreams(Array.from({ length: this.#members }, (_, at) => ({ key: new Uint8Array(32).fill(at + 1), sign })));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function running(bulk: Bulk, each: (kind: BulkKind | 'setUp') => void): Run {
  return async (kind, request) => {
    const outcome = await bulk.run(kind, request, options);
    if (outcome === undefined) throw new Error(`${kind} found nothing`);
    each(kind);
    return outcome;
  };
}

/** Processor seconds (user and system) of one member's secure part, files and their check included: the best of four, for code has to warm up and the machine may be shared. */
async function processorTime(rehearsal: Rehearsal, members: number, label: string, mode: 'whole' | 'sharded'): Promise<void> {
  let best = { total: Number.POSITIVE_INFINITY, parts: '' };
  for (let pass = 0; pass < 4; pass++) {
    rehearsal.forget();
    const bulk = createInlineBulk({ blobs: new BlobStore(rehearsal.home), words: new WordStore(rehearsal.home) });
    const parts = new Map<string, number>();
    let before = process.cpuUsage();
    await rehearsal[mode](bulk, (kind) => {
      const { user, system } = process.cpuUsage(before);
      const share = kind === 'setUp' ? members : 1;
      parts.set(kind === 'setUp' ? 'sumShard' : kind, (parts.get(kind) ?? 0) + (user + system) / 1e6 / share);
      before = process.cpuUsage();
    });
    const total = [...parts.values()].reduce((sum, seconds) => sum + seconds, 0);
    if (total < best.total) best = { total, parts: [...parts].map(([kind, seconds]) => `${kind} ${seconds.toFixed(2)}`).join(', ') };
  }
  row(`secure part: processor seconds a member, ${label}, ${mode}`, best.total.toFixed(2));
  row(`    ${best.parts}`, '');
}

const resident = (name: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024;

/** In a process of its own: event-loop delay and memory while the thread does one round. */
async function besideTheLoop(parameters: number, members: number): Promise<void> {
  using rehearsal = new Rehearsal(parameters, members);
  await using bulk = createWorkerBulk(rehearsal.home);
  await bulk.run('sum', { plan: rehearsal.plan, source: { kind: 'vectors', roots: ['ab'.repeat(32) as Digest] } }, options);
  global.gc?.();
  const before = resident('VmRSS');
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, resident('VmRSS'));
  }, 2);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await rehearsal.whole(bulk, () => undefined);
  delay.disable();
  clearInterval(timer);
  const label = `${parameters.toExponential(0)} parameters, ${members} members`;
  row(
    `event loop while the thread encodes, masks, sums, unmasks, decodes, ${label}: delay ms p99 / max`,
    `${(delay.percentile(99) / 1e6).toFixed(0)} / ${(delay.max / 1e6).toFixed(0)}`,
  );
  row(`memory at its peak above that at rest, over the vector's size, ${label}`, ((peak - before) / planSizeBytes(rehearsal.plan)).toFixed(1));
}

/** All of it. */
export async function kernelFigures(): Promise<void> {
  throughput();
  for (const parameters of [1e6, 1e7]) {
    using rehearsal = new Rehearsal(parameters, 16);
    const label = `${parameters.toExponential(0)} parameters, 16 members`;
    for (const mode of ['whole', 'sharded'] as const) await processorTime(rehearsal, 16, label, mode);
  }
  process.stdout.write(execFileSync(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), 'beside'], { encoding: 'utf8' }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await (process.argv[2] === 'beside' ? besideTheLoop(1e7, 8) : kernelFigures());
