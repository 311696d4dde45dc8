/** What the pre-flight lets pass and what it refuses, by code; no bytes may end in anything but a model or a coded error. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { logisticModel } from '../../src/study/index.ts';
import { inspectModel } from '../../src/training/index.ts';
import { encodeModel, type GraphProto, type ModelProto } from '../../src/training/onnx/proto.ts';
import { float, int, type ModelText, modelBytes, modelProto } from '../support/onnx-models.ts';

const terms = { loss: 'binary-cross-entropy', classes: 2, batchSize: 4, features: 3 } as const;
const net: ModelText = {
  nodes: [
    ['Gemm', ['x', 'W', 'b'], 'h'],
    ['Relu', ['h'], 'r'],
    ['Gemm', ['r', 'V'], 'z'],
    ['Sigmoid', ['z'], 'y'],
  ],
  weights: { W: { dims: [3, 2] }, b: { dims: [2] }, V: { dims: [2, 1] } },
};

function codeOf(bytes: Uint8Array): string {
  try {
    inspectModel(bytes, terms);
    return 'accepted';
  } catch (error) {
    return isSwarmError(error) ? error.code : `uncoded: ${String(error)}`;
  }
}

const spoiled = (change: (graph: GraphProto, model: ModelProto) => Partial<ModelProto>): Uint8Array => {
  const model = modelProto(net);
  if (!model.graph) return new Uint8Array();
  return encodeModel({ ...model, ...change(model.graph, model) });
};
const inGraph = (change: (graph: GraphProto) => Partial<GraphProto>) => spoiled((graph) => ({ graph: { ...graph, ...change(graph) } }));
const firstNode = (graph: GraphProto, change: object) => ({ node: graph.node.map((node, at) => (at === 0 ? { ...node, ...change } : node)) });
const firstWeight = (graph: GraphProto, change: object) => ({
  initializer: graph.initializer.map((tensor, at) => (at === 0 ? { ...tensor, ...change } : tensor)),
});
const bytes = (...values: number[]) => [new Uint8Array(values)];

test('the parameters are the trainable initializers in the order of the file', () => {
  const { layout, genesis } = inspectModel(modelBytes(net), terms);
  expect(layout.map(({ name, offset, length }) => [name, offset, length])).toEqual([
    ['W', 0, 6],
    ['b', 6, 2],
    ['V', 8, 2],
  ]);
  expect(genesis.length).toBe(10);
});

test('names of JavaScript object members, repeated opset imports and trailing empty inputs are fine', () => {
  const odd: ModelText = {
    nodes: [
      ['Gemm', ['x', '__proto__', 'constructor'], 'toString'],
      ['Identity', ['toString'], 'y'],
    ],
    weights: { ['__proto__']: { dims: [3, 1] }, constructor: { dims: [1] } },
  };
  const weights = Object.fromEntries([
    ['__proto__', { dims: [3, 1] }],
    ['constructor', { dims: [1] }],
  ]);
  expect(codeOf(modelBytes({ ...odd, weights }))).toBe('accepted');
  expect(codeOf(spoiled((_g, m) => ({ opsetImport: [...m.opsetImport, ...m.opsetImport] })))).toBe('accepted');
  expect(codeOf(inGraph((g) => ({ node: g.node.map((node) => (node.output[0] === 'z' ? { ...node, input: ['r', 'V', ''] } : node)) })))).toBe('accepted');
});

const mixing: ModelText = {
  nodes: [
    ['Gemm', ['x', 'W'], 'z'],
    ['Softmax', ['z'], 'm', { axis: int(0) }],
    ['Gemm', ['m', 'V'], 'y'],
  ],
  weights: { W: { dims: [3, 2] }, V: { dims: [2, 1] } },
};
const burnt: ModelText = {
  nodes: [
    ['Reshape', ['x', 'shape'], 'r'],
    ['Gemm', ['r', 'V'], 'y'],
  ],
  weights: { shape: { dims: [2], values: [2, -1], type: 'int64' }, V: { dims: [6, 1] } },
};

describe('refused', () => {
  const refusals: readonly (readonly [string, Uint8Array, string])[] = [
    ['a Softmax over the rows', modelBytes(mixing), 'TRAINING_MODEL_REFUSED'],
    ['a number of rows burnt in', modelBytes(burnt), 'TRAINING_MODEL_REFUSED'],
    ['an empty file', new Uint8Array(), 'TRAINING_UNREADABLE_MODEL'],
    ['text', new TextEncoder().encode('<html>not a model</html>'), 'TRAINING_UNREADABLE_MODEL'],
    ['no graph', encodeModel({ irVersion: 10, opsetImport: [{ domain: '', version: 21 }] }), 'TRAINING_UNREADABLE_MODEL'],
    ['an unknown operator', modelBytes({ ...net, nodes: [['Conv', ['x', 'W'], 'y']] }), 'TRAINING_UNSUPPORTED_OPERATOR'],
    ['an operator of another domain', inGraph((g) => firstNode(g, { domain: 'com.microsoft' })), 'TRAINING_UNSUPPORTED_OPERATOR'],
    ['an operator named like an object member', modelBytes({ ...net, nodes: [['constructor', ['x'], 'y']] }), 'TRAINING_UNSUPPORTED_OPERATOR'],
    ['external data', inGraph((g) => firstWeight(g, { rawData: new Uint8Array(), dataLocation: 1, externalData: bytes(10, 1, 97) })), 'TRAINING_EXTERNAL_DATA'],
    [
      'external data in an attribute',
      inGraph((g) =>
        firstNode(g, { opType: 'Constant', input: [], attribute: [{ name: 'value', type: 4, t: { name: 't', dims: [1], dataType: 1, dataLocation: 1 } }] }),
      ),
      'TRAINING_EXTERNAL_DATA',
    ],
    ['a graph in an attribute', inGraph((g) => firstNode(g, { attribute: [{ name: 'body', type: 5, g: new Uint8Array([1]) }] })), 'TRAINING_MODEL_REFUSED'],
    ['a local function', spoiled(() => ({ functions: bytes(1) })), 'TRAINING_MODEL_REFUSED'],
    ['a sparse initializer', inGraph(() => ({ sparseInitializer: bytes(1) })), 'TRAINING_MODEL_REFUSED'],
    ['opset 22', modelBytes({ ...net, opset: 22 }), 'TRAINING_MODEL_REFUSED'],
    ['opset 10', modelBytes({ ...net, opset: 10 }), 'TRAINING_MODEL_REFUSED'],
    ['IR 11', spoiled(() => ({ irVersion: 11 })), 'TRAINING_MODEL_REFUSED'],
    ['a weight that is NaN', modelBytes({ ...net, weights: { ...net.weights, b: { dims: [2], values: [1, Number.NaN] } } }), 'TRAINING_BAD_WEIGHTS'],
    [
      'a weight that is infinite',
      modelBytes({ ...net, weights: { ...net.weights, b: { dims: [2], values: [1, Number.POSITIVE_INFINITY] } } }),
      'TRAINING_BAD_WEIGHTS',
    ],
    ['too few values', inGraph((g) => firstWeight(g, { rawData: new Uint8Array(20) })), 'TRAINING_MODEL_REFUSED'],
    ['a negative size', inGraph((g) => firstWeight(g, { dims: [-3, 2] })), 'TRAINING_MODEL_REFUSED'],
    ['sizes beyond any memory', inGraph((g) => firstWeight(g, { dims: [2 ** 40, 2 ** 40] })), 'TRAINING_MODEL_REFUSED'],
    ['rank nine', inGraph((g) => firstWeight(g, { dims: [3, 2, 1, 1, 1, 1, 1, 1, 1] })), 'TRAINING_MODEL_REFUSED'],
    ['an initializer twice', inGraph((g) => ({ initializer: [...g.initializer, ...g.initializer] })), 'TRAINING_MODEL_REFUSED'],
    ['a value made twice', inGraph((g) => ({ node: [...g.node, ...g.node] })), 'TRAINING_MODEL_REFUSED'],
    ['nodes out of order', inGraph((g) => ({ node: [...g.node].reverse() })), 'TRAINING_MODEL_REFUSED'],
    [
      'a cycle',
      modelBytes({
        ...net,
        nodes: [
          ['Add', ['x', 'y'], 'a'],
          ['Add', ['a', 'x'], 'y'],
        ],
      }),
      'TRAINING_MODEL_REFUSED',
    ],
    [
      'an unknown attribute',
      modelBytes({
        ...net,
        nodes: [
          ['Gemm', ['x', 'W'], 'z', { gamma: float(1) }],
          ['Gemm', ['z', 'V'], 'y'],
        ],
      }),
      'TRAINING_MODEL_REFUSED',
    ],
    [
      'an attribute of another type',
      modelBytes({
        ...net,
        nodes: [
          ['Gemm', ['x', 'W'], 'z', { alpha: int(1) }],
          ['Gemm', ['z', 'V'], 'y'],
        ],
      }),
      'TRAINING_MODEL_REFUSED',
    ],
    [
      'an attribute named like an object member',
      modelBytes({
        ...net,
        nodes: [
          ['Gemm', ['x', 'W'], 'z', { toString: int(1) }],
          ['Gemm', ['z', 'V'], 'y'],
        ],
      }),
      'TRAINING_MODEL_REFUSED',
    ],
    ['sizes that do not fit', modelBytes({ ...net, nodes: [['Gemm', ['x', 'V'], 'y']] }), 'TRAINING_MODEL_REFUSED'],
    [
      'a small file that broadcasts to a huge value',
      modelBytes({
        nodes: [
          ['Add', ['A', 'B'], 'c'],
          ['Gemm', ['x', 'c'], 'y'],
        ],
        weights: { A: { dims: [20_000, 1] }, B: { dims: [20_000] } },
      }),
      'TRAINING_MODEL_TOO_LARGE',
    ],
    ['two logits for a binary task', modelBytes({ ...net, nodes: [['Gemm', ['x', 'W', 'b'], 'y']] }), 'TRAINING_MODEL_REFUSED'],
    [
      'a Softmax at the end of a binary model',
      modelBytes({
        ...net,
        nodes: [
          ['Gemm', ['x', 'W'], 'h'],
          ['Gemm', ['h', 'V'], 'z'],
          ['Softmax', ['z'], 'y'],
        ],
      }),
      'TRAINING_MODEL_REFUSED',
    ],
    [
      'a Sigmoid that a Flatten hides',
      modelBytes({
        ...net,
        nodes: [
          ['Gemm', ['x', 'W'], 'h'],
          ['Gemm', ['h', 'V'], 'z'],
          ['Sigmoid', ['z'], 'p'],
          ['Flatten', ['p'], 'y'],
        ],
      }),
      'TRAINING_MODEL_REFUSED',
    ],
    ['no weights', modelBytes({ nodes: [['Relu', ['x'], 'y']], input: [undefined, 1] }), 'TRAINING_NO_GRADIENT'],
    ['another number of features', logisticModel(4), 'TRAINING_WRONG_WIDTH'],
    ['more fields than memory should hold', new Uint8Array(4_000_000).map((_, at) => (at % 2 === 0 ? 114 : 0)), 'TRAINING_MODEL_TOO_LARGE'],
  ];

  test.each(refusals)('%s', (_what, model, code) => {
    expect(codeOf(model)).toBe(code);
  });

  test('every truncation', () => {
    const whole = modelBytes(net);
    const codes = Array.from(whole.keys(), (length) => codeOf(whole.subarray(0, length)));
    expect(codes.filter((code) => code === 'accepted' || code.startsWith('uncoded'))).toEqual([]);
  });

  test('nothing but a coded error comes of changed bytes', () => {
    const whole = modelBytes(net);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = whole.slice();
        for (const [at, value] of changes) changed[at] = value;
        return !codeOf(changed).startsWith('uncoded');
      }),
      { numRuns: 2_000 },
    );
  });
});
