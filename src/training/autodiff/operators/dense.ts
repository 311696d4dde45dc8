/** Gemm and MatMul: where nearly all the work is. */
import type { Dims } from '../../onnx/graph.ts';
import { type Emitter, reduceTo, transposeLast } from '../emitter.ts';
import { broadcast, type EmittedNode, flag, floatInput, type NodeView, type OperatorRule, real, refusedAt } from '../rule.ts';

interface GemmTerms {
  readonly alpha: number;
  readonly beta: number;
  readonly transA: 0 | 1;
  readonly transB: 0 | 1;
}

function gemmTerms({ node }: NodeView): GemmTerms {
  return { alpha: real(node, 'alpha', 1), beta: real(node, 'beta', 1), transA: flag(node, 'transA'), transB: flag(node, 'transB') };
}

function gemmDims(view: NodeView, { transA, transB }: GemmTerms): Dims {
  const [a, b] = [floatInput(view, 0).dims, floatInput(view, 1).dims];
  const [rows, inner] = transA ? [a[1], a[0]] : [a[0], a[1]];
  const [inner2, columns] = transB ? [b[1], b[0]] : [b[0], b[1]];
  if (a.length !== 2 || b.length !== 2 || inner !== inner2 || rows === undefined || columns === undefined) {
    throw refusedAt(view.node, `sizes [${a}] and [${b}]`, 'two matrices whose inner sizes are equal');
  }
  return [rows, columns];
}

function product(emit: Emitter, a: string, b: string, alpha: number, transA: 0 | 1, transB: 0 | 1): string {
  return emit.op('Gemm', [a, b], { alpha: { kind: 'float', value: alpha }, transA, transB });
}

function gemmForward(view: NodeView, emit: Emitter) {
  const terms = gemmTerms(view);
  const dims = gemmDims(view, terms);
  const c = view.inputs[2];
  const hasC = c !== undefined && c.name !== '';
  if (hasC && broadcast(view.node, dims, floatInput(view, 2).dims).join() !== dims.join())
    throw refusedAt(view.node, `a third input of sizes [${c.dims}]`, `sizes that broadcast to [${dims}]`);
  const inputs = [floatInput(view, 0).name, floatInput(view, 1).name, ...(hasC ? [c.name] : [])];
  const { alpha, beta, transA, transB } = terms;
  const name = emit.op('Gemm', inputs, { alpha: { kind: 'float', value: alpha }, beta: { kind: 'float', value: beta }, transA, transB });
  return { name, dims, constant: undefined };
}

/** Y = alpha·A'·B' + beta·C, with A' = Aᵀ where transA is set. dA' = alpha·dY·B'ᵀ and dB' = alpha·A'ᵀ·dY, each written without a transpose node. */
function gemmGradient(view: EmittedNode, dY: string, emit: Emitter) {
  const { alpha, beta, transA, transB } = gemmTerms(view);
  const [a, b] = [floatInput(view, 0).name, floatInput(view, 1).name];
  const c = view.inputs[2];
  const dA = () => (transA ? product(emit, b, dY, alpha, transB, 1) : product(emit, dY, b, alpha, 0, transB ? 0 : 1));
  const dB = () => (transB ? product(emit, dY, a, alpha, 1, transA) : product(emit, a, dY, alpha, transA ? 0 : 1, 0));
  const dC = () => {
    const summed = reduceTo(emit, dY, view.output.dims, c?.dims ?? []);
    return beta === 1 ? summed : emit.op('Mul', [summed, emit.scalar(beta)]);
  };
  return [dA, dB, dC];
}

function matMulDims(view: NodeView): Dims {
  const [a, b] = [floatInput(view, 0).dims, floatInput(view, 1).dims];
  const [rows, inner, inner2, columns] = [a.at(-2), a.at(-1), b.at(-2), b.at(-1)];
  if (a.length < 2 || b.length < 2 || inner !== inner2 || rows === undefined || columns === undefined) {
    throw refusedAt(view.node, `sizes [${a}] and [${b}]`, 'matrices (or stacks of them) whose inner sizes are equal');
  }
  return [...broadcast(view.node, a.slice(0, -2), b.slice(0, -2)), rows, columns];
}

function matMulGradient(view: EmittedNode, dY: string, emit: Emitter) {
  const [a, b] = [floatInput(view, 0), floatInput(view, 1)];
  const batch = view.output.dims.slice(0, -2);
  const times = (left: string, right: string, dims: Dims) => {
    const full = [...batch, dims.at(-2) ?? 0, dims.at(-1) ?? 0];
    return reduceTo(emit, emit.op('MatMul', [left, right]), full, dims);
  };
  return [() => times(dY, transposeLast(emit, b.name, b.dims.length), a.dims), () => times(transposeLast(emit, a.name, a.dims.length), dY, b.dims)];
}

export const gemm: OperatorRule = {
  op: 'Gemm',
  inputs: { fewest: 2, most: 3 },
  attributes: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
  forward: gemmForward,
  gradient: gemmGradient,
};

export const matMul: OperatorRule = {
  op: 'MatMul',
  inputs: { fewest: 2, most: 2 },
  attributes: {},
  forward: (view, emit) => ({ name: emit.op('MatMul', [floatInput(view, 0).name, floatInput(view, 1).name]), dims: matMulDims(view), constant: undefined }),
  gradient: matMulGradient,
};
