/** From a study and a member's rows to what the trainer is asked. */
import type { FeatureTable } from '../dataset/index.ts';
import type { TrainingStudy } from '../study/index.ts';
import type { Standardisation } from './standardise.ts';
import type { TrainingTask } from './trainer.ts';

/** The task that `study` sets for the rows of `table`. */
export function trainingTask(study: TrainingStudy, table: FeatureTable, standardisation: Standardisation | undefined): TrainingTask {
  const { loss, optimiser, batchSize } = study.manifest.training;
  return { model: study.model, loss, classes: study.manifest.label.classes.length, optimiser, batchSize, table, standardisation };
}
