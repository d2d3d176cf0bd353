/** Short forms for sample inputs. */
import type { NestedArray } from '@forerun/graph';
import type { SampleInput } from '../sample.js';

/** An int32 tensor of rank 1 or more. */
export const ints = (...value: NestedArray[]): SampleInput => ({ value, dtype: 'int32' });

/** An int32 scalar. */
export const int = (value: number): SampleInput => ({ value, dtype: 'int32' });

/** An empty int32 vector. */
export const none: SampleInput = { value: [], dtype: 'int32' };

/** The numbers 1, 2, 3 … in a shape. */
export function counting(...shape: number[]): SampleInput {
  const length = shape.reduce((a, b) => a * b, 1);
  return { value: Array.from({ length }, (_, i) => i + 1), shape };
}

/** Numbers in (-1, 1) in no visible order, the same every time. */
export function scattered(...shape: number[]): SampleInput {
  const length = shape.reduce((a, b) => a * b, 1);
  return { value: Array.from({ length }, (_, i) => Math.fround(Math.sin(7.3 * i + 1))), shape };
}

/** `length` int32 indices below `limit` in no visible order; all below `limit` occur when there are enough. */
export function indices(limit: number, ...shape: number[]): SampleInput {
  const length = shape.reduce((a, b) => a * b, 1);
  const value = Array.from({ length }, (_, i) => ((i * 7919 + (i % 5) * 31) >>> 0) % limit);
  return { value, shape, dtype: 'int32' };
}
