/** What the elements of a tensor are like: for looking into weights. */
import { isTypedArray, toHostValue, type TensorValue } from '@forerun/graph';

/** Of the finite elements, except for the counts. All are `null` where there are no such numbers. */
export interface TensorStatistics {
  readonly elements: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Standard deviation of the elements, not of a sample. */
  readonly std: number | null;
  /** Euclidean norm. */
  readonly norm: number | null;
  readonly zeros: number;
  readonly nans: number;
  readonly infinities: number;
}

/** Counts of finite elements in bins of equal width from the smallest to the largest. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly counts: readonly number[];
}

/** Statistics of a numeric value, `null` for texts, handles and complex numbers. Computed in float64. */
export function tensorStatistics(value: TensorValue): TensorStatistics | null {
  if (!isTypedArray(value.data)) return null;
  const data = toHostValue(value)?.data;
  if (data === undefined) return null;
  let [min, max, sum, zeros, nans, infinities] = [Infinity, -Infinity, 0, 0, 0, 0];
  for (const x of data) {
    if (Number.isNaN(x)) nans++;
    else if (!Number.isFinite(x)) infinities++;
    else {
      if (x === 0) zeros++;
      if (x < min) min = x;
      if (x > max) max = x;
      sum += x;
    }
  }
  const count = data.length - nans - infinities;
  const mean = sum / count;
  let [squares, variance] = [0, 0];
  for (const x of data) {
    if (!Number.isFinite(x)) continue;
    squares += x * x;
    variance += (x - mean) ** 2;
  }
  const counts = { elements: data.length, zeros, nans, infinities };
  if (count === 0) return { ...counts, min: null, max: null, mean: null, std: null, norm: null };
  return { ...counts, min, max, mean, std: Math.sqrt(variance / count), norm: Math.sqrt(squares) };
}

/** The histogram of a numeric value, `null` where no element is finite. */
export function tensorHistogram(value: TensorValue, bins: number): Histogram | null {
  const statistics = tensorStatistics(value);
  const data = statistics === null ? undefined : toHostValue(value)?.data;
  if (statistics === null || data === undefined) return null;
  const { min, max } = statistics;
  if (min === null || max === null) return null;
  const counts = new Array<number>(bins).fill(0);
  const width = (max - min) / bins;
  for (const x of data) {
    if (!Number.isFinite(x)) continue;
    const bin = width === 0 ? 0 : Math.min(bins - 1, Math.floor((x - min) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { min, max, counts };
}
