/** Main module of the training child: checks, builds, trains and scores where a crash of the native runtime costs one child and no peer. */
import { assert, concat, digest } from '../common/index.ts';
import { serveParent } from '../sandbox/index.ts';
import { bytesOf, cut, floatsIn, floatsOf, type PrepareHeader, type TrainHeader } from './child-messages.ts';
import { trainingErrors } from './errors.ts';
import { TaskRunner } from './task-runner.ts';
import type { TrainingTask } from './trainer.ts';

/** The child's own time: a budget is counted where the steps are. */
const clock = { nowMs: () => performance.now() };

let prepared: TaskRunner | undefined;

let last: Promise<unknown> = Promise.resolve();

/** One request after the other: all of them use the same memory. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const next = last.then(work);
  last = next.catch(() => undefined);
  return next;
}

function runnerFor(what: string): TaskRunner {
  if (prepared === undefined) throw trainingErrors.TRAINING_NOT_PREPARED({ what });
  return prepared;
}

function taskOf(header: PrepareHeader, body: Uint8Array): TrainingTask {
  const [features, labels, split, model] = cut(body, header.bytes);
  assert(features && labels && split && model, 'a task has four parts');
  const { standardisation, featureNames, rows } = header;
  const table = {
    featureNames,
    rows,
    features: floatsOf(features),
    labels: floatsOf(labels),
    split: new Uint8Array(split),
    dataVersion: digest(header.dataVersion),
    dropped: [],
  };
  const scale = standardisation && { mean: new Float64Array(standardisation.mean), sd: new Float64Array(standardisation.sd) };
  return { ...header.terms, model: new Uint8Array(model), table, standardisation: scale };
}

async function prepare(header: PrepareHeader, body: Uint8Array) {
  await prepared?.[Symbol.asyncDispose]();
  prepared = undefined;
  prepared = await TaskRunner.create(taskOf(header, body), clock);
  return { header: { layout: prepared.layout }, body: bytesOf(prepared.genesis) };
}

async function train(header: TrainHeader, body: Uint8Array) {
  const { parameters, steps, rows, lossSum } = await runnerFor('training').train({ ...header, parameters: floatsIn(body) });
  return { header: { steps, rows, lossSum }, body: bytesOf(parameters) };
}

async function score({ split }: { readonly split: 'train' | 'test' }, body: Uint8Array) {
  const { scores, labels } = await runnerFor('scoring').score(floatsOf(body), split);
  return { header: { bytes: [scores.byteLength, labels.byteLength] }, body: concat(bytesOf(scores), bytesOf(labels)) };
}

// The parent is the same code in the same version: headers are what `child-messages.ts` says.
serveParent({
  prepare: (header, body) => inTurn(() => prepare(header as PrepareHeader, body)),
  train: (header, body) => inTurn(() => train(header as TrainHeader, body)),
  score: (header, body) => inTurn(() => score(header as { split: 'train' | 'test' }, body)),
});
