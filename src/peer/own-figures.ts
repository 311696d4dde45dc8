/** How well a model does on this member's own rows: for its own eyes. */
import type { TrainingStudy } from '../study/index.ts';
import { accuracy, auc, multiclassAccuracy, type RocPoint, rocPoints } from '../training/index.ts';

/** How well a model does on this member's own rows of one side of the split. */
export interface OwnFigures {
  readonly rows: number;
  readonly positives: number | undefined;
  readonly auc: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly accuracy: number;
  readonly roc: readonly RocPoint[];
}

/** AUC, interval, accuracy and ROC of scores against labels. */
export function figuresFrom(study: TrainingStudy, scores: Float32Array, labels: Float32Array): OwnFigures {
  const binary = study.manifest.task === 'binary';
  if (!binary) {
    return {
      rows: labels.length,
      positives: undefined,
      auc: undefined,
      low: undefined,
      high: undefined,
      accuracy: multiclassAccuracy(scores, labels, study.manifest.label.classes.length) ?? 0,
      roc: [],
    };
  }
  const area = auc(scores, labels);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  return {
    rows: labels.length,
    positives,
    auc: area?.auc,
    low: area?.low,
    high: area?.high,
    accuracy: accuracy(scores, labels) ?? 0,
    roc: rocPoints(scores, labels),
  };
}
