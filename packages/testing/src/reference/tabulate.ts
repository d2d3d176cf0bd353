/** Lets references speak of elements by their coordinates: reading one, and making a tensor from a rule. */
import type { DType, HostValue } from '@forerun/graph';

/** Reads elements of `value` by coordinates. Throws outside of its shape. */
export function coordinates({ shape, data }: HostValue): (at: readonly number[]) => number {
  return (at) => {
    let index = 0;
    shape.forEach((dim, axis) => {
      const c = at[axis] ?? NaN;
      if (!(c >= 0 && c < dim)) throw new Error(`[${at.join()}] is outside of shape [${shape.join()}]`);
      index = index * dim + c;
    });
    return data[index] ?? NaN;
  };
}

/** The tensor of `shape` whose element at each position is `element(position)`. */
export function tabulate(
  dtype: DType,
  shape: readonly number[],
  element: (at: readonly number[]) => number,
): HostValue {
  const elements: number[] = [];
  const walk = (at: readonly number[]): void => {
    if (at.length === shape.length) {
      elements.push(element(at));
      return;
    }
    for (let c = 0; c < (shape[at.length] ?? 0); c++) walk([...at, c]);
  };
  walk([]);
  return { dtype, shape, data: Float64Array.from(elements) };
}
