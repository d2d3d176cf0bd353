/**
 * Tensor lists: sequences of tensors, which loops read and write. A list is a value like any other: an op that
 * changes one gives a new list. Gradients are lists too, of the gradients of the elements; those of
 * integer elements have none.
 */
import { apply, applyOp, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { scalarShape } from '../inferHelpers.js';
import { notDifferentiable, op, type HandleData, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import {
  declaredHandle,
  ELEMENT,
  elementDims,
  forFloats,
  likeElement,
  listGradient,
  oneList,
  rowHandle,
  rowShape,
  rowsOf,
  rowsSummed,
  SHAPE_TYPE,
  UNKNOWN_ELEMENT,
} from './listHelpers.js';
import {
  askedShape,
  checkCount,
  checkElement,
  checkHeld,
  checkIndices,
  checkList,
  checkRowShape,
  checkRows,
  readShape,
  rowOf,
} from './listInfer.js';
import { LIST_JOIN } from './listJoin.js';
import { OPTIONAL } from './optional.js';

export const LIST = {
  EmptyTensorList: op({
    summary: 'A list without elements.',
    inputs: ['element_shape: shape_type', 'max_num_elements: int32'],
    outputs: ['handle: variant'],
    attrs: [ELEMENT, SHAPE_TYPE],
    infer: (c) => {
      askedShape(c, 0);
      checkCount(c, 1, 'max_num_elements', -1);
      return oneList();
    },
    handles: declaredHandle(0),
    grad: notDifferentiable('it has no elements'),
  }),
  TensorListReserve: op({
    summary: 'A list of a given number of elements, which are to be set.',
    inputs: ['element_shape: shape_type', 'num_elements: int32'],
    outputs: ['handle: variant'],
    attrs: [ELEMENT, SHAPE_TYPE],
    infer: (c) => {
      askedShape(c, 0);
      checkCount(c, 1, 'num_elements');
      return oneList();
    },
    handles: declaredHandle(0),
    grad: notDifferentiable('its elements have no value yet'),
  }),
  TensorListPushBack: op({
    summary: 'The list with one more element at its end.',
    inputs: ['input_handle: variant', 'tensor: element_dtype'],
    outputs: ['output_handle: variant'],
    attrs: [ELEMENT],
    infer: (c) => {
      checkElement(c, 0, 1);
      return oneList();
    },
    grad: forFloats((c) => {
      const { list, tensor } = c.ops.tensorListPopBack(listGradient(c), likeElement(c.input(1)));
      return [list, tensor];
    }),
  }),
  TensorListPopBack: op({
    summary: 'The list without its last element, and that element.',
    inputs: ['input_handle: variant', 'element_shape: int32'],
    outputs: ['output_handle: variant', 'tensor: element_dtype'],
    attrs: [ELEMENT],
    infer: (c) => [TensorShape.SCALAR, readShape(c, 0, 1)],
    handles: ({ inputs: [list] }) => [list?.handle ?? null, null],
    grad: forFloats((c) => {
      const tensor = c.dys[1] ?? c.ops.zerosLike(c.output(1));
      return [c.ops.tensorListPushBack(listGradient(c), tensor), null];
    }),
  }),
  TensorListLength: op({
    summary: 'The number of elements of a list.',
    inputs: ['input_handle: variant'],
    outputs: ['length: int32'],
    infer: (c) => {
      checkList(c, 0);
      return scalarShape();
    },
    grad: notDifferentiable('the number of elements is an integer'),
  }),
  TensorListElementShape: op({
    summary: 'The shape of the elements of a list, -1 where it is not known.',
    inputs: ['input_handle: variant'],
    outputs: ['element_shape: shape_type'],
    attrs: [SHAPE_TYPE],
    infer: (c) => {
      checkList(c, 0);
      const rank = c.handle(0)?.shape.rank ?? null;
      return [rank === null ? TensorShape.UNKNOWN : new TensorShape([rank])];
    },
    grad: notDifferentiable('a shape consists of integers'),
  }),
  TensorListGetItem: op({
    summary: 'One element of a list.',
    inputs: ['input_handle: variant', 'index: int32', 'element_shape: int32'],
    outputs: ['item: element_dtype'],
    attrs: [ELEMENT],
    infer: (c) => {
      checkCount(c, 1, 'index');
      return [readShape(c, 0, 2)];
    },
    handles: () => [null],
    grad: forFloats(({ ops, input, dy }) => {
      const zeros = ops.zerosLike(input(0));
      return [ops.tensorListSetItem(zeros, input(1), dy), null, null];
    }),
  }),
  TensorListSetItem: op({
    summary: 'The list with another element at a position.',
    inputs: ['input_handle: variant', 'index: int32', 'item: element_dtype'],
    outputs: ['output_handle: variant'],
    attrs: [ELEMENT, 'resize_if_index_out_of_bounds: bool = false'],
    infer: (c) => {
      checkCount(c, 1, 'index');
      checkElement(c, 0, 2);
      return oneList();
    },
    grad: forFloats((c) => {
      const [dlist, index, item] = [listGradient(c), c.input(1), c.input(2)];
      const cleared = c.ops.tensorListSetItem(dlist, index, c.ops.zerosLike(item));
      return [cleared, null, c.ops.tensorListGetItem(dlist, index, likeElement(item))];
    }),
  }),
  TensorListStack: op({
    summary: 'All elements of a list, as the rows of one tensor.',
    inputs: ['input_handle: variant', 'element_shape: int32'],
    outputs: ['tensor: element_dtype'],
    attrs: [ELEMENT, 'num_elements: int = -1'],
    infer: (c) => {
      const { dims } = readShape(c, 0, 1);
      const count = c.attrs.int('num_elements');
      return [new TensorShape(dims === null ? null : [count < 0 ? null : count, ...dims])];
    },
    grad: forFloats(({ ops, input, dy }) => [ops.tensorListFromTensor(dy, rowShape(input(0), dy)), null]),
  }),
  TensorListFromTensor: op({
    summary: 'The rows of a tensor, as a list.',
    inputs: ['tensor: element_dtype', 'element_shape: shape_type'],
    outputs: ['output_handle: variant'],
    attrs: [ELEMENT, SHAPE_TYPE],
    infer: (c) => {
      checkRowShape(c, rowOf(c, 0), 1);
      return oneList();
    },
    handles: rowHandle,
    grad: forFloats((c) => {
      const [x] = c.inputs;
      const rows = x?.shape.dims?.[0] ?? -1;
      const shape = x === undefined ? UNKNOWN_ELEMENT : elementDims(rowsOf(x));
      return [
        c.ops.tensorListStack(listGradient(c), shape, x?.dtype ?? 'float32', { numElements: rows }),
        null,
      ];
    }),
  }),
  TensorListGather: op({
    summary: 'Some elements of a list, as the rows of one tensor.',
    inputs: ['input_handle: variant', 'indices: int32', 'element_shape: int32'],
    outputs: ['values: element_dtype'],
    attrs: [ELEMENT],
    infer: (c) => {
      const { dims } = readShape(c, 0, 2);
      checkIndices(c, 1);
      const rows = c.shape(1).dims?.[0] ?? null;
      return [new TensorShape(dims === null ? null : [rows, ...dims])];
    },
    grad: forFloats(({ ops, input, dy }) => [
      ops.tensorListScatterIntoExistingList(
        ops.zerosLike(input(0)),
        rowsSummed(ops, dy, input(1), ops.tensorListLength(input(0))),
        input(1),
      ),
      null,
      null,
    ]),
  }),
  TensorListScatterIntoExistingList: op({
    summary: 'The list with the rows of a tensor at given positions.',
    inputs: ['input_handle: variant', 'tensor: element_dtype', 'indices: int32'],
    outputs: ['output_handle: variant'],
    attrs: [ELEMENT],
    infer: (c) => {
      checkList(c, 0);
      checkHeld(c, 0, checkRows(c, 1, 2));
      return oneList();
    },
    grad: forFloats((c) => {
      const [dlist, x, indices] = [listGradient(c), c.input(1), c.input(2)];
      const cleared = c.ops.tensorListScatterIntoExistingList(dlist, c.ops.zerosLike(x), indices);
      return [cleared, c.ops.tensorListGather(dlist, indices, elementDims(rowsOf(x)), x.dtype), null];
    }),
  }),
  TensorListResize: op({
    summary: 'The list with another number of elements.',
    inputs: ['input_handle: variant', 'size: int32'],
    outputs: ['output_handle: variant'],
    infer: (c) => {
      checkList(c, 0);
      checkCount(c, 1, 'size');
      return oneList();
    },
    grad: (c) => [c.ops.tensorListResize(listGradient(c), c.ops.tensorListLength(c.input(0))), null],
  }),
  ...LIST_JOIN,
  ...OPTIONAL,
} satisfies Record<string, OpDef>;

/** What a list holds, or what is asked of an element that is read. */
export interface ElementSpec {
  readonly dtype: DType;
  readonly shape: TensorLike;
  readonly handle?: HandleData | null;
}

/** A list without elements (`EmptyTensorList`); `shape` may have -1 for unknown dimensions, or be -1. */
export function emptyTensorList({ dtype, shape }: ElementSpec, { name }: NameOptions = {}): Tensor {
  return apply('EmptyTensorList', [shape, -1], {
    name,
    attrs: { element_dtype: dtype, shape_type: 'int32' },
  });
}

/** A list of `size` elements to be set; those never set read as zeros (`TensorListReserve`). */
export function tensorListReserve(
  { dtype, shape }: ElementSpec,
  size: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('TensorListReserve', [shape, size], {
    name,
    attrs: { element_dtype: dtype, shape_type: 'int32' },
  });
}

/** The list with `tensor` at its end (`TensorListPushBack`). */
export function tensorListPushBack(list: Tensor, tensor: Tensor, { name }: NameOptions = {}): Tensor {
  return apply('TensorListPushBack', [list, tensor], { name });
}

/** The list without its last element, and that element (`TensorListPopBack`). Fails at run time when the list is empty. */
export function tensorListPopBack(
  list: Tensor,
  { dtype, shape }: ElementSpec,
  { name }: NameOptions = {},
): { list: Tensor; tensor: Tensor } {
  const pop = applyOp('TensorListPopBack', [list, shape], { name, attrs: { element_dtype: dtype } });
  return { list: pop.output(0), tensor: pop.output(1) };
}

/** The number of elements (`TensorListLength`). */
export function tensorListLength(list: Tensor, { name }: NameOptions = {}): Tensor {
  return apply('TensorListLength', [list], { name });
}

/** The shape of the elements as far as it is known (`TensorListElementShape`). */
export function tensorListElementShape(list: Tensor, { name }: NameOptions = {}): Tensor {
  return apply('TensorListElementShape', [list], { name, attrs: { shape_type: 'int32' } });
}

/** Element `index` (`TensorListGetItem`). Fails at run time when there is none. */
export function tensorListGetItem(
  list: Tensor,
  index: TensorLike,
  { dtype, shape }: ElementSpec,
  { name }: NameOptions = {},
): Tensor {
  return apply('TensorListGetItem', [list, index, shape], { name, attrs: { element_dtype: dtype } });
}

/** The list with `item` at `index` (`TensorListSetItem`). `resize` lengthens a list that is too short; else it fails at run time. */
export function tensorListSetItem(
  list: Tensor,
  index: TensorLike,
  item: TensorLike,
  { resize = false, name }: NameOptions & { resize?: boolean } = {},
): Tensor {
  return apply('TensorListSetItem', [list, index, item], {
    name,
    attrs: { resize_if_index_out_of_bounds: resize },
  });
}

/** All elements as rows of one tensor (`TensorListStack`). Their shapes must agree. */
export function tensorListStack(
  list: Tensor,
  shape: TensorLike,
  dtype: DType,
  { numElements = -1, name }: NameOptions & { numElements?: number } = {},
): Tensor {
  return apply('TensorListStack', [list, shape], {
    name,
    attrs: { element_dtype: dtype, num_elements: numElements },
  });
}

/** The rows of `tensor` as a list (`TensorListFromTensor`). */
export function tensorListFromTensor(
  tensor: TensorLike,
  shape: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('TensorListFromTensor', [tensor, shape], { name, attrs: { shape_type: 'int32' } });
}

/** The elements at `indices` as rows of one tensor (`TensorListGather`). */
export function tensorListGather(
  list: Tensor,
  indices: TensorLike,
  shape: TensorLike,
  dtype: DType,
  { name }: NameOptions = {},
): Tensor {
  return apply('TensorListGather', [list, indices, shape], { name, attrs: { element_dtype: dtype } });
}

/** The list with the rows of `tensor` at `indices` (`TensorListScatterIntoExistingList`). */
export function tensorListScatterIntoExistingList(
  list: Tensor,
  tensor: TensorLike,
  indices: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('TensorListScatterIntoExistingList', [list, tensor, indices], { name });
}

/** The list with `size` elements: cut off, or with elements to be set (`TensorListResize`). */
export function tensorListResize(list: Tensor, size: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('TensorListResize', [list, size], { name });
}

export { elementDims } from './listHelpers.js';
export * from './listJoin.js';
export * from './optional.js';
