/** Variations of ops on rows: segments, scatters, sorting, scans, blocks, sequences. */
import type { DType, HostValue, OpName } from '@forerun/graph';
import { scalar, size, vector, type Draw, type Generator } from './draw.js';

const LOOSE = { rtol: 2e-5, atol: 2e-5 };
const NUMBERS: readonly [DType, ...DType[]] = ['float32', 'float32', 'int32', 'uint8', 'int64'];

function small(d: Draw, dtype: DType, shape: readonly number[]): HostValue {
  return dtype === 'float32' ? d.floats(shape) : d.integers(shape, dtype.startsWith('u') ? 0 : -3, 3, dtype);
}

/** Data with a row for each id; products need no zeros, extremes no ties. */
function data(d: Draw, shape: readonly number[], kind: 'any' | 'distinct' | 'nonzero'): HostValue {
  const dtype = d.pick(NUMBERS);
  if (dtype !== 'float32') return small(d, dtype, shape);
  return kind === 'any' ? d.floats(shape) : kind === 'distinct' ? d.distinct(shape) : d.nonzero(shape);
}

function unsorted(kind: 'any' | 'distinct' | 'nonzero'): Generator {
  return (d) => {
    const ids = d.shape(1, 2, 6);
    const segments = d.integer(0, 6);
    const x = data(d, [...ids, ...d.shape(0, 2, 4)], kind);
    return {
      inputs: [
        x,
        d.integers(ids, segments === 0 ? -2 : -1, segments - 1, d.index()),
        scalar(segments, d.index()),
      ],
      gradient: true,
      tolerance: LOOSE,
    };
  };
}

function ascending(d: Draw, length: number, most: number): number[] {
  return Array.from({ length }, () => d.integer(0, most)).sort((a, b) => a - b);
}

function segment(kind: 'any' | 'distinct' | 'nonzero'): Generator {
  return (d) => {
    const rows = d.integer(1, 8);
    const x = data(d, [rows, ...d.shape(0, 2, 4)], kind);
    return { inputs: [x, vector(ascending(d, rows, 5), d.index())], gradient: true, tolerance: LOOSE };
  };
}

function sparseSegment(counted: boolean): Generator {
  return (d) => {
    const [rows, picked] = [d.integer(1, 5), d.integer(1, 8)];
    const x = d.floats([rows, ...d.shape(0, 2, 4)]);
    const inputs = [
      x,
      d.integers([picked], 0, rows - 1, d.index()),
      vector(ascending(d, picked, 4), 'int32'),
    ];
    return {
      inputs: counted ? [...inputs, scalar(d.integer(5, 7), d.index())] : inputs,
      gradient: true,
      tolerance: LOOSE,
    };
  };
}

/** Index vectors into the first dimensions of `shape`, distinct where asked. */
function places(
  d: Draw,
  shape: readonly number[],
  distinct: boolean,
): { indices: HostValue; outer: number[]; inner: number[] } {
  const depth = d.integer(1, shape.length);
  const head = shape.slice(0, depth);
  const cells = size(head);
  const order = d.permutation(cells);
  const count = cells === 0 ? 0 : d.integer(0, distinct ? cells : 9);
  const flat = Array.from({ length: count }, (_, k) =>
    distinct ? (order[k] ?? 0) : d.integer(0, cells - 1),
  );
  const coordinates = flat.flatMap((cell) => {
    let rest = cell;
    return head.map((_, i) => {
      const below = size(head.slice(i + 1));
      const at = Math.floor(rest / below);
      rest %= below;
      return at;
    });
  });
  const indices = { ...vector(coordinates, d.index()), shape: [count, depth] };
  return { indices, outer: [count], inner: shape.slice(depth) };
}

const scatterNd: Generator = (d) => {
  const shape = d.shape(1, 4, 4);
  const { indices, outer, inner } = places(d, shape, false);
  const updates = small(d, d.pick(NUMBERS), [...outer, ...inner]);
  return { inputs: [indices, updates, vector(shape, indices.dtype)], gradient: true, tolerance: LOOSE };
};

function tensorScatter(distinct: boolean, kind: 'any' | 'distinct', gradient = true): Generator {
  return (d) => {
    const shape = d.shape(1, 4, 4);
    const { indices, outer, inner } = places(d, shape, distinct);
    const dtype = d.pick<DType>(['float32', 'float32', 'int32']);
    const [x, updates] = [small(d, dtype, shape), small(d, dtype, [...outer, ...inner])];
    const shifted = kind === 'distinct' && dtype === 'float32' ? d.distinct(updates.shape) : updates;
    return { inputs: [x, indices, shifted], gradient, tolerance: LOOSE };
  };
}

const gatherNd: Generator = (d) => {
  const shape = d.shape(1, 4, 4);
  const { indices } = places(d, shape, false);
  return { inputs: [d.of(d.anyDType(), shape), indices], gradient: true };
};

const topK: Generator = (d) => {
  const shape = [...d.shape(0, 3, 4), d.integer(1, 12)];
  const dtype = d.pick(NUMBERS);
  const x = dtype === 'float32' ? d.distinct(shape) : d.integers(shape, 0, 4, dtype);
  return { inputs: [x, scalar(d.integer(0, shape.at(-1) ?? 1))], gradient: true };
};

const scan =
  (float: (d: Draw, shape: readonly number[]) => HostValue, integers: boolean): Generator =>
  (d) => {
    const shape = d.shape(1, 5, 5);
    const x =
      integers && d.chance(0.3)
        ? d.integers(shape, -3, 3, d.pick(['int32', 'int64'] as const))
        : float(d, shape);
    return {
      inputs: [x, scalar(d.axis(shape.length), d.index())],
      attrs: { exclusive: d.chance(0.5), reverse: d.chance(0.5) },
      gradient: x.data.length > 0,
      tolerance: LOOSE,
    };
  };

const blocks =
  (toDepth: boolean): Generator =>
  (d) => {
    const block = d.integer(2, 3);
    const nchw = d.chance(0.4);
    const [batch, h, w, c] = [d.dim(3), d.dim(3), d.dim(3), d.dim(4)];
    const [rows, columns, depth] = toDepth ? [h * block, w * block, c] : [h, w, c * block * block];
    const shape = nchw ? [batch, depth, rows, columns] : [batch, rows, columns, depth];
    return {
      inputs: [d.of(d.anyDType(), shape)],
      attrs: { block_size: block, data_format: nchw ? 'NCHW' : 'NHWC' },
      gradient: true,
    };
  };

const toBatch: Generator = (d) => {
  const dims = d.integer(1, 3);
  const block = Array.from({ length: dims }, () => d.integer(1, 3));
  const pads = block.map(() => [d.integer(0, 2), d.integer(0, 2)] as const);
  const spatial = block.map((b, i) => {
    const [before, after] = pads[i] ?? [0, 0];
    const least = Math.ceil((before + after + 1) / b) * b;
    return least + b * d.integer(0, 1) - before - after;
  });
  const shape = [d.dim(3), ...spatial, ...d.shape(0, 2, 3)];
  return {
    inputs: [
      d.of(d.anyDType(), shape),
      vector(block, d.index()),
      { ...vector(pads.flat(), d.index()), shape: [dims, 2] },
    ],
    gradient: true,
  };
};

const fromBatch: Generator = (d) => {
  const dims = d.integer(1, 3);
  const block = Array.from({ length: dims }, () => d.integer(1, 3));
  const spatial = block.map(() => d.integer(1, 3));
  const crops = block.flatMap((b, i) => {
    const whole = b * (spatial[i] ?? 1);
    const before = d.integer(0, whole);
    return [before, d.integer(0, whole - before)];
  });
  const shape = [size(block) * d.dim(2), ...spatial, ...d.shape(0, 2, 3)];
  return {
    inputs: [
      d.of(d.anyDType(), shape),
      vector(block, d.index()),
      { ...vector(crops, d.index()), shape: [dims, 2] },
    ],
    gradient: true,
  };
};

const reverseSequence: Generator = (d) => {
  const shape = d.shape(2, 5, 5);
  const [batch = 0, seq = 1] = d.permutation(shape.length);
  return {
    inputs: [d.of(d.anyDType(), shape), d.integers([shape[batch] ?? 0], 0, shape[seq] ?? 0, d.index())],
    attrs: { seq_dim: seq, batch_dim: batch },
    gradient: true,
  };
};

const split: Generator = (d) => {
  const [shape, num] = [d.shape(1, 5, 4), d.integer(1, 4)];
  const axis = d.axis(shape.length);
  const at = axis < 0 ? axis + shape.length : axis;
  const x = d.of(
    d.anyDType(),
    shape.map((dim, i) => (i === at ? dim * num : dim)),
  );
  return { inputs: [scalar(axis), x], attrs: { num_split: num }, gradient: true };
};

const splitV: Generator = (d) => {
  const [shape, num] = [d.shape(1, 5, 4), d.integer(1, 4)];
  const axis = d.axis(shape.length);
  const at = axis < 0 ? axis + shape.length : axis;
  const sizes = Array.from({ length: num }, () => d.dim(3));
  const x = d.of(
    d.anyDType(),
    shape.map((dim, i) => (i === at ? sizes.reduce((a, b) => a + b, 0) : dim)),
  );
  const open = d.chance(0.4) ? d.integer(0, num - 1) : -1;
  const given = sizes.map((n, i) => (i === open ? -1 : n));
  return { inputs: [x, vector(given, d.index()), scalar(axis)], attrs: { num_split: num }, gradient: true };
};

const roll: Generator = (d) => {
  const shape = d.shape(1, 4, 4);
  const axes = Array.from({ length: d.integer(1, 3) }, () => d.axis(shape.length));
  const one = axes.length === 1 && d.chance(0.5);
  const shifts = axes.map(() => d.integer(-7, 7));
  return {
    inputs: [
      d.of(d.anyDType(), shape),
      one ? scalar(shifts[0] ?? 0, d.index()) : vector(shifts, d.index()),
      one ? scalar(axes[0] ?? 0, d.index()) : vector(axes, d.index()),
    ],
    gradient: true,
  };
};

export const ROW_VARIATIONS: Partial<Record<OpName, Generator>> = {
  UnsortedSegmentSum: unsorted('any'),
  UnsortedSegmentProd: unsorted('nonzero'),
  UnsortedSegmentMax: unsorted('distinct'),
  UnsortedSegmentMin: unsorted('distinct'),
  SegmentSum: segment('any'),
  SegmentMean: segment('any'),
  SegmentProd: segment('nonzero'),
  SegmentMax: segment('distinct'),
  SegmentMin: segment('distinct'),
  SparseSegmentSum: sparseSegment(false),
  SparseSegmentMean: sparseSegment(false),
  SparseSegmentSqrtN: sparseSegment(false),
  SparseSegmentSumWithNumSegments: sparseSegment(true),
  SparseSegmentMeanWithNumSegments: sparseSegment(true),
  SparseSegmentSqrtNWithNumSegments: sparseSegment(true),
  ScatterNd: scatterNd,
  TensorScatterUpdate: tensorScatter(true, 'any'),
  TensorScatterAdd: tensorScatter(false, 'any'),
  TensorScatterSub: tensorScatter(false, 'any'),
  TensorScatterMax: tensorScatter(true, 'distinct'),
  TensorScatterMin: tensorScatter(true, 'distinct'),
  GatherNd: gatherNd,
  TopKV2: topK,
  Cumprod: scan((d, s) => d.nonzero(s), true),
  CumulativeLogsumexp: scan((d, s) => d.floats(s), false),
  SpaceToDepth: blocks(true),
  DepthToSpace: blocks(false),
  SpaceToBatchND: toBatch,
  BatchToSpaceND: fromBatch,
  ReverseSequence: reverseSequence,
  ReverseV2: (d) => {
    const shape = d.shape(0, 6);
    return { inputs: [d.of(d.anyDType(), shape), vector(d.axes(shape.length), d.index())], gradient: true };
  },
  Split: split,
  SplitV: splitV,
  Roll: roll,
  DynamicPartition: (d) => {
    const outer = d.shape(0, 2, 5);
    const parts = d.integer(1, 4);
    const x = d.of(d.anyDType(), [...outer, ...d.shape(0, 2, 3)]);
    return { inputs: [x, d.integers(outer, 0, parts - 1)], attrs: { num_partitions: parts }, gradient: true };
  },
  Bincount: (d) => {
    const shape = d.shape(0, 3);
    const weights = d.chance(0.5) ? d.floats(shape) : vector([], 'float32');
    return {
      inputs: [d.integers(shape, 0, 6), scalar(d.integer(0, 8)), weights],
      gradient: true,
      tolerance: LOOSE,
    };
  },
  UnravelIndex: (d) => {
    const dims = d.shape(1, 4, 4).map((dim) => Math.max(dim, 1));
    const indices = d.integers(d.shape(0, 1), 0, size(dims) - 1);
    return { inputs: [indices, vector(dims)] };
  },
  InvertPermutation: (d) => ({ inputs: [vector(d.permutation(d.integer(0, 9)), d.index())] }),
  InTopKV2: (d) => {
    const [rows, columns] = [d.dim(9), Math.max(d.dim(11), 1)];
    const index = d.index();
    return {
      inputs: [
        d.integers([rows, columns], 0, 5, 'float32'),
        d.integers([rows], 0, columns - 1, index),
        scalar(d.integer(1, columns), index),
      ],
    };
  },
};
