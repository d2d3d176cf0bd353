/**
 * The distribution of values as TensorFlow counts it: buckets whose edges grow by a tenth from 1e-12 to 1e20, on both sides of
 * zero (tensorflow/core/lib/histogram).
 */
import type { proto } from '@forerun/graph';

const LEAST = 1e-12;
const GREATEST = 1e20;
const GROWTH = 1.1;

/** Upper edges of the buckets, ascending. */
const LIMITS: readonly number[] = (() => {
  const positive: number[] = [];
  for (let edge = LEAST; edge < GREATEST; edge *= GROWTH) positive.push(edge);
  positive.push(Number.MAX_VALUE);
  return [...positive.map((edge) => -edge).reverse(), 0, ...positive];
})();

/** A histogram of finite values, as its message. */
export function histogramOf(values: ArrayLike<number>): proto.Init<proto.HistogramProto> {
  const counts = new Float64Array(LIMITS.length);
  let [min, max, sum, sumSquares] = [Number.MAX_VALUE, -Number.MAX_VALUE, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    const bucket = bucketOf(value);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sumSquares += value * value;
  }
  return { min, max, num: values.length, sum, sumSquares, ...withoutEmptyRuns(counts) };
}

/** The first bucket whose edge is above the value. */
function bucketOf(value: number): number {
  let [low, high] = [0, LIMITS.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((LIMITS[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Neighbouring empty buckets become one. */
function withoutEmptyRuns(counts: Float64Array): { bucketLimit: number[]; bucket: number[] } {
  const [bucketLimit, bucket]: [number[], number[]] = [[], []];
  counts.forEach((count, i) => {
    const isEmpty = count === 0;
    const limit = LIMITS[i] ?? 0;
    if (isEmpty && bucket.at(-1) === 0) bucketLimit[bucketLimit.length - 1] = limit;
    else {
      bucketLimit.push(limit);
      bucket.push(count);
    }
  });
  return { bucketLimit, bucket };
}
