/** Setting a part of a variable, chosen as `stridedSlice` chooses it. */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType } from '../dtype.js';
import { noOutputs, sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext } from '../opDef.js';
import { controlDependencies } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { vectorLength } from './arrayHost.js';
import { boundsFrom, MASKS, maskAttrs, onesFor, type StridedSliceOptions } from './arraySlice.js';
import { variableHandle, type VariableLike } from './stateHandle.js';
import { inferHandle } from './stateInfer.js';
import { resolveStridedSlice, sliceMasks } from './stridedRange.js';

const EFFECT = notDifferentiable('it changes a variable');

/** Rejects a value whose shape is not that of the part. */
function checkPart(c: InferContext, target: TensorShape): void {
  const lengths = ['begin', 'end', 'strides'].map((name, i) => vectorLength(c, i + 1, name));
  const count = lengths.find((length) => length !== null) ?? null;
  if (lengths.some((length) => length !== null && length !== count)) {
    c.fail(`begin, end and strides have ${lengths.map((n) => n ?? '?').join(', ')} elements`);
  }
  if (target.dims === null || count === null) return;
  const bounds = boundsFrom((i) => c.constant(i), 1, count);
  const part = resolveStridedSlice(target.dims, bounds, sliceMasks(c.attrs), (rule) => c.fail(rule));
  const expected = new TensorShape(part.shape);
  if (!expected.isCompatibleWith(c.shape(4))) {
    c.fail(`the value has shape ${c.shape(4).toString()}, the part of the variable ${expected.toString()}`);
  }
}

const inputs = (ref: string): string[] => [ref, 'begin: Index', 'end: Index', 'strides: Index', 'value: T'];
const ATTRS = ['T: type', 'Index: index', ...MASKS];

export const SLICE_ASSIGN = {
  StridedSliceAssign: op({
    summary: 'Sets a part of a reference variable.',
    inputs: inputs('ref: Ref(T)'),
    outputs: ['output_ref: Ref(T)'],
    attrs: ATTRS,
    infer: (c) => {
      checkPart(c, c.shape(0));
      return sameShape(c);
    },
    grad: EFFECT,
    stateful: true,
  }),

  ResourceStridedSliceAssign: op({
    summary: 'Sets a part of a variable.',
    inputs: inputs('ref: resource'),
    attrs: ATTRS,
    infer: (c) => {
      checkPart(c, inferHandle(c, 0, 'T')?.shape ?? TensorShape.UNKNOWN);
      return noOutputs();
    },
    grad: EFFECT,
    stateful: true,
  }),
};

export interface StridedSliceAssignOptions extends StridedSliceOptions, NameOptions {}

/**
 * Sets the part of a variable that `stridedSlice` would read (`variable[...].assign` in TensorFlow), and returns
 * the value of the variable afterwards. `value` has exactly the shape of the part. For begin, end and the masks see
 * `stridedSlice`. Throws when the shapes differ.
 */
export function stridedSliceAssign(
  ref: VariableLike,
  begin: TensorLike,
  end: TensorLike,
  value: TensorLike,
  { name, strides, ...options }: StridedSliceAssignOptions = {},
): Tensor {
  const handle = variableHandle(ref);
  const known = handle.dtype === 'resource' ? handle.handle?.dtype : handle.dtype;
  const part = convertToTensor(value, known === undefined ? {} : { dtype: baseDType(known) });
  const all = [handle, begin, end, strides ?? onesFor(begin), part];
  const attrs = maskAttrs(options);
  if (handle.dtype !== 'resource') return apply('StridedSliceAssign', all, { name, attrs });
  const assigned = applyOp('ResourceStridedSliceAssign', all, { name, attrs: { ...attrs, T: part.dtype } });
  return controlDependencies([assigned], () =>
    apply('ReadVariableOp', [handle], { attrs: { dtype: part.dtype } }),
  );
}
