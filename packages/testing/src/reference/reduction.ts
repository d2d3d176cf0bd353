/** Float64 references of reductions over axes. */
import type { DType, HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';

/** Calls `visit(index, flat)` for every position of `shape` in row-major order. */
function forEachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], flat: number) => void,
): void {
  const index = shape.map(() => 0);
  const size = shape.reduce((a, b) => a * b, 1);
  for (let flat = 0; flat < size; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
}

function flatIndex(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((flat, i, axis) => flat * (shape[axis] ?? 1) + i, 0);
}

/** The axes in input 1 as positions. */
function axesOf({ input }: ReferenceContext): number[] {
  const rank = input(0).shape.length;
  return [...input(1).data].map((axis) => (axis + rank) % Math.max(rank, 1));
}

/** A reduction whose result is `finish(list of elements)`. */
function reduction(finish: (elements: readonly number[], dtype: DType) => number): Reference {
  return (c) => {
    const x = c.input(0);
    const axes = axesOf(c);
    const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    const groups = Array.from({ length: kept.reduce((a, b) => a * b, 1) }, (): number[] => []);
    forEachIndex(x.shape, (index, flat) => {
      const target = index.map((i, axis) => (axes.includes(axis) ? 0 : i));
      groups[flatIndex(target, kept)]?.push(x.data[flat] ?? NaN);
    });
    const shape = c.attrs.bool('keep_dims') ? kept : kept.filter((_, axis) => !axes.includes(axis));
    const dtype = c.outputs[0] ?? 'float32';
    return [{ dtype, shape, data: Float64Array.from(groups, (group) => finish(group, dtype)) }];
  };
}

/** The low 32 bits of an exact sum or product. */
function wrapped(
  elements: readonly number[],
  combine: (a: bigint, b: bigint) => bigint,
  start: bigint,
): number {
  return Number(
    BigInt.asIntN(
      32,
      elements.reduce((total, x) => combine(total, BigInt(x)), start),
    ),
  );
}

function sum(elements: readonly number[], dtype: DType): number {
  if (dtype === 'int32') return wrapped(elements, (a, b) => a + b, 0n);
  let total = 0;
  for (const x of elements) total += x;
  return total;
}

/** The element that comes first when sorted by `order`; the end of the dtype's range when there is none. */
function extreme(sign: 1 | -1): Reference {
  return reduction((elements, dtype) => {
    const none = dtype === 'int32' ? (sign === 1 ? -2147483648 : 2147483647) : -sign * Infinity;
    let best = none;
    for (const x of elements) if (Number.isNaN(x) || sign * x > sign * best) best = x;
    return elements.some(Number.isNaN) ? NaN : best;
  });
}

function arg(sign: 1 | -1): Reference {
  return (c) => {
    const x = c.input(0);
    const [axis = 0] = axesOf(c);
    const shape = x.shape.filter((_, i) => i !== axis);
    const best = new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(-Infinity);
    const data = new Float64Array(best.length);
    forEachIndex(x.shape, (index, flat) => {
      const target = flatIndex(
        index.filter((_, i) => i !== axis),
        shape,
      );
      const value = sign * (x.data[flat] ?? NaN);
      if (!(value > (best[target] ?? 0))) return;
      best[target] = value;
      data[target] = index[axis] ?? 0;
    });
    return [{ dtype: c.outputs[0] ?? 'int64', shape, data }];
  };
}

/** Each result combines the elements before it (after it, when reversed), itself included unless exclusive. */
function scan(combine: (elements: readonly number[], dtype: DType) => number): Reference {
  return (c) => {
    const x = c.input(0);
    const [axis = 0] = axesOf(c);
    const dtype = c.outputs[0] ?? 'float32';
    const [exclusive, reverse] = [c.attrs.bool('exclusive'), c.attrs.bool('reverse')];
    const data = new Float64Array(x.data.length);
    const stride = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const length = x.shape[axis] ?? 0;
    forEachIndex(x.shape, (index, flat) => {
      const own = index[axis] ?? 0;
      const first = flat - own * stride;
      const line = Array.from({ length }, (_, k) => x.data[first + k * stride] ?? NaN);
      const taken = line.filter((_, k) => (k === own ? !exclusive : reverse ? k > own : k < own));
      data[flat] = combine(taken, dtype);
    });
    return [{ dtype, shape: x.shape, data } satisfies HostValue];
  };
}

function product(elements: readonly number[], dtype: DType): number {
  if (dtype === 'int32') return wrapped(elements, (a, b) => a * b, 1n);
  let total = 1;
  for (const x of elements) total *= x;
  return total;
}

/** The logarithm of a sum of exponentials, over float32's lowest number as TensorFlow starts from it. */
function logSumExp(elements: readonly number[]): number {
  const lowest = -(2 - 2 ** -23) * 2 ** 127;
  const top = Math.max(lowest, ...elements);
  if (!Number.isFinite(top)) return top;
  return top + Math.log([lowest, ...elements].reduce((total, x) => total + Math.exp(x - top), 0));
}

export const REDUCTION_REFERENCES = {
  Sum: reduction(sum),
  Mean: reduction((elements, dtype) => {
    const mean = sum(elements, dtype) / elements.length;
    return dtype === 'int32' ? Math.trunc(elements.length === 0 ? 0 : mean) : mean;
  }),
  Prod: reduction(product),
  Max: extreme(1),
  Min: extreme(-1),
  Any: reduction((elements) => Number(elements.some((x) => x !== 0))),
  All: reduction((elements) => Number(elements.every((x) => x !== 0))),
  EuclideanNorm: reduction((elements, dtype) => {
    const norm = Math.hypot(...elements);
    return dtype === 'int32' ? Math.trunc(norm) : norm;
  }),
  ArgMax: arg(1),
  ArgMin: arg(-1),
  Cumsum: scan(sum),
  Cumprod: scan(product),
  CumulativeLogsumexp: scan(logSumExp),
} satisfies FamilyReferences;
