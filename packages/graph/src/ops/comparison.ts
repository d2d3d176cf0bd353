/** Elementwise comparison and logic: results are bool, and no gradient flows. */
import { apply, type NameOptions } from '../apply.js';
import { broadcastShape } from '../inferHelpers.js';
import { notDifferentiable, op, type OpDef } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { zipElements } from './hostMath.js';

const REALS =
  'T: {float32, float16, bfloat16, float64, int32, int64, uint8, int8, int16, uint16, uint32, uint64}';
const ANY =
  'T: {float32, float16, bfloat16, float64, uint8, int8, int16, int32, int64, uint16, uint32, uint64, ' +
  'complex64, complex128, quint8, qint8, qint32, string, bool}';

type Test = (x: number, y: number) => boolean;

/** A comparison of `x` and `y`. */
function comparison(summary: string, test: Test, attrs: readonly string[] = [REALS]): OpDef {
  return op({
    summary,
    inputs: ['x: T', 'y: T'],
    outputs: ['z: bool'],
    attrs,
    infer: broadcastShape,
    grad: notDifferentiable('its result is bool'),
    evaluate: zipElements((x, y) => Number(test(x, y))),
  });
}

/** A connective of bools. */
function logical(summary: string, test: Test): OpDef {
  return op({
    summary,
    inputs: ['x: bool', 'y: bool'],
    outputs: ['z: bool'],
    infer: broadcastShape,
    grad: notDifferentiable('its result is bool'),
    evaluate: zipElements((x, y) => Number(test(x, y))),
  });
}

const EQUALITY = [ANY, 'incompatible_shape_error: bool = true'];

export const COMPARISON = {
  Equal: comparison('Elementwise x = y; NaN equals nothing.', (x, y) => x === y, EQUALITY),
  NotEqual: comparison('Elementwise x ≠ y; NaN differs from everything.', (x, y) => x !== y, EQUALITY),
  Less: comparison('Elementwise x < y.', (x, y) => x < y),
  LessEqual: comparison('Elementwise x ≤ y.', (x, y) => x <= y),
  Greater: comparison('Elementwise x > y.', (x, y) => x > y),
  GreaterEqual: comparison('Elementwise x ≥ y.', (x, y) => x >= y),
  ApproximateEqual: op({
    summary: 'Elementwise |x - y| < tolerance.',
    inputs: ['x: T', 'y: T'],
    outputs: ['z: bool'],
    attrs: [REALS, 'tolerance: float = 1e-05'],
    infer: (c) => {
      const [x, y] = [c.shape(0), c.shape(1)];
      return [
        x.mergeWith(y) ?? c.fail(`x and y must have one shape, got ${x.toString()} and ${y.toString()}`),
      ];
    },
    grad: notDifferentiable('its result is bool'),
  }),
  LogicalAnd: logical('Elementwise and.', (x, y) => x !== 0 && y !== 0),
  LogicalOr: logical('Elementwise or.', (x, y) => x !== 0 || y !== 0),
};

/** Elementwise x = y with broadcasting: bool (`tf.equal`). NaN equals nothing. */
export function equal(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Equal', [x, y], { name });
}

/** Elementwise x ≠ y with broadcasting: bool (`tf.not_equal`). */
export function notEqual(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('NotEqual', [x, y], { name });
}

/** Elementwise x < y with broadcasting: bool (`tf.less`). */
export function less(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Less', [x, y], { name });
}

/** Elementwise x ≤ y with broadcasting: bool (`tf.less_equal`). */
export function lessEqual(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('LessEqual', [x, y], { name });
}

/** Elementwise x > y with broadcasting: bool (`tf.greater`). */
export function greater(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Greater', [x, y], { name });
}

/** Elementwise x ≥ y with broadcasting: bool (`tf.greater_equal`). */
export function greaterEqual(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('GreaterEqual', [x, y], { name });
}

/** Whether |x - y| < `tolerance` (default 1e-5), for tensors of one shape: bool (`tf.approximate_equal`). */
export function approximateEqual(
  x: TensorLike,
  y: TensorLike,
  { tolerance = 1e-5, name }: NameOptions & { readonly tolerance?: number } = {},
): Tensor {
  return apply('ApproximateEqual', [x, y], { name, attrs: { tolerance } });
}

/** Elementwise and of bools with broadcasting (`tf.logical_and`). */
export function logicalAnd(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('LogicalAnd', [x, y], { name });
}

/** Elementwise or of bools with broadcasting (`tf.logical_or`). */
export function logicalOr(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('LogicalOr', [x, y], { name });
}

/** Elementwise exclusive or of bools with broadcasting (`tf.math.logical_xor`). */
export function logicalXor(x: TensorLike, y: TensorLike, { name = 'LogicalXor' }: NameOptions = {}): Tensor {
  const neither = apply('LogicalNot', [logicalAnd(x, y)]);
  return logicalAnd(logicalOr(x, y), neither, { name });
}
