/** Float64 references of the family `segment`. */
import type { Attrs, DType, HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference } from '../sample.js';
import { BUCKETIZE_REFERENCES } from './bucketize.js';
import { tabulate } from './tabulate.js';

type Fold = (a: number, b: number) => number;

const MAX_FLOAT = 3.4028234663852886e38;

/** Segments of rows of `data`: `id(k)` is that of row k, others than 0 … segments-1 are left out. */
function segmented(
  data: HostValue,
  ids: ArrayLike<number>,
  segments: number,
  rowShape: readonly number[],
  { start, fold }: { start: number; fold: Fold },
): HostValue {
  const inner = rowShape.reduce((a, b) => a * b, 1);
  const result = tabulate(data.dtype, [segments, ...rowShape], () => start);
  for (let k = 0; k < ids.length; k++) {
    const id = ids[k] ?? -1;
    if (id < 0 || id >= segments) continue;
    for (let n = 0; n < inner; n++) {
      const at = id * inner + n;
      result.data[at] = fold(result.data[at] ?? NaN, data.data[k * inner + n] ?? NaN);
    }
  }
  return result;
}

function unsorted(start: (dtype: string) => number, fold: Fold): Reference {
  return ({ input }) => {
    const [data, ids] = [input(0), input(1)];
    const rowShape = data.shape.slice(ids.shape.length);
    return [segmented(data, ids.data, input(2).data[0] ?? 0, rowShape, { start: start(data.dtype), fold })];
  };
}

/** The ends of what a dtype holds; int64 holds on the device what int32 does. */
function ends(dtype: string): readonly [low: number, high: number] {
  if (dtype.startsWith('float')) return [-MAX_FLOAT, MAX_FLOAT];
  const bits = Math.min(Number(/\d+/.exec(dtype)?.[0]), 32);
  return dtype.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

const highest = (dtype: string): number => ends(dtype)[1];
const lowest = (dtype: string): number => ends(dtype)[0];

const sum = { start: 0, fold: (a: number, b: number): number => a + b };

/** Ascending ids: as many segments as the last tells. Those without rows stay at `empty`. */
function sorted(combine: (rows: readonly number[]) => number, empty: number): Reference {
  return ({ input }) => {
    const [data, ids] = [input(0), [...input(1).data]];
    const rowShape = data.shape.slice(1);
    const inner = rowShape.reduce((a, b) => a * b, 1);
    const segments = ids.length === 0 ? 0 : (ids.at(-1) ?? 0) + 1;
    const out = tabulate(data.dtype, [segments, ...rowShape], () => empty);
    out.data.forEach((_, at) => {
      const rows = ids.flatMap((id, k) =>
        id === Math.floor(at / inner) ? [data.data[k * inner + (at % inner)] ?? NaN] : [],
      );
      if (rows.length > 0) out.data[at] = combine(rows);
    });
    return [out];
  };
}

type Divisor = (rows: number) => number;

/** Rows of data at indices, added up by ids and divided. */
function picked(divisor: Divisor): Reference {
  return ({ inputs, input }) => {
    const [data, indices, ids] = [input(0), input(1).data, [...input(2).data]];
    const rowShape = data.shape.slice(1);
    const inner = rowShape.reduce((a, b) => a * b, 1);
    const segments = inputs[3]?.data[0] ?? (ids.length === 0 ? 0 : (ids.at(-1) ?? 0) + 1);
    const rows = Float64Array.from(indices).map(() => 0);
    const taken = { ...data, data: new Float64Array(rows.length * inner) };
    indices.forEach((index, k) => {
      for (let n = 0; n < inner; n++) taken.data[k * inner + n] = data.data[index * inner + n] ?? 0;
    });
    const out = segmented(taken, ids, segments, rowShape, sum);
    const size = (s: number): number => Math.max(1, ids.filter((id) => id === s).length);
    return [{ ...out, data: out.data.map((x, at) => x / divisor(size(Math.floor(at / inner)))) }];
  };
}

/** Rows of the gradient of each segment, divided likewise, added up at the indices. */
function pickedGrad(divisor: Divisor): Reference {
  return ({ input }) => {
    const [dy, indices, ids] = [input(0), input(1).data, [...input(2).data]];
    const rowShape = dy.shape.slice(1);
    const inner = rowShape.reduce((a, b) => a * b, 1);
    const rows = ids.flatMap((id) => {
      const size = ids.filter((other) => other === id).length;
      return Array.from({ length: inner }, (_, n) => (dy.data[id * inner + n] ?? 0) / divisor(size));
    });
    const taken = { ...dy, data: Float64Array.from(rows) };
    return [segmented(taken, indices, input(3).data[0] ?? 0, rowShape, sum)];
  };
}

/** The rows of that gradient at the indices that occur, in order, and these. */
function rowsGrad(divisor: Divisor): Reference {
  return (c) => {
    const [all] = pickedGrad(divisor)(c);
    const [indices, rowShape] = [c.input(1), c.input(0).shape.slice(1)];
    const rows = [...new Set(indices.data)].sort((a, b) => a - b);
    const inner = rowShape.reduce((a, b) => a * b, 1);
    const data = rows.flatMap((row) => [...(all?.data.subarray(row * inner, (row + 1) * inner) ?? [])]);
    return [
      { dtype: c.input(0).dtype, shape: [rows.length, ...rowShape], data: Float64Array.from(data) },
      { dtype: indices.dtype, shape: [rows.length], data: Float64Array.from(rows) },
    ];
  };
}

const one: Divisor = () => 1;
const mean: Divisor = (rows) => rows;

/** How often each number occurs in its row, or what its weights add up to; bins in one row where `rows` is null. */
function countedRows(
  dtype: DType,
  attrs: Attrs,
  numbers: Float64Array,
  rowOf: (k: number) => number,
  rows: number | null,
  bins: number,
  weights: Float64Array,
): HostValue {
  const binary = attrs.bool('binary_output');
  return tabulate(dtype, rows === null ? [bins] : [rows, bins], (at) => {
    const [row, bin] = rows === null ? [0, at[0]] : at;
    const found = [...numbers.keys()].filter((k) => rowOf(k) === row && numbers[k] === bin);
    if (binary) return found.length > 0 ? 1 : 0;
    return found.reduce((sum, k) => sum + (weights.length === 0 ? 1 : (weights[k] ?? 0)), 0);
  });
}

export const SEGMENT_REFERENCES = {
  SegmentSum: sorted((rows) => rows.reduce((a, b) => a + b), 0),
  SegmentMean: ({ input, ...c }) => {
    const results = sorted((rows) => rows.reduce((a, b) => a + b) / rows.length, 0)({ input, ...c });
    return results.map((y) => ({ ...y, data: y.dtype.startsWith('int') ? y.data.map(Math.trunc) : y.data }));
  },
  SegmentProd: sorted((rows) => rows.reduce((a, b) => a * b), 1),
  SegmentMax: sorted((rows) => Math.max(...rows), 0),
  SegmentMin: sorted((rows) => Math.min(...rows), 0),
  SparseSegmentSum: picked(one),
  SparseSegmentMean: picked(mean),
  SparseSegmentSqrtN: picked(Math.sqrt),
  SparseSegmentSumWithNumSegments: picked(one),
  SparseSegmentMeanWithNumSegments: picked(mean),
  SparseSegmentSqrtNWithNumSegments: picked(Math.sqrt),
  SparseSegmentSumGrad: pickedGrad(one),
  SparseSegmentSumGradV2: rowsGrad(one),
  SparseSegmentMeanGradV2: rowsGrad(mean),
  SparseSegmentSqrtNGradV2: rowsGrad(Math.sqrt),
  SparseSegmentMeanGrad: pickedGrad(mean),
  SparseSegmentSqrtNGrad: pickedGrad(Math.sqrt),
  ...BUCKETIZE_REFERENCES,
  Bincount: ({ input, outputs: [dtype = 'int32'] }) => {
    const [numbers, weights] = [input(0).data, input(2).data];
    const count = (bin: number): number =>
      numbers.reduce((n, x, k) => n + (x === bin ? (weights.length === 0 ? 1 : (weights[k] ?? 0)) : 0), 0);
    return [tabulate(dtype, [input(1).data[0] ?? 0], ([bin = 0]) => count(bin))];
  },
  DenseBincount: ({ attrs, input, outputs: [dtype = 'int32'] }) => {
    const [numbers, weights, bins] = [input(0), input(2).data, input(1).data[0] ?? 0];
    const [binary, columns] = [attrs.bool('binary_output'), numbers.shape.at(-1) ?? 0];
    const count = (row: number, bin: number): number => {
      const found = Array.from({ length: columns }, (_, i) => row * columns + i).filter(
        (k) => numbers.data[k] === bin,
      );
      if (binary) return found.length > 0 ? 1 : 0;
      return found.reduce((sum, k) => sum + (weights.length === 0 ? 1 : (weights[k] ?? 0)), 0);
    };
    const shape = [...numbers.shape.slice(0, -1), bins];
    return [tabulate(dtype, shape, (at) => count(at.length === 1 ? 0 : (at[0] ?? 0), at.at(-1) ?? 0))];
  },
  SparseBincount: ({ attrs, input, outputs: [dtype = 'int32'] }) => {
    const [indices, numbers, sizes] = [input(0), input(1).data, input(2).data];
    const rank = sizes.length;
    const rowOf = (k: number): number => (rank === 1 ? 0 : (indices.data[k * rank] ?? 0));
    const rows = rank === 1 ? null : (sizes[0] ?? 0);
    return [countedRows(dtype, attrs, numbers, rowOf, rows, input(3).data[0] ?? 0, input(4).data)];
  },
  RaggedBincount: ({ attrs, input, outputs: [dtype = 'int32'] }) => {
    const splits = Array.from(input(0).data);
    const rowOf = (k: number): number => splits.filter((split) => split <= k).length - 1;
    const size = input(2).data[0] ?? 0;
    return [countedRows(dtype, attrs, input(1).data, rowOf, splits.length - 1, size, input(3).data)];
  },
  HistogramFixedWidth: ({ input, outputs: [dtype = 'int32'] }) => {
    const [low = 0, high = 1] = input(1).data;
    const bins = input(2).data[0] ?? 1;
    const places = input(0).data.map((x) =>
      Math.min(bins - 1, Math.max(0, Math.floor(((x - low) / (high - low)) * bins))),
    );
    return [tabulate(dtype, [bins], ([bin]) => places.filter((place) => place === bin).length)];
  },
  UnsortedSegmentSum: unsorted(
    () => 0,
    (a, b) => a + b,
  ),
  UnsortedSegmentProd: unsorted(
    () => 1,
    (a, b) => a * b,
  ),
  UnsortedSegmentMax: unsorted(lowest, Math.max),
  UnsortedSegmentMin: unsorted(highest, Math.min),
} satisfies FamilyReferences;
