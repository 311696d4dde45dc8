/** A graph of our own making as ONNX bytes: opset 21, IR 10, standard operators. */
import type { Attribute, GraphValue, Node, Tensor } from './graph.ts';
import { type AttributeProto, encodeModel, type NodeProto, type ValueInfoProto } from './proto.ts';
import { dataTypes, tensorProto } from './tensor.ts';

/** What our builders make: any number of inputs and outputs. */
export interface EmittedGraph {
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly nodes: readonly Node[];
  readonly constants: readonly Tensor[];
}

export function attributeProto(name: string, attribute: Attribute): AttributeProto {
  switch (attribute.kind) {
    case 'float':
      return { name, type: 1, f: attribute.value };
    case 'int':
      return { name, type: 2, i: attribute.value };
    case 'tensor':
      return { name, type: 4, t: tensorProto(attribute.value) };
    case 'floats':
      return { name, type: 6, floats: attribute.value };
    case 'ints':
      return { name, type: 7, ints: attribute.value };
  }
}

function nodeProto({ name, op, inputs, outputs, attributes }: Node): NodeProto {
  return { name, opType: op, domain: '', input: inputs, output: outputs, attribute: [...attributes].map(([key, value]) => attributeProto(key, value)) };
}

/** The declared form of an input or output; an open size becomes the named dimension `N`. */
export function valueInfo({ name, type, dims }: GraphValue): ValueInfoProto {
  const dim = dims.map((size) => (size === undefined ? { dimParam: 'N' } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: dataTypes.get(type) ?? 0, shape: { dim } } } };
}

/** The bytes of `graph` as a model that stock ONNX runtimes load. */
export function encodeGraph({ inputs, outputs, nodes, constants }: EmittedGraph): Uint8Array<ArrayBuffer> {
  return encodeModel({
    irVersion: 10,
    producerName: 'schwarm',
    opsetImport: [{ domain: '', version: 21 }],
    graph: {
      name: 'schwarm',
      node: nodes.map(nodeProto),
      initializer: constants.map(tensorProto),
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
    },
  });
}
