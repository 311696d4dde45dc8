/** Attacks by what a study brings: a malicious member publishes packages that its own peer never checked, and honest peers fetch them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { digest, isSwarmError, type StudyId } from '../../src/common/index.ts';
import { packStudy, type TrainingStudy, unpackStudy } from '../../src/study/index.ts';
import { encodeModel, type GraphProto, type ModelProto } from '../../src/training/onnx/proto.ts';
import { done, schwarm } from '../support/consortium.ts';
import { project } from '../support/demo.ts';
import { float, int, modelBytes, modelProto } from '../support/onnx-models.ts';
import { readTrainingStudy } from '../support/studies.ts';
import { Swarm } from '../support/swarm.ts';
import { attack } from './attack.ts';

const stack = new AsyncDisposableStack();
const signal = new AbortController().signal;
let swarm: Swarm;
let good: TrainingStudy;
let count = 0;

beforeAll(async () => {
  swarm = await Swarm.start(stack);
  good = await readTrainingStudy(swarm.folder, { signal });
}, 120_000);
afterAll(() => stack.disposeAsync());

/** A package on the ledger and offered by the attacker, whatever is in it; gives its id. */
async function published(change: Partial<Pick<TrainingStudy, 'featuresSql' | 'model'>>): Promise<StudyId> {
  const packed = packStudy({ ...good, manifest: { ...good.manifest, title: `study ${++count}` }, ...change });
  const { id } = unpackStudy(packed);
  const root = swarm.peer(3).context.blobs.put(packed);
  await swarm.attacker.ledger.submit({ kind: 'publishStudy', study: id, root, sizeBytes: packed.length }, { signal });
  await swarm.until('the honest know of it', () => swarm.peer(0).context.consortium.studies.has(id));
  return id;
}

/** What approving ends in, at an honest steward's peer: a code, or `approved`. */
async function approving(change: Partial<Pick<TrainingStudy, 'featuresSql' | 'model'>>): Promise<string> {
  const id = await published(change);
  const ended = await swarm
    .peer(0)
    .studies.approve(id, 'heart')
    .then(
      () => 'approved',
      (error: unknown) => (isSwarmError(error) ? error.code : String(error)),
    );
  expect(swarm.peer(0).context.consortium.studies.get(id)?.decisions.size ?? 0, ended).toBe(ended === 'approved' ? 1 : 0);
  return ended;
}

const linear = { input: [undefined, 2], weights: { w: { dims: [2, 1] } }, nodes: [['MatMul', ['x', 'w'], 'y']] } as const;
const proto = modelProto({
  ...linear,
  nodes: [
    ['MatMul', ['x', 'w'], 'h'],
    ['Identity', ['h'], 'y'],
  ],
});
const inGraph = (change: (graph: GraphProto) => object): Uint8Array =>
  encodeModel({ ...proto, graph: { ...proto.graph, ...change(proto.graph as GraphProto) } } as ModelProto);
const outside = { dataLocation: 1, rawData: new Uint8Array(0), externalData: [{ key: 'location', value: '/etc/passwd' }] };
const tensor = { name: 't', dims: [1], dataType: 1, ...outside };

attack(16, 'ONNX external data, wherever a tensor can stand', 'refused', async () => {
  const constant = (attribute: object) => (graph: GraphProto) => ({
    node: [{ input: [], output: ['c'], opType: 'Constant', name: 'c', attribute: [attribute] }, ...graph.node],
  });
  const places: Readonly<Record<string, Uint8Array>> = {
    'an initializer': inGraph((graph) => ({ initializer: graph.initializer.map((weight) => ({ ...weight, ...outside })) })),
    'a relative path': inGraph((graph) => ({
      initializer: graph.initializer.map((weight) => ({ ...weight, ...outside, externalData: [{ key: 'location', value: '../peer.key' }] })),
    })),
    'an attribute': inGraph(constant({ name: 'value', type: 4, t: tensor })),
  };
  for (const [place, model] of Object.entries(places)) expect(await approving({ model }), place).toBe('TRAINING_EXTERNAL_DATA');
  const hidden: Readonly<Record<string, Uint8Array>> = {
    'a sparse initializer': inGraph(() => ({ sparseInitializer: new Uint8Array([10, 2, 8, 1]) })),
    'a subgraph': inGraph(constant({ name: 'body', type: 5, g: new Uint8Array([42, 2, 8, 1]) })),
  };
  for (const [place, model] of Object.entries(hidden))
    expect(await approving({ model }), place).toMatch(/^TRAINING_(EXTERNAL_DATA|MODEL_REFUSED|UNSUPPORTED_OPERATOR)$/);
});

attack(17, 'ONNX bombs: small files that ask for much', 'bounded', async () => {
  const bombs: Readonly<Record<string, Uint8Array>> = {
    'a broadcast to 400 million values': modelBytes({
      input: [undefined, 2],
      nodes: [
        ['Add', ['A', 'B'], 'c'],
        ['Gemm', ['x', 'c'], 'y'],
      ],
      weights: { A: { dims: [20_000, 1] }, B: { dims: [20_000] } },
    }),
    'sizes beyond any memory': inGraph((graph) => ({ initializer: graph.initializer.map((weight) => ({ ...weight, dims: [2 ** 40, 2 ** 20] })) })),
    'four million empty fields': new Uint8Array(4_000_000).map((_, at) => (at % 2 === 0 ? 114 : 0)),
    'a loop': inGraph((graph) => ({ node: [{ input: [], output: ['l'], opType: 'Loop', name: 'l', attribute: [] }, ...graph.node] })),
  };
  const before = process.memoryUsage().rss;
  for (const [what, model] of Object.entries(bombs)) expect(await approving({ model }), what).toMatch(/^(TRAINING|STUDY)_/);
  expect(process.memoryUsage().rss - before, 'bytes of memory that four bombs took').toBeLessThan(400 * 2 ** 20);
});

attack(18, 'custom operators and libraries', 'refused', async () => {
  const first = (change: object) => inGraph((graph) => ({ node: graph.node.map((node, at) => (at === 0 ? { ...node, ...change } : node)) }));
  expect(await approving({ model: first({ domain: 'com.evil' }) })).toBe('TRAINING_UNSUPPORTED_OPERATOR');
  expect(await approving({ model: first({ opType: 'PyOp' }) })).toBe('TRAINING_UNSUPPORTED_OPERATOR');
  expect(await approving({ model: modelBytes({ ...linear, nodes: [['Gemm', ['x', 'w'], 'y', { alpha: float(1), library: int(1) }]] }) })).toMatch(/^TRAINING_/);
  expect(await approving({ model: encodeModel({ ...proto, functions: new Uint8Array([10, 1, 97]) } as never) })).toBe('TRAINING_MODEL_REFUSED');
  const sources = readdirSync(join(project, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(100);
  const reaching = sources.filter((name) => /registerCustomOp|customOpLibrary|enableProfiling/i.test(readFileSync(join(project, 'src', name), 'utf8')));
  expect(reaching, 'no code registers a library').toEqual([]);
});

attack(19, 'paths in names', 'refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-paths-'));
  try {
    const { dataSets, studies, context } = swarm.peer(0);
    const file = join(folder, 'patients.csv');
    writeFileSync(file, 'patient_id,age,systolic,outcome\na,50,120,1\n');
    for (const name of ['../../escape', '/etc/cron.d/x', '..', 'a/b', 'a\0b', '%2e%2e%2fx']) {
      await expect(dataSets.bind(name, [file]), name).rejects.toMatchObject({ code: 'DATASET_BAD_BINDING', blame: 'operator' });
      await expect(studies.show(name), name).rejects.toMatchObject({ code: 'PEER_UNKNOWN' });
    }
    for (const root of ['../config.toml', '..%2fconfig.toml', `${'0'.repeat(61)}/..`])
      expect(() => digest(root), 'content is named by 64 hexadecimal digits').toThrow();
    const bytes = readFileSync(join(context.home, 'config.toml'));
    expect(bytes.length).toBeGreaterThan(10);
    const packed = packStudy(good);
    expect(() => unpackStudy(Buffer.concat([packed, bytes])), 'a package has three parts, none of them with a name').toThrow(/STUDY_BAD_PACKAGE|too many/);
    const before = readdirSync(tmpdir()).length;
    await done(['study', 'new', join(folder, 'study')]);
    const { code } = await schwarm(['study', 'check', join(folder, '..', '..', 'nowhere'), '--home', context.home]);
    expect(code).not.toBe(0);
    expect(readdirSync(tmpdir()).length - before).toBeLessThan(50);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

attack(21, 'a study that reads files, calls the network, writes, or never ends', 'refused', async () => {
  const from = 'age, systolic, outcome, patient_id FROM patients';
  const home = swarm.peer(0).context.home;
  const queries: readonly (readonly [string, string])[] = [
    [`SELECT ${from}, read_csv('${join(home, 'config.toml')}') AS f`, 'DATASET_SQL_OUTSIDE'],
    [`SELECT content FROM read_text('${join(home, 'peer.key')}')`, 'DATASET_SQL_OUTSIDE'],
    ["SELECT * FROM 'http://127.0.0.1:1/a.csv'", 'DATASET_SQL_OUTSIDE'],
    [`COPY (SELECT ${from}) TO '${join(swarm.folder, 'leak.csv')}'`, 'DATASET_NOT_SELECT'],
    ["ATTACH '/tmp/schwarm-leak.db'", 'DATASET_NOT_SELECT'],
    ['INSTALL httpfs', 'DATASET_NOT_SELECT'],
    ['PRAGMA enable_external_access', 'DATASET_NOT_SELECT'],
    [`SELECT ${from}; COPY patients TO '/tmp/schwarm-leak.csv'`, 'DATASET_NOT_ONE_STATEMENT'],
    [`SELECT getenv('HOME') AS age, systolic, outcome, patient_id FROM patients`, 'DATASET_SQL_FAILED'],
  ];
  for (const [featuresSql, code] of queries) expect(await approving({ featuresSql }), featuresSql).toBe(code);
  expect(readdirSync(swarm.folder)).not.toContain('leak.csv');
});
