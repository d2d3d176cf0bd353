/** Small ONNX models made from messages, and what ONNX Runtime makes of them. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { proto, toHostValue, type TensorValue } from '@forerun/graph';

export interface ModelParts {
  readonly nodes: readonly proto.Init<proto.onnxNodeProto>[];
  /** Shapes of the inputs; `null` for an unknown size. */
  readonly inputs: Readonly<
    Record<string, { readonly type: number; readonly shape: readonly (number | null)[] }>
  >;
  readonly outputs: readonly string[];
  readonly initializers?: Readonly<Record<string, TensorValue>>;
  readonly opset?: number;
}

/** ONNX's numbers of dtypes. */
export const DTYPE_NUMBERS: Readonly<Record<string, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
};

/** The number of a tensor's dtype; a sequence or an optional of such tensors. */
export type BodyType = number | { readonly sequence: number } | { readonly optional: BodyType };

/** A graph of an attribute: the body of a loop. */
export interface BodyParts {
  readonly nodes: readonly proto.Init<proto.onnxNodeProto>[];
  /** Names of the inputs with their types: floats of any shape, scalars of others. */
  readonly inputs: Readonly<Record<string, BodyType>>;
  readonly outputs: Readonly<Record<string, BodyType>>;
  readonly initializers?: Readonly<Record<string, TensorValue>>;
}

/** What an attribute is made from: integers, floats as `{ f }` and `{ floats }`, texts, lists, graphs. */
export type AttributeSource =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly f: number }
  | { readonly floats: readonly number[] }
  | { readonly body: BodyParts }
  | { readonly type: BodyType };

/** An attribute from a plain value. */
export function attribute(name: string, value: AttributeSource): proto.Init<proto.onnxAttributeProto> {
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: 2, i: BigInt(value) };
  if ('f' in value) return { name, type: 1, f: value.f };
  if ('floats' in value) return { name, type: 6, floats: [...value.floats] };
  if ('type' in value) return { name, type: 13, tp: typeOf(value.type) };
  if ('body' in value) return { name, type: 5, g: bodyOf(value.body) };
  if (isTexts(value)) return { name, type: 8, strings: value.map((text) => new TextEncoder().encode(text)) };
  return { name, type: 7, ints: value.map(BigInt) };
}

function isTexts(list: readonly number[] | readonly string[]): list is readonly string[] {
  return typeof list[0] === 'string';
}

function typeOf(type: BodyType): proto.Init<proto.onnxTypeProto> {
  if (typeof type === 'number')
    return { tensorType: type === 1 ? { elemType: type } : { elemType: type, shape: { dim: [] } } };
  if ('optional' in type) return { optionalType: { elemType: typeOf(type.optional) } };
  return { sequenceType: { elemType: { tensorType: { elemType: type.sequence } } } };
}

function bodyOf({ nodes, inputs, outputs, initializers = {} }: BodyParts): proto.Init<proto.onnxGraphProto> {
  const infos = (given: Readonly<Record<string, BodyType>>): proto.Init<proto.onnxValueInfoProto>[] =>
    Object.entries(given).map(([name, type]) => ({ name, type: typeOf(type) }));
  return {
    name: 'body',
    node: [...nodes],
    input: infos(inputs),
    output: infos(outputs),
    initializer: initializersOf(initializers),
  };
}

function initializersOf(values: Readonly<Record<string, TensorValue>>): proto.Init<proto.onnxTensorProto>[] {
  return Object.entries(values).map(([name, { dtype, shape, data }]) => ({
    name,
    dataType: DTYPE_NUMBERS[dtype] ?? 0,
    dims: [...shape],
    rawData: new Uint8Array((data as Float32Array).buffer.slice(0)),
  }));
}

/** The bytes of a model. */
export function modelOf({ nodes, inputs, outputs, initializers = {}, opset = 17 }: ModelParts): Uint8Array {
  const initializer = initializersOf(initializers);
  const input = Object.entries(inputs).map(([name, { type, shape }]) => ({
    name,
    type: {
      tensorType: {
        elemType: type,
        shape: { dim: shape.map((size, i) => (size === null ? { dimParam: `d${i}` } : { dimValue: size })) },
      },
    },
  }));
  return proto.encode('onnx.ModelProto', {
    irVersion: 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: { name: 'test', node: [...nodes], initializer, input, output: outputs.map((name) => ({ name })) },
  });
}

/** A model as bytes, or by its path where it has files beside it. */
export interface ReferenceRun {
  readonly model?: Uint8Array;
  readonly path?: string;
  readonly feeds: Readonly<Record<string, TensorValue>>;
}

export interface ReferenceResult {
  readonly outputs: Readonly<
    Record<string, { readonly dims: number[]; readonly data: number[]; readonly type: string }>
  >;
  readonly error?: string;
}

/** Runs models with ONNX Runtime. */
export function reference(runs: readonly ReferenceRun[]): ReferenceResult[] {
  const input = runs.map(({ model = new Uint8Array(0), path, feeds }) => ({
    path,
    model: Buffer.from(model).toString('base64'),
    feeds: Object.fromEntries(
      Object.entries(feeds).map(([name, value]) => [
        name,
        { type: value.dtype, dims: value.shape, data: [...(toHostValue(value)?.data ?? [])] },
      ]),
    ),
  }));
  const script = resolve(import.meta.dirname, 'reference.mjs');
  const child = spawnSync(process.execPath, [script], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as ReferenceResult[];
}
