/** Ops that join the elements of tensor lists, cut tensors into lists, and join lists. */
import { apply, applyOp, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { notDifferentiable, op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { withRank } from '../inferHelpers.js';
import {
  ELEMENT,
  declaredHandle,
  elementDims,
  forFloats,
  listGradient,
  oneList,
  rowsOf,
  SHAPE_TYPE,
} from './listHelpers.js';
import {
  askedShape,
  checkCount,
  checkHeld,
  checkList,
  checkRowShape,
  checkRows,
  heldShape,
  rowOf,
} from './listInfer.js';

/** The joined elements of a list: everything but the number of rows is known from one of them. */
function joinedShape(c: InferContext, asked: TensorShape): TensorShape[] {
  checkList(c, 0);
  const lengths = new TensorShape([null]);
  const held = heldShape(c, 0);
  const rest = [held, asked].map((shape) => withoutFirst(c, shape));
  const [known = TensorShape.UNKNOWN, wanted = TensorShape.UNKNOWN] = rest;
  const merged = known.mergeWith(wanted);
  if (merged === null) {
    return c.fail(`elements of shape ${held.toString()} are joined as elements of shape ${asked.toString()}`);
  }
  return [new TensorShape(merged.dims === null ? null : [null, ...merged.dims]), lengths];
}

function withoutFirst(c: InferContext, shape: TensorShape): TensorShape {
  if (shape.rank === 0) c.fail('elements must have a first dimension to be joined along, they are scalars');
  return new TensorShape(shape.dims === null ? null : shape.dims.slice(1));
}

/** The gradient of joining: the parts of the gradient, as long as the elements were. */
function concatGrad(c: GradContext): Tensor {
  const shape = c.ops.tensorListElementShape(c.input(0));
  return c.ops.tensorListSplit(c.dy, c.output(1), { shape });
}

function scatter(summary: string, sized: boolean): OpDef {
  return op({
    summary,
    inputs: [
      'tensor: element_dtype',
      'indices: int32',
      'element_shape: shape_type',
      ...(sized ? ['num_elements: int32'] : []),
    ],
    outputs: ['output_handle: variant'],
    attrs: [ELEMENT, SHAPE_TYPE],
    infer: (c) => {
      checkRowShape(c, checkRows(c, 0, 1), 2);
      if (sized) checkCount(c, 3, 'num_elements', -1);
      return oneList();
    },
    handles: declaredHandle(2),
    grad: forFloats((c) => {
      const x = c.input(0);
      const dx = c.ops.tensorListGather(listGradient(c), c.input(1), elementDims(rowsOf(x)), x.dtype);
      return c.inputs.map((_, i) => (i === 0 ? dx : null));
    }),
  });
}

function inferSplit(c: InferContext): TensorShape[] {
  const [x, lengths, declared] = [c.shape(0), c.shape(2), askedShape(c, 1)];
  if (x.rank === 0) c.fail('the tensor must have a first dimension to be cut along, got a scalar');
  if (lengths.rank !== null && lengths.rank !== 1)
    c.fail(`lengths must be a vector, got shape ${lengths.toString()}`);
  const parts = new TensorShape(x.dims === null ? null : [null, ...x.dims.slice(1)]);
  if (parts.mergeWith(declared) === null)
    c.fail(`parts of shape ${parts.toString()} are no elements of shape ${declared.toString()}`);
  const sizes = c.constant(2);
  if (sizes !== null) checkLengths(c, Array.from(sizes.data), x.dims?.[0] ?? null);
  return oneList();
}

function checkLengths(c: InferContext, lengths: readonly number[], rows: number | null): void {
  const negative = lengths.find((length) => length < 0);
  if (negative !== undefined) c.fail(`lengths must not be negative, got ${negative}`);
  const sum = lengths.reduce((total, length) => total + length, 0);
  if (rows !== null && !Number.isNaN(sum) && sum !== rows)
    c.fail(`the lengths [${lengths.join(',')}] add up to ${sum}, the tensor has ${rows} rows`);
}

/** The handle of the first list. */
const sameHandle = ({ inputs: [list] }: Operation) => [list?.handle ?? null];

/** The gradients of two lists in a row: the first elements of the gradient, and those that follow. */
function concatListsGrad(c: GradContext): (Tensor | null)[] {
  const { ops, attrs } = c;
  const [a, b, dlist] = [c.input(0), c.input(1), listGradient(c)];
  const [first, second] = [ops.tensorListLength(a), ops.tensorListLength(b)];
  const shape = elementDims(b.handle?.shape ?? TensorShape.UNKNOWN);
  const positions = ops.range(first, ops.add(first, second));
  const rows = ops.tensorListGather(dlist, positions, shape, attrs.type('element_dtype'));
  return [ops.tensorListResize(dlist, first), ops.tensorListFromTensor(rows, shape)];
}

export const LIST_JOIN = {
  TensorListConcat: op({
    summary: 'The elements of a list joined along their first dimension, and their lengths.',
    inputs: ['input_handle: variant'],
    outputs: ['tensor: element_dtype', 'lengths: int64'],
    attrs: [ELEMENT, 'element_shape: shape = <unknown>'],
    infer: (c) => joinedShape(c, c.attrs.shape('element_shape')),
    grad: forFloats((c) => [concatGrad(c)]),
  }),
  TensorListConcatV2: op({
    summary:
      'The elements of a list joined along their first dimension, and their lengths; `leading_dims` are those of elements never set.',
    inputs: ['input_handle: variant', 'element_shape: shape_type', 'leading_dims: int64'],
    outputs: ['tensor: element_dtype', 'lengths: int64'],
    attrs: [ELEMENT, SHAPE_TYPE],
    infer: (c) => {
      withRank(c, 2, 1, 'leading_dims');
      return joinedShape(c, askedShape(c, 1));
    },
    grad: forFloats((c) => [concatGrad(c), null, null]),
  }),
  TensorListSplit: op({
    summary: 'The parts of a tensor along its first dimension, of given lengths, as a list.',
    inputs: ['tensor: element_dtype', 'element_shape: shape_type', 'lengths: int64'],
    outputs: ['output_handle: variant'],
    attrs: [ELEMENT, SHAPE_TYPE],
    infer: inferSplit,
    handles: declaredHandle(1),
    grad: forFloats((c) => {
      const x = c.input(0);
      const shape = elementDims(new TensorShape(x.shape.dims === null ? null : [null, ...rowsDims(x)]));
      const options = { shape, leadingDims: c.input(2) };
      return [c.ops.tensorListConcat(listGradient(c), x.dtype, options).tensor, null, null];
    }),
  }),
  TensorListScatter: scatter('A list with the rows of a tensor at given positions.', false),
  TensorListScatterV2: scatter(
    'A list of `num_elements` elements (-1 for as many as the positions need) with the rows of a tensor at given positions.',
    true,
  ),
  TensorListConcatLists: op({
    summary: 'The elements of one list and then those of another.',
    inputs: ['input_a: variant', 'input_b: variant'],
    outputs: ['output: variant'],
    attrs: [ELEMENT],
    infer: (c) => {
      const merged = c.shape(0).mergeWith(c.shape(1));
      const [a, b] = [heldShape(c, 0), heldShape(c, 1)];
      if (a.mergeWith(b) === null)
        c.fail(`one list holds elements of shape ${a.toString()}, the other of ${b.toString()}`);
      return [
        merged ?? c.fail(`the lists have shapes ${c.shape(0).toString()} and ${c.shape(1).toString()}`),
      ];
    },
    handles: sameHandle,
    grad: forFloats(concatListsGrad),
  }),
  TensorListPushBackBatch: op({
    summary: 'Lists, each with one more element at its end: a row of a tensor.',
    inputs: ['input_handles: variant', 'tensor: element_dtype'],
    outputs: ['output_handles: variant'],
    attrs: [ELEMENT],
    infer: (c) => {
      const [lists, rows] = [c.shape(0), c.shape(1)];
      if (lists.rank !== null && lists.rank !== 1)
        c.fail(`input_handles must be a vector of lists, got shape ${lists.toString()}`);
      checkHeld(c, 0, rowOf(c, 1));
      const count = new TensorShape([rows.dims?.[0] ?? null]);
      return [
        lists.mergeWith(count) ?? c.fail(`there are ${lists.toString()} lists for rows ${rows.toString()}`),
      ];
    },
    handles: sameHandle,
    grad: notDifferentiable('TensorFlow defines none for batches of lists: gradients stop there'),
  }),
} satisfies Record<string, OpDef>;

function rowsDims({ shape: { dims } }: Tensor): (number | null)[] {
  return [...(dims ?? [])].slice(1);
}

export interface ListConcatOptions extends NameOptions {
  /** Shape of the elements, -1 for what is not known; by default nothing is known. */
  readonly shape?: TensorLike;
  /** First dimensions of elements that were never set (int64). */
  readonly leadingDims?: TensorLike;
}

/**
 * The elements joined along their first dimension, and how long each is (`TensorListConcatV2`). Their other dimensions
 * must agree. Fails at run time for a list without elements whose other dimensions are not known.
 */
export function tensorListConcat(
  list: Tensor,
  dtype: DType,
  { shape = -1, leadingDims = [], name }: ListConcatOptions = {},
): { tensor: Tensor; lengths: Tensor } {
  const concat = applyOp('TensorListConcatV2', [list, shape, leadingDims], {
    name,
    attrs: { element_dtype: dtype, shape_type: 'int32' },
  });
  return { tensor: concat.output(0), lengths: concat.output(1) };
}

/** The parts of `tensor` along its first dimension, of the given lengths, as a list (`TensorListSplit`). */
export function tensorListSplit(
  tensor: TensorLike,
  lengths: TensorLike,
  { shape = -1, name }: NameOptions & { readonly shape?: TensorLike } = {},
): Tensor {
  return apply('TensorListSplit', [tensor, shape, lengths], { name, attrs: { shape_type: 'int32' } });
}

/**
 * A list with the rows of `tensor` at `indices` (`TensorListScatterV2`). It has `numElements` elements, or as many as
 * the indices need where that is -1, the default; those that no index names are to be set.
 */
export function tensorListScatter(
  tensor: TensorLike,
  indices: TensorLike,
  {
    shape = -1,
    numElements = -1,
    name,
  }: NameOptions & { readonly shape?: TensorLike; readonly numElements?: TensorLike } = {},
): Tensor {
  return apply('TensorListScatterV2', [tensor, indices, shape, numElements], {
    name,
    attrs: { shape_type: 'int32' },
  });
}

/** The elements of `a` and then those of `b` (`TensorListConcatLists`). */
export function tensorListConcatLists(
  a: Tensor,
  b: Tensor,
  dtype: DType,
  { name }: NameOptions = {},
): Tensor {
  return apply('TensorListConcatLists', [a, b], { name, attrs: { element_dtype: dtype } });
}

/** A vector of lists (made by `stack`), each with a row of `tensor` at its end (`TensorListPushBackBatch`). */
export function tensorListPushBackBatch(
  lists: Tensor,
  tensor: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('TensorListPushBackBatch', [lists, tensor], { name });
}
