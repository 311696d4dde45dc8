/** Scores rows with an exported model on the stock runtime: what anybody can do with the file. In this process; peers never call it. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { trainingErrors } from './errors.ts';

/** Scores float32 `[rows, features]`, raw as the study's SELECT gives them: probability of the second class `[rows]`, or of each class `[rows, classes]`. */
export async function scoreExported(model: Uint8Array, features: Float32Array, width: number): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  try {
    const [input] = session.inputNames;
    const [output] = session.outputNames;
    const results = await session.run({ [input ?? '']: new Tensor('float32', features, [features.length / width, width]) });
    const scores = results[output ?? '']?.data;
    if (!(scores instanceof Float32Array)) throw trainingErrors.TRAINING_PROCESS_LOST({ what: 'scoring', reason: 'the exported model gave no float32 output' });
    return scores;
  } finally {
    await session.release();
  }
}
