/** Float64 references of ops that speak of shapes, or make tensors from them. */
import type { DType, HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

function vector(dtype: DType, elements: readonly number[]): HostValue {
  return { dtype, shape: [elements.length], data: Float64Array.from(elements) };
}

function scalar(dtype: DType, element: number): HostValue {
  return { dtype, shape: [], data: Float64Array.of(element) };
}

/** Both shapes at one length, padded with ones in front. */
function aligned(a: HostValue, b: HostValue): [number[], number[]] {
  const length = Math.max(a.data.length, b.data.length);
  const pad = ({ data }: HostValue): number[] => [
    ...new Array<number>(length - data.length).fill(1),
    ...data,
  ];
  return [pad(a), pad(b)];
}

function constantLike(element: number): Reference {
  return ({ input, outputs: [dtype = 'float32'] }) => [tabulate(dtype, input(0).shape, () => element)];
}

const shapes: Reference = ({ inputs, outputs }) =>
  inputs.map(({ shape }, i) => vector(outputs[i] ?? 'int32', shape));

export const SHAPE_REFERENCES = {
  Shape: shapes,
  ShapeN: shapes,
  Size: ({ input, outputs: [dtype = 'int32'] }) => [scalar(dtype, input(0).data.length)],
  Rank: ({ input }) => [scalar('int32', input(0).shape.length)],
  BroadcastArgs: ({ input, outputs: [dtype = 'int32'] }) => {
    const [a, b] = aligned(input(0), input(1));
    return [
      vector(
        dtype,
        a.map((dim, i) => (dim === 1 ? (b[i] ?? 1) : dim)),
      ),
    ];
  },
  BroadcastGradientArgs: ({ input, outputs: [dtype = 'int32'] }) => {
    const same = input(0).data.join() === input(1).data.join();
    const ones = (dims: readonly number[]): number[] =>
      dims.flatMap((dim, axis) => (dim === 1 && !same ? [axis] : []));
    return aligned(input(0), input(1)).map((dims) => vector(dtype, ones(dims)));
  },
  Fill: ({ input, outputs: [dtype = 'float32'] }) => [
    tabulate(dtype, [...input(0).data], () => input(1).data[0] ?? NaN),
  ],
  ZerosLike: constantLike(0),
  OnesLike: constantLike(1),
  Range: ({ input, outputs: [dtype = 'int32'] }) => {
    const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((i) => input(i).data[0]);
    const rounded = dtype === 'float32' ? Math.fround : (x: number): number => x;
    const steps = Math.ceil(rounded(rounded(limit - start) / delta)); // TensorFlow counts in the dtype
    return [
      vector(
        dtype,
        Array.from({ length: steps }, (_, i) => start + i * delta),
      ),
    ];
  },
  LinSpace: ({ input, outputs: [dtype = 'float32'] }) => {
    const [start = 0, stop = 0, num = 1] = [0, 1, 2].map((i) => input(i).data[0]);
    const at = (i: number): number => (num === 1 ? start : (start * (num - 1 - i) + stop * i) / (num - 1));
    return [
      vector(
        dtype,
        Array.from({ length: num }, (_, i) => at(i)),
      ),
    ];
  },
  BroadcastTo: ({ input, outputs: [dtype = 'float32'] }) => {
    const x = coordinates(input(0));
    const target = [...input(1).data];
    const offset = target.length - input(0).shape.length;
    return [
      tabulate(dtype, target, (at) =>
        x(input(0).shape.map((dim, d) => (dim === 1 ? 0 : (at[d + offset] ?? 0)))),
      ),
    ];
  },
  EnsureShape: ({ input }) => [input(0)],
} satisfies FamilyReferences;
