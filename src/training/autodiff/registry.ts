/** The operators that can be trained. A new one is one entry here and one file of its family. */
import { relu, sigmoid, softmax, tanh } from './operators/activation.ts';
import { gemm, matMul } from './operators/dense.ts';
import { add, identity } from './operators/elementwise.ts';
import { constant, flatten, reshape } from './operators/shape.ts';
import type { OperatorRule } from './rule.ts';

/** Every rule by its operator's name. */
export const registry: ReadonlyMap<string, OperatorRule> = new Map(
  [gemm, matMul, add, relu, sigmoid, tanh, softmax, flatten, reshape, identity, constant].map((rule) => [rule.op, rule]),
);

/** Names of the operators that can be trained, for the pre-flight and its messages. */
export const operatorNames: ReadonlySet<string> = new Set(registry.keys());
