/** Elementwise choice between operands: selection by a condition, and clipping. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { op, type InferContext } from '../opDef.js';
import { broadcastShapes, TensorShape } from '../shape.js';
import { isTensorConvertible, Tensor, type TensorLike } from '../tensor.js';
import { isUnknown, positions } from './hostMath.js';
import type { EvaluateContext } from '../opDef.js';
import type { HostValue } from '../value.js';

/** Select: t and e of one shape; the condition has it too, or is a scalar, or a vector along dimension 0. */
function selectShape(condition: TensorShape, t: TensorShape, e: TensorShape): TensorShape | null {
  const value = t.mergeWith(e);
  if (value === null || condition.rank === null || condition.rank === 0) return value;
  if (condition.rank === 1 && value.rank !== 1) {
    const [rows = null] = value.dims ?? [];
    const length = condition.dim(0);
    return value.rank === 0 || (rows !== null && length !== null && rows !== length) ? null : value;
  }
  return condition.mergeWith(value);
}

function describeShapes(c: InferContext): string {
  const [condition, t, e] = [c.shape(0), c.shape(1), c.shape(2)].map((shape) => shape.toString());
  return `condition ${condition ?? ''}, t ${t ?? ''}, e ${e ?? ''}`;
}

function broadcastThree(a: TensorShape, b: TensorShape, c: TensorShape): TensorShape | null {
  const pair = broadcastShapes(a, b);
  return pair === null ? null : broadcastShapes(pair, c);
}

/** Host selection; unknown conditions give unknown integers. `aligned` shapes the condition to the result. */
function selectValues(c: EvaluateContext, aligned: (condition: readonly number[], rank: number) => number[]) {
  const [condition, t, e] = [c.value(0), c.value(1), c.value(2)];
  if (condition === null || t === null || e === null) return null;
  const shapes = [aligned(condition.shape, t.shape.length), t.shape, e.shape].map((s) => new TensorShape(s));
  const [s0 = TensorShape.SCALAR, s1 = TensorShape.SCALAR, s2 = TensorShape.SCALAR] = shapes;
  const shape = broadcastThree(s0, s1, s2)?.toStatic();
  if (shape === undefined || condition.data.some((x) => isUnknown(x, 'bool'))) return null;
  const [p0, p1, p2] = [s0, s1, s2].map((s) => positions(s.toStatic(), shape));
  const data = new Float64Array(shape.reduce((n, dim) => n * dim, 1));
  for (let i = 0; i < data.length; i++) {
    const chosen = condition.data[p0?.(i) ?? 0] !== 0;
    data[i] = (chosen ? t.data[p1?.(i) ?? 0] : e.data[p2?.(i) ?? 0]) ?? NaN;
  }
  return [{ dtype: t.dtype, shape, data }] satisfies HostValue[];
}

export const SELECTION = {
  Select: op({
    summary: 'Elements of t where the condition holds, of e elsewhere; shapes are equal.',
    inputs: ['condition: bool', 't: T', 'e: T'],
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: (c) => {
      const shape = selectShape(c.shape(0), c.shape(1), c.shape(2));
      return [
        shape ?? c.fail(`the shapes of t and e must be equal and fit the condition: ${describeShapes(c)}`),
      ];
    },
    // dt = dy where the condition holds, de = dy elsewhere
    grad: ({ ops, input, dy }) => {
      const zeros = ops.zerosLike(dy);
      return [null, apply('Select', [input(0), dy, zeros]), apply('Select', [input(0), zeros, dy])];
    },
    evaluate: (c) =>
      selectValues(c, (condition, rank) =>
        condition.length === 0 ? [] : [...condition, ...new Array<number>(rank - condition.length).fill(1)],
      ),
  }),
  SelectV2: op({
    summary: 'Elements of t where the condition holds, of e elsewhere; shapes broadcast.',
    inputs: ['condition: bool', 't: T', 'e: T'],
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: (c) => {
      const shape = broadcastThree(c.shape(0), c.shape(1), c.shape(2));
      return [shape ?? c.fail(`shapes do not broadcast: ${describeShapes(c)}`)];
    },
    grad: ({ ops, input, dy }) => {
      const zeros = ops.zerosLike(dy);
      return [
        null,
        ops.sumToShapeOf(apply('SelectV2', [input(0), dy, zeros]), input(1)),
        ops.sumToShapeOf(apply('SelectV2', [input(0), zeros, dy]), input(2)),
      ];
    },
    evaluate: (c) => selectValues(c, (condition) => [...condition]),
  }),
  ClipByValue: op({
    summary: 'Elements limited to an interval.',
    inputs: ['t: T', 'clip_value_min: T', 'clip_value_max: T'],
    outputs: ['output: T'],
    attrs: ['T: numeric'],
    infer: (c) => {
      const shape = c.shape(0);
      for (const [i, name] of [
        [1, 'clip_value_min'],
        [2, 'clip_value_max'],
      ] as const) {
        const bound = c.shape(i);
        if (bound.rank !== 0 && !bound.isCompatibleWith(shape)) {
          c.fail(
            `${name} must be a scalar or have the shape of t, ${shape.toString()}, got ${bound.toString()}`,
          );
        }
      }
      return [shape];
    },
    // dt = dy inside and at the bounds; a bound gets dy where t lies beyond it
    grad: ({ ops, input, dy }) => {
      const [below, above] = [ops.less(input(0), input(1)), ops.greater(input(0), input(2))];
      const zeros = ops.zerosLike(dy);
      return [
        ops.where(ops.logicalOr(below, above), zeros, dy),
        ops.sumToShapeOf(ops.where(below, dy, zeros), input(1)),
        ops.sumToShapeOf(ops.where(above, dy, zeros), input(2)),
      ];
    },
  }),
};

/**
 * `x` where `condition` holds and `y` elsewhere (`tf.where`). With x and y of one shape the condition
 * has that shape too, or is a scalar, or a vector that chooses rows (`Select`); other shapes
 * broadcast (`SelectV2`, `tf.where_v2`). Without x and y: the int64 coordinates of the elements that are
 * true, one row for each. Throws when only one of them is given.
 */
export function where(
  condition: TensorLike,
  x?: TensorLike,
  y?: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  if (x === undefined && y === undefined) return apply('Where', [convertToTensor(condition)], { name });
  if (x === undefined || y === undefined)
    throw new InvalidArgumentError('where: give both x and y, or neither');
  const chooser = convertToTensor(condition, { dtype: 'bool' });
  const [left, right] = alike(x, y);
  const type = selectShape(chooser.shape, left.shape, right.shape) === null ? 'SelectV2' : 'Select';
  return apply(type, [chooser, left, right], { name });
}

/** `x` where `condition` holds and `y` elsewhere, with broadcasting of all three (`tf.where_v2`). */
export function whereV2(
  condition: TensorLike,
  x: TensorLike,
  y: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('SelectV2', [condition, x, y], { name });
}

/** Both as tensors; a literal takes the dtype of the other. */
function alike(x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const known = [x, y].map((value) => (isTensorConvertible(value) ? value.asTensor() : value));
  const typed = known.find((value) => value instanceof Tensor);
  const dtype = typed instanceof Tensor ? baseDType(typed.dtype) : undefined;
  return [convertToTensor(x, { dtype }), convertToTensor(y, { dtype })];
}

/** `t` limited to the interval from `clipValueMin` to `clipValueMax` (`tf.clip_by_value`). */
export function clipByValue(
  t: TensorLike,
  clipValueMin: TensorLike,
  clipValueMax: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('ClipByValue', [t, clipValueMin, clipValueMax], { name });
}
