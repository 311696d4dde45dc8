/**
 * The check of a model before any runtime sees it, and before it is trained: on bytes first, then on the decoded file.
 * Rules after design rules 1-4 and 9-12 for importers: everything unknown is refused by name, nothing is silently a constant.
 */
import type { SwarmError } from '../../common/index.ts';
import { trainingErrors } from '../errors.ts';
import { trainingLimits as limits } from '../limits.ts';
import type { Attribute, Graph, GraphValue, Node, Tensor } from './graph.ts';
import { type AttributeProto, decodeModel, type GraphProto, int64, type ModelProto, type NodeProto, type ValueInfoProto } from './proto.ts';
import { elementType, tensorOf } from './tensor.ts';

function refused(place: string, found: string, allowed: string): SwarmError {
  return trainingErrors.TRAINING_MODEL_REFUSED({ place, found, allowed });
}

function within(what: string, found: number, limit: number): void {
  if (found > limit) throw trainingErrors.TRAINING_MODEL_TOO_LARGE({ what, found, limit });
}

function opsetOf(model: ModelProto): number {
  const ir = int64(model.irVersion);
  if (!(ir >= limits.irVersion.minimum && ir <= limits.irVersion.maximum)) {
    throw refused('header', `IR version ${ir}`, `${limits.irVersion.minimum} to ${limits.irVersion.maximum}`);
  }
  const versions = new Set(model.opsetImport.filter(({ domain }) => domain === '' || domain === 'ai.onnx').map(({ version }) => int64(version)));
  const [opset, second] = [...versions];
  const allowed = `one opset from ${limits.opset.minimum} to ${limits.opset.maximum}`;
  if (opset === undefined || second !== undefined) throw refused('header', `${versions.size} versions of the standard operators`, allowed);
  if (!(opset >= limits.opset.minimum && opset <= limits.opset.maximum)) throw refused('header', `opset ${opset}`, allowed);
  return opset;
}

function graphOf(model: ModelProto): GraphProto {
  const { graph, functions = [], trainingInfo = [] } = model;
  if (functions.length > 0) throw refused('header', `${functions.length} model-local functions`, 'none');
  if (trainingInfo.length > 0) throw refused('header', 'training information', 'none');
  if (graph === undefined || graph === null) throw trainingErrors.TRAINING_UNREADABLE_MODEL({ reason: 'it holds no graph' });
  within('nodes', graph.node.length, limits.nodes);
  within('initializers', graph.initializer.length, limits.initializers);
  if ((graph.sparseInitializer ?? []).length > 0) throw refused('graph', 'sparse initializers', 'dense ones');
  if ((graph.quantizationAnnotation ?? []).length > 0) throw refused('graph', 'quantization', 'float32 weights');
  return graph;
}

/** AttributeProto.AttributeType of ONNX. */
const attributeKinds: ReadonlyMap<number, string> = new Map([
  [3, 'text'],
  [5, 'graph'],
  [8, 'texts'],
  [9, 'tensors'],
  [10, 'graphs'],
  [11, 'sparse tensor'],
  [12, 'sparse tensors'],
]);

function attributeOf(proto: AttributeProto, place: string): Attribute {
  if ((proto.refAttrName ?? '') !== '') throw refused(place, 'a reference to a function attribute', 'a value');
  switch (proto.type) {
    case 1:
      return { kind: 'float', value: proto.f ?? 0 };
    case 2:
      return { kind: 'int', value: int64(proto.i) };
    case 4:
      if (proto.t === undefined || proto.t === null) throw refused(place, 'no tensor', 'a tensor');
      return { kind: 'tensor', value: tensorOf(proto.t, place) };
    case 6:
      return { kind: 'floats', value: [...(proto.floats ?? [])] };
    case 7:
      return { kind: 'ints', value: (proto.ints ?? []).map((value) => int64(value)) };
    default:
      throw refused(place, `an attribute that is a ${attributeKinds.get(proto.type) ?? `type ${proto.type}`}`, 'numbers and one dense tensor');
  }
}

function withoutTrailingEmpty(names: readonly string[]): readonly string[] {
  const last = names.findLastIndex((name) => name !== '');
  return names.slice(0, last + 1);
}

function nodeOf(proto: NodeProto, at: number, operators: ReadonlySet<string>): Node {
  const name = proto.name || `${proto.opType} (node ${at + 1})`;
  const place = `node "${name}"`;
  const op = proto.domain === '' || proto.domain === 'ai.onnx' ? proto.opType : `${proto.domain}::${proto.opType}`;
  if (!operators.has(op)) throw trainingErrors.TRAINING_UNSUPPORTED_OPERATOR({ op, node: name, supported: [...operators].join(', ') });
  const attributes = new Map<string, Attribute>();
  for (const attribute of proto.attribute) {
    if (attributes.has(attribute.name)) throw refused(place, `attribute "${attribute.name}" twice`, 'each once');
    attributes.set(attribute.name, attributeOf(attribute, `${place}, attribute "${attribute.name}"`));
  }
  return { name, op, inputs: withoutTrailingEmpty(proto.input), outputs: withoutTrailingEmpty(proto.output), attributes };
}

function graphValueOf(proto: ValueInfoProto, place: string): GraphValue {
  const tensor = proto.type?.tensorType;
  if (tensor === undefined || tensor === null) throw refused(place, 'no tensor type', 'a float32 tensor');
  const dims = (tensor.shape?.dim ?? []).map(({ dimValue, dimParam = '' }) => (dimParam !== '' || int64(dimValue) <= 0 ? undefined : int64(dimValue)));
  return { name: proto.name, type: elementType(tensor.elemType, place), dims };
}

/** Every value is made once and before it is used; the runtime would sort silently, a gradient builder would stop silently. */
function checkOrder(input: string, initializers: ReadonlyMap<string, Tensor>, nodes: readonly Node[]): ReadonlySet<string> {
  const known = new Set([input, ...initializers.keys()]);
  for (const node of nodes) {
    const missing = node.inputs.find((name) => name !== '' && !known.has(name));
    if (missing !== undefined)
      throw refused(`node "${node.name}"`, `the input "${missing}", which nothing before it makes`, 'nodes in topological order without cycles');
    for (const output of node.outputs) {
      if (output === '' || known.has(output)) throw refused(`node "${node.name}"`, `the output "${output}", which exists already`, 'a new name for each value');
      known.add(output);
    }
  }
  return known;
}

function initializersOf(graph: GraphProto): Map<string, Tensor> {
  const initializers = new Map<string, Tensor>();
  for (const proto of graph.initializer) {
    const place = `initializer "${proto.name}"`;
    if (proto.name === '' || initializers.has(proto.name)) throw refused(place, 'the name empty or twice', 'a name of its own for each');
    initializers.set(proto.name, tensorOf(proto, place));
  }
  return initializers;
}

function inputOf(graph: GraphProto, initializers: ReadonlyMap<string, Tensor>): GraphValue {
  const inputs = graph.input.filter(({ name }) => !initializers.has(name));
  const [input, second] = inputs;
  if (input === undefined || second !== undefined) throw refused('graph', `${inputs.length} inputs`, 'exactly one: the features');
  const value = graphValueOf(input, `input "${input.name}"`);
  if (value.type === 'int64') throw refused(`input "${input.name}"`, 'int64', 'float32');
  return value;
}

/** The graph in `bytes`, built of `operators` only. Every refusal is a coded error that names the place. */
export function preflight(bytes: Uint8Array, operators: ReadonlySet<string>): Graph {
  const model = decodeModel(bytes);
  const opset = opsetOf(model);
  const proto = graphOf(model);
  const nodes = proto.node.map((node, at) => nodeOf(node, at, operators));
  const initializers = initializersOf(proto);
  const input = inputOf(proto, initializers);
  const known = checkOrder(input.name, initializers, nodes);
  const [output, second] = proto.output;
  if (output === undefined || second !== undefined) throw refused('graph', `${proto.output.length} outputs`, 'exactly one: the logit, or the probability');
  if (!known.has(output.name)) throw refused('graph', `the output "${output.name}", which nothing makes`, 'the output of a node');
  return { opset, type: input.type === 'float64' ? 'float64' : 'float32', input, output: output.name, nodes, initializers };
}
