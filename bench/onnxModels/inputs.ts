/** What both sides feed to an ONNX model, and what they print. */
import type { ModelTimes } from '../graphModels/measureModel.js';

export type Shapes = ReadonlyMap<string, readonly number[]>;

/** What a process prints: times, and the first elements of each output. */
export interface OnnxTimes {
  readonly times: ModelTimes;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly dispatches?: number;
}

/** Shapes from texts such as `x=1,3,224,224`; `x=` is a scalar. */
export function parseShapes(texts: readonly string[]): Shapes {
  return new Map(
    texts.map((text) => {
      const [name = '', dims = ''] = text.split('=');
      return [name, dims === '' ? [] : dims.split(',').map(Number)];
    }),
  );
}

/** The shape that was given, else the file's with 1 for what it leaves open. */
export function inputShape(
  name: string,
  dims: readonly (number | string | null)[],
  shapes: Shapes,
): number[] {
  const known = dims.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : 1));
  return [...(shapes.get(name) ?? known)];
}

/** The arrays of the dtypes that are fed here. */
type Elements = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** Elements that look like noise: fractions, or whole numbers that are places in small tables; for int64 counts such as rates, 16,000. */
export function elements(dtype: string, size: number): Elements {
  const at = (i: number): number => (i * 7919) % 1000;
  if (dtype === 'int64')
    return BigInt64Array.from({ length: size }, (_, i) => (size === 1 ? 16_000n : BigInt(at(i) % 100)));
  if (dtype === 'float32') return Float32Array.from({ length: size }, (_, i) => at(i) / 1000);
  if (dtype === 'int32') return Int32Array.from({ length: size }, (_, i) => at(i) % 100);
  if (dtype === 'uint8') return Uint8Array.from({ length: size }, (_, i) => at(i) % 256);
  throw new Error(`inputs of ${dtype} are not made here`);
}

/** Elements of an output that are kept for comparison. */
export const KEPT = 256;

/** The largest difference of any output's elements, as a fraction of that output's largest. NaN where one side lacks an output. */
export function largestDifference(
  ours: OnnxTimes['outputs'] = {},
  theirs: OnnxTimes['outputs'] = {},
): number {
  const apart = Object.entries(theirs).map(([name, values]) => {
    const scale = Math.max(...values.map(Math.abs), Number.MIN_VALUE);
    return Math.max(...values.map((value, i) => Math.abs(value - (ours[name]?.[i] ?? NaN)) / scale));
  });
  return Math.max(...apart);
}
