/** Variations of the ops that rearrange, join, cut and index tensors, and of those that speak of shapes. */
import type { DType, HostValue, OpName } from '@forerun/graph';
import { scalar, size, vector, type Draw, type Generator, type Variation } from './draw.js';

function inserted(list: readonly number[], at: number, value: number): number[] {
  return [...list.slice(0, at), value, ...list.slice(at)];
}

function whole(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

function reshape(d: Draw): Variation {
  const x = d.of(d.anyDType(), d.shape(0, 6));
  const shape = d.permutation(x.shape.length).map((i) => x.shape[i] ?? 1);
  const target = d.chance(0.3) ? [size(shape)] : inserted(shape, d.integer(0, shape.length), 1);
  const open = d.integer(0, target.length - 1);
  const others = size(target.filter((_, i) => i !== open));
  if (others > 0 && d.chance(0.5)) target[open] = -1;
  return { inputs: [x, vector(target, d.index())], gradient: true };
}

function squeeze(d: Draw): Variation {
  const x = d.of(
    d.anyDType(),
    d.shape(0, 6).map((dim) => (d.chance(0.4) ? 1 : dim)),
  );
  const rank = x.shape.length;
  const ones = x.shape.flatMap((dim, i) =>
    dim === 1 && d.chance(0.6) ? [d.chance(0.5) ? i : i - rank] : [],
  );
  return { inputs: [x], attrs: { squeeze_dims: d.chance(0.3) ? [] : ones }, gradient: true };
}

function concat(d: Draw): Variation {
  const shape = d.shape(1, 5, 4);
  const axis = d.axis(shape.length);
  const dtype = d.anyDType();
  const parts = Array.from({ length: d.pick([2, 3, 5, 13]) }, () =>
    d.of(
      dtype,
      shape.map((dim, i) => (i === whole(axis, shape.length) ? d.dim(4) : dim)),
    ),
  );
  return { inputs: [...parts, scalar(axis, d.index())], gradient: true };
}

function pack(d: Draw): Variation {
  const [shape, dtype] = [d.shape(0, 5, 4), d.anyDType()];
  const values = Array.from({ length: d.pick([1, 2, 3, 11]) }, () => d.of(dtype, shape));
  return { inputs: values, attrs: { axis: d.axis(shape.length + 1) }, gradient: true };
}

function slice(d: Draw): Variation {
  const x = d.of(d.anyDType(), d.shape(0, 6));
  const begin = x.shape.map((dim) => d.integer(0, dim));
  const sizes = x.shape.map((dim, i) => (d.chance(0.3) ? -1 : d.integer(0, dim - (begin[i] ?? 0))));
  const index = d.index();
  return { inputs: [x, vector(begin, index), vector(sizes, index)], gradient: true };
}

/** The specification of a strided slice of `dims`, with every mask. */
function sliceSpec(d: Draw, dims: readonly number[]) {
  const spec: { begin: number; end: number; stride: number }[] = [];
  const masks = { begin_mask: 0, end_mask: 0, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0 };
  const set = (mask: keyof typeof masks): void => void (masks[mask] += 2 ** spec.length);
  const any = (): number => d.integer(-7, 7);
  let at = 0;
  let ellipsis = false;
  while (at < dims.length || d.chance(0.2)) {
    const dim = dims[at] ?? 0;
    if (d.chance(0.15)) {
      set('new_axis_mask');
      spec.push({ begin: any(), end: any(), stride: d.pick([1, 2, -1]) });
    } else if (!ellipsis && d.chance(0.18)) {
      ellipsis = true;
      set('ellipsis_mask');
      spec.push({ begin: any(), end: any(), stride: 1 });
      at += d.integer(0, dims.length - at);
    } else if (at >= dims.length || (!ellipsis && d.chance(0.1))) {
      break;
    } else if (dim > 0 && d.chance(0.2)) {
      set('shrink_axis_mask');
      if (d.chance(0.2)) set('end_mask');
      spec.push({ begin: d.axis(dim), end: any(), stride: 1 });
      at++;
    } else {
      if (d.chance(0.3)) set('begin_mask');
      if (d.chance(0.3)) set('end_mask');
      spec.push({ begin: any(), end: any(), stride: d.pick([1, 1, 2, 3, -1, -2, -5]) });
      at++;
    }
  }
  return { spec, masks };
}

function stridedSlice(d: Draw): Variation {
  const x = d.of(d.anyDType(), d.shape(0, 6));
  const { spec, masks } = sliceSpec(d, x.shape);
  const index = d.index();
  const [begin, end, strides] = [
    vector(
      spec.map((entry) => entry.begin),
      index,
    ),
    vector(
      spec.map((entry) => entry.end),
      index,
    ),
    vector(
      spec.map((entry) => entry.stride),
      index,
    ),
  ];
  return { inputs: [x, begin, end, strides], attrs: masks, gradient: true };
}

function paddings(d: Draw, shape: readonly number[], limit: (dim: number) => number): HostValue {
  const data = shape.flatMap((dim) => [0, 0].map(() => d.integer(0, Math.min(3, Math.max(limit(dim), 0)))));
  return { ...vector(data, d.index()), shape: [shape.length, 2] };
}

function pad(d: Draw): Variation {
  const x = d.of(d.anyDType(), d.shape(0, 5, 4));
  return { inputs: [x, paddings(d, x.shape, () => 2)], gradient: true };
}

function mirrorPad(d: Draw): Variation {
  const x = d.of(
    d.anyDType(),
    d.shape(1, 4, 5).map((dim) => Math.max(dim, 1)),
  );
  const mode = d.pick(['REFLECT', 'SYMMETRIC']);
  return {
    inputs: [x, paddings(d, x.shape, (dim) => (mode === 'REFLECT' ? dim - 1 : dim))],
    attrs: { mode },
    gradient: true,
  };
}

function tile(d: Draw): Variation {
  const x = d.of(d.anyDType(), d.shape(0, 5, 4));
  return {
    inputs: [
      x,
      vector(
        x.shape.map(() => d.integer(d.chance(0.1) ? 0 : 1, 3)),
        d.index(),
      ),
    ],
    gradient: true,
  };
}

function gather(d: Draw): Variation {
  const params = d.of(d.anyDType(), d.shape(1, 5, 5));
  const rank = params.shape.length;
  const axis = d.axis(rank);
  const at = whole(axis, rank);
  const batch = d.chance(0.3) ? d.integer(0, at) : 0;
  const length = params.shape[at] ?? 0;
  const inner = d.shape(0, 2, 4).map((dim) => (length === 0 ? 0 : dim));
  const shape = [...params.shape.slice(0, batch), ...inner];
  const empty = length === 0 && size(shape) > 0;
  const indices = empty ? [...shape, 0] : shape;
  return {
    inputs: [params, d.integers(indices, 0, Math.max(length - 1, 0), d.index()), scalar(axis, d.index())],
    attrs: { batch_dims: batch },
    gradient: true,
  };
}

function oneHot(d: Draw): Variation {
  const shape = d.shape(0, 4, 4);
  const dtype = d.anyDType();
  const indices = d.pick<DType>(['int32', 'int64', 'uint8']);
  const depth = d.integer(0, 7);
  return {
    inputs: [
      d.integers(shape, indices === 'uint8' ? 0 : -2, depth + 1, indices),
      scalar(depth),
      d.of(dtype, []),
      d.of(dtype, []),
    ],
    attrs: { axis: d.integer(-1, shape.length) },
  };
}

function range(d: Draw): Variation {
  const dtype = d.pick<DType>(['int32', 'int64', 'float32', 'float32']);
  const start = d.integer(-9, 9);
  const delta = d.integer(1, 4) * d.pick([1, -1]);
  const limit = start + delta * d.integer(0, 9) + (d.chance(0.5) ? 0 : Math.sign(delta));
  const scale = dtype === 'float32' ? d.pick([1, 0.1, 0.3, 0.25]) : 1;
  const inputs = [start, limit, delta].map((x) => scalar(scale === 1 ? x : Math.fround(x * scale), dtype));
  return { inputs };
}

const likeShape =
  (attrs: readonly ['int32', 'int64'] | null): Generator =>
  (d) => ({
    inputs: [d.of(d.anyDType(), d.shape(0, 6))],
    ...(attrs === null ? {} : { attrs: { out_type: d.pick(attrs) } }),
  });

function unpack(d: Draw): Variation {
  const x = d.of(d.anyDType(), d.shape(1, 5, 4));
  const axis = d.axis(x.shape.length);
  return { inputs: [x], attrs: { axis, num: x.shape[whole(axis, x.shape.length)] ?? 0 }, gradient: true };
}

function broadcastTo(d: Draw): Variation {
  const target = d.shape(0, 5, 4);
  const own = target.slice(d.integer(0, target.length)).map((dim) => (d.chance(0.4) ? 1 : dim));
  return { inputs: [d.of(d.anyDType(), own), vector(target, d.index())], gradient: true };
}

export const ARRAY_VARIATIONS: Partial<Record<OpName, Generator>> = {
  Reshape: reshape,
  Squeeze: squeeze,
  ExpandDims: (d) => {
    const x = d.of(d.anyDType(), d.shape(0, 5));
    return { inputs: [x, scalar(d.axis(x.shape.length + 1), d.index())], gradient: true };
  },
  Transpose: (d) => {
    const x = d.of(d.anyDType(), d.shape(0, 6));
    return { inputs: [x, vector(d.permutation(x.shape.length), d.index())], gradient: true };
  },
  ConcatV2: concat,
  Pack: pack,
  Unpack: unpack,
  Slice: slice,
  StridedSlice: stridedSlice,
  Pad: pad,
  PadV2: (d) => {
    const { inputs, ...rest } = pad(d);
    return { inputs: [...inputs, d.of(inputs[0]?.dtype ?? 'float32', [])], ...rest, gradient: false };
  },
  MirrorPad: mirrorPad,
  Tile: tile,
  GatherV2: gather,
  OneHot: oneHot,
  Range: range,
  Fill: (d) => ({ inputs: [vector(d.shape(0, 5), d.index()), d.of(d.anyDType(), [])], gradient: true }),
  BroadcastTo: broadcastTo,
  Shape: likeShape(['int32', 'int64']),
  Size: likeShape(['int32', 'int64']),
  Rank: likeShape(null),
};
