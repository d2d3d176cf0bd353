/** Nodes of many operators in one model: what they are fed, what the file holds. */
import { TensorValue } from '@forerun/graph';
import { Random } from '@forerun/testing';
import { node } from './agree.js';
import { DTYPE_NUMBERS, type AttributeSource, type ModelParts } from './models.js';

/** Values that follow a seed of their own in each test file. */
export function valuesFrom(
  seed: number,
): (shape: readonly number[], low?: number, high?: number) => TensorValue {
  const random = new Random(seed);
  return (shape, low = -1, high = 1) =>
    new TensorValue('float32', shape, Float32Array.from(random.array(sizeOf(shape), low, high)));
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const floats = (...list: number[]): TensorValue =>
  new TensorValue('float32', [list.length], Float32Array.from(list));
export const longs = (list: readonly number[], shape: readonly number[] = [list.length]): TensorValue =>
  new TensorValue('int64', shape, BigInt64Array.from(list, BigInt));
export const long = (value: number): TensorValue => longs([value], []);
export const ints = (...list: number[]): TensorValue =>
  new TensorValue('int32', [list.length], Int32Array.from(list));
export const bytes = (...list: number[]): TensorValue =>
  new TensorValue('uint8', [list.length], Uint8Array.from(list));
export const bools = (...list: number[]): TensorValue => new TensorValue('bool', [list.length], Uint8Array.from(list)); // prettier-ignore

/** An input that the file holds; others are fed. */
export interface Held {
  readonly held: TensorValue;
}
export const held = (value: TensorValue): Held => ({ held: value });

export interface Case {
  readonly op: string;
  readonly inputs: readonly (TensorValue | Held | null)[];
  readonly attributes?: Readonly<Record<string, AttributeSource>>;
  readonly outputs?: number;
}

/** A model of all cases, and what it is fed. */
export function together(
  opset: number,
  cases: readonly Case[],
): { parts: ModelParts; feeds: Record<string, TensorValue> } {
  const feeds: Record<string, TensorValue> = {};
  const initializers: Record<string, TensorValue> = {};
  const nodes = cases.map(({ op, inputs, attributes = {}, outputs = 1 }, i) => {
    const names = inputs.map((value, k) => {
      if (value === null) return '';
      const name = `x${i}_${k}`;
      if ('held' in value) initializers[name] = value.held;
      else feeds[name] = value;
      return name;
    });
    return node(op, names, Array.from({ length: outputs }, (_, k) => `${op}${i}_${k}`), attributes); // prettier-ignore
  });
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape }]) => [
      name,
      { type: DTYPE_NUMBERS[dtype] ?? 0, shape },
    ]),
  );
  const outputs = nodes.flatMap(({ output }) => output ?? []);
  return { parts: { nodes, inputs, outputs, initializers, opset }, feeds };
}
