/** Studies for tests, of the kind that the test is about. */
import { isTraining, readStudy, type TrainingStudy } from '../../src/study/index.ts';

/** The study in `folder`, which trains. */
export async function readTrainingStudy(folder: string, options: { readonly signal: AbortSignal }): Promise<TrainingStudy> {
  const study = await readStudy(folder, options);
  if (!isTraining(study)) throw new Error(`${folder} holds a study that counts`);
  return study;
}
