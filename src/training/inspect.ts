/** What `study check` says about a model, found without a runtime and without rows. */
import { buildScoring, buildTraining, genesisOf } from './autodiff/build.ts';
import type { ParameterSlot } from './autodiff/forward.ts';
import { operatorNames } from './autodiff/registry.ts';
import { trainingErrors } from './errors.ts';
import { sizeOf } from './onnx/graph.ts';
import { preflight } from './onnx/preflight.ts';
import type { TrainingTask } from './trainer.ts';

/** A model that can be trained: what will be trained, and from which weights. */
export interface ModelReport {
  readonly features: number;
  readonly layout: readonly ParameterSlot[];
  /** float32 `[parameters]`: where every member starts from. */
  readonly genesis: Float32Array;
  readonly operators: readonly string[];
}

/** Checks `model` for this loss, batch and number of features. Throws the TRAINING_… error of the first thing that cannot be trained. */
export function inspectModel(model: Uint8Array, terms: Pick<TrainingTask, 'loss' | 'classes' | 'batchSize'> & { readonly features: number }): ModelReport {
  const graph = preflight(model, operatorNames);
  const { slots, rowDims } = buildTraining(graph, terms);
  buildScoring(graph, terms);
  const features = sizeOf(rowDims) / terms.batchSize;
  if (features !== terms.features) throw trainingErrors.TRAINING_WRONG_WIDTH({ found: terms.features, expected: features });
  return { features, layout: slots, genesis: genesisOf(graph, terms), operators: [...new Set(graph.nodes.map(({ op }) => op))] };
}
