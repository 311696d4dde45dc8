/** What is wrong ends in one clear message with the right exit code, and leaves nothing behind: studies and data at a running consortium. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, silentLogger, utf8 } from '../../src/common/index.ts';
import { connectLedger } from '../../src/ledger/index.ts';
import { loadIdentity, loadLedgerToken } from '../../src/peer/index.ts';
import { BlobStore } from '../../src/peer/store/blobs.ts';
import { packStudy, withSeed } from '../../src/study/index.ts';
import { decodeModel, encodeModel } from '../../src/training/onnx/proto.ts';
import { realClock } from '../support/clock.ts';
import { CliConsortium, done } from '../support/consortium.ts';
import { modelBytes, modelProto } from '../support/onnx-models.ts';
import { expectRefusal } from '../support/refusal.ts';
import { readTrainingStudy } from '../support/studies.ts';

const signal = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'schwarm-refusals-'));
let consortium: CliConsortium;
let named = 0;

interface Spoiled {
  readonly toml?: (text: string) => string;
  readonly sql?: string;
  readonly model?: Uint8Array;
}

/** A copy of the study that `study new` writes, with something wrong in it. */
function spoiled({ toml, sql, model }: Spoiled): string {
  const copy = join(folder, `study-${++named}`);
  cpSync(join(folder, 'study'), copy, { recursive: true });
  const file = join(copy, 'study.toml');
  // A title of its own makes each a study of its own.
  const text = readFileSync(file, 'utf8').replace('A new study', `Study ${named}`);
  writeFileSync(file, toml ? toml(text) : text);
  if (sql !== undefined) writeFileSync(join(copy, 'features.sql'), sql);
  if (model !== undefined) writeFileSync(join(copy, 'model.onnx'), model);
  return copy;
}

const rows = Array.from({ length: 60 }, (_, at) => ({
  patient_id: `p${at}`,
  age: String(30 + at),
  systolic: String(100 + ((at * 7) % 60)),
  outcome: String(at % 2),
}));
type Row = Partial<(typeof rows)[number]>;

/** A CSV file of sixty rows; `change` may spoil one. */
function csv(change: (row: Row, at: number) => Row = (row) => row): string {
  const file = join(folder, `patients-${++named}.csv`);
  const changed = rows.map((row, at) => change({ ...row }, at));
  const columns = Object.keys(changed[0] ?? {});
  writeFileSync(file, [columns.join(','), ...changed.map((row) => Object.values(row).join(',')), ''].join('\n'));
  return file;
}

async function published(study: string): Promise<string> {
  return (await consortium.run<{ study: string }>(0, 'study', 'publish', study)).study;
}

async function bound(file: string): Promise<string> {
  const name = `data-${++named}`;
  await consortium.run(0, 'dataset', 'bind', name, file);
  return name;
}

interface Known {
  readonly studies: readonly { readonly study: string; readonly decisions: readonly unknown[] }[];
}

const studies = async (): Promise<Known['studies']> => (await consortium.api(0).get<Known>('/v1/studies')).studies;

/** Approving must be refused at the site, and nothing about it may reach the ledger or stay behind. */
async function refusedApproval(study: string, data: string, expected: Parameters<typeof expectRefusal>[1]): Promise<void> {
  const id = await published(study);
  const facts = (await consortium.api(0).get<{ count: number }>('/v1/ledger')).count;
  const children = childrenOf(consortium.peer(0).pid);
  expectRefusal(await consortium.cli(0, 'study', 'approve', id, '--data', data), expected);
  expect((await studies()).find((view) => view.study === id)?.decisions).toEqual([]);
  expect((await consortium.api(0).get<{ count: number }>('/v1/ledger')).count).toBe(facts);
  expect((await consortium.api(0).get<{ approval: unknown }>(`/v1/studies/${id}`)).approval).toBe(null);
  expect(childrenOf(consortium.peer(0).pid)).toEqual(children);
}

/** Publishing must be refused before anything is stored or written to the ledger. */
async function refusedStudy(study: string, expected: Parameters<typeof expectRefusal>[1]): Promise<void> {
  const [before, blobs] = [await studies(), readdirSync(join(consortium.home(0), 'blobs'))];
  for (const verb of ['check', 'publish']) expectRefusal(await consortium.cli(0, 'study', verb, study), expected);
  expect(await studies()).toEqual(before);
  expect(readdirSync(join(consortium.home(0), 'blobs'))).toEqual(blobs);
}

function childrenOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
}

beforeAll(async () => {
  await done(['study', 'new', join(folder, 'study')]);
  consortium = await CliConsortium.found({ founders: 3 });
  await consortium.upAll();
});

afterAll(async () => {
  await consortium[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('what stands in the data', () => {
  test('a file that lacks a declared column', async () => {
    const data = await bound(csv(({ systolic: _, ...row }) => row));
    await refusedApproval(spoiled({}), data, { code: 5, name: 'DATASET_MISSING_COLUMN', says: [/patients-\d+\.csv, column "systolic"/, /dataset bind/] });
  });

  test('a label with three values in a binary study', async () => {
    const data = await bound(csv((row, at) => ({ ...row, outcome: String(at % 3) })));
    const study = spoiled({ toml: (text) => text.replace('required = true\nvalues = [0, 1]', 'required = true') });
    await refusedApproval(study, data, { code: 5, name: 'DATASET_BAD_LABEL', says: ['column "outcome"', /20 rows|20 values|20 /, /allowed: .*0.*1/] });
  });

  test('NaN in the features', async () => {
    const data = await bound(csv((row, at) => (at === 17 ? { ...row, systolic: 'NaN' } : row)));
    await refusedApproval(spoiled({}), data, {
      code: 5,
      name: 'DATASET_(NOT_FINITE|WRONG_TYPE|OUT_OF_RANGE)',
      says: ['column "systolic"', 'first in line 19'],
    });
  });

  test('NaN made by the SELECT', async () => {
    const study = spoiled({ sql: "SELECT age, CASE WHEN age = 40 THEN 'nan'::DOUBLE ELSE systolic END AS systolic, outcome, patient_id FROM patients\n" });
    await refusedApproval(study, await bound(csv()), { code: 5, name: 'DATASET_NOT_FINITE', says: ['column "systolic"', 'features.sql'] });
  });

  test('a data set that nobody bound', async () => {
    expectRefusal(await consortium.cli(0, 'study', 'approve', await published(spoiled({})), '--data', 'nothing'), {
      code: 5,
      name: 'PEER_UNKNOWN',
      says: ['there is no data set "nothing"', 'known: '],
    });
  });

  test('a file that is not there, or is no table', async () => {
    expectRefusal(await consortium.cli(0, 'dataset', 'bind', 'gone', join(folder, 'gone.csv')), {
      code: 5,
      name: 'DATASET_UNREADABLE_FILE',
      says: ['gone.csv', 'does not exist'],
    });
    writeFileSync(join(folder, 'noise.csv'), Buffer.from([0, 255, 254, 10, 13, 7, 200]));
    const data = await bound(join(folder, 'noise.csv'));
    await refusedApproval(spoiled({}), data, { code: 5, name: 'DATASET_(UNREADABLE_FILE|MISSING_COLUMN)', says: ['noise.csv'] });
  });

  test('a file that has changed since it was bound', async () => {
    const file = csv();
    const data = await bound(file);
    writeFileSync(file, `${readFileSync(file, 'utf8')}p99,50,120,1\n`);
    await refusedApproval(spoiled({}), data, { code: 5, name: 'DATASET_CHANGED', says: [file, 'dataset bind'] });
  });
});

describe('what stands in the SELECT', () => {
  const secret = join(folder, 'secret.csv');
  writeFileSync(secret, 'age,systolic,outcome,patient_id\n1,2,1,x\n');

  test.for([
    ['reads another file by a function', `SELECT age, systolic, outcome, patient_id FROM read_csv('${secret}')`],
    ['reads another file by its name', `SELECT age, systolic, outcome, patient_id FROM '${secret}'`],
    ['reads the bytes of another file', `SELECT age, systolic, outcome, patient_id FROM patients, read_text('${secret}')`],
  ])('%s', async ([, sql]) => {
    await refusedApproval(spoiled({ sql: `${sql}\n` }), await bound(csv()), {
      code: 5,
      name: 'DATASET_SQL_OUTSIDE',
      says: ['nothing was read', 'features.sql'],
    });
  });

  test('holds two statements', async () => {
    const sql = 'SELECT age, systolic, outcome, patient_id FROM patients; SELECT 1\n';
    await refusedApproval(spoiled({ sql }), await bound(csv()), { code: 5, name: 'DATASET_NOT_ONE_STATEMENT', says: ['2 statements', 'exactly one SELECT'] });
  });

  test('is not a SELECT', async () => {
    await refusedApproval(spoiled({ sql: 'DROP TABLE patients\n' }), await bound(csv()), { code: 5, name: 'DATASET_NOT_SELECT', says: ['exactly one SELECT'] });
  });

  test('does not return a feature', async () => {
    await refusedApproval(spoiled({ sql: 'SELECT age, outcome, patient_id FROM patients\n' }), await bound(csv()), {
      code: 5,
      name: 'DATASET_MISSING_COLUMN',
      says: ['features.sql, column "systolic"'],
    });
  });
});

describe('what stands in the study', () => {
  test('a label column that no table declares, and three classes in a binary study: every place in one message', async () => {
    const study = spoiled({ toml: (text) => text.replace('column = "outcome"', 'colunm = "outcome"').replace('classes = [0, 1]', 'classes = [0, 1, 2]') });
    await refusedStudy(study, { code: 5, name: 'STUDY_INVALID', says: ['study.toml', 'label', 'colunm', 'study check'] });
  });

  test('three classes in a binary study', async () => {
    await refusedStudy(spoiled({ toml: (text) => text.replace('classes = [0, 1]', 'classes = [0, 1, 2]') }), {
      code: 5,
      name: 'STUDY_INVALID',
      says: ['label.classes', /3/],
    });
  });

  test('text that is not TOML', async () => {
    await refusedStudy(spoiled({ toml: (text) => text.replace('[label]', '[label') }), { code: 5, name: 'STUDY_BAD_TOML', says: [/line \d+, column \d+/] });
  });

  test('a folder without a model', async () => {
    const study = spoiled({});
    rmSync(join(study, 'model.onnx'));
    await refusedStudy(study, { code: 5, name: 'STUDY_UNREADABLE', says: ['model.onnx', 'does not exist'] });
  });

  const linear = { input: [undefined, 2], weights: { w: { dims: [2, 1] } } } as const;

  test('a model with an unknown operator', async () => {
    const model = modelBytes({
      ...linear,
      nodes: [
        ['MatMul', ['x', 'w'], 'h'],
        ['HardSwish', ['h'], 'y'],
      ],
    });
    await refusedStudy(spoiled({ model }), { code: 5, name: 'TRAINING_UNSUPPORTED_OPERATOR', says: ['node "make y"', 'HardSwish', /supported: .*Gemm/] });
  });

  test('a model with external data', async () => {
    const proto = modelProto({
      ...linear,
      nodes: [
        ['MatMul', ['x', 'w'], 'h'],
        ['Relu', ['h'], 'y'],
      ],
    });
    const initializer =
      proto.graph?.initializer?.map((tensor) => ({
        ...tensor,
        dataLocation: 1,
        rawData: new Uint8Array(0),
        externalData: [{ key: 'location', value: '/etc/passwd' }],
      })) ?? [];
    const model = encodeModel({ ...proto, graph: { ...proto.graph, initializer } } as never);
    expect(decodeModel(model)).toBeDefined();
    await refusedStudy(spoiled({ model }), { code: 5, name: 'TRAINING_EXTERNAL_DATA', says: ['"w"', 'external_data=False'] });
  });

  test.for([1, 40, -1])('a truncated model (%i bytes)', async (length) => {
    const whole = readFileSync(join(folder, 'study', 'model.onnx'));
    await refusedStudy(spoiled({ model: whole.subarray(0, length) }), { code: 5, name: 'TRAINING_(UNREADABLE_MODEL|MODEL_REFUSED)', says: ['model.onnx'] });
  });

  test('a model for another number of features', async () => {
    const model = modelBytes({ input: [undefined, 3], weights: { w: { dims: [3, 1] } }, nodes: [['MatMul', ['x', 'w'], 'y']] });
    await refusedStudy(spoiled({ model }), { code: 5, name: 'TRAINING_WRONG_WIDTH', says: ['3', '2'] });
  });

  test('a package that does not fit the hash on the ledger', async () => {
    const study = await readTrainingStudy(join(folder, 'study'), { signal });
    const other = withSeed(study, 99);
    const packed = packStudy(other);
    const root = new BlobStore(consortium.home(1)).put(packed);
    const { url, chainId, contract } = consortium.file;
    const { key } = await loadIdentity(consortium.home(1));
    const token = loadLedgerToken(consortium.home(1)) ?? '';
    await using ledger = await connectLedger({ url, chainId, contract: contract as never, token, key }, { clock: realClock, logger: silentLogger }, { signal });
    const promised = digestOf(utf8('what the ledger promises'));
    await ledger.submit({ kind: 'publishStudy', study: promised, root, sizeBytes: packed.length }, { signal });
    await consortium.until('the peer sees it', async () => (await studies()).some((view) => view.study === promised));
    for (const verb of ['show', 'approve']) {
      const more = verb === 'approve' ? ['--data', await bound(csv())] : [];
      expectRefusal(await consortium.cli(0, 'study', verb, promised, ...more), { code: 1, name: 'STUDY_WRONG_ID', says: [promised, other.id] });
    }
    expect(readdirSync(join(consortium.home(0), 'blobs'))).not.toContain(root);
  });

  test('a study that nobody published, and a run that too few approved', async () => {
    expectRefusal(await consortium.cli(0, 'study', 'show', 'abcdef12'), { code: 5, name: 'PEER_UNKNOWN', says: ['there is no study "abcdef12"'] });
    const id = await published(spoiled({}));
    expectRefusal(await consortium.cli(0, 'run', 'start', id), { code: 5, name: 'PEER_TOO_FEW_APPROVALS', says: ['0 of at least 3'] });
  });
});

test('after all refusals the consortium works: the study is approved by all and a run starts', { timeout: 120_000 }, async () => {
  const study = spoiled({ toml: (text) => text.replace('rounds = 30', 'rounds = 2') });
  const id = await published(study);
  for (const member of [0, 1, 2]) {
    await consortium.run(member, 'dataset', 'bind', 'patients', csv());
    await consortium.until('the study is known', async () =>
      (await consortium.api(member).get<Known>('/v1/studies')).studies.some((view) => view.study === id),
    );
    await consortium.run(member, 'study', 'approve', id, '--data', 'patients');
  }
  const { run } = await consortium.run<{ run: number }>(2, 'run', 'start', id);
  const watched = await consortium.cli(1, 'run', 'watch', String(run));
  expect([watched.code, watched.out]).toEqual([0, expect.stringContaining('complete')]);
  for (const member of [0, 1, 2]) expect(consortium.peer(member).log).not.toMatch(/defect|"level":50/);
});
