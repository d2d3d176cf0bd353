/** Models of one node with the values that it is fed: the same numbers in every run. */
import { TensorValue } from '@forerun/graph';
import { Random } from '@forerun/testing';
import { attribute, DTYPE_NUMBERS, type AttributeSource, type ModelParts } from './models.js';

export const random = new Random(5);

export function values(shape: readonly number[], low = -1, high = 1): TensorValue {
  const size = shape.reduce((a, b) => a * b, 1);
  return new TensorValue('float32', shape, Float32Array.from(random.array(size, low, high)));
}

export function integers(list: readonly number[], shape: readonly number[] = [list.length]): TensorValue {
  return new TensorValue('int64', shape, BigInt64Array.from(list, BigInt));
}

export interface Case {
  readonly name: string;
  readonly parts: ModelParts;
  readonly feeds: Readonly<Record<string, TensorValue>>;
}

export type Attributes = Readonly<Record<string, AttributeSource>>;

export interface NodeCase {
  readonly op: string;
  readonly shapes: readonly (readonly number[])[];
  readonly attributes?: Attributes;
  /** Inputs that the file holds, after those that are fed. */
  readonly known?: readonly TensorValue[];
  readonly opset?: number;
  readonly range?: readonly [number, number];
  readonly outputs?: number;
}

/** A model of one node. */
export function single(
  { op, shapes, attributes = {}, known = [], opset = 17, range = [-1, 1], outputs = 1 }: NodeCase,
  i: number,
): Case {
  const fed = shapes.map((shape, k) => [`x${k}`, values(shape, ...range)] as const);
  const held = known.map((value, k) => [`k${k}`, value] as const);
  const node = {
    opType: op,
    name: `node_${op}`,
    input: [...fed, ...held].map(([name]) => name),
    output: Array.from({ length: outputs }, (_, k) => `y${k}`),
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  };
  const inputs = Object.fromEntries(fed.map(([name, { shape }]) => [name, { type: 1, shape }]));
  return {
    name: `${i}: ${op} ${JSON.stringify(attributes)} opset ${opset}`,
    parts: { nodes: [node], inputs, outputs: node.output, initializers: Object.fromEntries(held), opset },
    feeds: Object.fromEntries(fed),
  };
}

const byName = (value: TensorValue): ModelParts['inputs'][string] => ({ type: DTYPE_NUMBERS[value.dtype] ?? 0, shape: value.shape }); // prettier-ignore

/** A model of one node with inputs by place; empty names are left out. */
export function withInputs(
  op: string,
  inputs: readonly (TensorValue | null)[],
  { attributes = {}, outputs, fed = [0], opset = 17 }: { attributes?: Attributes; outputs: readonly string[]; fed?: readonly number[]; opset?: number },
): Case {
  const names = inputs.map((value, i) => (value === null ? '' : `x${i}`));
  const chosen = (want: boolean): Record<string, TensorValue> =>
    Object.fromEntries(inputs.flatMap((value, i) => (value === null || fed.includes(i) !== want ? [] : [[`x${i}`, value]])));
  const attribute_ = Object.entries(attributes).map(([name, value]) => attribute(name, value));
  const nodes = [{ opType: op, name: 'node', input: names, output: [...outputs], attribute: attribute_ }];
  const feeds = chosen(true);
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, byName(value)]));
  return { name: `${op} ${Object.keys(attributes).join(' ')}`, feeds, parts: { nodes, inputs: shapes, outputs: outputs.filter((name) => name !== ''), initializers: chosen(false), opset } };
} // prettier-ignore
