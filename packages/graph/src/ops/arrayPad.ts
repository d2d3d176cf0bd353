/** Ops that put a border around a tensor: pad with a constant, mirrorPad. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { op, type EvaluateContext, type GradContext, type InferContext } from '../opDef.js';
import { sizeOf, stridesOf, TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import {
  dimOf,
  forEachPosition,
  indexDType,
  knownElements,
  requireSingle,
  withShapeOf,
} from './arrayHost.js';

/** Rejects paddings of another shape than [rank, 2]; returns the rank where it is known. */
function paddedRank(c: InferContext): Dim {
  const [x, paddings] = [c.shape(0), c.shape(1)];
  if (!paddings.isCompatibleWith(new TensorShape([x.rank, 2]))) {
    c.fail(`paddings must have shape [${x.rank ?? '?'},2], got ${paddings.toString()}`);
  }
  return x.rank ?? paddings.dims?.[0] ?? null;
}

/** Output dimension per axis: `dimension(dim, before, after)` where all three are known. */
function inferPadding(
  c: InferContext,
  dimension: (dim: number, before: number, after: number, axis: number) => number,
): TensorShape[] {
  const rank = paddedRank(c);
  if (rank === null) return [TensorShape.UNKNOWN];
  const paddings = c.constant(1);
  const negative = paddings?.data.find((p) => p < 0);
  if (negative !== undefined) c.fail(`paddings must not be negative, got ${negative}`);
  const dims = Array.from({ length: rank }, (_, axis) => {
    const dim = c.shape(0).dims?.[axis] ?? null;
    const [before, after] = [dimOf(paddings?.data[2 * axis]), dimOf(paddings?.data[2 * axis + 1])];
    return dim === null || before === null || after === null ? null : dimension(dim, before, after, axis);
  });
  return [new TensorShape(dims)];
}

function inferPad(c: InferContext): TensorShape[] {
  return inferPadding(c, (dim, before, after) => dim + before + after);
}

/** A border of `fill` around the input; `null` while something is not known. */
function evaluatePad(c: EvaluateContext, fill: number | null): HostValue[] | null {
  const [x, paddings] = [c.value(0), knownElements(c.value(1))];
  if (x === null || paddings === null || fill === null) return null;
  const before = x.shape.map((_, axis) => paddings[2 * axis] ?? 0);
  const shape = x.shape.map((dim, axis) => dim + (before[axis] ?? 0) + (paddings[2 * axis + 1] ?? 0));
  const data = new Float64Array(sizeOf(shape)).fill(fill);
  const strides = stridesOf(shape);
  let next = 0;
  forEachPosition(x.shape, (at) => {
    const position = at.reduce((sum, i, axis) => sum + (i + (before[axis] ?? 0)) * (strides[axis] ?? 0), 0);
    data[position] = x.data[next++] ?? NaN;
  });
  return [{ dtype: x.dtype, shape, data }];
}

/** dx = the middle of dy, without the border. */
function padGrad({ ops, input, dy }: GradContext): Tensor {
  const [x, paddings] = [input(0), input(1)];
  const begin = ops.stridedSlice(paddings, [0, 0], [0, 1], { beginMask: 1, endMask: 1, shrinkAxisMask: 2 });
  return withShapeOf(ops.slice(dy, begin, ops.shape(x, { outType: indexDType(paddings) })), x);
}

/** How many elements next to the border the mirror leaves out: the edge itself for REFLECT. */
function mirrorOffset(c: InferContext): 0 | 1 {
  return c.attrs.string('mode') === 'REFLECT' ? 1 : 0;
}

function checkMirror(c: InferContext, dim: number, before: number, after: number, axis: number): void {
  const most = dim - mirrorOffset(c);
  if (before > most || after > most) {
    c.fail(
      `paddings [${before},${after}] of axis ${axis} exceed ${most}, the most that size ${dim} can mirror`,
    );
  }
}

const MIRROR_ATTRS = ['T: type', 'Tpaddings: index = int32', 'mode: {"REFLECT", "SYMMETRIC"}'];

export const ARRAY_PAD = {
  Pad: op({
    summary: 'Zeros around a tensor.',
    inputs: ['input: T', 'paddings: Tpaddings'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tpaddings: index = int32'],
    infer: inferPad,
    grad: (c) => [padGrad(c), null],
    evaluate: (c) => evaluatePad(c, 0),
  }),

  PadV2: op({
    summary: 'A constant around a tensor.',
    inputs: ['input: T', 'paddings: Tpaddings', 'constant_values: T'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tpaddings: index = int32'],
    infer: (c) => {
      requireSingle(c, 2, 'constant_values');
      return inferPad(c);
    },
    grad: (c) => [padGrad(c), null, null], // none for the constant, as in TensorFlow
    evaluate: (c) => evaluatePad(c, c.value(2)?.data[0] ?? null),
  }),

  MirrorPad: op({
    summary: 'A tensor continued by its mirror image.',
    inputs: ['input: T', 'paddings: Tpaddings'],
    outputs: ['output: T'],
    attrs: MIRROR_ATTRS,
    infer: (c) =>
      inferPadding(c, (dim, before, after, axis) => {
        checkMirror(c, dim, before, after, axis);
        return dim + before + after;
      }),
    // dx = dy folded back onto the elements that it mirrors
    grad: ({ ops, attrs, input, dy }) => {
      const dx = ops.mirrorPadGrad(dy, input(1), attrs.string('mode'));
      return [withShapeOf(dx, input(0)), null];
    },
  }),

  MirrorPadGrad: op({
    summary: 'Gradient of MirrorPad: folds the border back and adds it.',
    inputs: ['input: T', 'paddings: Tpaddings'],
    outputs: ['output: T'],
    attrs: MIRROR_ATTRS,
    infer: (c) =>
      inferPadding(c, (padded, before, after, axis) => {
        const dim = padded - before - after;
        if (dim < 0) c.fail(`paddings [${before},${after}] exceed the size ${padded} of axis ${axis}`);
        checkMirror(c, dim, before, after, axis);
        return dim;
      }),
    grad: ({ ops, attrs, input, dy }) => {
      const ddy = ops.mirrorPad(dy, input(1), attrs.string('mode'));
      return [withShapeOf(ddy, input(0)), null];
    },
  }),
};

export interface PadOptions extends NameOptions {
  /** `CONSTANT` (default), `REFLECT` (without the edge) or `SYMMETRIC` (with it); case does not matter. */
  readonly mode?: string;
  /** The border of mode `CONSTANT`; default 0. */
  readonly constantValues?: TensorLike;
}

/**
 * `tensor` with `paddings[i] = [before, after]` elements more along each dimension `i` (`tf.pad`).
 * Throws for an unknown mode.
 */
export function pad(
  tensor: TensorLike,
  paddings: TensorLike,
  { mode = 'CONSTANT', constantValues = 0, name }: PadOptions = {},
): Tensor {
  const kind = mode.toUpperCase();
  if (kind === 'CONSTANT') {
    if (constantValues === 0) return apply('Pad', [tensor, paddings], { name });
    const x = convertToTensor(tensor);
    return apply('PadV2', [x, paddings, constantValues], { name, attrs: { T: baseDType(x.dtype) } });
  }
  if (kind !== 'REFLECT' && kind !== 'SYMMETRIC') {
    throw new InvalidArgumentError(`pad: mode must be CONSTANT, REFLECT or SYMMETRIC, got ${mode}`);
  }
  return mirrorPad(tensor, paddings, kind, { name });
}

/** `input` continued by its mirror image in mode `REFLECT` or `SYMMETRIC` (`gen_array_ops.mirror_pad`). */
export function mirrorPad(
  input: TensorLike,
  paddings: TensorLike,
  mode: string,
  { name }: NameOptions = {},
): Tensor {
  return apply('MirrorPad', [input, paddings], { name, attrs: { mode } });
}

/** The gradient of `mirrorPad` (`gen_array_ops.mirror_pad_grad`). */
export function mirrorPadGrad(
  input: TensorLike,
  paddings: TensorLike,
  mode: string,
  { name }: NameOptions = {},
): Tensor {
  return apply('MirrorPadGrad', [input, paddings], { name, attrs: { mode } });
}
