/** One ONNX Runtime session behind a small interface. Only the training child loads this file: the runtime blocks its event loop, and a bad model may end it. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { assert } from '../common/index.ts';
import { type EmittedGraph, encodeGraph } from './onnx/encode.ts';
import type { Dims } from './onnx/graph.ts';

/** Fixed settings: one thread that does not spin, and one optimisation level, since other levels change the last bits. */
const options: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};

/** Named float32 arrays with their sizes: the runtime reads inputs and writes outputs in place. */
export type Bound = Readonly<Record<string, readonly [values: Float32Array, dims: Dims]>>;

/** A loaded graph with its inputs and outputs bound once. `run` reads and writes the bound arrays. */
export interface Program extends AsyncDisposable {
  run(): Promise<void>;
}

function tensors(bound: Bound): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(bound).map(([name, [values, dims]]) => [name, new Tensor('float32', values, dims)]));
}

/** Loads `graph` and binds every input and output. The returned copies of the runtime are dropped: the bound arrays hold the values. */
export async function loadProgram(graph: EmittedGraph, inputs: Bound, outputs: Bound): Promise<Program> {
  assert(
    graph.inputs.every(({ name }) => Object.hasOwn(inputs, name)),
    'every input of a graph is bound',
  );
  const session = await InferenceSession.create(encodeGraph(graph), options);
  const [feeds, fetches] = [tensors(inputs), tensors(outputs)];
  return {
    run: async () => {
      await session.run(feeds, fetches);
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}
