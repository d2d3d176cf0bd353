/** Ops that reorder or repeat elements: transpose, reverse, tile, invertPermutation. */
import { checkOptions } from '../checkOptions.js';
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { normalizeAxis, sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { sizeOf, stridesOf, TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toTensorValue, type HostValue } from '../value.js';
import {
  dimOf,
  forEachPosition,
  indexDType,
  knownElements,
  pick,
  vectorLength,
  withShapeOf,
} from './arrayHost.js';

/** Rejects anything but the numbers 0 … n-1 in some order. */
function checkPermutation(c: InferContext, perm: readonly number[]): void {
  const sorted = [...perm].sort((a, b) => a - b);
  if (sorted.some((axis, i) => axis !== i))
    c.fail(`[${perm.join(',')}] is not a permutation of its positions`);
}

function inferUnravel(c: InferContext): TensorShape[] {
  const indices = c.shape(0);
  const length = vectorLength(c, 1, 'dims');
  if ((indices.rank ?? 0) > 1)
    c.fail(`indices must be a scalar or a vector, got shape ${indices.toString()}`);
  const [known, dims] = [knownElements(c.constant(0)), knownElements(c.constant(1))];
  const wrong = dims?.find((dim) => dim < 1);
  if (wrong !== undefined) c.fail(`dims must be positive, got ${wrong}`);
  const size = dims === null ? Infinity : sizeOf(dims);
  const outside = known?.find((i) => i < 0 || i >= size);
  if (outside !== undefined && dims !== null) {
    c.fail(`index ${outside} is outside of a tensor of shape [${dims.join(',')}]`);
  }
  return [indices.dims === null ? TensorShape.UNKNOWN : new TensorShape([length, ...indices.dims])];
}

function inferTranspose(c: InferContext): TensorShape[] {
  const x = c.shape(0);
  const length = vectorLength(c, 1, 'perm');
  const rank = x.rank ?? length;
  if (rank === null) return [TensorShape.UNKNOWN];
  if (length !== null && length !== rank) {
    c.fail(`perm has ${length} elements for an input of shape ${x.toString()}`);
  }
  const perm = knownElements(c.constant(1));
  if (perm === null) return [TensorShape.ofRank(rank)];
  checkPermutation(c, perm);
  return [new TensorShape(perm.map((axis) => x.dims?.[axis] ?? null))];
}

function inverse(perm: readonly number[]): number[] {
  const result = new Array<number>(perm.length).fill(NaN);
  perm.forEach((axis, i) => (result[axis] = i));
  return result;
}

/** Axes of ReverseV2 in `[0, rank)`, `null` when not known. */
function reversedAxes(c: InferContext): number[] | null {
  const axes = knownElements(c.constant(1));
  if (axes === null || c.shape(0).rank === null) return null;
  const normal = axes.map((axis) => normalizeAxis(c, axis, c.shape(0).rank) ?? 0);
  const repeated = normal.find((axis, i) => normal.indexOf(axis) !== i);
  if (repeated !== undefined) c.fail(`axis ${repeated} occurs twice in [${axes.join(',')}]`);
  return normal;
}

function inferTile(c: InferContext): TensorShape[] {
  const x = c.shape(0);
  const length = vectorLength(c, 1, 'multiples');
  const rank = x.rank ?? length;
  if (rank === null) return [TensorShape.UNKNOWN];
  if (length !== null && length !== rank) {
    c.fail(`multiples has ${length} elements for an input of shape ${x.toString()}`);
  }
  const multiples = c.constant(1);
  const negative = multiples?.data.find((m) => m < 0);
  if (negative !== undefined) c.fail(`multiples must not be negative, got ${negative}`);
  const dims = Array.from({ length: rank }, (_, axis) => {
    const [dim, multiple] = [x.dims?.[axis] ?? null, dimOf(multiples?.data[axis])];
    return dim === null || multiple === null ? null : dim * multiple;
  });
  return [new TensorShape(dims)];
}

function evaluateTile(x: HostValue, multiples: readonly number[]): HostValue {
  const shape = x.shape.map((dim, axis) => dim * (multiples[axis] ?? 1));
  const strides = stridesOf(x.shape);
  const data = new Float64Array(sizeOf(shape));
  let next = 0;
  forEachPosition(shape, (at) => {
    const position = at.reduce((sum, i, axis) => sum + (i % (x.shape[axis] ?? 1)) * (strides[axis] ?? 0), 0);
    data[next++] = x.data[position] ?? NaN;
  });
  return { dtype: x.dtype, shape, data };
}

/** Dimensions in another order; of the numbers that are computed with none is complex, so conjugating does nothing. */
function transposition(summary: string): OpDef {
  return op({
    summary,
    inputs: ['x: T', 'perm: Tperm'],
    outputs: ['y: T'],
    attrs: ['T: type', 'Tperm: index = int32'],
    infer: inferTranspose,
    // dx = dy with the inverse order
    grad: ({ ops, input, dy }) => [ops.transpose(dy, { perm: ops.invertPermutation(input(1)) }), null],
    evaluate: (c) => {
      const [x, perm] = [c.value(0), knownElements(c.value(1))];
      if (x === null || perm === null) return null;
      const strides = stridesOf(x.shape);
      const shape = perm.map((axis) => x.shape[axis] ?? 1);
      return [
        pick(
          x,
          shape,
          perm.map((axis) => strides[axis] ?? 0),
        ),
      ];
    },
  });
}

export const ARRAY_MOVE = {
  Transpose: transposition(
    'Dimensions in another order: dimension i of the output is dimension perm[i] of the input.',
  ),
  ConjugateTranspose: transposition('Transpose, of complex numbers with their conjugates.'),

  InvertPermutation: op({
    summary: 'The inverse of a permutation: y[x[i]] = i.',
    inputs: ['x: T'],
    outputs: ['y: T'],
    attrs: ['T: index = int32'],
    infer: (c) => {
      const length = vectorLength(c, 0, 'x');
      const perm = knownElements(c.constant(0));
      if (perm !== null) checkPermutation(c, perm);
      return [new TensorShape([length])];
    },
    grad: notDifferentiable('it works on integers'),
    evaluate: (c) => {
      const [x, perm] = [c.value(0), knownElements(c.value(0))];
      return x === null || perm === null ? null : [{ ...x, data: Float64Array.from(inverse(perm)) }];
    },
  }),

  UnravelIndex: op({
    summary:
      'The coordinates, one row per dimension, of elements numbered through a tensor of the shape dims.',
    inputs: ['indices: Tidx', 'dims: Tidx'],
    outputs: ['output: Tidx'],
    attrs: ['Tidx: index = int32'],
    infer: inferUnravel,
    grad: notDifferentiable('it works on integers'),
    evaluate: (c) => {
      const [indices, dims] = [c.value(0), knownElements(c.value(1))];
      if (indices === null || dims === null) return null;
      const rows = stridesOf(dims).map((stride, d) =>
        Array.from(indices.data, (i) => Math.floor(i / stride) % (dims[d] ?? 1)),
      );
      const shape = [dims.length, ...indices.shape];
      return [{ dtype: indices.dtype, shape, data: Float64Array.from(rows.flat()) }];
    },
  }),

  ReverseV2: op({
    summary: 'The order of elements along some axes reversed.',
    inputs: ['tensor: T', 'axis: Tidx'],
    outputs: ['output: T'],
    attrs: ['Tidx: index = int32', 'T: type'],
    infer: (c) => {
      vectorLength(c, 1, 'axis');
      reversedAxes(c);
      return sameShape(c);
    },
    grad: ({ ops, input, dy }) => [ops.reverse(dy, input(1)), null],
    evaluate: (c) => {
      const [x, axes] = [c.value(0), knownElements(c.value(1))];
      if (x === null || axes === null) return null;
      const flipped = new Set(axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)));
      const own = stridesOf(x.shape);
      const offset = own.reduce(
        (sum, s, axis) => sum + (flipped.has(axis) ? s * ((x.shape[axis] ?? 1) - 1) : 0),
        0,
      );
      return [
        pick(
          x,
          x.shape,
          own.map((s, axis) => (flipped.has(axis) ? -s : s)),
          offset,
        ),
      ];
    },
  }),

  Tile: op({
    summary: 'The input repeated along every axis.',
    inputs: ['input: T', 'multiples: Tmultiples'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tmultiples: index = int32'],
    infer: inferTile,
    // dx = dy in the shape [m0, d0, m1, d1, …], summed over the repetitions m
    grad: ({ ops, input, dy }) => {
      const [x, multiples] = [input(0), input(1)];
      const dims = ops.shape(x, { outType: indexDType(multiples) });
      const split = ops.reshape(ops.transpose(ops.stack([multiples, dims]), { perm: [1, 0] }), [-1]);
      const axes = ops.range(0, ops.size(split), { delta: 2 });
      return [withShapeOf(ops.reduceSum(ops.reshape(dy, split), { axis: axes }), x), null];
    },
    evaluate: (c) => {
      const [x, multiples] = [c.value(0), knownElements(c.value(1))];
      return x === null || multiples === null ? null : [evaluateTile(x, multiples)];
    },
  }),
};

/**
 * `a` with its dimensions in the order `perm` (`tf.transpose`): dimension `i` of the result is dimension
 * `perm[i]` of `a`. Without `perm` the order is reversed.
 */
export function transpose(a: TensorLike, options: NameOptions & { readonly perm?: TensorLike } = {}): Tensor {
  const { perm, name } = checkOptions('transpose', options, '{ perm: [1, 0] }');
  const x = convertToTensor(a);
  return apply('Transpose', [x, perm ?? reversedOrder(x)], { name: name ?? 'transpose' });
}

/** The axes of `x` from the last to the first. */
function reversedOrder(x: Tensor): TensorLike {
  const { rank } = x.shape;
  if (rank !== null)
    return toTensorValue(
      Array.from({ length: rank }, (_, i) => rank - 1 - i),
      'int32',
    );
  const last = apply('Sub', [apply('Rank', [x]), 1]);
  return apply('Range', [last, -1, -1]);
}

/** The inverse of a permutation: element `x[i]` of the result is `i` (`tf.math.invert_permutation`). */
export function invertPermutation(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('InvertPermutation', [x], { name });
}

/**
 * Coordinates in a tensor of the shape `dims` of the elements with the row-major numbers `indices`
 * (`tf.unravel_index`): [rank] for a scalar, [rank, n] for n indices. Throws `InvalidArgumentError` for constant
 * indices outside of `dims`; computed ones wrap around.
 */
export function unravelIndex(indices: TensorLike, dims: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('UnravelIndex', [indices, dims], { name });
}

/** `tensor` with the order of elements along each of `axis` reversed (`tf.reverse`). */
export function reverse(tensor: TensorLike, axis: TensorLike, { name }: NameOptions = {}): Tensor {
  const axes = typeof axis === 'number' ? [axis] : axis;
  return apply('ReverseV2', [tensor, axes], { name });
}

/** `input` repeated `multiples[i]` times along each dimension `i` (`tf.tile`). */
export function tile(input: TensorLike, multiples: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Tile', [input, multiples], { name });
}
