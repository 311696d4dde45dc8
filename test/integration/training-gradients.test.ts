/** Gradients of every registry entry, and of small nets, against central finite differences in float64 on the stock runtime. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { buildTraining } from '../../src/training/autodiff/build.ts';
import { operatorNames } from '../../src/training/autodiff/registry.ts';
import { encodeGraph } from '../../src/training/onnx/encode.ts';
import { sizeOf } from '../../src/training/onnx/graph.ts';
import { preflight } from '../../src/training/onnx/preflight.ts';
import { float, int, type ModelText, modelBytes, pattern } from '../support/onnx-models.ts';

type Case = readonly [name: string, text: ModelText, classes: number];
const rows = 4;

const gemms: readonly Case[] = [0, 1].flatMap((transA) =>
  [0, 1].map((transB): Case => {
    const a = transA ? [3, rows] : [rows, 3];
    const attributes = { transA: int(transA), transB: int(transB), alpha: float(0.7), beta: float(1.3) };
    const nodes: ModelText['nodes'] = [
      ['Gemm', ['A', 'B', 'C'], 'g', attributes],
      ['Gemm', ['x', 'W'], 'h'],
      ['Add', ['g', 'h'], 'y'],
    ];
    return [
      `Gemm transA ${transA} transB ${transB}`,
      { nodes, weights: { A: { dims: a }, B: { dims: transB ? [1, 3] : [3, 1] }, C: { dims: [1] }, W: { dims: [3, 1] } } },
      2,
    ];
  }),
);

const activations: readonly Case[] = ['Relu', 'Sigmoid', 'Tanh', 'Identity'].map((op): Case => {
  const nodes: ModelText['nodes'] = [
    ['MatMul', ['x', 'W'], 'a'],
    [op, ['a'], 'b'],
    ['MatMul', ['b', 'V'], 'y'],
  ];
  return [op, { nodes, weights: { W: { dims: [3, 5] }, V: { dims: [5, 1] } } }, 2];
});

const softmaxes: readonly Case[] = [
  ['over the last axis', { axis: int(-1) }, 21],
  ['of opset 11', {}, 11],
].map(([name, attributes, opset]): Case => {
  const nodes: ModelText['nodes'] = [
    ['Gemm', ['x', 'W'], 'a'],
    ['Softmax', ['a'], 'b', attributes as Record<string, never>],
    ['Gemm', ['b', 'V'], 'y'],
  ];
  return [`Softmax ${name}`, { opset: opset as number, nodes, weights: { W: { dims: [3, 4] }, V: { dims: [4, 1] } } }, 2];
});

const shapes: readonly Case[] = [
  [
    'batched MatMul with broadcasting, Reshape, Flatten',
    {
      input: [undefined, 2, 3],
      nodes: [
        ['MatMul', ['x', 'W'], 'a'],
        ['Add', ['a', 'bias'], 'b'],
        ['MatMul', ['L', 'b'], 'c'],
        ['Reshape', ['c', 'shape'], 'd'],
        ['Flatten', ['d'], 'e'],
        ['MatMul', ['e', 'V'], 'y'],
      ],
      weights: {
        W: { dims: [3, 4] },
        bias: { dims: [2, 1] },
        L: { dims: [1, 2, 2] },
        shape: { dims: [3], values: [0, 4, -1], type: 'int64' },
        V: { dims: [8, 1] },
      },
    },
    2,
  ],
  [
    'Softmax over an axis in the middle',
    {
      input: [undefined, 2, 3],
      nodes: [
        ['MatMul', ['x', 'W'], 'a'],
        ['Softmax', ['a'], 'b', { axis: int(1) }],
        ['Flatten', ['b'], 'c', { axis: int(-2) }],
        ['MatMul', ['c', 'V'], 'y'],
      ],
      weights: { W: { dims: [3, 2] }, V: { dims: [4, 1] } },
    },
    2,
  ],
  [
    'Add with a Constant, a scalar and itself',
    {
      nodes: [
        ['Constant', [], 'k', { value_floats: { kind: 'floats', value: [0.3, -0.2, 0.1] } }],
        ['Add', ['x', 'k'], 'a'],
        ['Add', ['a', 's'], 'b'],
        ['Gemm', ['b', 'W'], 'c'],
        ['Add', ['c', 'c'], 'd'],
        ['Constant', [], 'shape', { value_ints: { kind: 'ints', value: [-1, 1] } }],
        ['Reshape', ['d', 'shape'], 'y'],
      ],
      weights: { s: { dims: [] }, W: { dims: [3, 1] } },
    },
    2,
  ],
];

const nets: readonly Case[] = [
  [
    'a binary net with its own Sigmoid and a tied weight',
    {
      nodes: [
        ['Gemm', ['x', 'W', 'b'], 'a'],
        ['Relu', ['a'], 'h'],
        ['Gemm', ['h', 'W', 'b'], 'c'],
        ['Tanh', ['c'], 'd'],
        ['Gemm', ['d', 'V'], 'e'],
        ['Sigmoid', ['e'], 'y'],
      ],
      weights: { W: { dims: [3, 3] }, b: { dims: [3] }, V: { dims: [3, 1] } },
    },
    2,
  ],
  [
    'a net of three classes with its own Softmax',
    {
      nodes: [
        ['MatMul', ['x', 'W'], 'a'],
        ['Add', ['a', 'b'], 'c'],
        ['Sigmoid', ['c'], 'd'],
        ['Gemm', ['d', 'V', 'k'], 'e', { transB: int(1) }],
        ['Softmax', ['e'], 'y'],
      ],
      weights: { W: { dims: [3, 6] }, b: { dims: [6] }, V: { dims: [3, 6] }, k: { dims: [3] } },
    },
    3,
  ],
];

const cases = [...gemms, ...activations, ...softmaxes, ...shapes, ...nets];

/** The largest relative difference between the graph's gradients and central differences of its loss, over every parameter. */
async function worstError(text: ModelText, classes: number): Promise<number> {
  const graph = preflight(modelBytes({ type: 'float64', ...text }), operatorNames);
  const built = buildTraining(graph, { loss: classes === 2 ? 'binary-cross-entropy' : 'softmax-cross-entropy', classes, batchSize: rows });
  const session = await InferenceSession.create(encodeGraph(built.graph), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const doubles = (values: readonly number[], dims: readonly number[]) => new Tensor('float64', new Float64Array(values), dims);
  const target = classes === 2 ? [1, 0, 1, 1] : [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0];
  const feeds: Record<string, Tensor> = {
    x: doubles(pattern(sizeOf(built.rowDims), 0.4), built.rowDims),
    target: doubles(target, built.targetDims),
    weight: doubles([0.4, 0.3, 0.3, 0], [rows, 1]),
  };
  const parameters = built.slots.map((slot, at) => {
    const values = Float64Array.from(graph.initializers.get(slot.name)?.values ?? [], Number);
    feeds[`p${at}`] = new Tensor('float64', values, slot.dims);
    return values;
  });
  const loss = async () => Number((await session.run(feeds, ['loss']))['loss']?.data[0]);
  const gradients = await session.run(feeds);
  let worst = 0;
  for (const [at, values] of parameters.entries()) {
    const own = gradients[`g${at}`]?.data as Float64Array;
    expect(own.length).toBe(values.length);
    for (const [index, value] of values.entries()) {
      const step = 1e-5;
      values[index] = value + step;
      const above = await loss();
      values[index] = value - step;
      const difference = (above - (await loss())) / (2 * step);
      values[index] = value;
      worst = Math.max(worst, Math.abs(difference - (own[index] ?? Number.NaN)) / (1e-3 + Math.abs(difference)));
    }
  }
  await session.release();
  return worst;
}

describe('gradients against finite differences', () => {
  test.each(cases)('%s', async (_name, text, classes) => {
    expect(await worstError(text, classes)).toBeLessThan(1e-6);
  });

  test('every operator of the registry is among the cases', () => {
    expect(new Set(cases.flatMap(([, { nodes }]) => nodes.map(([op]) => op)))).toEqual(operatorNames);
  });
});
