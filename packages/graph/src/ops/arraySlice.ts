/** Ops that cut a box out of a tensor: slice, and stridedSlice with its gradient. */
import { apply, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { shapeFromInput } from '../inferHelpers.js';
import { op, type EvaluateContext, type GradContext, type InferContext } from '../opDef.js';
import { stridesOf, TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { dimOf, indexDType, knownElements, pick, vectorLength, withShapeOf } from './arrayHost.js';
import { resolveStridedSlice, sliceMasks, type ResolvedSlice } from './stridedRange.js';

/** The attributes of all strided slices. */
export const MASKS = [
  'begin_mask: int = 0',
  'end_mask: int = 0',
  'ellipsis_mask: int = 0',
  'new_axis_mask: int = 0',
  'shrink_axis_mask: int = 0',
] as const;

/** The size of one dimension of a slice; -1 takes all that is left. Unknown values are `null`. */
function sliceDim(c: InferContext, axis: number, dim: Dim, begin: Dim, size: Dim): Dim {
  if (begin !== null && (begin < 0 || (dim !== null && begin > dim))) {
    c.fail(`begin[${axis}] = ${begin} is out of range [0, ${dim ?? '?'}]`);
  }
  if (size !== null && size < -1) c.fail(`size[${axis}] must be -1 or more, got ${size}`);
  if (size === -1) return dim === null || begin === null ? null : dim - begin;
  if (size !== null && dim !== null && (begin ?? 0) + size > dim) {
    c.fail(`begin[${axis}] + size[${axis}] = ${(begin ?? 0) + size} exceeds the dimension's size ${dim}`);
  }
  return size;
}

function inferSlice(c: InferContext): TensorShape[] {
  const x = c.shape(0);
  const lengths = [vectorLength(c, 1, 'begin'), vectorLength(c, 2, 'size')];
  const rank = x.rank ?? lengths[0] ?? lengths[1] ?? null;
  if (rank === null) return [TensorShape.UNKNOWN];
  if (lengths.some((length) => length !== null && length !== rank)) {
    c.fail(`begin and size need ${rank} elements each, got ${lengths.map((n) => n ?? '?').join(' and ')}`);
  }
  const [begin, size] = [c.constant(1), c.constant(2)];
  const dims = Array.from({ length: rank }, (_, axis) =>
    sliceDim(c, axis, x.dims?.[axis] ?? null, dimOf(begin?.data[axis]), dimOf(size?.data[axis])),
  );
  return [new TensorShape(dims)];
}

/** begin, end and strides from inputs `first`, `first + 1`, `first + 2`; unknown elements are NaN. */
export function boundsFrom(
  value: (i: number) => HostValue | null,
  first: number,
  count: number,
): { begin: number[]; end: number[]; strides: number[] } {
  const list = (i: number): number[] => {
    const known = value(first + i);
    return Array.from({ length: count }, (_, k) => known?.data[k] ?? NaN);
  };
  return { begin: list(0), end: list(1), strides: list(2) };
}

function inferStridedSlice(c: InferContext): TensorShape[] {
  const lengths = ['begin', 'end', 'strides'].map((name, i) => vectorLength(c, i + 1, name));
  const count = lengths.find((length) => length !== null) ?? null;
  if (lengths.some((length) => length !== null && length !== count)) {
    c.fail(`begin, end and strides have ${lengths.map((n) => n ?? '?').join(', ')} elements`);
  }
  const { dims } = c.shape(0);
  if (dims === null || count === null) return [TensorShape.UNKNOWN];
  const bounds = boundsFrom((i) => c.constant(i), 1, count);
  return [
    new TensorShape(resolveStridedSlice(dims, bounds, sliceMasks(c.attrs), (rule) => c.fail(rule)).shape),
  ];
}

/** The slice of a known shape with known bounds, or `null`. */
function resolved(c: EvaluateContext, dims: readonly number[]): ResolvedSlice | null {
  const known = [1, 2, 3].map((i) => knownElements(c.value(i)));
  const [begin, end, strides] = known;
  if (begin === undefined || end === undefined || strides === undefined) return null;
  if (begin === null || end === null || strides === null) return null;
  return resolveStridedSlice(dims, { begin, end, strides }, sliceMasks(c.attrs), (rule) => {
    throw new InvalidArgumentError(`StridedSlice: ${rule}`);
  });
}

function evaluateStridedSlice(c: EvaluateContext): HostValue[] | null {
  const x = c.value(0);
  const slice = x === null ? null : resolved(c, x.shape);
  if (x === null || slice === null) return null;
  const own = stridesOf(x.shape);
  const counts = slice.ranges.map(({ count }) => count ?? 0);
  const steps = slice.ranges.map(({ stride }, axis) => stride * (own[axis] ?? 0));
  const offset = slice.ranges.reduce((sum, { begin }, axis) => sum + begin * (own[axis] ?? 0), 0);
  return [{ ...pick(x, counts, steps, offset), shape: slice.shape.map((dim) => dim ?? 0) }];
}

/** The masks of the differentiated slice, for the slice op of its gradient. */
function maskOptions({ attrs }: GradContext): StridedSliceOptions {
  const { begin, end, ellipsis, newAxis, shrinkAxis } = sliceMasks(attrs);
  return {
    beginMask: begin,
    endMask: end,
    ellipsisMask: ellipsis,
    newAxisMask: newAxis,
    shrinkAxisMask: shrinkAxis,
  };
}

export const ARRAY_SLICE = {
  Slice: op({
    summary: 'A box of a tensor, given by its first corner and its size.',
    inputs: ['input: T', 'begin: Index', 'size: Index'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Index: index'],
    infer: inferSlice,
    // dx = dy with zeros around it: begin before it, the rest after it
    grad: ({ ops, input, output, dy }) => {
      const [x, begin] = [input(0), input(1)];
      const outType = indexDType(begin);
      const rest = ops.sub(ops.sub(ops.shape(x, { outType }), ops.shape(output(0), { outType })), begin);
      return [withShapeOf(ops.pad(dy, ops.stack([begin, rest], { axis: 1 })), x), null, null];
    },
    evaluate: (c) => {
      const [x, begin, size] = [c.value(0), knownElements(c.value(1)), knownElements(c.value(2))];
      if (x === null || begin === null || size === null) return null;
      const strides = stridesOf(x.shape);
      const dims = x.shape.map((dim, i) => (size[i] === -1 ? dim - (begin[i] ?? 0) : (size[i] ?? 0)));
      const offset = strides.reduce((sum, stride, i) => sum + stride * (begin[i] ?? 0), 0);
      return [pick(x, dims, strides, offset)];
    },
  }),

  StridedSlice: op({
    summary: 'A slice with steps, single indices and new axes, as in NumPy.',
    inputs: ['input: T', 'begin: Index', 'end: Index', 'strides: Index'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Index: index', ...MASKS],
    infer: inferStridedSlice,
    // dx = dy at the positions that were read, 0 elsewhere
    grad: (c) => {
      const [x, begin, end, strides] = [c.input(0), c.input(1), c.input(2), c.input(3)];
      const shape = c.ops.shape(x, { outType: indexDType(begin) });
      const dx = c.ops.stridedSliceGrad(shape, begin, end, strides, c.dy, maskOptions(c));
      return [withShapeOf(dx, x), null, null, null];
    },
    evaluate: evaluateStridedSlice,
  }),

  StridedSliceGrad: op({
    summary: 'Gradient of StridedSlice: dy at the positions that were read, 0 elsewhere.',
    inputs: ['shape: Index', 'begin: Index', 'end: Index', 'strides: Index', 'dy: T'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Index: index', ...MASKS],
    infer: (c) => {
      const x = shapeFromInput(c, 0);
      const count = vectorLength(c, 1, 'begin');
      if (x.dims === null || count === null) return [x];
      const bounds = boundsFrom((i) => c.constant(i), 1, count);
      const slice = resolveStridedSlice(x.dims, bounds, sliceMasks(c.attrs), (rule) => c.fail(rule));
      const expected = new TensorShape(slice.shape);
      if (!expected.isCompatibleWith(c.shape(4))) {
        c.fail(`dy has shape ${c.shape(4).toString()}, the slice has ${expected.toString()}`);
      }
      return [x];
    },
    // d(dy) = the same slice of what flows into dx
    grad: (c) => {
      const [begin, end, strides] = [c.input(1), c.input(2), c.input(3)];
      const ddy = c.ops.stridedSlice(c.dy, begin, end, { ...maskOptions(c), strides });
      return [null, null, null, null, withShapeOf(ddy, c.input(4))];
    },
  }),
};

/** The box of `input` that begins at `begin` and has size `size`, where -1 takes the rest (`tf.slice`). */
export function slice(
  input: TensorLike,
  begin: TensorLike,
  size: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('Slice', [input, begin, size], { name });
}

/** Bit `i` of each mask speaks of entry `i` of begin, end and strides. */
export interface StridedSliceOptions extends NameOptions {
  /** Default: ones. */
  readonly strides?: TensorLike;
  /** Ignore `begin[i]`: start at the first element (the last for a negative stride). */
  readonly beginMask?: number;
  /** Ignore `end[i]`: go on to the other side. */
  readonly endMask?: number;
  /** The entry stands for all dimensions that the others do not name. */
  readonly ellipsisMask?: number;
  /** The entry makes a new dimension of size 1. */
  readonly newAxisMask?: number;
  /** The entry is the single index `begin[i]`; its dimension is removed. */
  readonly shrinkAxisMask?: number;
}

/** The masks as attributes. */
export function maskAttrs(options: StridedSliceOptions): Record<string, number> {
  return {
    begin_mask: options.beginMask ?? 0,
    end_mask: options.endMask ?? 0,
    ellipsis_mask: options.ellipsisMask ?? 0,
    new_axis_mask: options.newAxisMask ?? 0,
    shrink_axis_mask: options.shrinkAxisMask ?? 0,
  };
}

/**
 * The elements `begin, begin + stride, …` before `end` along each dimension (`tf.strided_slice`).
 * Negative indices count from the end, negative strides go backwards.
 */
export function stridedSlice(
  input: TensorLike,
  begin: TensorLike,
  end: TensorLike,
  options: StridedSliceOptions = {},
): Tensor {
  const strides = options.strides ?? onesFor(begin);
  return apply('StridedSlice', [input, begin, end, strides], {
    name: options.name,
    attrs: maskAttrs(options),
  });
}

/** Strides of 1 for every entry of `begin`. */
export function onesFor(begin: TensorLike): TensorLike {
  if (Array.isArray(begin)) return begin.map(() => 1);
  return apply('OnesLike', [begin]);
}

/** The gradient of `stridedSlice` for an input of shape `shape` (`gen_array_ops.strided_slice_grad`). */
export function stridedSliceGrad(
  shape: TensorLike,
  begin: TensorLike,
  end: TensorLike,
  strides: TensorLike,
  dy: TensorLike,
  options: Omit<StridedSliceOptions, 'strides'> = {},
): Tensor {
  const attrs = maskAttrs(options);
  return apply('StridedSliceGrad', [shape, begin, end, strides, dy], { name: options.name, attrs });
}
