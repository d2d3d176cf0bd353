/** The `axis` argument of reductions as callers write it. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { toTensorValue } from '../value.js';

/** One axis, several, or an integer tensor. */
export type Axis = number | readonly number[] | Tensor;

export interface AxisOptions extends NameOptions {
  /** Default: all axes. */
  readonly axis?: Axis | null | undefined;
  /** Keeps reduced axes with size 1. */
  readonly keepDims?: boolean | undefined;
}

/** The reduced tensor and its axes as tensors; without `axis` all axes. */
export function axisInput(x: TensorLike, axis: Axis | null | undefined): { x: Tensor; axis: TensorLike } {
  const input = convertToTensor(x);
  if (axis instanceof Tensor) return { x: input, axis };
  if (typeof axis === 'number') return { x: input, axis: toTensorValue(axis, 'int32') };
  if (axis !== null && axis !== undefined) return { x: input, axis: toTensorValue([...axis], 'int32') };
  const rank = input.shape.rank;
  if (rank === null) return { x: input, axis: apply('Range', [0, apply('Rank', [input]), 1]) };
  return {
    x: input,
    axis: toTensorValue(
      Array.from({ length: rank }, (_, i) => i),
      'int32',
    ),
  };
}
