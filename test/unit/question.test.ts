/** What a study asks of a site beyond the sum: its share of the rows, and whether its own rows agree. */
import { expect, it } from 'vitest';
import { TrainingQuestion } from '../../src/peer/training-question.ts';
import { trainingSchema } from '../../src/study/manifest.ts';
import { meanLoss } from '../../src/training/index.ts';
import { named } from '../simulation/named.ts';

function question(own: object): TrainingQuestion {
  const manifest = trainingSchema.parse({
    format: 'schwarm.study/1',
    kind: 'training',
    title: 'Test',
    question: 'Who dominates?',
    purpose: 'test',
    task: 'binary',
    table: [{ name: 'visits', column: [{ name: 'id', datatype: 'integer' }] }],
    features: { column: [{ name: 'age', min: 0, max: 1 }] },
    label: { column: 'sick', classes: [0, 1] },
    split: { by: 'hash', key: 'id', testFraction: 0.25 },
    standardisation: 'swarm',
    missing: 'drop-row',
    training: {
      loss: 'binary-cross-entropy',
      optimiser: { kind: 'sgd', learningRate: 0.1 },
      localSteps: 1,
      batchSize: 1,
      rounds: 1,
      clipNorm: 1,
      weightCap: 1,
    },
    metrics: ['auc'],
    ...own,
  });
  return new TrainingQuestion({ id: named('study'), manifest, featuresSql: 'SELECT 1', model: new Uint8Array(1) }, 3, 2);
}

const parameters = new Float32Array(2);
const counted = { ordinal: 1, parameters, standardisation: { rows: 100, mean: new Float64Array(1), sd: new Float64Array(1) } };

it('a share above the term is named, from the first update on', () => {
  const asked = question({ terms: { dominance: 0.6 } });
  expect(asked.dominantShare(counted, 60)).toBeUndefined();
  expect(asked.dominantShare(counted, 61)).toBe(0.61);
  expect(asked.dominantShare({ ordinal: 0, parameters }, 100)).toBeUndefined();
  expect(question({}).dominantShare(counted, 99)).toBeUndefined();
});

it('a site agrees up to the worsening that the study permits, and never to what is no number', () => {
  const asked = question({ validation: { worsening: 0.5 } });
  expect(asked.isValidated(counted)).toBe(true);
  expect(asked.isValidated({ ordinal: 0, parameters })).toBe(false);
  expect([asked.agrees(1, 1.5), asked.agrees(1, 1.51), asked.agrees(1, Number.NaN), asked.agrees(undefined, undefined)]).toEqual([true, false, false, true]);
  expect(question({}).isValidated(counted)).toBe(false);
});

it('the mean loss is the cross entropy of the probabilities', () => {
  expect(meanLoss([0.5, 0.5], [0, 1], 2)).toBeCloseTo(Math.LN2, 12);
  expect(meanLoss([0.25, 0.9], [0, 1], 2)).toBeCloseTo((-Math.log(0.75) - Math.log(0.9)) / 2, 12);
  expect(meanLoss([0.2, 0.3, 0.5, 0.1, 0.8, 0.1], [2, 1], 3)).toBeCloseTo((-Math.log(0.5) - Math.log(0.8)) / 2, 12);
  expect(meanLoss([0], [1], 2)).toBeCloseTo(7 * Math.LN10, 9);
  expect(meanLoss([Number.NaN], [1], 2)).toBeNaN();
  expect(meanLoss([], [], 2)).toBeUndefined();
});
