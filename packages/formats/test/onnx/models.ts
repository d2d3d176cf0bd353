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

const NUMBERS: Readonly<Record<string, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** An attribute from a plain value: integers, floats as `{ f }`, texts, lists. */
export function attribute(
  name: string,
  value: number | string | readonly number[] | { f: number },
): proto.Init<proto.onnxAttributeProto> {
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: 2, i: BigInt(value) };
  if ('f' in value) return { name, type: 1, f: value.f };
  return { name, type: 7, ints: value.map(BigInt) };
}

/** The bytes of a model. */
export function modelOf({ nodes, inputs, outputs, initializers = {}, opset = 17 }: ModelParts): Uint8Array {
  const initializer = Object.entries(initializers).map(([name, { dtype, shape, data }]) => ({
    name,
    dataType: NUMBERS[dtype] ?? 0,
    dims: [...shape],
    rawData: new Uint8Array((data as Float32Array).buffer.slice(0)),
  }));
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

export interface ReferenceRun {
  readonly model: Uint8Array;
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
  const input = runs.map(({ model, feeds }) => ({
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
