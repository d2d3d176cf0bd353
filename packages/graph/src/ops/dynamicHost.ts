/** What the ops of family `dynamic` share when they are evaluated on the host. */
import { isFloating } from '../dtype.js';
import type { EvaluateContext } from '../opDef.js';
import type { HostValue } from '../value.js';

/** Input `i` when all of it is known, else `null`. A NaN among floats is a value like any other. */
export function wholeValue(c: EvaluateContext, i: number): HostValue | null {
  return complete(c.value(i));
}

/** `value` when no integer element of it is unknown, else `null`. */
export function complete(value: HostValue | null): HostValue | null {
  if (value === null) return null;
  return !isFloating(value.dtype) && value.data.some(Number.isNaN) ? null : value;
}

/** A vector of `dtype`. */
export function vectorOf(dtype: HostValue['dtype'], elements: readonly number[]): HostValue {
  return { dtype, shape: [elements.length], data: Float64Array.from(elements) };
}
