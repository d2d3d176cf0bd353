/** Ops that make tensors of a given shape: fills, ranges, broadcasts. They belong to the shape family. */
import { checkOptions } from '../checkOptions.js';
import { apply, constant, convertToTensor, holdsTensors, type NameOptions } from '../apply.js';
import { baseDType, type DType } from '../dtype.js';
import { sameShape, shapeFromInput, withRank } from '../inferHelpers.js';
import { topGraph, withGraph } from '../graphStack.js';
import { notDifferentiable, op, type InferContext } from '../opDef.js';
import { broadcastShapes, sizeOf, TensorShape, type ShapeLike } from '../shape.js';
import { isTensorConvertible, Tensor, type TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { positions } from './hostMath.js';

const RANGE_TYPES = 'Tidx: {bfloat16, float32, float64, int32, int64} = int32';
const LIKE_TYPES =
  'T: {bfloat16, float16, float32, float64, int8, uint8, int16, uint16, int32, int64, complex64, complex128, bool, uint32, uint64}';

/**
 * Number of steps from `start` to `limit`, NaN while an argument is unknown. Float32 ranges divide in
 * float32, as TensorFlow does: 0.3 / 0.1 is 3 there, although the doubles of these floats give more.
 */
function stepCount(dtype: DType | undefined, start: number, limit: number, delta: number): number {
  if (dtype !== 'float32') return Math.ceil((limit - start) / delta);
  return Math.ceil(Math.fround(Math.fround(limit - start) / delta));
}

/** Rejects the ranges that TensorFlow rejects. */
function checkRange(fail: (rule: string) => never, start: number, limit: number, delta: number): void {
  if (delta === 0) fail('delta must not be 0');
  if (Number.isNaN(delta)) return;
  const [from, to] = delta > 0 ? [start, limit] : [limit, start];
  if (from > to) fail(`the range from ${start} to ${limit} cannot be walked with delta ${delta}`);
}

/** The only element of a scalar input where it is known, else NaN. */
function scalarOf(value: HostValue | null): number {
  return value?.data[0] ?? NaN;
}

function requireScalars(c: InferContext, names: readonly string[]): void {
  names.forEach((name, i) => withRank(c, i, 0, name));
}

/** A value whose elements are all `element`, or `null` while its shape is not known. */
function filled(target: TensorShape, dtype: DType | undefined, element: number): HostValue[] | null {
  if (!target.isFullyDefined || dtype === undefined) return null;
  const dims = target.toStatic();
  return [{ dtype, shape: dims, data: new Float64Array(sizeOf(dims)).fill(element) }];
}

function known(value: HostValue | null): readonly number[] | null {
  return value === null || value.data.some(Number.isNaN) ? null : [...value.data];
}

export const FILL = {
  Fill: op({
    summary: 'A tensor of the given shape with one value everywhere.',
    inputs: ['dims: index_type', 'value: T'],
    outputs: ['output: T'],
    attrs: ['T: type', 'index_type: index = int32'],
    infer: (c) => {
      withRank(c, 0, 1, 'dims');
      withRank(c, 1, 0, 'value');
      rejectNegative(c, c.constant(0));
      return [shapeFromInput(c, 0)];
    },
    grad: ({ ops, dy }) => [null, ops.reduceSum(dy)], // d value = sum dy
    evaluate: (c) => {
      const dims = known(c.value(0));
      const value = c.value(1);
      return dims === null || value === null
        ? null
        : filled(new TensorShape(dims), c.outputs[0], scalarOf(value));
    },
  }),

  ZerosLike: op({
    summary: 'Zeros in the shape of the input.',
    inputs: ['x: T'],
    outputs: ['y: T'],
    attrs: ['T: type'],
    infer: sameShape,
    grad: notDifferentiable('its result is constant'),
    evaluate: (c) => filled(c.shape(0), c.outputs[0], 0),
  }),

  OnesLike: op({
    summary: 'Ones in the shape of the input.',
    inputs: ['x: T'],
    outputs: ['y: T'],
    attrs: [LIKE_TYPES],
    infer: sameShape,
    grad: notDifferentiable('its result is constant'),
    evaluate: (c) => filled(c.shape(0), c.outputs[0], 1),
  }),

  Range: op({
    summary: 'The numbers from start to limit (excluded) in steps of delta.',
    inputs: ['start: Tidx', 'limit: Tidx', 'delta: Tidx'],
    outputs: ['output: Tidx'],
    attrs: [RANGE_TYPES],
    infer: (c) => {
      requireScalars(c, ['start', 'limit', 'delta']);
      const [start = NaN, limit = NaN, delta = NaN] = [0, 1, 2].map((i) => scalarOf(c.constant(i)));
      checkRange((rule) => c.fail(rule), start, limit, delta);
      const length = stepCount(c.dtypes[0], start, limit, delta);
      return [new TensorShape([Number.isNaN(length) ? null : length])];
    },
    grad: notDifferentiable('its length depends on its inputs'),
    evaluate: (c) => {
      const [start = NaN, limit = NaN, delta = NaN] = [0, 1, 2].map((i) => scalarOf(c.value(i)));
      const [dtype] = c.outputs;
      const length = stepCount(dtype, start, limit, delta);
      if (!(length >= 0) || !Number.isFinite(length) || dtype === undefined) return null;
      const data = Float64Array.from({ length }, (_, i) => start + i * delta);
      return [{ dtype, shape: [length], data }];
    },
  }),

  LinSpace: op({
    summary: 'Evenly spaced numbers from start to stop, both included.',
    inputs: ['start: T', 'stop: T', 'num: Tidx'],
    outputs: ['output: T'],
    attrs: ['T: {bfloat16, float32, float64}', 'Tidx: index = int32'],
    infer: (c) => {
      requireScalars(c, ['start', 'stop', 'num']);
      const num = scalarOf(c.constant(2));
      if (num <= 0) c.fail(`num must be positive, got ${num}`);
      return [new TensorShape([Number.isNaN(num) ? null : num])];
    },
    grad: notDifferentiable('TensorFlow defines none'),
    evaluate: (c) => {
      const [a, b, num] = [c.value(0), c.value(1), scalarOf(c.value(2))];
      const [dtype] = c.outputs;
      if (a === null || b === null || !(num > 0) || dtype === undefined) return null;
      const [start, stop] = [scalarOf(a), scalarOf(b)];
      const step = (stop - start) / (num - 1);
      const element = (i: number): number => (i === 0 ? start : i === num - 1 ? stop : start + step * i);
      return [{ dtype, shape: [num], data: Float64Array.from({ length: num }, (_, i) => element(i)) }];
    },
  }),

  BroadcastTo: op({
    summary: 'The input repeated to a shape that it broadcasts to.',
    inputs: ['input: T', 'shape: Tidx'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tidx: index = int32'],
    infer: (c) => {
      withRank(c, 1, 1, 'shape');
      rejectNegative(c, c.constant(1));
      const target = shapeFromInput(c, 1);
      const [x, rank] = [c.shape(0), target.rank];
      const shape = broadcastShapes(x, target);
      const stretches =
        shape === null || (x.rank ?? 0) > (rank ?? Infinity) || !shape.isCompatibleWith(target);
      if (stretches) c.fail(`shape ${x.toString()} does not broadcast to ${target.toString()}`);
      return [target];
    },
    grad: ({ ops, input, dy }) => [ops.sumToShapeOf(dy, input(0)), null], // dx = sum of dy over repetitions
    evaluate: (c) => {
      const [x, shape] = [c.value(0), known(c.value(1))];
      const [dtype] = c.outputs;
      if (x === null || shape === null || dtype === undefined) return null;
      const position = positions(x.shape, shape);
      const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => x.data[position(i)] ?? NaN);
      return [{ dtype, shape, data }];
    },
  }),

  EnsureShape: op({
    summary: 'The input, whose shape must agree with the given one.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['shape: shape', 'T: type'],
    infer: (c) => {
      const [x, wanted] = [c.shape(0), c.attrs.shape('shape')];
      return [
        x.mergeWith(wanted) ?? c.fail(`the input has shape ${x.toString()}, expected ${wanted.toString()}`),
      ];
    },
    grad: ({ dy }) => [dy],
    evaluate: (c) => {
      const x = c.value(0);
      return x === null ? null : [x];
    },
  }),
};

/** Rejects shape vectors with a known negative element. */
function rejectNegative(c: InferContext, value: HostValue | null): void {
  const negative = value?.data.find((dim) => dim < 0);
  if (negative !== undefined) {
    c.fail(`dimensions must not be negative, got [${Array.from(value?.data ?? []).join(',')}]`);
  }
}

/** Constants up to this size are stored in the graph; larger ones are filled at run time, as in TensorFlow. */
const MAX_CONSTANT = 1000;

/** A tensor of shape `dims` (vector or list) filled with the scalar `value` (`tf.fill`). Numbers are float32. */
export function fill(dims: TensorLike, value: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Fill', [dims, value], { name });
}

type DTypeOptions = NameOptions & { readonly dtype?: DType };

/** Zeros of shape `shape`: a list of sizes, some of which may be int32 scalars, or an integer vector (`tf.zeros`). */
export function zeros(shape: ShapeLike | TensorLike, options: DTypeOptions = {}): Tensor {
  return uniform(shape, 0, { name: 'zeros', ...checkOptions('zeros', options, "{ dtype: 'int32' }") });
}

/** Ones of shape `shape`, given as for `zeros` (`tf.ones`). */
export function ones(shape: ShapeLike | TensorLike, options: DTypeOptions = {}): Tensor {
  return uniform(shape, 1, { name: 'ones', ...checkOptions('ones', options, "{ dtype: 'int32' }") });
}

function uniform(
  shape: ShapeLike | TensorLike,
  element: 0 | 1,
  { dtype = 'float32', name }: DTypeOptions,
): Tensor {
  const base = baseDType(dtype);
  const value = base === 'bool' ? element === 1 : base === 'string' ? '' : element;
  if (shape instanceof Tensor || isTensorConvertible(shape) || holdsTensors(shape)) {
    return fill(shape, constant(value, { dtype: base }), { name });
  }
  const dims = TensorShape.of(shape as ShapeLike).toStatic();
  if (sizeOf(dims) < MAX_CONSTANT) return constant(value, { dtype: base, shape: dims, name });
  return fill(constant(dims, { dtype: 'int32' }), constant(value, { dtype: base }), { name });
}

type LikeOptions = DTypeOptions & {
  /** Default `true`: a fully known shape is used in place of the tensor. */
  readonly optimize?: boolean;
};

/** Zeros in the shape of `tensor`, of its dtype unless `dtype` is given (`tf.zeros_like`). */
export function zerosLike(tensor: TensorLike, options: LikeOptions = {}): Tensor {
  return like('ZerosLike', tensor, 0, options);
}

/** Ones in the shape of `tensor`, of its dtype unless `dtype` is given (`tf.ones_like`). */
export function onesLike(tensor: TensorLike, options: LikeOptions = {}): Tensor {
  return like('OnesLike', tensor, 1, options);
}

function like(type: string, tensor: TensorLike, element: 0 | 1, options: LikeOptions): Tensor {
  const x = convertToTensor(tensor);
  const { dtype = baseDType(x.dtype), name, optimize = true } = options;
  const build = (shape: ShapeLike | Tensor): Tensor =>
    withGraph(topGraph() ?? x.graph, () =>
      uniform(shape, element, { dtype, name: name ?? `${element === 0 ? 'zeros' : 'ones'}_like` }),
    );
  if (optimize && x.shape.isFullyDefined && dtype !== 'variant') return build(x.shape);
  if (dtype === baseDType(x.dtype)) return apply(type, [x], { name });
  return build(apply('Shape', [x]));
}

export interface RangeOptions extends NameOptions {
  /** Step; default 1. */
  readonly delta?: TensorLike;
  /** Default: the dtype of a tensor argument, int32 for whole numbers, float32 for others. */
  readonly dtype?: DType;
}

/**
 * `start, start + delta, …` up to but not including `limit` (`tf.range`). With one argument it counts
 * from 0. Throws when `delta` is 0 or leads away from `limit`.
 */
export function range(
  start: TensorLike,
  limit?: TensorLike | null,
  { delta = 1, dtype, name }: RangeOptions = {},
): Tensor {
  const args = limit === undefined || limit === null ? [0, start, delta] : [start, limit, delta];
  const tensor = args.find((arg) => arg instanceof Tensor || isTensorConvertible(arg));
  const whole = args.every((arg) => typeof arg !== 'number' || Number.isInteger(arg));
  const inferred =
    tensor === undefined ? (whole ? 'int32' : 'float32') : baseDType(convertToTensor(tensor).dtype);
  return apply('Range', args, { name: name ?? 'range', attrs: { Tidx: dtype ?? inferred } });
}

/** `num` evenly spaced float32 numbers from `start` to `stop`, both included (`tf.linspace`). */
export function linspace(
  start: TensorLike,
  stop: TensorLike,
  num: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('LinSpace', [start, stop, num], { name });
}

/** TensorFlow's other spelling of `linspace` (`tf.lin_space`). */
export const linSpace = linspace;

/** `input` repeated to `shape`, to which it must broadcast (`tf.broadcast_to`). */
export function broadcastTo(input: TensorLike, shape: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('BroadcastTo', [input, shape], { name });
}

/** `x`, with the added knowledge that its shape is `shape`; a run with another shape fails (`tf.ensure_shape`). */
export function ensureShape(x: TensorLike, shape: ShapeLike, { name }: NameOptions = {}): Tensor {
  return apply('EnsureShape', [x], { name, attrs: { shape: TensorShape.of(shape) } });
}
