/** What the records of ops on tensor lists share: shapes of elements, and when gradients flow into lists. */
import { apply } from '../apply.js';
import { constantValue } from '../constantValue.js';
import { isFloating, type DType } from '../dtype.js';
import { scalarShape } from '../inferHelpers.js';
import type { GradContext, GradFn, HandleData } from '../opDef.js';
import type { Operation } from '../operation.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { Ops } from './index.js';

/** The attribute that says what a list holds. */
export const ELEMENT = 'element_dtype: type';
export const SHAPE_TYPE = 'shape_type: {int32, int64}';

/** The element shape of input `i` (an int vector, or a scalar -1 for an unknown rank). */
export function elementShape(
  value: { readonly shape: readonly number[]; readonly data: ArrayLike<number> } | null,
): TensorShape {
  if (value === null || value.shape.length === 0) return TensorShape.UNKNOWN;
  return new TensorShape(Array.from(value.data, (dim) => (Number.isNaN(dim) || dim < 0 ? null : dim)));
}

export function declaredHandle(shapeInput: number) {
  return ({ attrs, inputs, outputs }: Operation): (HandleData | null)[] => {
    const shape = inputs[shapeInput];
    const known = shape === undefined ? null : constantValue(shape);
    const handle = { dtype: attrs.type('element_dtype'), shape: elementShape(known) };
    return [...outputs, null].map(() => handle);
  };
}

/** The rows of a tensor as elements: their shape is the tensor's without its first dimension. */
export function rowHandle({ attrs, inputs: [tensor] }: Operation): HandleData[] {
  const dims = tensor?.shape.dims ?? null;
  return [
    { dtype: attrs.type('element_dtype'), shape: new TensorShape(dims === null ? null : dims.slice(1)) },
  ];
}

export const oneList = (): TensorShape[] => scalarShape();

/** Runs a gradient only where the elements have one. */
export function forFloats(grad: GradFn): GradFn {
  return (c) => (hasGradient(c.attrs.type('element_dtype')) ? grad(c) : c.inputs.map(() => null));
}

function hasGradient(dtype: DType): boolean {
  return isFloating(dtype) || dtype === 'variant';
}

/** The gradient list of output 0: zeros where nothing flows into it. */
export function listGradient({ dys, ops, output }: GradContext): Tensor {
  return dys[0] ?? ops.zerosLike(output(0));
}

/** Stands for an element shape of which nothing is known. */
export const UNKNOWN_ELEMENT = -1;

/** A static shape as ops on lists take it: -1 for what is not known. */
export function elementDims(shape: TensorShape): TensorLike {
  return shape.dims === null ? UNKNOWN_ELEMENT : shape.dims.map((dim) => dim ?? -1);
}

export function likeElement(x: Tensor): { dtype: DType; shape: TensorLike; handle: HandleData | null } {
  return { dtype: x.dtype, shape: elementDims(x.shape), handle: x.handle };
}

export function rowsOf(x: Tensor): TensorShape {
  return new TensorShape(x.shape.dims === null ? null : x.shape.dims.slice(1));
}

export function rowShape(list: Tensor, rows: Tensor): TensorLike {
  return elementDims(list.handle?.shape.mergeWith(rowsOf(rows)) ?? rowsOf(rows));
}

/** Whether no number occurs twice: a range, or known numbers. */
function areDistinct(indices: Tensor): boolean {
  if (indices.op.type === 'Range') return true;
  const known = constantValue(indices)?.data;
  return known !== undefined && !known.some(Number.isNaN) && new Set(known).size === known.length;
}

/**
 * Each row with the sum of all rows of the same index, of `count` indices in all: written one after the other to their
 * places they leave the sums there. Only the last row of an index stays there, and to it alone a gradient flows back.
 */
export function rowsSummed(ops: RowSums, rows: Tensor, indices: Tensor, count: TensorLike): Tensor {
  if (areDistinct(indices)) return rows;
  const summed = ops.gather(ops.unsortedSegmentSum(rows, indices, count), indices);
  summed.setShape(rows.shape);
  const order = ops.range(ops.size(indices));
  const isLast = ops.equal(ops.gather(ops.unsortedSegmentMax(order, indices, count), indices), order);
  return apply('Select', [isLast, summed, ops.stopGradient(summed)]); // a vector chooses rows
}

type RowSums = Pick<
  Ops,
  'equal' | 'gather' | 'range' | 'size' | 'stopGradient' | 'unsortedSegmentMax' | 'unsortedSegmentSum'
>;
