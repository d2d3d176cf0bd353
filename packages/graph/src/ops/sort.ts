/** Records and builders of the family `sort`: largest elements, sorting, searching in sorted rows. */
import { checkOptions } from '../checkOptions.js';
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { isFloating, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { withRank, withRankAtLeast } from '../inferHelpers.js';
import { notDifferentiable, op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { knownScalar, requireSingle, withShapeOf } from './arrayHost.js';
import type { IndexDType } from './shape.js';

const REAL =
  'T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64}';

function inferTopK(c: InferContext, k: Dim): TensorShape[] {
  const x = withRankAtLeast(c, 0, 1, 'input');
  if (k !== null && k < 0) c.fail(`k must not be negative, got ${k}`);
  if (x.rank === null) return [x, x];
  const last = x.dim(-1);
  if (k !== null && last !== null && k > last)
    c.fail(`k = ${k} exceeds the last dimension of ${x.toString()}`);
  const shape = x.slice(0, -1).concat([k]);
  return [shape, shape];
}

/** dx = dy at the elements that were taken, zero elsewhere */
function topKGrad({ ops, input, output, dy }: GradContext): Tensor {
  const x = input(0);
  const shape = ops.shape(x);
  const last = ops.stridedSlice(shape, [-1], [0], { endMask: 1, shrinkAxisMask: 1 });
  const outer = ops.reduceProd(ops.stridedSlice(shape, [0], [-1]));
  const k = ops.stridedSlice(ops.shape(output(1)), [-1], [0], { endMask: 1, shrinkAxisMask: 1 });
  const starts = ops.expandDims(ops.mul(ops.range(0, outer), last), 1);
  const places = ops.add(ops.reshape(output(1), ops.stack([outer, k])), starts);
  const flat = ops.unsortedSegmentSum(ops.reshape(dy, [-1]), ops.reshape(places, [-1]), ops.mul(outer, last));
  return withShapeOf(ops.reshape(flat, shape), x);
}

function bound(summary: string): OpDef {
  return op({
    summary,
    inputs: ['sorted_inputs: T', 'values: T'],
    outputs: ['output: out_type'],
    attrs: ['T: type', 'out_type: {int32, int64} = int32'],
    infer: (c) => {
      const [rows, values] = [withRank(c, 0, 2, 'sorted_inputs'), withRank(c, 1, 2, 'values')];
      const [a, b] = [rows.dim(0), values.dim(0)];
      if (a !== null && b !== null && a !== b) {
        c.fail(
          `sorted_inputs ${rows.toString()} and values ${values.toString()} differ in their number of rows`,
        );
      }
      return [new TensorShape([b ?? a, values.dim(1)])];
    },
    grad: notDifferentiable('positions are integers'),
  });
}

export const SORT = {
  TopK: op({
    summary: 'The k largest elements along the last axis, and where they are, in the form of older files.',
    inputs: ['input: T'],
    outputs: ['values: T', 'indices: int32'],
    attrs: ['k: int >= 0', 'sorted: bool = true', REAL],
    infer: (c) => inferTopK(c, c.attrs.int('k')),
    grad: (c) => [topKGrad(c)],
  }),
  TopKV2: op({
    summary: 'The k largest elements along the last axis, and where they are.',
    inputs: ['input: T', 'k: int32'],
    outputs: ['values: T', 'indices: int32'],
    attrs: ['sorted: bool = true', REAL],
    infer: (c) => {
      requireSingle(c, 1, 'k');
      return inferTopK(c, knownScalar(c.constant(1)));
    },
    grad: (c) => [topKGrad(c), null],
  }),

  NthElement: op({
    summary: 'The element of each row that would be at position n if the row were sorted.',
    inputs: ['input: T', 'n: int32'],
    outputs: ['values: T'],
    attrs: ['reverse: bool = false', REAL],
    infer: (c) => {
      const x = withRankAtLeast(c, 0, 1, 'input');
      requireSingle(c, 1, 'n');
      const [n, last] = [knownScalar(c.constant(1)), x.rank === null ? null : x.dim(-1)];
      if (n !== null && (n < 0 || (last !== null && n >= last))) {
        c.fail(`n = ${n} is out of range for the last dimension of ${x.toString()}`);
      }
      return [x.rank === null ? x : x.slice(0, -1)];
    },
    // dy is shared equally among the elements that are equal to the n-th
    grad: ({ ops, input, output, dy }) => {
      const marks = ops.cast(ops.equal(ops.expandDims(output(0), -1), input(0)), dy.dtype);
      const count = ops.expandDims(ops.reduceSum(marks, { axis: -1 }), -1);
      return [withShapeOf(ops.mul(ops.div(marks, count), ops.expandDims(dy, -1)), input(0)), null];
    },
  }),

  LowerBound: bound('The number of elements of a sorted row that are less than each value.'),
  UpperBound: bound('The number of elements of a sorted row that are less than or equal to each value.'),
};

export interface TopKOptions extends NameOptions {
  /** How many; default 1. */
  readonly k?: TensorLike;
  /** Without effect: the values are always sorted. */
  readonly sorted?: boolean;
}

/**
 * The `k` largest elements along the last axis in descending order, and their int32 positions
 * (`tf.nn.top_k`). Of equal elements the first comes first; NaN counts as the largest. The gradient goes to the
 * elements that were taken.
 */
export function topK(input: TensorLike, options: TopKOptions = {}): [values: Tensor, indices: Tensor] {
  const { k = 1, sorted = true, name } = checkOptions('topK', options, '{ k: 5 }');
  const node = applyOp('TopKV2', [convertToTensor(input), k], { name, attrs: { sorted } });
  return [node.output(0), node.output(1)];
}

/**
 * The element of each row (the last axis) that would be at position `n` if the row were sorted, from the
 * largest with `reverse` (`tf.contrib.nn.nth_element`). The gradient is shared equally among equal elements.
 */
export function nthElement(
  input: TensorLike,
  n: TensorLike,
  { reverse = false, name }: NameOptions & { readonly reverse?: boolean } = {},
): Tensor {
  return apply('NthElement', [convertToTensor(input), n], { name, attrs: { reverse } });
}

export interface SortOptions extends NameOptions {
  /** Default -1, the last. */
  readonly axis?: number;
  /** `ASCENDING` (default) or `DESCENDING`. */
  readonly direction?: string;
}

/**
 * `values` sorted along `axis` (`tf.sort`). NaN comes first in either direction. Throws for an unknown direction
 * and for scalars.
 */
export function sort(values: TensorLike, options: SortOptions = {}): Tensor {
  const { axis = -1, direction = 'ASCENDING', name } = checkOptions('sort', options, '{ axis: 0 }');
  return sorted(convertToTensor(values), { axis, ascending: isAscending('sort', direction), name }, 0);
}

/**
 * The int32 positions that sort `values` along `axis` (`tf.argsort`). Equal elements keep their order, whether
 * `stable` asks for it or not.
 */
export function argsort(
  values: TensorLike,
  options: SortOptions & { readonly stable?: boolean } = {},
): Tensor {
  const { axis = -1, direction = 'ASCENDING', name } = checkOptions('argsort', options, '{ axis: 0 }');
  return sorted(convertToTensor(values), { axis, ascending: isAscending('argsort', direction), name }, 1);
}

function isAscending(caller: string, direction: string): boolean {
  if (direction !== 'ASCENDING' && direction !== 'DESCENDING') {
    throw new InvalidArgumentError(`${caller}: direction must be ASCENDING or DESCENDING, got ${direction}`);
  }
  return direction === 'ASCENDING';
}

/** Sorts by taking all elements as the largest; ascending order is the descending one of mirrored values. */
function sorted(
  x: Tensor,
  { axis, ascending, name }: { axis: number; ascending: boolean; name: string | undefined },
  output: 0 | 1,
): Tensor {
  const { rank } = x.shape;
  if (rank === null && axis !== -1)
    throw new InvalidArgumentError('sort: an axis other than -1 needs a known rank');
  if (rank !== null && (axis < -rank || axis >= rank)) {
    throw new InvalidArgumentError(`sort: axis ${axis} is out of range for ${x.toString()}`);
  }
  const last = rank === null || axis === -1 || axis === rank - 1;
  const at = axis < 0 ? axis + (rank ?? 0) : axis;
  const perm = Array.from({ length: rank ?? 0 }, (_, d) =>
    d === at ? (rank ?? 1) - 1 : d === (rank ?? 1) - 1 ? at : d,
  );
  const swap = (tensor: Tensor, label?: string): Tensor =>
    last ? tensor : apply('Transpose', [tensor, perm], { name: label });
  const rows = swap(ascending ? mirrored(x) : x);
  const length = apply('StridedSlice', [apply('Shape', [rows]), [-1], [0], [1]], {
    attrs: { end_mask: 1, shrink_axis_mask: 1 },
  });
  const node = applyOp('TopKV2', [rows, length], {});
  const result = node.output(output);
  return apply('Identity', [swap(output === 0 && ascending ? mirrored(result) : result)], {
    name: name ?? 'sort',
  });
}

const UNSIGNED_MAXIMA: Partial<Record<DType, number>> = { uint8: 255, uint16: 65535, uint32: 4294967295 };

/** Values in the opposite order, none of which overflows: -x for floats, -1 - x or max - x for integers. */
function mirrored(x: Tensor): Tensor {
  if (isFloating(x.dtype)) return apply('Neg', [x]);
  return apply('Sub', [UNSIGNED_MAXIMA[x.dtype] ?? -1, x]);
}

export interface SearchSortedOptions extends NameOptions {
  /** `left` (default): before equal elements; `right`: after them. */
  readonly side?: string;
  readonly outType?: IndexDType;
}

/**
 * Where `values` would be inserted into the sorted rows (the last axis) of `sortedSequence`
 * (`tf.searchsorted`). Both have the same leading dimensions. Throws for an unknown side.
 */
export function searchsorted(
  sortedSequence: TensorLike,
  values: TensorLike,
  { side = 'left', outType = 'int32', name = 'searchsorted' }: SearchSortedOptions = {},
): Tensor {
  if (side !== 'left' && side !== 'right') {
    throw new InvalidArgumentError(`searchsorted: side must be left or right, got ${side}`);
  }
  const [sequence, x] = [convertToTensor(sortedSequence), convertToTensor(values)];
  const type = side === 'left' ? 'LowerBound' : 'UpperBound';
  const found = apply(type, [asRows(sequence), asRows(x)], { attrs: { out_type: outType } });
  return apply('Reshape', [found, apply('Shape', [x])], { name });
}

/** A tensor as a matrix whose rows are its last dimension. */
function asRows(x: Tensor): Tensor {
  const length = x.shape.rank === null ? null : x.shape.dim(-1);
  if (length !== null && length > 0) return apply('Reshape', [x, [-1, length]]);
  const shape = apply('Shape', [x]);
  const outer = apply('Prod', [apply('StridedSlice', [shape, [0], [-1], [1]]), [0]]);
  const last = apply('StridedSlice', [shape, [-1], [0], [1]], {
    attrs: { end_mask: 1, shrink_axis_mask: 1 },
  });
  return apply('Reshape', [x, apply('Pack', [[outer, last]])]);
}
