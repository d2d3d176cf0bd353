/**
 * What the records of ops on tensor lists refuse: element shapes that are none, lists of another dtype, elements
 * of another shape, positions that are no vector. The rules are those of TensorFlow's list_ops.cc and of its kernels.
 */
import { withRank } from '../inferHelpers.js';
import type { InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';

/** The element shape that input `i` gives: sizes, -1 for those not known, or a scalar -1 for an unknown rank. */
export function askedShape(c: InferContext, i: number): TensorShape {
  const { rank } = c.shape(i);
  if (rank !== null && rank > 1)
    c.fail(`element_shape must be a vector or the scalar -1, got shape ${c.shape(i).toString()}`);
  const value = c.constant(i);
  if (value === null) {
    const length = rank === 1 ? c.shape(i).dim(0) : null;
    return length === null ? TensorShape.UNKNOWN : TensorShape.ofRank(length);
  }
  const sizes = Array.from(value.data);
  if (value.shape.length === 0) {
    if ((sizes[0] ?? -1) !== -1 && !sizes.some(Number.isNaN))
      c.fail(`a scalar element_shape must be -1, got ${sizes.join()}`);
    return TensorShape.UNKNOWN;
  }
  if (sizes.some((size) => size < -1))
    c.fail(`element_shape must hold sizes, -1 for those not known, got [${sizes.join()}]`);
  return new TensorShape(sizes.map((dim) => (Number.isNaN(dim) || dim < 0 ? null : dim)));
}

/** What is known of the elements of list input `list`, which must be of the dtype that is asked for. */
export function heldShape(c: InferContext, list: number): TensorShape {
  const handle = c.handle(list);
  if (handle === null) return TensorShape.UNKNOWN;
  const asked = c.attrs.type('element_dtype');
  if (handle.dtype !== asked)
    c.fail(`the list holds ${handle.dtype}, attribute "element_dtype" says ${asked}`);
  return handle.shape;
}

/** What is known of an element that is read: the list's own element shape and the one that is asked for. */
export function readShape(c: InferContext, list: number, shape: number): TensorShape {
  checkList(c, list);
  const [known, asked] = [heldShape(c, list), askedShape(c, shape)];
  return (
    known.mergeWith(asked) ?? c.fail(`elements of shape ${known.toString()} are read as ${asked.toString()}`)
  );
}

/** Refuses a vector of lists where one list is meant. */
export function checkList(c: InferContext, list: number): void {
  withRank(c, list, 0, 'the list');
}

/** Refuses to put an element of another dtype or shape into a list. */
export function checkElement(c: InferContext, list: number, item: number): void {
  checkList(c, list);
  checkHeld(c, list, c.shape(item));
}

/** Refuses elements of this shape, and of the dtype that the op has, where they do not belong into the list. */
export function checkHeld(c: InferContext, list: number, element: TensorShape): void {
  const handle = c.handle(list);
  if (handle === null) return;
  const dtype = c.attrs.type('element_dtype');
  if (dtype !== handle.dtype) c.fail(`an element is ${dtype}, the list holds ${handle.dtype}`);
  if (handle.shape.mergeWith(element) === null) {
    c.fail(`an element has shape ${element.toString()}, the list holds ${handle.shape.toString()}`);
  }
}

/** Refuses a position or a number of elements that is no scalar or, unless any number will do, negative. */
export function checkCount(c: InferContext, i: number, name: string, least = 0): void {
  withRank(c, i, 0, name);
  const count = c.constant(i)?.data[0] ?? NaN;
  if (count < least)
    c.fail(
      least === 0
        ? `${name} must not be negative, got ${count}`
        : `${name} must be ${least} or more, got ${count}`,
    );
}

/** Refuses positions that are no vector, or negative. */
export function checkIndices(c: InferContext, indices: number): void {
  withRank(c, indices, 1, 'indices');
  const negative = Array.from(c.constant(indices)?.data ?? []).find((index) => index < 0);
  if (negative !== undefined) c.fail(`indices must not be negative, got ${negative}`);
}

/** Refuses rows of which there is not one for each position; returns the shape of a row. */
export function checkRows(c: InferContext, tensor: number, indices: number): TensorShape {
  const row = rowOf(c, tensor);
  checkIndices(c, indices);
  const [count, asked] = [c.shape(tensor).dims?.[0] ?? null, c.shape(indices).dims?.[0] ?? null];
  if (count !== null && asked !== null && count !== asked)
    c.fail(`the tensor has ${count} rows for ${asked} indices`);
  return row;
}

/** The shape of the rows of an input, which must have a first dimension. */
export function rowOf(c: InferContext, tensor: number): TensorShape {
  const { rank, dims } = c.shape(tensor);
  if (rank === 0) c.fail('the tensor must have a first dimension, got a scalar');
  return new TensorShape(dims === null ? null : dims.slice(1));
}

/** Refuses rows that are no elements of the shape that is given for these. */
export function checkRowShape(c: InferContext, row: TensorShape, shape: number): void {
  const declared = askedShape(c, shape);
  if (row.mergeWith(declared) === null)
    c.fail(`the rows have shape ${row.toString()}, the elements ${declared.toString()}`);
}
