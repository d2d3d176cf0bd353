/** Rearranging the axes of values: row-major copies of strided or transposed elements. */
import {
  allocateData,
  dtypeBytes,
  InvalidArgumentError,
  isTypedArray,
  sizeOf,
  stridesOf,
  TensorValue,
  type DType,
  type TensorData,
} from '@forerun/graph';

/**
 * Copies a strided view into row-major order. `offset` and `strides` count elements of `data`, and must stay inside
 * of it; `strides` may be 0 to repeat elements.
 */
export function copyStrided(
  dtype: DType,
  data: TensorData,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): TensorData {
  const size = sizeOf(shape);
  const typed = isTypedArray(data);
  const out: unknown[] | ReturnType<typeof allocateData> = typed ? allocateData(dtype, size) : [];
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let i = 0; i < size; i++) {
    (out as unknown[])[i] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      const stride = strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        from += stride;
        break;
      }
      index[axis] = 0;
      from -= (next - 1) * stride;
    }
  }
  return out as TensorData;
}

/** The value with its axes in the order `permutation`. Throws `InvalidArgumentError` for one that does not fit the rank. */
export function permuteValue(value: TensorValue, permutation: readonly number[]): TensorValue {
  const { dtype, shape, data } = value;
  const axes = new Set(permutation);
  if (
    permutation.length !== shape.length ||
    axes.size !== shape.length ||
    shape.some((_, i) => !axes.has(i))
  ) {
    throw new InvalidArgumentError(
      `[${permutation.join(',')}] is no order of the axes of a value of shape [${shape.join(',')}]`,
    );
  }
  const strides = stridesOf(shape);
  const target = permutation.map((axis) => shape[axis] ?? 0);
  const moved = copyStrided(
    dtype,
    data,
    target,
    permutation.map((axis) => strides[axis] ?? 0),
  );
  return new TensorValue(dtype, target, moved);
}

/** Bytes per element, for limits. */
export function elementBytes(dtype: DType): number {
  return Math.max(1, dtypeBytes(dtype));
}
