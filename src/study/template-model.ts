/**
 * The smallest model of a study, as ONNX bytes: logistic (or, for more classes, multinomial) regression with weights of zero.
 * Written by hand in protobuf's wire format (onnx.proto, IR 10, opset 21), so that this room needs no ONNX codec.
 */
import { concat, utf8 } from '../common/index.ts';

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
const whole = (field: number, value: number) => new Uint8Array([...varint(field * 8), ...varint(value)]);
const part = (field: number, ...bytes: readonly Uint8Array[]) => {
  const content = concat(...bytes);
  return concat(new Uint8Array([...varint(field * 8 + 2), ...varint(content.length)]), content);
};
const name = (field: number, value: string) => part(field, utf8(value));

const float = 1;
const attributeInt = 2;

function tensor(label: string, dims: readonly number[]): Uint8Array {
  const sizeBytes = 4 * dims.reduce((product, dim) => product * dim, 1);
  return concat(...dims.map((dim) => whole(1, dim)), whole(2, float), name(8, label), part(9, new Uint8Array(sizeBytes)));
}

function value(label: string, width: number): Uint8Array {
  const shape = part(2, part(1, name(2, 'N')), part(1, whole(1, width)));
  return concat(name(1, label), part(2, part(1, whole(1, float), shape)));
}

function node(op: string, inputs: readonly string[], output: string, ...attributes: readonly Uint8Array[]): Uint8Array {
  return concat(...inputs.map((input) => name(1, input)), name(2, output), name(3, op.toLowerCase()), name(4, op), ...attributes);
}

/** ONNX bytes of `probability [N, outputs] = sigmoid(features [N, features] · weight + bias)`; softmax where `classes` is over two. */
export function logisticModel(features: number, classes = 2): Uint8Array {
  const outputs = classes === 2 ? 1 : classes;
  const last =
    classes === 2
      ? node('Sigmoid', ['logit'], 'probability')
      : node('Softmax', ['logit'], 'probability', part(5, name(1, 'axis'), whole(3, 1), whole(20, attributeInt)));
  const graph = concat(
    part(1, node('Gemm', ['features', 'weight', 'bias'], 'logit')),
    part(1, last),
    name(2, 'logistic-regression'),
    part(5, tensor('weight', [features, outputs])),
    part(5, tensor('bias', [outputs])),
    part(11, value('features', features)),
    part(12, value('probability', outputs)),
  );
  return concat(whole(1, 10), name(2, 'schwarm'), part(7, graph), part(8, whole(2, 21)));
}
