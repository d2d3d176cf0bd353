/** Records and builders of ops that speak of shapes, or make tensors from them. */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type EvaluateContext, type InferContext } from '../opDef.js';
import { broadcastShapes, TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toTensorValue, type HostValue } from '../value.js';
import { FILL } from './fill.js';

export * from './fill.js';

const OUT_TYPE = 'out_type: {int32, int64} = int32';
const SHAPE_TYPE = 'T: {int32, int64} = int32';
const shapesOnly = notDifferentiable('its result depends on shapes only');

/** The vector that holds a shape: as long as the rank. */
function shapeVector({ rank }: TensorShape): TensorShape {
  return new TensorShape([rank]);
}

/** A shape as a value whose unknown dimensions are unknown elements; `null` for unknown rank. */
function shapeValue({ dims }: TensorShape, dtype: DType | undefined): HostValue | null {
  if (dims === null || dtype === undefined) return null;
  return { dtype, shape: [dims.length], data: Float64Array.from(dims, (dim) => dim ?? NaN) };
}

function evaluateShapes(c: EvaluateContext): HostValue[] | null {
  const values = c.outputs.map((dtype, i) => shapeValue(c.shape(i), dtype));
  const known = values.filter((value) => value !== null);
  return known.length === values.length ? known : null;
}

/** The number of elements where it is known: also when one dimension is 0 and another unknown. */
function knownSize({ dims, size }: TensorShape): Dim {
  return dims?.includes(0) === true ? 0 : size;
}

/** Rejects two shape vectors that hold known shapes which do not broadcast. */
function checkBroadcast(c: InferContext): void {
  const [a, b] = [withRank(c, 0, 1, 's0'), withRank(c, 1, 1, 's1')];
  const [x, y] = [heldShape(c.constant(0)), heldShape(c.constant(1))];
  if (a.dim(0) === null || b.dim(0) === null || x === null || y === null) return;
  if (broadcastShapes(x, y) === null) c.fail(`shapes do not broadcast: ${x.toString()} and ${y.toString()}`);
}

function heldShape(value: HostValue | null): TensorShape | null {
  if (value === null) return null;
  return new TensorShape(Array.from(value.data, (dim) => (Number.isNaN(dim) || dim < 0 ? null : dim)));
}

/** Axes of the broadcast shape over which the gradients for shapes `a` and `b` are summed. */
function reductionIndices(a: readonly number[], b: readonly number[]): [number[], number[]] {
  if (a.join() === b.join()) return [[], []];
  const rank = Math.max(a.length, b.length);
  const stretched = (own: readonly number[]): number[] =>
    Array.from({ length: rank }, (_, axis) => axis).filter(
      (axis) => (own[axis - rank + own.length] ?? 1) === 1,
    );
  return [stretched(a), stretched(b)];
}

function evaluateGradientArgs(c: EvaluateContext): HostValue[] | null {
  const [a, b] = [c.value(0), c.value(1)];
  if (a === null || b === null || a.data.some(Number.isNaN) || b.data.some(Number.isNaN)) return null;
  const lists = reductionIndices([...a.data], [...b.data]);
  return lists.map((axes) => ({ dtype: a.dtype, shape: [axes.length], data: Float64Array.from(axes) }));
}

const SHAPES = {
  Shape: op({
    summary: 'The shape of a tensor as a vector of integers.',
    inputs: ['input: T'],
    outputs: ['output: out_type'],
    attrs: ['T: type', OUT_TYPE],
    infer: (c) => [shapeVector(c.shape(0))],
    grad: shapesOnly,
    evaluate: evaluateShapes,
  }),

  ShapeN: op({
    summary: 'The shapes of several tensors.',
    inputs: ['input: N * T'],
    outputs: ['output: N * out_type'],
    attrs: ['N: int >= 1', 'T: type', OUT_TYPE],
    infer: (c) => c.shapes.map(shapeVector),
    grad: shapesOnly,
    evaluate: evaluateShapes,
  }),

  Size: op({
    summary: 'The number of elements of a tensor.',
    inputs: ['input: T'],
    outputs: ['output: out_type'],
    attrs: ['T: type', OUT_TYPE],
    infer: () => [TensorShape.SCALAR],
    grad: shapesOnly,
    evaluate: (c) => [
      { dtype: c.outputs[0] ?? 'int32', shape: [], data: Float64Array.of(knownSize(c.shape(0)) ?? NaN) },
    ],
  }),

  Rank: op({
    summary: 'The number of dimensions of a tensor.',
    inputs: ['input: T'],
    outputs: ['output: int32'],
    attrs: ['T: type'],
    infer: () => [TensorShape.SCALAR],
    grad: shapesOnly,
    evaluate: (c) => [{ dtype: 'int32', shape: [], data: Float64Array.of(c.shape(0).rank ?? NaN) }],
  }),

  BroadcastArgs: op({
    summary: 'The shape to which two shapes broadcast.',
    inputs: ['s0: T', 's1: T'],
    outputs: ['r0: T'],
    attrs: [SHAPE_TYPE],
    infer: (c) => {
      checkBroadcast(c);
      const [a, b] = [c.shape(0).dims?.[0] ?? null, c.shape(1).dims?.[0] ?? null];
      return [new TensorShape([a === null || b === null ? null : Math.max(a, b)])];
    },
    grad: shapesOnly,
    evaluate: (c) => {
      const [a, b] = [heldShape(c.value(0)), heldShape(c.value(1))];
      const shape = a === null || b === null ? null : broadcastShapes(a, b);
      const value = shape === null ? null : shapeValue(shape, c.outputs[0]);
      return value === null ? null : [value];
    },
  }),

  BroadcastGradientArgs: op({
    summary: 'The axes over which the gradients of two broadcast shapes are summed.',
    inputs: ['s0: T', 's1: T'],
    outputs: ['r0: T', 'r1: T'],
    attrs: [SHAPE_TYPE],
    infer: (c) => {
      checkBroadcast(c);
      const [a, b] = [c.constant(0), c.constant(1)];
      if (a === null || b === null || [...a.data, ...b.data].some(Number.isNaN)) {
        return [TensorShape.ofRank(1), TensorShape.ofRank(1)];
      }
      return reductionIndices([...a.data], [...b.data]).map((axes) => new TensorShape([axes.length]));
    },
    grad: shapesOnly,
    evaluate: evaluateGradientArgs,
  }),
};

export const SHAPE = { ...SHAPES, ...FILL };

/** Integer dtypes of shapes. */
export type IndexDType = 'int32' | 'int64';

export interface ShapeOptions extends NameOptions {
  readonly outType?: IndexDType;
  /** Default `true`: a fully known shape becomes a constant. */
  readonly optimize?: boolean;
}

/** The shape of `input` as an integer vector (`tf.shape`). A constant when the static shape is fully known. */
export function shape(
  input: TensorLike,
  { name, outType = 'int32', optimize = true }: ShapeOptions = {},
): Tensor {
  const x = convertToTensor(input);
  if (!optimize || !x.shape.isFullyDefined)
    return apply('Shape', [x], { name, attrs: { out_type: outType } });
  return constantIn(x, x.shape.toStatic(), outType, name ?? 'Shape');
}

/** The shapes of several tensors of one dtype (`tf.shape_n`). */
export function shapeN(
  inputs: readonly TensorLike[],
  { name, outType = 'int32' }: Omit<ShapeOptions, 'optimize'> = {},
): Tensor[] {
  return applyOp('ShapeN', [inputs], { name, attrs: { out_type: outType } }).outputs;
}

/** The number of elements of `input` as an integer scalar (`tf.size`). A constant when it is known. */
export function size(
  input: TensorLike,
  { name, outType = 'int32', optimize = true }: ShapeOptions = {},
): Tensor {
  const x = convertToTensor(input);
  if (!optimize || x.shape.size === null) return apply('Size', [x], { name, attrs: { out_type: outType } });
  return constantIn(x, x.shape.size, outType, name ?? 'Size');
}

/** The number of dimensions of `input` as an int32 scalar (`tf.rank`). A constant when it is known. */
export function rank(
  input: TensorLike,
  { name, optimize = true }: NameOptions & { readonly optimize?: boolean } = {},
): Tensor {
  const x = convertToTensor(input);
  if (!optimize || x.shape.rank === null) return apply('Rank', [x], { name });
  return constantIn(x, x.shape.rank, 'int32', name ?? 'Rank');
}

/** A constant in the graph of `x`, whatever the default graph is. */
function constantIn(x: Tensor, value: number | readonly number[], dtype: DType, name: string): Tensor {
  const attrs = { value: toTensorValue(value, dtype), dtype };
  return x.graph.createOp({ type: 'Const', name, attrs }).output(0);
}

/** The shape to which two shape vectors broadcast (`tf.broadcast_dynamic_shape`). */
export function broadcastDynamicShape(
  shapeX: TensorLike,
  shapeY: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('BroadcastArgs', [shapeX, shapeY], { name });
}

/** The shape to which two static shapes broadcast (`tf.broadcast_static_shape`), `null` when they do not. */
export const broadcastStaticShape = broadcastShapes;

/**
 * The axes over which the gradient of a broadcast operation is summed for each operand, from the shape
 * vectors of both operands (`gen_array_ops.broadcast_gradient_args`).
 */
export function broadcastGradientArgs(
  s0: TensorLike,
  s1: TensorLike,
  { name }: NameOptions = {},
): [Tensor, Tensor] {
  const node = applyOp('BroadcastGradientArgs', [s0, s1], { name });
  return [node.output(0), node.output(1)];
}

/**
 * Sums a gradient `dx` of a shape to which `x` was broadcast over the repeated axes, so that it gets the
 * shape of `x`. Adds no nodes when both static shapes are known and equal.
 */
export function sumToShapeOf(dx: Tensor, x: Tensor): Tensor {
  const [from, to] = [dx.shape, x.shape];
  if (!from.isFullyDefined || !to.isFullyDefined) {
    const target = shape(x);
    const [axes] = broadcastGradientArgs(target, shape(dx));
    return withShape(apply('Reshape', [apply('Sum', [dx, axes]), target]), to);
  }
  if (from.equals(to)) return dx;
  const [axes] = reductionIndices(to.toStatic(), from.toStatic());
  const sum = axes.length === 0 ? dx : apply('Sum', [dx, constantIn(dx, axes, 'int32', 'axes')]);
  return sum.shape.equals(to) ? sum : apply('Reshape', [sum, shape(x)]);
}

/** Adds the static shape that a gradient must have, which inference may not see. */
function withShape(tensor: Tensor, known: TensorShape): Tensor {
  tensor.setShape(known);
  return tensor;
}
