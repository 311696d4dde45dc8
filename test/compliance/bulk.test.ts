/** Compliance of the bulk port: the worker thread and the inline twin do every step alike, over the same folder of a peer. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  decodeUpdate,
  encodeUpdate,
  planSizeBytes,
  planSlots,
  roundingKey,
  shardsOf,
  stateBytes,
  stateFromBytes,
  updatePlan,
} from '../../src/aggregation/index.ts';
import { Fingerprinter, fingerprintPrime } from '../../src/aggregation/kernels/fingerprint.ts';
import { addMasks } from '../../src/aggregation/secagg/masking.ts';
import { type Digest, digestOf, seededChance } from '../../src/common/index.ts';
import { type Bulk, secretBytes, secretStreams } from '../../src/peer/bulk/bulk.ts';
import { createInlineBulk } from '../../src/peer/bulk/inline.ts';
import { createWorkerBulk } from '../../src/peer/bulk/worker.ts';
import { BlobStore } from '../../src/peer/store/blobs.ts';
import { WordStore } from '../../src/peer/store/words.ts';
import { modelDigest } from '../../src/tensor/index.ts';
import { sumVectors } from '../support/custodians.ts';

const adapters: readonly (readonly [string, (home: string) => Bulk])[] = [
  ['inline', (home) => createInlineBulk({ blobs: new BlobStore(home), words: new WordStore(home) })],
  ['worker', createWorkerBulk],
];

const parameters = 40_001;
const terms = { parameters, members: 4, clipNorm: 2, weightCap: 64, maxLoss: 64 };
const plan = updatePlan(3, terms);
const slots = planSlots(plan);
const round = { run: 1, round: 5 };
const options = { signal: new AbortController().signal };
const missing = 'ab'.repeat(32) as Digest;
const nowhere = { kind: 'vectors', roots: [missing] } as const;
const somewhere = { firstChunk: 0, chunks: 1, offsetBytes: 0, sizeBytes: 8 };

function floats(seed: string, size = 0.01): Float32Array<ArrayBuffer> {
  const chance = seededChance('floats', seed);
  return Float32Array.from({ length: parameters }, () => (2 * chance.real() - 1) * size);
}

const keyOf = (at: number): Uint8Array => new Uint8Array(32).fill(at);
const base = { ordinal: 3, parameters: floats('base'), standardisation: { rows: 99, mean: new Float64Array([1, 2]), sd: new Float64Array([3, 4]) } };

describe.each(adapters)('bulk steps, %s', (_, create) => {
  let home = '';
  let blobs: BlobStore;
  let bulk: Bulk;
  let baseHash: Digest;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'schwarm-bulk-'));
    blobs = new BlobStore(home);
    bulk = create(home);
    baseHash = blobs.put(stateBytes(base));
  });

  afterEach(async () => {
    await bulk[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  const update = (at: number) => ({ trained: floats(`trained ${at}`), rows: 10 + at, lossSum: 7 * at });
  const expectedWords = (at: number): Uint8Array => encodeUpdate(plan, terms, { base: base.parameters, ...update(at) }, roundingKey(1, `m${at}`, 3));

  async function maskedAt(at: number, streams: Parameters<typeof secretStreams>[0]): Promise<Digest | undefined> {
    const place = () => ({ round, key: secretBytes(keyOf(100 + at)) });
    await bulk.run('encodeUpdate', { place: place(), plan, terms, base: baseHash, ...update(at), roundingKey: roundingKey(1, `m${at}`, 3) }, options);
    return await bulk.run('mask', { place: place(), plan, streams: secretStreams(streams) }, options);
  }

  it('encode, mask, sum, unmask and decode as the pure functions do', async () => {
    const selfKeys = [0, 1, 2].map((at) => keyOf(1 + at));
    const roots: Digest[] = [];
    for (const at of [0, 1, 2]) {
      const streams = [
        { key: keyOf(50), sign: at === 0 ? 1 : -1 },
        { key: selfKeys[at]?.slice() ?? keyOf(0), sign: 1 },
      ] as const;
      const expected = expectedWords(at);
      addMasks(
        expected,
        [
          { ...streams[0], key: keyOf(50) },
          { ...streams[1], key: keyOf(1 + at) },
        ],
        slots,
      );
      const root = await maskedAt(at, streams.slice(at === 2 ? 1 : 0));
      if (at < 2) expect(Buffer.compare(blobs.get(root as Digest) ?? new Uint8Array(0), expected)).toBe(0);
      roots.push(root as Digest);
    }
    const vectors = roots.map((root) => blobs.get(root) ?? new Uint8Array(0));
    expect(await bulk.run('sum', { plan, source: { kind: 'vectors', roots } }, options)).toBe(digestOf(sumVectors(vectors, slots)));
    const streams = secretStreams(selfKeys.map((key) => ({ key: key.slice(), sign: -1 })));
    const sum = (await bulk.run('unmask', { plan, source: { kind: 'vectors', roots }, streams }, options)) ?? new Uint8Array(0);
    expect(
      streams.every(({ key }) => key.every((byte) => byte === 0)),
      'keys are overwritten',
    ).toBe(true);
    const plain = sumVectors([0, 1, 2].map(expectedWords), slots);
    expect(Buffer.compare(sum, plain)).toBe(0);
    const next = await bulk.run('nextState', { base: baseHash, ordinal: 4, update: { plan, terms, sum } }, options);
    const result = decodeUpdate(plan, terms, plain, base.parameters);
    expect(next?.model).toBe(modelDigest(result.parameters));
    expect(next?.update).toEqual({ rows: result.rows, meanLoss: result.meanLoss, saturated: result.saturated });
    const stored = stateFromBytes(blobs.get(next?.hash as Digest) ?? new Uint8Array(0));
    expect(stored).toEqual({ ...base, ordinal: 4, parameters: result.parameters });
    expect(next?.state.ordinal).toBe(4);
    expect([...(next?.state.parameters ?? [])]).toEqual([...result.parameters]);
  });

  it('keep the parameters where only the statistics change', async () => {
    const standardisation = { rows: 7, mean: new Float64Array([5]), sd: new Float64Array([6]) };
    const next = await bulk.run('nextState', { base: baseHash, ordinal: 1, standardisation }, options);
    expect(stateFromBytes(blobs.get(next?.hash as Digest) ?? new Uint8Array(0))).toEqual({ ordinal: 1, parameters: base.parameters, standardisation });
  });

  it('sum shards as integers, check them by fingerprints, and put them together', async () => {
    const sizeBytes = planSizeBytes(plan);
    const roots = [0, 1, 2, 3, 4].map((at) => {
      const chance = seededChance('vector', at);
      return blobs.put(new Uint8Array(Uint32Array.from({ length: sizeBytes / 4 }, () => chance.word()).buffer));
    });
    const vectors = roots.map((root) => blobs.get(root) ?? new Uint8Array(0));
    const shards = shardsOf(sizeBytes, 5);
    const points = [123n, 2n ** 60n + 7n] as const;
    const prints = await Promise.all(roots.map(async (root) => (await bulk.run('prints', { root, shards, points }, options)) ?? []));
    const parts = await Promise.all(shards.map(async (shard) => ({ shard, root: (await bulk.run('sumShard', { roots, shard }, options)) as Digest })));
    expect(prints[3]?.[1]?.[1]).toBe(
      new Fingerprinter(points[1]).of(
        vectors[3]?.subarray(shards[1]?.offsetBytes, (shards[1]?.offsetBytes ?? 0) + (shards[1]?.sizeBytes ?? 0)) ?? new Uint8Array(0),
      ),
    );
    for (const [at, { shard, root }] of parts.entries()) {
      const of = prints.map((all) => all[at] ?? ([0n, 0n] as const));
      expect(await bulk.run('checkSum', { root, shard, prints: of, points }, options)).toBe(true);
      const other = of.map(([first, second], member) => (member === 2 ? ([first, (second + 1n) % fingerprintPrime] as const) : ([first, second] as const)));
      expect(await bulk.run('checkSum', { root, shard, prints: other, points }, options)).toBe(false);
    }
    const source = { kind: 'shards', parts, members: 5 } as const;
    expect(await bulk.run('sum', { plan, source }, options)).toBe(digestOf(sumVectors(vectors, slots)));
    const plain = await bulk.run('unmask', { plan, source, streams: [] }, options);
    expect(Buffer.compare(plain ?? new Uint8Array(0), sumVectors(vectors, slots))).toBe(0);
    expect(await bulk.run('sum', { plan, source: { ...source, parts: [...parts.slice(1), { shard: somewhere, root: missing }] } }, options)).toBeUndefined();
  });

  it('say where content is missing, and where words do not open', async () => {
    expect(await bulk.run('sum', { plan, source: nowhere }, options)).toBeUndefined();
    expect(await bulk.run('unmask', { plan, source: nowhere, streams: [] }, options)).toBeUndefined();
    expect(await bulk.run('nextState', { base: missing, ordinal: 1 }, options)).toBeUndefined();
    expect(await bulk.run('sumShard', { roots: [missing], shard: somewhere }, options)).toBeUndefined();
    expect(await bulk.run('prints', { root: missing, shards: [somewhere], points: [1n, 2n] }, options)).toBeUndefined();
    expect(await bulk.run('checkSum', { root: missing, shard: somewhere, prints: [[1n, 2n]], points: [1n, 2n] }, options)).toBeUndefined();
    const place = { round, key: keyOf(7) };
    expect(await bulk.run('mask', { place, plan, streams: [] }, options)).toBeUndefined();
    await bulk.run('storeWords', { place, words: new Uint8Array(planSizeBytes(plan)) }, options);
    expect(await bulk.run('mask', { place: { round, key: keyOf(8) }, plan, streams: [] }, options)).toBeUndefined();
    const [name] = readdirSync(join(home, 'vault', 'sealed'));
    const path = join(home, 'vault', 'sealed', name ?? '');
    const sealed = readFileSync(path);
    expect(sealed.includes(Buffer.alloc(64)), 'words lie sealed').toBe(false);
    sealed[5] = (sealed[5] ?? 0) ^ 1;
    writeFileSync(path, sealed);
    expect(await bulk.run('mask', { place, plan, streams: [] }, options)).toBeUndefined();
  });

  it('throw what the step throws, and go on', async () => {
    const trained = floats('bad');
    trained[77] = Number.NaN;
    const request = { place: { round, key: keyOf(7) }, plan, terms, base: baseHash, trained, rows: 1, lossSum: 0, roundingKey: keyOf(9) };
    await expect(bulk.run('encodeUpdate', request, options)).rejects.toMatchObject({
      code: 'AGGREGATION_NOT_FINITE',
      blame: 'self',
      detail: { segment: 'update', index: 77 },
    });
    expect(await bulk.run('sum', { plan, source: nowhere }, options)).toBeUndefined();
  });

  it('are cancelled by their signal', async () => {
    await expect(bulk.run('sum', { plan, source: nowhere }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'COMMON_CANCELLED' });
  });
});

it('refuses more waiting steps than its bound, and ends those that wait when it stops', async () => {
  const home = mkdtempSync(join(tmpdir(), 'schwarm-bulk-'));
  const bulk = createWorkerBulk(home);
  const waiting = Array.from({ length: 65 }, () =>
    bulk.run('sum', { plan, source: nowhere }, options).then(
      () => 'done',
      (error: { code: string }) => error.code,
    ),
  );
  expect(await waiting[64]).toBe('PEER_BULK_FAILED');
  await bulk[Symbol.asyncDispose]();
  expect(new Set(await Promise.all(waiting.slice(0, 64)))).toEqual(new Set(['PEER_BULK_FAILED']));
  await expect(bulk.run('sum', { plan, source: nowhere }, options)).rejects.toMatchObject({ code: 'COMMON_CANCELLED' });
  rmSync(home, { recursive: true, force: true });
});

it('starts another thread after one that died', async () => {
  const home = join(mkdtempSync(join(tmpdir(), 'schwarm-bulk-')), 'home');
  writeFileSync(home, 'a file where the folder should be');
  await using bulk = createWorkerBulk(home);
  await expect(bulk.run('sum', { plan, source: nowhere }, options)).rejects.toMatchObject({ code: 'PEER_BULK_FAILED' });
  rmSync(home);
  expect(await bulk.run('sum', { plan, source: nowhere }, options)).toBeUndefined();
  rmSync(home, { recursive: true });
});
