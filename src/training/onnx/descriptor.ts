/**
 * The part of onnx.proto (ONNX 1.17, IR 10) that Schwarm reads and writes, as a protobuf.js descriptor.
 * What is always refused (functions, graphs in attributes, sparse tensors, training info) is declared as opaque bytes: its presence is seen,
 * its content never decoded, so that nothing nests. Packed number lists of tensors are bytes as well and are read in place.
 */
type Rule = { readonly id: number; readonly type: string; readonly rule?: 'repeated' };
const one = (type: string, id: number): Rule => ({ type, id });
const many = (type: string, id: number): Rule => ({ type, id, rule: 'repeated' });

/** Message name → field name → type and number, in the form of protobuf.js' JSON descriptors. */
export const descriptor = {
  ModelProto: {
    irVersion: one('int64', 1),
    producerName: one('string', 2),
    graph: one('GraphProto', 7),
    opsetImport: many('OperatorSetIdProto', 8),
    metadataProps: many('StringStringEntryProto', 14),
    trainingInfo: many('bytes', 20),
    functions: many('bytes', 25),
  },
  OperatorSetIdProto: { domain: one('string', 1), version: one('int64', 2) },
  GraphProto: {
    node: many('NodeProto', 1),
    name: one('string', 2),
    initializer: many('TensorProto', 5),
    input: many('ValueInfoProto', 11),
    output: many('ValueInfoProto', 12),
    quantizationAnnotation: many('bytes', 14),
    sparseInitializer: many('bytes', 15),
  },
  NodeProto: {
    input: many('string', 1),
    output: many('string', 2),
    name: one('string', 3),
    opType: one('string', 4),
    attribute: many('AttributeProto', 5),
    domain: one('string', 7),
    overload: one('string', 8),
  },
  AttributeProto: {
    name: one('string', 1),
    f: one('float', 2),
    i: one('int64', 3),
    s: one('bytes', 4),
    t: one('TensorProto', 5),
    g: one('bytes', 6),
    floats: many('float', 7),
    ints: many('int64', 8),
    strings: many('bytes', 9),
    tensors: many('bytes', 10),
    graphs: many('bytes', 11),
    tp: one('bytes', 14),
    typeProtos: many('bytes', 15),
    type: one('int32', 20),
    refAttrName: one('string', 21),
    sparseTensor: one('bytes', 22),
    sparseTensors: many('bytes', 23),
  },
  TensorProto: {
    dims: many('int64', 1),
    dataType: one('int32', 2),
    segment: one('bytes', 3),
    floatData: many('bytes', 4),
    int32Data: many('bytes', 5),
    stringData: many('bytes', 6),
    int64Data: many('bytes', 7),
    name: one('string', 8),
    rawData: one('bytes', 9),
    doubleData: many('bytes', 10),
    uint64Data: many('bytes', 11),
    externalData: many('bytes', 13),
    dataLocation: one('int32', 14),
  },
  ValueInfoProto: { name: one('string', 1), type: one('TypeProto', 2) },
  TypeProto: {
    tensorType: one('TensorTypeProto', 1),
    sequenceType: one('bytes', 4),
    mapType: one('bytes', 5),
    sparseTensorType: one('bytes', 8),
    optionalType: one('bytes', 9),
  },
  TensorTypeProto: { elemType: one('int32', 1), shape: one('TensorShapeProto', 2) },
  TensorShapeProto: { dim: many('DimensionProto', 1) },
  DimensionProto: { dimValue: one('int64', 1), dimParam: one('string', 2) },
  StringStringEntryProto: { key: one('string', 1), value: one('string', 2) },
} as const satisfies Record<string, Record<string, Rule>>;
