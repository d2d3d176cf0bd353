/** A sparse tensor is three tensors: feeding one is feeding these, fetching one gives their values. */
import { InvalidArgumentError, SparseTensor, TensorValue, type Tensor } from '@forerun/graph';
import type { DenseFeedValue } from './feeds.js';

/** The value of a `SparseTensor` (`tf.SparseTensorValue`): indices `[n, rank]`, values `[n]`, the shape `[rank]`. */
export interface SparseTensorValue {
  readonly indices: DenseFeedValue;
  readonly values: DenseFeedValue;
  readonly denseShape: DenseFeedValue;
}

/** What fetching a `SparseTensor` gives; it can be fed again. */
export interface FetchedSparseTensor extends SparseTensorValue {
  readonly indices: TensorValue;
  readonly values: TensorValue;
  readonly denseShape: TensorValue;
}

export function isSparseValue(value: unknown): value is SparseTensorValue {
  return (
    typeof value === 'object' &&
    value !== null &&
    'indices' in value &&
    'values' in value &&
    'denseShape' in value &&
    !(value instanceof SparseTensor)
  );
}

/** The three feeds that one of a sparse tensor stands for. */
export function sparseFeeds(key: SparseTensor, value: unknown): [Tensor, DenseFeedValue][] {
  if (!isSparseValue(value)) {
    throw new InvalidArgumentError(
      `feed for the SparseTensor with values "${key.values.name}" must have indices, values and denseShape, got ${describe(value)}`,
    );
  }
  return [
    [key.indices, indicesOf(value)],
    [key.values, value.values],
    [key.denseShape, value.denseShape],
  ];
}

/** An empty list of indices has no columns to count: the shape tells how many there are. */
function indicesOf({ indices, denseShape }: SparseTensorValue): DenseFeedValue {
  if (!Array.isArray(indices) || indices.length > 0) return indices;
  const rank = Array.isArray(denseShape) ? denseShape.length : lengthOf(denseShape);
  return new TensorValue('int64', [0, rank], new BigInt64Array(0));
}

function lengthOf(value: unknown): number {
  if (ArrayBuffer.isView(value) && 'length' in value) return Number(value.length);
  return value instanceof TensorValue ? (value.shape[0] ?? 0) : 0;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return value === null || typeof value !== 'object' ? String(value) : 'a value of another form';
}
