/** Operands for the tests of composed builders. */
import type { HostValue } from '@forerun/graph';
import { Random } from '@forerun/testing';

/** Reproducible elements in [-2, 2). */
export function floats(shape: readonly number[], seed = 1): HostValue {
  const size = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'float32', shape, data: new Random(seed).array(size, -2, 2) };
}
