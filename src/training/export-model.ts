/** The trained model as a file for any stock ONNX runtime: raw features in, probabilities out, the swarm's mean and sd inside the graph. */
import { assert } from '../common/index.ts';
import type { Loss } from '../study/index.ts';
import { Emitter } from './autodiff/emitter.ts';
import { emitForward, endsWithHead, type ParameterSlot } from './autodiff/forward.ts';
import { operatorNames } from './autodiff/registry.ts';
import { trainingErrors } from './errors.ts';
import { losses } from './losses/loss.ts';
import { attributeProto, valueInfo } from './onnx/encode.ts';
import type { Graph, Node, Tensor } from './onnx/graph.ts';
import { preflight } from './onnx/preflight.ts';
import { encodeModel } from './onnx/proto.ts';
import { tensorProto } from './onnx/tensor.ts';
import type { Standardisation } from './standardise.ts';

/** What goes into an exported file. */
export interface Export {
  /** The study's model as the researcher gave it. */
  readonly model: Uint8Array;
  readonly parameters: Float32Array;
  readonly loss: Loss;
  readonly classes: number;
  readonly standardisation: Standardisation | undefined;
  /** Written into the file's metadata: study, run, model hash, feature names. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Names that no value of `graph` has. */
function freshNames(graph: Graph): (wanted: string) => string {
  const taken = new Set([graph.input.name, ...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  return (wanted) => {
    let name = wanted;
    while (taken.has(name)) name += '_';
    taken.add(name);
    return name;
  };
}

function node(op: string, inputs: readonly string[], output: string): Node {
  const attributes: Node['attributes'] = op === 'Softmax' ? new Map([['axis', { kind: 'int', value: 1 }]]) : new Map();
  return { name: output, op, inputs, outputs: [output], attributes };
}

/** Sub and Div in front of the model, as float32: the same steps as `standardised`. */
function scaling(
  graph: Graph,
  input: string,
  scale: Standardisation,
  fresh: (wanted: string) => string,
): { readonly nodes: readonly Node[]; readonly tensors: readonly Tensor[] } {
  const dims = [1, ...graph.input.dims.slice(1).map((dim) => dim ?? 1)];
  const tensor = (name: string, values: Float64Array): Tensor => ({ name: fresh(name), type: 'float32', dims, values: new Float32Array(values) });
  const [mean, sd] = [tensor('feature_mean', scale.mean), tensor('feature_sd', scale.sd)];
  const centred = fresh('features_centred');
  return { nodes: [node('Sub', [input, mean.name], centred), node('Div', [centred, sd.name], graph.input.name)], tensors: [mean, sd] };
}

function withParameters(graph: Graph, parameters: Float32Array, slots: readonly ParameterSlot[]): readonly Tensor[] {
  const places = new Map(slots.map((slot) => [slot.name, slot]));
  return [...graph.initializers.values()].map((tensor) => {
    const slot = places.get(tensor.name);
    return slot === undefined ? tensor : { ...tensor, values: parameters.slice(slot.offset, slot.offset + slot.length) };
  });
}

/**
 * An ONNX file with one input `[N, features]` (the unstandardised output of `features.sql`) and one output, the probability `[N, 1]` or `[N, classes]`.
 * Comments, paths and names of sources in the researcher's file are left out. Throws TRAINING_WRONG_PARAMETERS and the pre-flight's refusals.
 */
export function exportModel(wanted: Export): Uint8Array {
  const { model, parameters, loss, classes, standardisation, metadata } = wanted;
  const graph = preflight(model, operatorNames);
  const { head, targetDims } = losses[loss];
  const forward = emitForward(graph, 1, head, new Emitter(graph.type));
  targetDims(forward.logits, classes);
  const slots = forward.parameters.map(({ slot }) => slot);
  const expected = slots.reduce((sum, { length }) => sum + length, 0);
  if (parameters.length !== expected) throw trainingErrors.TRAINING_WRONG_PARAMETERS({ found: parameters.length, expected });
  const fresh = freshNames(graph);
  const input = standardisation === undefined ? graph.input.name : fresh('raw_features');
  const scale = standardisation === undefined ? { nodes: [], tensors: [] } : scaling(graph, input, standardisation, fresh);
  const bare = !endsWithHead(graph, head);
  const output = bare ? fresh('probability') : graph.output;
  const nodes = [...scale.nodes, ...graph.nodes, ...(bare ? [node(head, [graph.output], output)] : [])];
  const [, ...sizes] = graph.input.dims;
  assert(!sizes.includes(undefined), 'the pre-flight and the builder know the features');
  return encodeModel({
    irVersion: 10,
    producerName: 'schwarm',
    opsetImport: [{ domain: '', version: graph.opset }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'swarm-model',
      node: nodes.map((each) => ({
        name: each.name,
        opType: each.op,
        domain: '',
        input: each.inputs,
        output: each.outputs,
        attribute: [...each.attributes].map(([key, value]) => attributeProto(key, value)),
      })),
      initializer: [...withParameters(graph, parameters, slots), ...scale.tensors].map(tensorProto),
      input: [valueInfo({ name: input, type: graph.type, dims: [undefined, ...sizes] })],
      output: [valueInfo({ name: output, type: graph.type, dims: [undefined, ...forward.logits.dims.slice(1)] })],
    },
  });
}
