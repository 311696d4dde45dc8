/** What leaves a member, seen from outside: five real peers, a member that listens in, an outsider, and a member that is revoked in mid-run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planSizeBytes } from '../../src/aggregation/index.ts';
import { type Account, silentLogger } from '../../src/common/index.ts';
import { connectLedger, signAccountMessage, verifyAccountSignature } from '../../src/ledger/index.ts';
import { createNetwork, signWithPeerKey } from '../../src/network/index.ts';
import { loadIdentity, loadLedgerToken } from '../../src/peer/index.ts';
import { checkModel } from '../../src/peer/studies.ts';
import { TrainingQuestion } from '../../src/peer/training-question.ts';
import { bindingStatement, protocolVersions } from '../../src/wire/index.ts';
import { bareNode, protocolsOf } from '../support/bare-node.ts';
import { realClock } from '../support/clock.ts';
import { CliConsortium, done } from '../support/consortium.ts';
import { wait } from '../support/demo.ts';
import { fetchWhole, institution } from '../support/network.ts';
import { modelBytes } from '../support/onnx-models.ts';
import { canaries, writePatients } from '../support/rows.ts';
import { readTrainingStudy } from '../support/studies.ts';
import { bytesOfPlainWords, chiSquare, shareOfEqualWords } from '../support/uniformity.ts';

const minutes = 60_000;
const signal = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'schwarm-privacy-'));
const studyFolder = join(folder, 'study');
/** Four take part in runs; the fifth is a member that did not approve and listens in. */
const working = [0, 1, 2, 3];
const listener = 4;
let consortium: CliConsortium;
let study: string;

interface RunState {
  readonly finalRounds: number;
  readonly outcome: string | null;
}

const runAt = (member: number, run: number): Promise<RunState> => consortium.api(member).get<RunState>(`/v1/runs/${run}`);

async function startRun(by: number, of = study): Promise<number> {
  return (await consortium.run<{ run: number }>(by, 'run', 'start', of)).run;
}

async function ended(run: number): Promise<string | null> {
  await consortium.until('the run ends', async () => (await runAt(0, run)).outcome !== null, 3 * minutes);
  return (await runAt(0, run)).outcome;
}

/** For the message of a failing test. */
async function whatHappened(run: number): Promise<string> {
  const views = await Promise.all(working.map((member) => consortium.api(member).get(`/v1/runs/${run}`)));
  return [...views.map((view) => JSON.stringify(view)), ...working.map((member) => consortium.peer(member).log)].join('\n');
}

/** A model with enough parameters that a chi-square test can tell. */
const wide = modelBytes({
  input: [undefined, 2],
  weights: { w1: { dims: [2, 64] }, b1: { dims: [64] }, w2: { dims: [64, 32] }, b2: { dims: [32] }, w3: { dims: [32, 1] }, b3: { dims: [1] } },
  nodes: [
    ['Gemm', ['x', 'w1', 'b1'], 'h1'],
    ['Relu', ['h1'], 'r1'],
    ['Gemm', ['r1', 'w2', 'b2'], 'h2'],
    ['Relu', ['h2'], 'r2'],
    ['Gemm', ['r2', 'w3', 'b3'], 'y'],
  ],
});

/** The same question with other draws: a second run of the first study over fewer members would repeat its sums without one of them, and is refused. */
async function anotherSeed(): Promise<string> {
  const toml = join(studyFolder, 'study.toml');
  writeFileSync(toml, readFileSync(toml, 'utf8').replace('seed = 1', 'seed = 2'));
  const { study: other } = await consortium.run<{ study: string }>(0, 'study', 'publish', studyFolder);
  for (const member of working) {
    const known = async () => (await consortium.api(member).get<{ studies: { study: string }[] }>('/v1/studies')).studies.some((one) => one.study === other);
    await consortium.until('the study is known', known);
    await consortium.run(member, 'study', 'approve', other, '--data', 'patients');
  }
  return other;
}

beforeAll(async () => {
  await done(['study', 'new', studyFolder]);
  writeFileSync(join(studyFolder, 'model.onnx'), wide);
  const toml = join(studyFolder, 'study.toml');
  writeFileSync(toml, readFileSync(toml, 'utf8').replace('rounds = 30', 'rounds = 12').replace('clipNorm = 5.0', 'clipNorm = 1.0'));
  consortium = await CliConsortium.found({ founders: 5 });
  for (const member of working) {
    if (member > 0) consortium.tellOf(member, member - 1);
    await consortium.up(member);
  }
  await consortium.until('all are connected', async () => (await consortium.connected()).every((count) => count === 3));
  study = (await consortium.run<{ study: string }>(0, 'study', 'publish', studyFolder)).study;
  for (const member of working) {
    await consortium.until('the study is known', async () => (await consortium.api(member).get<{ studies: unknown[] }>('/v1/studies')).studies.length > 0);
    await consortium.run(member, 'dataset', 'bind', 'patients', writePatients(join(folder, `patients-${member}.csv`), 80, member));
    await consortium.run(member, 'study', 'approve', study, '--data', 'patients');
  }
});

afterAll(async () => {
  await consortium[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Listens in as a member would: reads commitments from the ledger and fetches every masked vector from its owner. */
async function listenIn(run: number, into: Map<string, Uint8Array>, until: AbortSignal): Promise<void> {
  const home = consortium.home(listener);
  const { url, chainId } = consortium.file;
  const contract = consortium.file.contract as Account;
  const { key, peerKey, peerId } = await loadIdentity(home);
  const parts = { clock: realClock, logger: silentLogger };
  await using ledger = await connectLedger({ url, chainId, contract, key, token: loadLedgerToken(home) ?? '' }, parts, { signal });
  const binding = { chainId, contract, account: key.account, peerId };
  const statement = bindingStatement(binding);
  const hello = {
    ...binding,
    accountSignature: await signAccountMessage(key, statement),
    peerSignature: signWithPeerKey(peerKey, statement),
    versions: protocolVersions,
  };
  const options = { listen: ['/ip4/127.0.0.1/tcp/0'], announce: [], bootstrap: working.map((member) => consortium.address(member)) };
  const handlers = { message: () => undefined, content: () => undefined };
  await using network = await createNetwork({ peerKey, hello }, options, handlers, { ...parts, accountSigner: verifyAccountSignature });
  network.setMembers(new Map(consortium.enrolments.map((enrolment) => [enrolment.peerId, enrolment.account])) as never);
  const read = await readTrainingStudy(studyFolder, { signal });
  const question = new TrainingQuestion(read, working.length, checkModel(read).genesis.length);
  const owners = consortium.enrolments.filter((_, member) => member !== listener).sort((a, b) => (a.account < b.account ? -1 : 1));
  const fetches: Promise<void>[] = [];
  for await (const { events } of ledger.batches(undefined, { signal: until })) {
    for (const event of events) {
      if (event.scope !== 'round' || event.run !== run || event.fact.kind !== 'committed') continue;
      const { round, fact } = event;
      const owner = owners[fact.member]?.peerId as never;
      const sizeBytes = planSizeBytes(question.plan({ ordinal: round }));
      const fetched = fetchWhole(network, { root: fact.root, sizeBytes }, [owner], { signal: until }).then(
        (bytes) => void into.set(`${round}/${fact.member}`, bytes),
      );
      fetches.push(fetched.catch(() => undefined));
    }
  }
  await Promise.all(fetches);
}

async function captured(): Promise<{ readonly run: number; readonly vectors: ReadonlyMap<string, Uint8Array> }> {
  const vectors = new Map<string, Uint8Array>();
  const stop = new AbortController();
  const before = (await consortium.api(0).get<{ runs: unknown[] }>('/v1/runs')).runs.length;
  const listening = listenIn(before + 1, vectors, stop.signal).catch(() => undefined);
  await consortium.until('the listener is connected', async () => (await consortium.connected()).every((count) => count === working.length));
  const run = await startRun(1);
  expect(await ended(run), await whatHappened(run)).toBe('complete');
  stop.abort();
  await listening;
  return { run, vectors };
}

describe('vectors on their way', () => {
  test('are uniform bytes, and two of the same inputs have nothing in common', { timeout: 5 * minutes }, async () => {
    const [first, second] = [await captured(), await captured()];
    const heldOf = (run: number) => consortium.api(2).get<{ model: string }>(`/v1/runs/${run}/held`);
    await consortium.until('the last state is at member 2 too', async () => (await heldOf(second.run)).model !== '');
    const held = await Promise.all([heldOf(first.run), heldOf(second.run)]);
    expect(held[0]?.model, 'both runs had the same inputs').toBe(held[1]?.model);

    const both = [...first.vectors.keys()].filter((place) => second.vectors.has(place) && !place.startsWith('0/'));
    expect(both.length).toBeGreaterThan(20);
    for (const { vectors } of [first, second]) {
      for (const [place, bytes] of vectors) if (!place.startsWith('0/')) expect(chiSquare(bytes), place).toBeLessThan(400);
      const whole = Buffer.concat([...vectors.values()]);
      expect(whole.length).toBeGreaterThan(200_000);
      expect(chiSquare(whole)).toBeLessThan(400);
      for (const place of [0, 1, 2, 3]) expect(chiSquare(whole.filter((_, at) => at % 4 === place))).toBeLessThan(400);
    }
    for (const place of both) expect(shareOfEqualWords(first.vectors.get(place), second.vectors.get(place)), place).toBeLessThan(0.01);
    expect(chiSquare(bytesOfPlainWords(2_000)), 'the test tells plain fixed-point words from masked ones').toBeGreaterThan(10_000);
  });

  test('are gone from every disk once their round is over, and so is what could unmask them', async () => {
    const read = await readTrainingStudy(studyFolder, { signal });
    const question = new TrainingQuestion(read, working.length, checkModel(read).genesis.length);
    const vectorSizes = new Set([0, 1].map((ordinal) => planSizeBytes(question.plan({ ordinal }))));
    const homes = working.map((member) => consortium.home(member));
    await consortium.until('every member has closed its runs', async () => homes.every((home) => readdirSync(join(home, 'vault', 'keys')).length === 0));
    for (const home of homes) {
      const sizes = ['blobs', 'partial'].flatMap((folder) => readdirSync(join(home, folder)).map((name) => statSync(join(home, folder, name)).size));
      expect(sizes.filter((size) => vectorSizes.has(size))).toEqual([]);
      expect(readdirSync(join(home, 'vault', 'sealed'))).toEqual([]);
      expect(readdirSync(join(home, 'vault', 'keys'))).toEqual([]);
    }
  });
});

/** What the page is told: the first of the stream of snapshots. */
async function firstEvent(): Promise<string> {
  const { url, token } = JSON.parse(readFileSync(join(consortium.home(0), 'console.json'), 'utf8'));
  const response = await fetch(`${url}/v1/events`, { headers: { authorization: `Bearer ${token}` } });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes('\n\n')) text += decoder.decode((await reader?.read())?.value, { stream: true });
  await reader?.cancel();
  return text;
}

describe('the API of a peer', () => {
  test('has no route that returns rows or scores', { timeout: 2 * minutes }, async () => {
    const api = consortium.api(0);
    const { paths } = await api.get<{ paths: Record<string, Record<string, unknown>> }>('/v1/openapi.json');
    expect(Object.keys(paths).length).toBeGreaterThan(15);
    const fill = (path: string): string => path.replace('{run}', '1').replace('{study}', study).replace('{name}', 'patients').replace('{proposal}', '1');
    const answers: string[] = [];
    /** What a run of this study did not do, its route refuses; what it says is looked through like every answer. */
    const answerOf = async (path: string): Promise<string> => {
      if (!path.endsWith('/tables')) return Buffer.from(await api.bytes(path)).toString('latin1');
      const refusal = await api.bytes(path).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'PEER_NOT_COUNTED' });
      return String(refusal);
    };
    for (const [path, methods] of Object.entries(paths)) {
      expect(path).not.toMatch(/row|score|predict|feature|train|sample/i);
      for (const method of Object.keys(methods)) {
        if (method === 'get') answers.push(path === '/v1/events' ? await firstEvent() : await answerOf(fill(path)));
        const bodies = path.endsWith('/check') ? [{ study }] : path.endsWith('/approve') ? [{ dataSet: 'patients' }] : [];
        for (const body of bodies) answers.push(JSON.stringify(await api.send('POST', fill(path), body)));
      }
    }
    expect(answers.join()).toContain('"auc"');
    for (const answer of answers) for (const word of canaries) expect(answer).not.toContain(word);
  });

  test('answers nobody without its token, and from this machine only', async () => {
    const url = consortium.api(0).url;
    expect(new URL(url).hostname).toBe('127.0.0.1');
    for (const path of ['/v1/status', '/v1/runs/1/report', '/v1/datasets', '/v1/openapi.json', '/v1/events']) {
      expect((await fetch(`${url}${path}`)).status).toBe(401);
      expect((await fetch(`${url}${path}`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
      expect((await fetch(`${url}${path}`, { headers: { origin: 'http://evil.example' } })).status).toBe(403);
    }
  });

  test('quotes no value of a row, whatever a SELECT does to provoke it', { timeout: 2 * minutes }, async () => {
    const provocations = [
      'SELECT age, CAST(patient_id AS DOUBLE) AS systolic, outcome, patient_id FROM patients',
      'SELECT age, error(patient_id) AS systolic, outcome, patient_id FROM patients',
      'SELECT age, systolic, patient_id AS outcome, patient_id FROM patients',
      "SELECT age, strptime(patient_id, '%Y') AS systolic, outcome, patient_id FROM patients",
    ];
    const copy = join(folder, 'provoking');
    await done(['study', 'new', copy]);
    const toml = readFileSync(join(copy, 'study.toml'), 'utf8');
    for (const [at, sql] of provocations.entries()) {
      writeFileSync(join(copy, 'study.toml'), toml.replace('A new study', `Provocation ${at}`));
      writeFileSync(join(copy, 'features.sql'), `${sql}\n`);
      const { study: id } = await consortium.run<{ study: string }>(0, 'study', 'publish', copy);
      for (const command of [
        ['study', 'approve', id, '--data', 'patients'],
        ['dataset', 'check', 'patients', id],
      ]) {
        const { code, out, err } = await consortium.cli(0, ...command);
        expect(code, sql).not.toBe(0);
        for (const word of canaries) expect(`${out}${err}`, sql).not.toContain(word);
      }
    }
    for (const member of working) for (const word of canaries) expect(consortium.peer(member).log).not.toContain(word);
  });
});

interface Peers {
  readonly counters: { readonly refusedOutsiders: number };
}

const refusedAt = async (member: number): Promise<number> => (await consortium.api(member).get<Peers>('/v1/peers')).counters.refusedOutsiders;

/** What a bare node with these keys learns by calling every peer of the consortium several times. */
async function calls(seed: Uint8Array): Promise<{ readonly connections: number; readonly known: readonly string[] }> {
  await using node = await bareNode(seed, protocolsOf(consortium.file).dht);
  const target = multiaddr(consortium.address(0));
  for (let time = 0; time < 4; time++) {
    await node.dial(target).catch(() => undefined);
    await wait(150);
  }
  const known = (await node.peerStore.all()).map(({ id }) => id.toString()).filter((id) => id !== node.peerId.toString());
  for (const member of working.slice(1)) await node.dial(multiaddr(consortium.address(member))).catch(() => undefined);
  await wait(300);
  return { connections: node.getConnections().length, known };
}

describe('who is no member', () => {
  test('an outsider with a valid key pair is refused by every peer, seen in log and counter, and learns no address', async () => {
    const before = await Promise.all(working.map(refusedAt));
    const outsider = institution();
    const { connections, known } = await calls(outsider.peerKey);
    expect(connections).toBe(0);
    expect(known.filter((id) => id !== consortium.enrolments[0]?.peerId)).toEqual([]);
    for (const member of working) {
      expect(await refusedAt(member)).toBeGreaterThan(before[member] ?? 0);
      expect(consortium.peer(member).log).toMatch(new RegExp(`"peer":"${outsider.peerId}".*a peer that is not an active member was refused`));
    }
  });

  test('a member revoked in mid-run is refused by every other from then on, and the run goes on without it', { timeout: 4 * minutes }, async () => {
    const before = await Promise.all(working.map(refusedAt));
    const run = await startRun(0, await anotherSeed());
    await consortium.until('a round is final', async () => (await runAt(0, run)).finalRounds >= 1);
    await consortium.run(0, 'member', 'revoke', 'Hospital 4');
    interface Proposals {
      readonly proposals: readonly { readonly proposal: number; readonly done: boolean; readonly action: { readonly kind: string } }[];
    }
    const openOne = async (member: number) =>
      (await consortium.api(member).get<Proposals>('/v1/members')).proposals.find(({ done: isDone, action }) => !isDone && action.kind === 'revoke');
    for (const member of [1, 2]) {
      await consortium.until('the proposal is known', async () => (await openOne(member)) !== undefined);
      await consortium.run(member, 'member', 'vote', String((await openOne(member))?.proposal));
    }
    const revoked = consortium.enrolments[3];
    await consortium.until('nobody is connected with it', async () => {
      const reached = await Promise.all([0, 1, 2].map((member) => consortium.reaches(member)));
      return reached.every((names) => !names.includes('Hospital 4')) && (await consortium.reaches(3)).length === 0;
    });
    const status = await consortium.api(3).get<{ membership: { kind: string } }>('/v1/status');
    expect(status.membership.kind).toBe('revoked');
    const atRevocation = await Promise.all([0, 1, 2].map(refusedAt));
    for (const member of [0, 1, 2]) {
      expect(atRevocation[member]).toBeGreaterThan(before[member] ?? 0);
      expect(consortium.peer(member).log).toMatch(new RegExp(`"peer":"${revoked?.peerId}".*the connection of a peer that is no active member is closed`));
    }
    expect(await ended(run), await whatHappened(run)).toBe('complete 3 of 4');

    await consortium.peer(3).stop();
    const afterRun = await Promise.all([0, 1, 2].map(refusedAt));
    expect(Math.max(...afterRun.map((count, member) => count - (atRevocation[member] ?? 0))), 'a revoked peer calls nobody').toBeLessThan(20);
    const { connections, known } = await calls((await loadIdentity(consortium.home(3))).peerKey);
    expect(connections).toBe(0);
    expect(known.filter((id) => id !== consortium.enrolments[0]?.peerId)).toEqual([]);
    for (const member of [0, 1, 2]) expect(await refusedAt(member)).toBeGreaterThan(afterRun[member] ?? 0);
  });
});
