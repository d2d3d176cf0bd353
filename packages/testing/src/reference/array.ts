/** Float64 references of ops that rearrange, join, cut and index tensors. */
import type { Attrs, HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { ARRAY_BLOCK_REFERENCES } from './arrayBlock.js';
import { DATA_FORMAT_REFERENCES } from './dataFormat.js';
import { coordinates, tabulate } from './tabulate.js';

/** The elements of input 0 in another shape. */
function inShape({ input }: ReferenceContext, shape: readonly number[]): HostValue[] {
  return [{ ...input(0), shape }];
}

function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

function replaced(list: readonly number[], at: number, value: number): number[] {
  return list.map((x, i) => (i === at ? value : x));
}

function inserted(list: readonly number[], at: number, value: number): number[] {
  return [...list.slice(0, at), value, ...list.slice(at)];
}

function removed(list: readonly number[], at: number): number[] {
  return list.filter((_, i) => i !== at);
}

/** Pieces of `x` along `axis`. */
function pieces(x: HostValue, sizes: readonly number[], axis: number): HostValue[] {
  const read = coordinates(x);
  return sizes.map((size, k) => {
    const begin = sizes.slice(0, k).reduce((a, b) => a + b, 0);
    const shape = replaced(x.shape, axis, size);
    return tabulate(x.dtype, shape, (at) => read(replaced(at, axis, (at[axis] ?? 0) + begin)));
  });
}

function concat(parts: readonly HostValue[], at: HostValue | undefined): HostValue[] {
  const axis = positive(at?.data[0] ?? 0, parts[0]?.shape.length ?? 1);
  const [first] = parts;
  if (first === undefined) return [];
  const length = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
  return [
    tabulate(first.dtype, replaced(first.shape, axis, length), (at) => {
      let rest = at[axis] ?? 0;
      for (const part of parts) {
        const size = part.shape[axis] ?? 0;
        if (rest < size) return coordinates(part)(replaced(at, axis, rest));
        rest -= size;
      }
      return NaN;
    }),
  ];
}

/** How the entries of a strided slice meet the dimensions of an input, written as plain index lists. */
interface Selection {
  /** Indices taken of each dimension. */
  readonly taken: readonly (readonly number[])[];
  readonly shape: readonly number[];
}

/** Python's slice indices: clamps as `slice.indices` does. */
function pythonSlice(dim: number, begin: number | null, end: number | null, step: number): number[] {
  const place = (x: number, low: number, high: number): number =>
    Math.max(low, Math.min(high, x < 0 ? x + dim : x));
  const list: number[] = [];
  if (step > 0) {
    const stop = end === null ? dim : place(end, 0, dim);
    for (let i = begin === null ? 0 : place(begin, 0, dim); i < stop; i += step) list.push(i);
  } else {
    const stop = end === null ? -1 : place(end, -1, dim - 1);
    for (let i = begin === null ? dim - 1 : place(begin, -1, dim - 1); i > stop; i += step) list.push(i);
  }
  return list;
}

export function select(
  dims: readonly number[],
  attrs: Attrs,
  begin: HostValue,
  end: HostValue,
  strides: HostValue,
): Selection {
  const bit = (mask: string, i: number): boolean => Math.floor(attrs.int(mask) / 2 ** i) % 2 === 1;
  const entries = Array.from(begin.data, (_, i) => i);
  const consuming = entries.filter((i) => !bit('ellipsis_mask', i) && !bit('new_axis_mask', i)).length;
  const taken: number[][] = [];
  const shape: number[] = [];
  const whole = (): void => {
    for (let n = dims.length - consuming; n > 0; n--) {
      const dim = dims[taken.length] ?? 0;
      taken.push(Array.from({ length: dim }, (_, i) => i));
      shape.push(dim);
    }
  };
  let seenEllipsis = false;
  for (const i of entries) {
    const dim = dims[taken.length] ?? 0;
    if (bit('ellipsis_mask', i)) {
      seenEllipsis = true;
      whole();
    } else if (bit('new_axis_mask', i)) {
      shape.push(1);
    } else if (bit('shrink_axis_mask', i)) {
      taken.push([positive(begin.data[i] ?? 0, dim)]);
    } else {
      const from = bit('begin_mask', i) ? null : (begin.data[i] ?? 0);
      const to = bit('end_mask', i) ? null : (end.data[i] ?? 0);
      const list = pythonSlice(dim, from, to, strides.data[i] ?? 1);
      taken.push(list);
      shape.push(list.length);
    }
  }
  if (!seenEllipsis) whole();
  return { taken, shape };
}

/** For each output position of `paddings` around `x`: the position in `x`, per axis, which may lie outside. */
function padded(x: HostValue, paddings: HostValue, element: (at: readonly number[]) => number): HostValue {
  const pairs = x.shape.map((_, d) => [paddings.data[2 * d] ?? 0, paddings.data[2 * d + 1] ?? 0] as const);
  const shape = x.shape.map((dim, d) => dim + (pairs[d]?.[0] ?? 0) + (pairs[d]?.[1] ?? 0));
  return tabulate(x.dtype, shape, (at) => element(at.map((i, d) => i - (pairs[d]?.[0] ?? 0))));
}

function pad(fill: (c: ReferenceContext) => number): Reference {
  return (c) => {
    const x = c.input(0);
    const read = coordinates(x);
    const within = (at: readonly number[]): boolean => at.every((i, d) => i >= 0 && i < (x.shape[d] ?? 0));
    return [padded(x, c.input(1), (at) => (within(at) ? read(at) : fill(c)))];
  };
}

/** Index `i` of an endlessly mirrored row of `dim` elements. */
function mirrored(i: number, dim: number, mode: string): number {
  if (i >= 0 && i < dim) return i;
  const edge = mode === 'REFLECT' ? 0 : 1;
  return i < 0 ? -i - edge : 2 * dim - 2 + edge - i;
}

const mirrorPad: Reference = ({ input, attrs }) => {
  const x = input(0);
  const read = coordinates(x);
  const mode = attrs.string('mode');
  return [padded(x, input(1), (at) => read(at.map((i, d) => mirrored(i, x.shape[d] ?? 1, mode))))];
};

/** Adds every padded element to the one that it mirrors. */
const mirrorPadGrad: Reference = ({ input, attrs }) => {
  const [dy, paddings] = [input(0), input(1)];
  const shape = dy.shape.map((dim, d) => dim - (paddings.data[2 * d] ?? 0) - (paddings.data[2 * d + 1] ?? 0));
  const dx = tabulate(dy.dtype, shape, () => 0);
  const numbered = coordinates({ ...dx, data: dx.data.map((_, i) => i) });
  const read = coordinates(dy);
  tabulate(dy.dtype, dy.shape, (at) => {
    const own = at.map((i, d) =>
      mirrored(i - (paddings.data[2 * d] ?? 0), shape[d] ?? 1, attrs.string('mode')),
    );
    const target = numbered(own);
    dx.data[target] = (dx.data[target] ?? 0) + read(at);
    return 0;
  });
  return [dx];
};

function gather(params: HostValue, indices: HostValue, axis: number, batch: number): HostValue[] {
  const [read, index] = [coordinates(params), coordinates(indices)];
  const length = indices.shape.length - batch;
  const shape = [
    ...params.shape.slice(0, axis),
    ...indices.shape.slice(batch),
    ...params.shape.slice(axis + 1),
  ];
  return [
    tabulate(params.dtype, shape, (at) => {
      const i = index([...at.slice(0, batch), ...at.slice(axis, axis + length)]);
      if (i < 0 || i >= (params.shape[axis] ?? 0)) return 0;
      return read([...at.slice(0, axis), i, ...at.slice(axis + length)]);
    }),
  ];
}

/** The index vectors in the last dimension of `indices`. */
export function vectors({ shape, data }: HostValue): number[][] {
  const depth = shape.at(-1) ?? 0;
  const count = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, k) => [...data.subarray(k * depth, (k + 1) * depth)]);
}

export function isInside(vector: readonly number[], shape: readonly number[]): boolean {
  return vector.every((i, d) => i >= 0 && i < (shape[d] ?? 0));
}

function transposed({ input }: ReferenceContext): HostValue[] {
  const [x, perm] = [input(0), [...input(1).data]];
  const read = coordinates(x);
  const shape = perm.map((axis) => x.shape[axis] ?? 1);
  return [tabulate(x.dtype, shape, (at) => read(x.shape.map((_, axis) => at[perm.indexOf(axis)] ?? 0)))];
}

export const ARRAY_REFERENCES = {
  Reshape: (c) => {
    const target = [...c.input(1).data];
    const rest = target.filter((dim) => dim !== -1).reduce((a, b) => a * b, 1);
    return inShape(
      c,
      target.map((dim) => (dim === -1 ? c.input(0).data.length / rest : dim)),
    );
  },
  ExpandDims: (c) => {
    const { shape } = c.input(0);
    return inShape(c, inserted(shape, positive(c.input(1).data[0] ?? 0, shape.length + 1), 1));
  },
  Squeeze: (c) => {
    const { shape } = c.input(0);
    const axes = c.attrs.ints('squeeze_dims').map((axis) => positive(axis, shape.length));
    return inShape(
      c,
      shape.filter((dim, axis) => (axes.length > 0 ? !axes.includes(axis) : dim !== 1)),
    );
  },
  ConjugateTranspose: transposed,
  Transpose: transposed,
  InvertPermutation: ({ input }) => {
    const x = input(0);
    return [tabulate(x.dtype, x.shape, ([i = 0]) => x.data.indexOf(i))];
  },
  UnravelIndex: ({ input }) => {
    const [indices, dims] = [input(0), [...input(1).data]];
    const place = (index: number, d: number): number => {
      let rest = index;
      for (const dim of dims.slice(d + 1).reverse()) rest = (rest - (rest % dim)) / dim;
      return rest % (dims[d] ?? 1);
    };
    return [
      tabulate(indices.dtype, [dims.length, ...indices.shape], ([d = 0, i = 0]) =>
        place(indices.data[i] ?? 0, d),
      ),
    ];
  },
  ReverseV2: ({ input }) => {
    const x = input(0);
    const axes = Array.from(input(1).data, (axis) => positive(axis, x.shape.length));
    const read = coordinates(x);
    return [
      tabulate(x.dtype, x.shape, (at) =>
        read(at.map((i, axis) => (axes.includes(axis) ? (x.shape[axis] ?? 1) - 1 - i : i))),
      ),
    ];
  },
  Tile: ({ input }) => {
    const x = input(0);
    const read = coordinates(x);
    const shape = x.shape.map((dim, axis) => dim * (input(1).data[axis] ?? 1));
    return [tabulate(x.dtype, shape, (at) => read(at.map((i, axis) => i % (x.shape[axis] ?? 1))))];
  },
  ConcatV2: ({ inputs }) => concat(inputs.slice(0, -1), inputs.at(-1)),
  Concat: ({ inputs }) => concat(inputs.slice(1), inputs[0]),
  ParallelConcat: ({ inputs: [first, ...rest] }) => {
    if (first === undefined) return [];
    const data = Float64Array.from([first, ...rest].flatMap((row) => [...row.data]));
    return [{ dtype: first.dtype, shape: [rest.length + 1, ...first.shape.slice(1)], data }];
  },
  Pack: ({ inputs, attrs }) => {
    const [first] = inputs;
    if (first === undefined) return [];
    const axis = positive(attrs.int('axis'), first.shape.length + 1);
    const shape = inserted(first.shape, axis, inputs.length);
    return [
      tabulate(first.dtype, shape, (at) => coordinates(inputs[at[axis] ?? 0] ?? first)(removed(at, axis))),
    ];
  },
  Unpack: ({ input, attrs }) => {
    const x = input(0);
    const axis = positive(attrs.int('axis'), x.shape.length);
    const read = coordinates(x);
    return Array.from({ length: attrs.int('num') }, (_, k) =>
      tabulate(x.dtype, removed(x.shape, axis), (at) => read(inserted(at, axis, k))),
    );
  },
  Split: ({ input, attrs }) => {
    const x = input(1);
    const axis = positive(input(0).data[0] ?? 0, x.shape.length);
    const num = attrs.int('num_split');
    return pieces(x, new Array<number>(num).fill((x.shape[axis] ?? 0) / num), axis);
  },
  SplitV: ({ input }) => {
    const x = input(0);
    const axis = positive(input(2).data[0] ?? 0, x.shape.length);
    const sizes = [...input(1).data];
    const known = sizes.filter((size) => size >= 0).reduce((a, b) => a + b, 0);
    return pieces(
      x,
      sizes.map((size) => (size < 0 ? (x.shape[axis] ?? 0) - known : size)),
      axis,
    );
  },
  Slice: ({ input }) => {
    const x = input(0);
    const begin = [...input(1).data];
    const shape = Array.from(input(2).data, (size, d) =>
      size === -1 ? (x.shape[d] ?? 0) - (begin[d] ?? 0) : size,
    );
    const read = coordinates(x);
    return [tabulate(x.dtype, shape, (at) => read(at.map((i, d) => i + (begin[d] ?? 0))))];
  },
  StridedSlice: ({ input, attrs }) => {
    const x = input(0);
    const { taken, shape } = select(x.shape, attrs, input(1), input(2), input(3));
    const read = coordinates(x);
    const box = tabulate(
      x.dtype,
      taken.map((list) => list.length),
      (at) => read(at.map((i, d) => taken[d]?.[i] ?? 0)),
    );
    return [{ ...box, shape }];
  },
  StridedSliceGrad: ({ input, attrs }) => {
    const [dims, dy] = [[...input(0).data], input(4)];
    const { taken } = select(dims, attrs, input(1), input(2), input(3));
    const read = coordinates({ ...dy, shape: taken.map((list) => list.length) });
    return [
      tabulate(dy.dtype, dims, (at) => {
        const place = at.map((i, d) => taken[d]?.indexOf(i) ?? -1);
        return place.includes(-1) ? 0 : read(place);
      }),
    ];
  },
  Pad: pad(() => 0),
  PadV2: pad(({ input }) => input(2).data[0] ?? NaN),
  MirrorPad: mirrorPad,
  MirrorPadGrad: mirrorPadGrad,
  GatherV2: ({ input, attrs }) =>
    gather(
      input(0),
      input(1),
      positive(input(2).data[0] ?? 0, input(0).shape.length),
      positive(attrs.int('batch_dims'), input(1).shape.length),
    ),
  Gather: ({ input }) => gather(input(0), input(1), 0, 0),
  ...ARRAY_BLOCK_REFERENCES,
  ...DATA_FORMAT_REFERENCES,
  OneHot: ({ input, attrs, outputs: [dtype = 'float32'] }) => {
    const [indices, depth] = [input(0), input(1).data[0] ?? 0];
    const axis = positive(attrs.int('axis'), indices.shape.length + 1);
    const read = coordinates(indices);
    const [on, off] = [input(2).data[0] ?? 1, input(3).data[0] ?? 0];
    return [
      tabulate(dtype, inserted(indices.shape, axis, depth), (at) =>
        read(removed(at, axis)) === at[axis] ? on : off,
      ),
    ];
  },
  GatherNd: ({ input }) => {
    const [params, indices] = [input(0), input(1)];
    const depth = indices.shape.at(-1) ?? 0;
    const read = coordinates(params);
    const lists = vectors(indices);
    const outer = indices.shape.slice(0, -1);
    const number = coordinates({ dtype: 'int32', shape: outer, data: Float64Array.from(lists.keys()) });
    return [
      tabulate(params.dtype, [...outer, ...params.shape.slice(depth)], (at) => {
        const vector = lists[number(at.slice(0, outer.length))] ?? [];
        return isInside(vector, params.shape) ? read([...vector, ...at.slice(outer.length)]) : 0;
      }),
    ];
  },
} satisfies FamilyReferences;
