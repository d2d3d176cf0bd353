/**
 * Elementwise ops of one operand: arithmetic, rounding, predicates and conversion. Transcendental
 * functions and activations are in files of their own and join the family here.
 */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType, isFloating, type DType } from '../dtype.js';
import { sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type OpDef, type OpSpec } from '../opDef.js';
import { SparseTensor } from '../sparseTensor.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { ACTIVATION } from './activation.js';
import { BIT_COUNTS } from './bitwise.js';
import { castElements, mapElements, roundHalfEven } from './hostMath.js';
import { pairShape } from './pairShape.js';
import { SPECIAL_UNARY } from './special.js';
import { TRANSCENDENTAL } from './transcendental.js';

export * from './activation.js';
export * from './transcendental.js';

const FLOATS = 'T: {float32, float16, bfloat16, float64}';
const NUMBERS = 'T: {float32, float16, bfloat16, float64, int8, int16, int32, int64, complex64, complex128}';

type Rules = Pick<OpSpec, 'summary' | 'grad' | 'evaluate'>;

/** A unary op over signed numbers. */
function numeric(spec: Rules): OpDef {
  return op({ inputs: ['x: T'], outputs: ['y: T'], attrs: [NUMBERS], infer: sameShape, ...spec });
}

/** A unary op over floating-point tensors. */
function floating(spec: Rules, attrs: readonly string[] = [FLOATS]): OpDef {
  return op({ inputs: ['x: T'], outputs: ['y: T'], attrs, infer: sameShape, ...spec });
}

/** A test of floating-point elements. */
function predicate(summary: string, test: (x: number) => boolean): OpDef {
  const evaluate = mapElements((x) => Number(test(x)));
  const grad = notDifferentiable('its result is bool');
  return op({
    summary,
    inputs: ['x: T'],
    outputs: ['y: bool'],
    attrs: [FLOATS],
    infer: sameShape,
    grad,
    evaluate,
  });
}

/** The gradient of 1/x in terms of y = 1/x, under TensorFlow's newer and older name. */
function reciprocalGradient(): OpDef {
  return op({
    summary: 'Gradient of the reciprocal: -dy y^2, with y = 1/x.',
    inputs: ['y: T', 'dy: T'],
    outputs: ['z: T'],
    attrs: ['T: {float32, float16, bfloat16, float64, complex64, complex128}'],
    infer: pairShape,
    // z = -dy y²: dz/dy = -2 y dy, dz/d(dy) = -y²
    grad: ({ ops, input, dy: g }) => [
      ops.mul(ops.mul(ops.mul(g, -2), input(1)), input(0)),
      apply('ReciprocalGrad', [input(0), g]),
    ],
  });
}

const reciprocalRules: Rules = {
  summary: 'Elementwise 1/x.',
  grad: ({ output, dy }) => [apply('ReciprocalGrad', [output(0), dy])], // dx = -dy / x²
  evaluate: mapElements((x) => 1 / x),
};

const stepwise = notDifferentiable('it is piecewise constant');

const ARITHMETIC = {
  Neg: numeric({
    summary: 'Elementwise negation.',
    grad: ({ ops, dy }) => [ops.neg(dy)], // dx = -dy
    evaluate: mapElements((x) => -x),
  }),
  Abs: op({
    summary: 'Elementwise absolute value.',
    inputs: ['x: T'],
    outputs: ['y: T'],
    attrs: ['T: {float32, float16, bfloat16, float64, int8, int16, int32, int64}'],
    infer: sameShape,
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.sign(input(0)))], // dx = dy sign x
    evaluate: mapElements(Math.abs),
  }),
  Sign: numeric({
    summary: 'Elementwise sign: -1, 0 or 1.',
    grad: ({ ops, input }) => [ops.zerosLike(input(0))], // dx = 0
    evaluate: mapElements(Math.sign),
  }),
  Reciprocal: numeric(reciprocalRules),
  Inv: numeric({ ...reciprocalRules, summary: 'Elementwise 1/x; older name of Reciprocal.' }),
  ReciprocalGrad: reciprocalGradient(),
  InvGrad: reciprocalGradient(),
  Square: numeric({
    summary: 'Elementwise square.',
    grad: ({ ops, input, dy }) => [ops.mul(dy, ops.mul(input(0), 2))], // dx = 2 x dy
    evaluate: mapElements((x) => x * x),
  }),
  Floor: floating({
    summary: 'Largest integer not above x.',
    grad: stepwise,
    evaluate: mapElements(Math.floor),
  }),
  Ceil: floating({
    summary: 'Smallest integer not below x.',
    grad: stepwise,
    evaluate: mapElements(Math.ceil),
  }),
  Round: numeric({
    summary: 'Nearest integer, half to even.',
    grad: stepwise,
    evaluate: mapElements(roundHalfEven),
  }),
  Rint: floating({
    summary: 'Nearest integer, half to even.',
    grad: stepwise,
    evaluate: mapElements(roundHalfEven),
  }),
  IsNan: predicate('Whether an element is NaN.', Number.isNaN),
  IsInf: predicate('Whether an element is infinite.', (x) => Math.abs(x) === Infinity),
  IsFinite: predicate('Whether an element is neither NaN nor infinite.', Number.isFinite),
  LogicalNot: op({
    summary: 'Elementwise logical negation.',
    inputs: ['x: bool'],
    outputs: ['y: bool'],
    infer: sameShape,
    grad: notDifferentiable('its result is bool'),
    evaluate: mapElements((x) => Number(x === 0)),
  }),
  Invert: op({
    summary: 'Flips all bits.',
    inputs: ['x: T'],
    outputs: ['y: T'],
    attrs: ['T: {int32, int8, int16, int64, uint8, uint16, uint32, uint64}'],
    infer: sameShape,
    grad: notDifferentiable('it works on integers'),
    evaluate: mapElements((x) => -x - 1),
  }),
  Cast: op({
    summary: 'Conversion to another dtype: floats to integers toward zero, anything but 0 to true.',
    inputs: ['x: SrcT'],
    outputs: ['y: DstT'],
    attrs: ['SrcT: type', 'DstT: type', 'Truncate: bool = false'],
    infer: sameShape,
    // Between floating-point types the gradient converts back; otherwise nothing flows, as in TensorFlow.
    grad: ({ ops, input, output, dy }) => {
      const [from, to] = [input(0).dtype, output(0).dtype];
      return [isFloating(from) && isFloating(to) ? ops.cast(dy, baseDType(from)) : null];
    },
    evaluate: castElements,
  }),
};

export const UNARY = { ...ARITHMETIC, ...TRANSCENDENTAL, ...ACTIVATION, ...SPECIAL_UNARY, ...BIT_COUNTS };

/** Elementwise -x (`tf.negative`). */
export function neg(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Neg', [x], { name });
}

/** Elementwise -x; TensorFlow's spelling of `neg` (`tf.negative`). */
export const negative = neg;

/** Elementwise |x| (`tf.abs`). The gradient at 0 is 0. */
export function abs(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Abs', [x], { name });
}

/** Elementwise sign: -1, 0 or 1, NaN for NaN (`tf.sign`). */
export function sign(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Sign', [x], { name });
}

/** Elementwise 1/x (`tf.math.reciprocal`). */
export function reciprocal(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Reciprocal', [x], { name });
}

/** Elementwise x² (`tf.square`). */
export function square(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Square', [x], { name });
}

/** Largest integers not above x, as floats (`tf.floor`). */
export function floor(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Floor', [x], { name });
}

/** Smallest integers not below x, as floats (`tf.math.ceil`). */
export function ceil(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Ceil', [x], { name });
}

/** Nearest integers, half to even, as floats (`tf.round`). Integers pass unchanged. */
export function round(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Round', [x], { name });
}

/** Nearest integers, half to even, as floats (`tf.math.rint`). */
export function rint(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Rint', [x], { name });
}

/** Whether elements are NaN (`tf.math.is_nan`): bool. */
export function isNan(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('IsNan', [x], { name });
}

/** Whether elements are infinite (`tf.math.is_inf`): bool. */
export function isInf(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('IsInf', [x], { name });
}

/** Whether elements are finite (`tf.math.is_finite`): bool. */
export function isFinite(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('IsFinite', [x], { name });
}

/** Elementwise not of bools (`tf.logical_not`). */
export function logicalNot(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('LogicalNot', [x], { name });
}

/** Flips all bits of integers (`tf.bitwise.invert`). */
export function invert(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Invert', [x], { name });
}

/**
 * Conversion to `dtype` (`tf.cast`): floats to integers toward zero, anything but 0 to true. A tensor that
 * has the dtype already is returned as it is. Of a sparse tensor the values are converted.
 */
export function cast(x: SparseTensor, dtype: DType, options?: NameOptions): SparseTensor;
export function cast(x: TensorLike, dtype: DType, options?: NameOptions): Tensor;
export function cast(
  x: TensorLike | SparseTensor,
  dtype: DType,
  { name }: NameOptions = {},
): Tensor | SparseTensor {
  if (x instanceof SparseTensor)
    return new SparseTensor(x.indices, cast(x.values, dtype, { name }), x.denseShape);
  const value = convertToTensor(x);
  if (baseDType(value.dtype) === baseDType(dtype)) return value;
  return apply('Cast', [value], { name, attrs: { DstT: baseDType(dtype) } });
}
