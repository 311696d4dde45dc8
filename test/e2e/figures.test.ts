/** The demo's figures: five seeds against what the study promises, against plain averaging, and against the exported file on the stock runtime. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, expect, test } from 'vitest';
import { testRow } from '../../src/dataset/index.ts';
import { auc } from '../../src/training/index.ts';
import { Demo, type DemoDocument } from '../support/demo.ts';
import { heartDisease, plainAveraging } from '../support/plain-averaging.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-figures-'));
const documents: DemoDocument[] = [];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function demo(seed: number, kept: string | undefined): Promise<DemoDocument> {
  await using running = new Demo({ args: ['--seed', String(seed)], ...(kept ? { folder: kept } : {}) });
  const { code, document, log } = await running.ended;
  if (code !== 0 || !document) throw new Error(log);
  return document;
}

test.for([1, 2, 3, 4, 5])(
  'seed %i: complete, one model at four members and on the ledger, every FINAL with another hash',
  { timeout: 120_000 },
  async (seed) => {
    const document = await demo(seed, join(folder, 'kept'));
    documents.push(document);
    expect(document.outcome).toBe('complete');
    expect(new Set(document.members.map(({ pid }) => pid)).size).toBe(4);
    expect(new Set(document.members.map(({ peerId }) => peerId)).size).toBe(4);
    expect(document.members.map(({ modelSha256 }) => modelSha256)).toEqual(Array(4).fill(document.ledger.finalModelSha256));
    expect(new Set(document.ledger.finals.map(({ state }) => state)).size).toBe(document.rounds);
    expect(document.swarm.pooledAuc).toBeGreaterThanOrEqual(0.87);
    expect(document.swarm.meanAccuracy).toBeGreaterThanOrEqual(0.785);
  },
);

test('over five seeds the swarm reaches its figures and comes close to all rows in one place', () => {
  expect(documents).toHaveLength(5);
  const mean = (pick: (document: DemoDocument) => number): number => documents.reduce((sum, document) => sum + pick(document) / documents.length, 0);
  expect(mean(({ swarm }) => swarm.pooledAuc)).toBeGreaterThanOrEqual(0.875);
  expect(mean(({ swarm }) => swarm.meanAccuracy)).toBeGreaterThanOrEqual(0.795);
  expect(Math.abs(mean(({ swarm }) => swarm.pooledAuc) - mean(({ pooled }) => pooled.pooledAuc))).toBeLessThanOrEqual(0.01);
  expect(Math.abs(mean(({ swarm }) => swarm.meanAccuracy) - mean(({ pooled }) => pooled.meanAccuracy))).toBeLessThanOrEqual(0.015);
});

test('plain federated averaging with the same seeds gives the same AUC and accuracies to three decimals', { timeout: 120_000 }, async () => {
  const { study, tables } = await heartDisease();
  for (const [at, document] of documents.entries()) {
    const plain = await plainAveraging(study, tables, at + 1);
    expect(document.swarm.pooledAuc).toBeCloseTo(plain.pooledAuc, 3);
    for (const [member, accuracy] of plain.accuracies.entries()) expect(document.members[member]?.swarm.accuracy).toBeCloseTo(accuracy, 3);
  }
});

test('model.onnx, scored on the raw output of features.sql by the stock runtime, gives the reported AUC', { timeout: 60_000 }, async () => {
  const [document] = documents;
  const { tables } = await heartDisease();
  const session = await InferenceSession.create(readFileSync(join(document?.folder ?? '', 'model.onnx')));
  const [scores, labels]: [number[], number[]] = [[], []];
  for (const table of tables) {
    const width = table.featureNames.length;
    const output = await session.run({ [session.inputNames[0]!]: new Tensor('float32', table.features, [table.rows, width]) });
    table.split.forEach((side, row) => {
      if (side !== testRow) return;
      scores.push(Number(output[session.outputNames[0]!]!.data[row]));
      labels.push(table.labels[row]!);
    });
  }
  expect(auc(scores, labels)?.auc).toBeCloseTo(document?.swarm.pooledAuc ?? 0, 12);
});

test('another consortium with other keys and the same seed repeats the model bit for bit', { timeout: 120_000 }, async () => {
  const again = await demo(1, undefined);
  expect(again.ledger.finalModelSha256).toBe(documents[0]?.ledger.finalModelSha256);
  expect(again.swarm).toEqual(documents[0]?.swarm);
});
