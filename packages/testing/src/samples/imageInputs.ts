/** Inputs that the samples of the family `image` are made of. */
import type { DType } from '@forerun/graph';
import { Random } from '../random.js';
import type { SampleInput } from '../sample.js';

/** Random floats between -1 and 1, or `low` and `high`. */
export function numbers(shape: readonly number[], seed = 5, low = -1, high = 1): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { value: [...new Random(seed).array(size, low, high)], shape };
}

/** Whole numbers from 0 to 127. */
export function bytes(shape: readonly number[], dtype: DType): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { value: Array.from({ length: size }, (_, i) => (i * 37) % 128), dtype, shape };
}

/** An int32 vector. */
export const ints = (...value: number[]): SampleInput => ({ value, shape: [value.length], dtype: 'int32' });
