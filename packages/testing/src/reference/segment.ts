/** Float64 references of the family `segment`. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference } from '../sample.js';
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

const highest = (dtype: string): number => (dtype === 'int32' ? 2 ** 31 - 1 : MAX_FLOAT);
const lowest = (dtype: string): number => (dtype === 'int32' ? -(2 ** 31) : -MAX_FLOAT);

export const SEGMENT_REFERENCES = {
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
