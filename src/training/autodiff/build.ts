/** From a forward model to the two graphs that are run: one that gives gradients, one that gives scores and losses. */
import type { Loss } from '../../study/index.ts';
import { trainingErrors } from '../errors.ts';
import { losses } from '../losses/loss.ts';
import type { EmittedGraph } from '../onnx/encode.ts';
import type { Dims, Graph, GraphValue } from '../onnx/graph.ts';
import { emitBackward } from './backward.ts';
import { Emitter } from './emitter.ts';
import { emitForward, type Forward, type ParameterSlot } from './forward.ts';

/** A graph to run, its parameters' places, and its sizes. Inputs: `x`, `target`, `weight` (training only), `p0`, `p1`, … */
export interface BuiltGraph {
  readonly graph: EmittedGraph;
  readonly slots: readonly ParameterSlot[];
  /** `[rows, features…]`. */
  readonly rowDims: Dims;
  /** `[rows, 1]`, or `[rows, classes]` one-hot. */
  readonly targetDims: Dims;
}

/** What is trained: the loss, the number of classes (2 for binary), and the rows of one batch. */
export interface BuildTerms {
  readonly loss: Loss;
  readonly classes: number;
  readonly batchSize: number;
}

interface Parts {
  readonly emit: Emitter;
  readonly forward: Forward;
  readonly targetDims: Dims;
}

function begin(graph: Graph, { loss, classes, batchSize }: BuildTerms): Parts {
  const emit = new Emitter(graph.type);
  const forward = emitForward(graph, batchSize, losses[loss].head, emit);
  const rows = forward.logits.dims[0];
  if (rows !== batchSize)
    throw trainingErrors.TRAINING_MODEL_REFUSED({
      place: 'output',
      found: `${rows ?? 'no'} rows for ${batchSize} rows of input`,
      allowed: 'one output for each row',
    });
  return { emit, forward, targetDims: losses[loss].targetDims(forward.logits, classes) };
}

function finish({ emit, forward, targetDims }: Parts, extra: readonly GraphValue[], outputs: readonly GraphValue[]): BuiltGraph {
  const value = (name: string, dims: Dims): GraphValue => ({ name, type: emit.type, dims });
  const inputs = [value('x', forward.rows.dims), value('target', targetDims), ...extra, ...forward.parameters.map((p) => value(p.value.name, p.value.dims))];
  return {
    graph: { inputs, outputs, nodes: emit.nodes, constants: emit.constants },
    slots: forward.parameters.map(({ slot }) => slot),
    rowDims: forward.rows.dims,
    targetDims,
  };
}

/** The gradient graph: outputs `loss` (weighted sum, scalar) and `g0`, `g1`, … in the order and sizes of the parameters. */
export function buildTraining(graph: Graph, terms: BuildTerms): BuiltGraph {
  const parts = begin(graph, terms);
  const { emit, forward } = parts;
  const { perRow, dLogits } = losses[terms.loss].emit(forward.logits, emit);
  const weighted = emit.op('Mul', [perRow, emit.op('Reshape', ['weight', emit.integers([terms.batchSize])])]);
  emit.op('ReduceSum', [weighted], { keepdims: 0 }, 'loss');
  const gradients = emitBackward(forward, dLogits(), emit);
  for (const [at, name] of gradients.entries()) emit.op('Identity', [name], {}, `g${at}`);
  const outputs = forward.parameters.map(({ slot }, at): GraphValue => ({ name: `g${at}`, type: emit.type, dims: slot.dims }));
  return finish(parts, [{ name: 'weight', type: emit.type, dims: [terms.batchSize, 1] }], [{ name: 'loss', type: emit.type, dims: [] }, ...outputs]);
}

/** The scoring graph: outputs `losses` `[rows]` and `scores` in the sizes of the target. */
export function buildScoring(graph: Graph, terms: BuildTerms): BuiltGraph {
  const parts = begin(graph, terms);
  const { emit, forward, targetDims } = parts;
  const { perRow, scores } = losses[terms.loss].emit(forward.logits, emit);
  emit.op('Identity', [perRow], {}, 'losses');
  emit.op('Identity', [scores], {}, 'scores');
  return finish(
    parts,
    [],
    [
      { name: 'losses', type: emit.type, dims: [terms.batchSize] },
      { name: 'scores', type: emit.type, dims: targetDims },
    ],
  );
}

/** The values that training starts from: the model's own weights, one after the other. float32 `[parameters]`. */
export function genesisOf(graph: Graph, terms: BuildTerms): Float32Array<ArrayBuffer> {
  const { parameters } = begin(graph, terms).forward;
  const whole = new Float32Array(parameters.reduce((sum, { slot }) => sum + slot.length, 0));
  for (const { slot, genesis } of parameters) if (genesis.type !== 'int64') whole.set(Float32Array.from(genesis.values, Number), slot.offset);
  return whole;
}
