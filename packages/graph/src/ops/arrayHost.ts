/** What the array ops share: reading constant inputs, and picking elements on the host. */
import { baseDType, isInteger } from '../dtype.js';
import type { EvaluateContext, GradContext, InferContext } from '../opDef.js';
import { sizeOf, stridesOf, TensorShape, type Dim } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { HostValue } from '../value.js';

/** The elements of a value that is known entirely, else `null`. */
export function knownElements(value: HostValue | null): number[] | null {
  return value === null || value.data.some(Number.isNaN) ? null : [...value.data];
}

/** The only element of a value where it is known, else `null`. */
export function knownScalar(value: HostValue | null): number | null {
  const element = value?.data[0];
  return element === undefined || Number.isNaN(element) ? null : element;
}

/** A dimension from a number that is NaN where it is not known. */
export function dimOf(value: number | undefined): Dim {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** Rejects an input unless it is a vector or of unknown rank; returns its length where known. */
export function vectorLength(c: InferContext, i: number, name: string): Dim {
  const shape = c.shape(i);
  if (shape.rank === null) return null;
  if (shape.rank !== 1) c.fail(`${name} must be a vector, got shape ${shape.toString()}`);
  return shape.dim(0);
}

/** Rejects an input unless it has one element or unknown size. */
export function requireSingle(c: InferContext, i: number, name: string): void {
  const { size } = c.shape(i);
  if (size !== null && size !== 1) c.fail(`${name} must be a scalar, got shape ${c.shape(i).toString()}`);
}

/** Calls `visit` with every position in `shape`, in row-major order. The array is reused. */
export function forEachPosition(shape: readonly number[], visit: (at: readonly number[]) => void): void {
  const at = new Array<number>(shape.length).fill(0);
  for (let n = sizeOf(shape); n > 0; n--) {
    visit(at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = (at[axis] ?? 0) + 1;
      if ((at[axis] ?? 0) < (shape[axis] ?? 0)) break;
      at[axis] = 0;
    }
  }
}

/** The tensor whose element at each position is the element of `x` at flat position `offset + Σ at·strides`. */
export function pick(
  x: HostValue,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): HostValue {
  const data = new Float64Array(sizeOf(shape));
  let next = 0;
  forEachPosition(shape, (at) => {
    const position = at.reduce((sum, coordinate, axis) => sum + coordinate * (strides[axis] ?? 0), offset);
    data[next++] = x.data[position] ?? NaN;
  });
  return { dtype: x.dtype, shape, data };
}

/** Input `i`, with unknown elements when only the shape of an integer input is known. */
export function valueOrUnknown(c: EvaluateContext, i: number): HostValue | null {
  const value = c.value(i);
  const shape = c.shape(i);
  const [dtype] = c.outputs;
  if (value !== null || dtype === undefined || !isInteger(dtype) || !shape.isFullyDefined) return value;
  const dims = shape.toStatic();
  return { dtype, shape: dims, data: new Float64Array(sizeOf(dims)).fill(NaN) };
}

/** Lays `parts`, equal but for `axis`, in a row along `axis`. */
export function join(parts: readonly HostValue[], axis: number): HostValue | null {
  const [first] = parts;
  if (first === undefined) return null;
  const inner = sizeOf(first.shape.slice(axis + 1));
  const outer = sizeOf(first.shape.slice(0, axis));
  const length = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
  const shape = first.shape.map((dim, i) => (i === axis ? length : dim));
  const data = new Float64Array(sizeOf(shape));
  let at = 0;
  for (const part of parts) {
    const run = (part.shape[axis] ?? 0) * inner;
    for (let o = 0; o < outer; o++) {
      data.set(part.data.subarray(o * run, (o + 1) * run), o * length * inner + at);
    }
    at += run;
  }
  return { dtype: first.dtype, shape, data };
}

/** Cuts `x` along `axis` into pieces of the given lengths. */
export function cut(x: HostValue, lengths: readonly number[], axis: number): HostValue[] {
  const strides = stridesOf(x.shape);
  let begin = 0;
  return lengths.map((length) => {
    const shape = x.shape.map((dim, i) => (i === axis ? length : dim));
    const piece = pick(x, shape, strides, begin * (strides[axis] ?? 0));
    begin += length;
    return piece;
  });
}

/** A shape of which dimension `axis` is replaced. */
export function withDim(shape: TensorShape, axis: number, dim: Dim): TensorShape {
  if (shape.dims === null) return shape;
  return new TensorShape(shape.dims.map((old, i) => (i === axis ? dim : old)));
}

/** The dtype of an index input, for shape vectors that go with it. */
export function indexDType(tensor: Tensor): 'int32' | 'int64' {
  return baseDType(tensor.dtype) === 'int64' ? 'int64' : 'int32';
}

/** Tells a gradient the static shape of what it is the gradient of. */
export function withShapeOf(dx: Tensor, x: Tensor): Tensor {
  dx.setShape(x.shape);
  return dx;
}

/** dx has the elements of dy in the shape of x. */
export function reshapeGrad({ ops, input, dy }: GradContext): Tensor {
  const x = input(0);
  return withShapeOf(ops.reshape(dy, ops.shape(x)), x);
}
