/**
 * Elementwise ops of two or three operands that broadcast: arithmetic. Sums of many are in sums.ts, comparisons and
 * logic in comparison.ts. Gradients are summed back to the operands' shapes.
 */
import { apply, type ApplyInput, type NameOptions } from '../apply.js';
import { isInteger, type DType } from '../dtype.js';
import { broadcastShape } from '../inferHelpers.js';
import {
  gradientMissing,
  notDifferentiable,
  op,
  type GradContext,
  type GradFn,
  type NotDifferentiable,
  type OpDef,
  type OpSpec,
} from '../opDef.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { BITWISE } from './bitwise.js';
import { COMPARISON } from './comparison.js';
import { floorRemainder, integerProduct, wrapElement, zipElements } from './hostMath.js';
import { NUMBERS } from './numberTypes.js';
import { SELECTION } from './selection.js';
import { SPECIAL_BINARY } from './special.js';
import { SUMS } from './sums.js';

export * from './bitwise.js';
export * from './comparison.js';
export * from './selection.js';
export * from './special.js';
export * from './sums.js';

const REALS =
  'T: {float32, float16, bfloat16, float64, int32, int64, uint8, int8, int16, uint16, uint32, uint64}';
const FLOATS = 'T: {float32, float16, bfloat16, float64}';
const FLOATS_AND_COMPLEX = 'T: {float32, float16, bfloat16, float64, complex64, complex128}';

type Rules = Pick<OpSpec, 'summary' | 'grad' | 'evaluate'>;

/** An op `z = f(x, y)` with broadcasting. */
function binary(types: string, spec: Rules): OpDef {
  return op({ inputs: ['x: T', 'y: T'], outputs: ['z: T'], attrs: [types], infer: broadcastShape, ...spec });
}

/** A gradient from the partial products `[dx, dy]` in the output's shape, summed to the operands' shapes. */
function broadcastGrad(
  partials: (c: GradContext, x: Tensor, y: Tensor) => readonly [Tensor, Tensor],
): GradFn {
  return (c) => {
    const [x, y] = [c.input(0), c.input(1)];
    const [dx, dy] = partials(c, x, y);
    return [c.ops.sumToShapeOf(dx, x), c.ops.sumToShapeOf(dy, y)];
  };
}

/** The quotient of integers, 0 where the divisor is 0 as on the device. */
function divide(x: number, y: number, round: (q: number) => number): number {
  return y === 0 ? 0 : round(x / y);
}

const addRules: Rules = {
  summary: 'Elementwise sum.',
  grad: broadcastGrad(({ dy }) => [dy, dy]), // dx = dy
  evaluate: zipElements((x, y) => x + y),
};

// z = x / y: dx = dz / y, dy = -dz x / y²
const quotientGrad = broadcastGrad(({ ops, dy: dz }, x, y) => [
  ops.realDiv(dz, y),
  ops.mul(dz, ops.realDiv(ops.realDiv(ops.neg(x), y), y)),
]);

const integerQuotient: NotDifferentiable = notDifferentiable('it is piecewise constant');

/** C's remainder, under two names. */
const remainderRules: Rules = {
  summary: 'Remainder with the sign of the dividend.',
  grad: gradientMissing('TensorFlow defines none for truncating remainders; use floorMod'),
  evaluate: zipElements((x, y, dtype) => (y === 0 && isInteger(dtype) ? 0 : x % y)),
};

/** Maximum and minimum: where both are equal everything flows to x. */
function extremum(
  summary: string,
  mask: 'greaterEqual' | 'lessEqual',
  f: (x: number, y: number) => number,
): OpDef {
  return binary(REALS, {
    summary,
    grad: broadcastGrad(({ ops, dy: dz }, x, y) => {
      const chosen = ops[mask](x, y);
      const zeros = ops.zerosLike(dz);
      return [ops.where(chosen, dz, zeros), ops.where(chosen, zeros, dz)];
    }),
    evaluate: zipElements(f),
  });
}

/** Ones and zeros where x is not 0 and where it is. */
function nonZero({ ops }: GradContext, x: Tensor): Tensor {
  return ops.cast(ops.notEqual(x, ops.zerosLike(x)), x.dtype);
}

const ARITHMETIC = {
  Add: binary(NUMBERS.replace('}', ', string}'), addRules),
  AddV2: binary(NUMBERS, addRules),
  Sub: binary(NUMBERS, {
    summary: 'Elementwise difference.',
    grad: broadcastGrad(({ ops, dy }) => [dy, ops.neg(dy)]),
    evaluate: zipElements((x, y) => x - y),
  }),
  Mul: binary(NUMBERS, {
    summary: 'Elementwise product.',
    grad: broadcastGrad(({ ops, dy: dz }, x, y) => [ops.mul(dz, y), ops.mul(x, dz)]), // dx = dz y, dy = dz x
    evaluate: zipElements(integerProduct),
  }),
  RealDiv: binary(NUMBERS, {
    summary: 'Elementwise quotient of real numbers.',
    grad: quotientGrad,
    evaluate: zipElements((x, y) => x / y),
  }),
  Div: binary(NUMBERS, {
    summary: 'Elementwise quotient; integers are divided toward zero.',
    grad: quotientGrad,
    evaluate: zipElements((x, y, dtype) => (isInteger(dtype) ? divide(x, y, Math.trunc) : x / y)),
  }),
  TruncateDiv: binary(NUMBERS, {
    summary: 'Quotient rounded toward zero.',
    grad: integerQuotient,
    evaluate: zipElements((x, y, dtype) => (isInteger(dtype) ? divide(x, y, Math.trunc) : Math.trunc(x / y))),
  }),
  FloorDiv: binary(NUMBERS, {
    summary: 'Quotient rounded toward negative infinity.',
    grad: integerQuotient,
    evaluate: zipElements((x, y, dtype) => (isInteger(dtype) ? divide(x, y, Math.floor) : Math.floor(x / y))),
  }),
  DivNoNan: binary(FLOATS_AND_COMPLEX, {
    summary: 'Elementwise quotient, 0 where the divisor is 0.',
    grad: broadcastGrad(({ ops, dy: dz }, x, y) => [
      ops.divNoNan(dz, y),
      ops.mul(dz, ops.divNoNan(ops.divNoNan(ops.neg(x), y), y)),
    ]),
    evaluate: zipElements((x, y) => (y === 0 ? 0 : x / y)),
  }),
  MulNoNan: binary(FLOATS_AND_COMPLEX, {
    summary: 'Elementwise product, 0 where y is 0 whatever x is.',
    grad: broadcastGrad(({ ops, dy: dz }, x, y) => [ops.mulNoNan(dz, y), ops.mulNoNan(x, dz)]),
    evaluate: zipElements((x, y) => (y === 0 ? 0 : x * y)),
  }),
  FloorMod: binary(REALS, {
    summary: 'Remainder with the sign of the divisor.',
    // z = x - floor(x / y) y, the quotient being piecewise constant
    grad: broadcastGrad(({ ops, dy: dz }, x, y) => [dz, ops.mul(dz, ops.neg(ops.floorDiv(x, y)))]),
    evaluate: zipElements((x, y, dtype) => (y === 0 && isInteger(dtype) ? 0 : floorRemainder(x, y))),
  }),
  Mod: binary(REALS, remainderRules),
  TruncateMod: binary(REALS, remainderRules),
  Pow: binary(NUMBERS, {
    summary: 'Elementwise power x^y.',
    // dx = dz y x^(y-1), dy = dz z log x, with log x taken as 0 where x <= 0
    grad: broadcastGrad(({ ops, output, dy: dz }, x, y) => {
      const positive = ops.greater(x, ops.zerosLike(x));
      const safe = ops.where(positive, x, ops.onesLike(x));
      const dx = ops.mul(ops.mul(dz, y), ops.pow(x, ops.sub(y, 1)));
      return [dx, ops.mul(ops.mul(dz, output(0)), ops.log(safe))];
    }),
    evaluate: zipElements((x, y, dtype) => (isInteger(dtype) ? integerPower(x, y, dtype) : floatPower(x, y))),
  }),
  Maximum: extremum('Elementwise maximum.', 'greaterEqual', (x, y) => Math.max(x, y)),
  Minimum: extremum('Elementwise minimum.', 'lessEqual', (x, y) => Math.min(x, y)),
  SquaredDifference: binary(NUMBERS, {
    summary: 'Elementwise (x - y)².',
    // dx = 2 (x - y) dz, dy = -dx
    grad: broadcastGrad(({ ops, dy: dz }, x, y) => {
      const dx = ops.mul(ops.mul(dz, 2), ops.sub(x, y));
      return [dx, ops.neg(dx)];
    }),
    evaluate: zipElements((x, y, dtype) => integerProduct(x - y, x - y, dtype)),
  }),
  Prelu: op({
    summary:
      'Leaky rectified linear with a slope for every element: x above 0, alpha x below (TensorFlow.js).',
    inputs: ['x: T', 'alpha: T'],
    outputs: ['y: T'],
    attrs: [FLOATS],
    infer: broadcastShape,
    // dx = dz, or alpha dz below 0; dalpha = x dz below 0
    grad: broadcastGrad(({ ops, dy: dz }, x, alpha) => {
      const below = ops.less(x, ops.zerosLike(x));
      return [
        ops.whereV2(below, ops.mul(dz, alpha), dz),
        ops.whereV2(below, ops.mul(dz, x), ops.zerosLike(dz)),
      ];
    }),
    evaluate: zipElements((x, alpha) => (x < 0 ? x * alpha : x)),
  }),
  Atan2: op({
    summary: 'Angle of the point (x, y) in radians.',
    inputs: ['y: T', 'x: T'],
    outputs: ['z: T'],
    attrs: [FLOATS],
    infer: broadcastShape,
    // dy = dz x / (x² + y²), dx = -dz y / (x² + y²)
    grad: broadcastGrad(({ ops, dy: dz }, y, x) => {
      const scaled = ops.div(dz, ops.add(ops.square(x), ops.square(y)));
      return [ops.mul(x, scaled), ops.mul(ops.neg(y), scaled)];
    }),
    evaluate: zipElements(Math.atan2),
  }),
  Xdivy: binary(FLOATS_AND_COMPLEX, {
    summary: 'Quotient x / y, 0 where x is 0.',
    // dx = dz / y where x is not 0, dy = -dz x / y²
    grad: broadcastGrad((c, x, y) => [
      c.ops.mul(c.dy, c.ops.xdivy(nonZero(c, x), y)),
      c.ops.mul(c.dy, c.ops.xdivy(c.ops.neg(x), c.ops.square(y))),
    ]),
    evaluate: zipElements((x, y) => (x === 0 ? 0 : x / y)),
  }),
  Xlogy: binary(FLOATS_AND_COMPLEX, {
    summary: 'Product x log y, 0 where x is 0.',
    // dx = dz log y where x is not 0, dy = dz x / y
    grad: broadcastGrad((c, x, y) => [
      c.ops.mul(c.dy, c.ops.xlogy(nonZero(c, x), y)),
      c.ops.mul(c.dy, c.ops.xdivy(x, y)),
    ]),
    evaluate: zipElements((x, y) => (x === 0 ? 0 : x * Math.log(y))),
  }),
};

/** C's pow: 1 to any power is 1, and so is -1 to an infinite one, where JavaScript has NaN. */
function floatPower(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

/** Integer power by squaring, wrapping at every step; 1 / x^|y| toward zero for negative exponents. */
function integerPower(x: number, y: number, dtype: DType): number {
  if (y < 0) return Math.abs(x) === 1 ? x ** (Math.abs(y) % 2) : 0;
  let [result, base] = [1, x];
  for (let e = y; e > 0; e = Math.floor(e / 2)) {
    if (e % 2 === 1) result = wrapElement(integerProduct(result, base, dtype), dtype);
    base = wrapElement(integerProduct(base, base, dtype), dtype);
  }
  return result;
}

export const BINARY = { ...ARITHMETIC, ...SUMS, ...COMPARISON, ...SELECTION, ...BITWISE, ...SPECIAL_BINARY };

function tensorOf(inputs: readonly ApplyInput[]): Tensor | undefined {
  return inputs.find((input) => input instanceof Tensor);
}

/** Elementwise x + y with broadcasting (`tf.add`). */
export function add(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Add', [x, y], { name });
}

/** Elementwise x + y with broadcasting, as the op that TensorFlow's `+` makes. */
export function addV2(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('AddV2', [x, y], { name });
}

/** Elementwise x - y with broadcasting (`tf.subtract`). */
export function sub(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Sub', [x, y], { name });
}

/** Elementwise x - y; TensorFlow's spelling of `sub` (`tf.subtract`). */
export const subtract = sub;

/** Elementwise product with broadcasting (`tf.multiply`). */
export function mul(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Mul', [x, y], { name });
}

/** Elementwise product; TensorFlow's spelling of `mul` (`tf.multiply`). */
export const multiply = mul;

/** Elementwise quotient with broadcasting (`tf.div`): floats as real numbers, integers toward zero. */
export function div(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  const tensor = tensorOf([x, y]);
  return apply(tensor !== undefined && isInteger(tensor.dtype) ? 'Div' : 'RealDiv', [x, y], { name });
}

/** Elementwise quotient of real numbers with broadcasting (`tf.realdiv`). */
export function realDiv(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('RealDiv', [x, y], { name });
}

/** Quotient rounded toward zero (`tf.truncatediv`). Integer division by 0 gives 0. */
export function truncateDiv(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('TruncateDiv', [x, y], { name });
}

/** Quotient rounded toward negative infinity (`tf.floordiv`). Integer division by 0 gives 0. */
export function floorDiv(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('FloorDiv', [x, y], { name });
}

/** Elementwise quotient, 0 where the divisor is 0 (`tf.math.divide_no_nan`). */
export function divNoNan(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('DivNoNan', [x, y], { name });
}

/** Elementwise product, 0 where y is 0 even if x is NaN or infinite (`tf.math.multiply_no_nan`). */
export function mulNoNan(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('MulNoNan', [x, y], { name });
}

/** Remainder with the sign of the divisor (`tf.floormod`). */
export function floorMod(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('FloorMod', [x, y], { name });
}

/** Remainder with the sign of the divisor; TensorFlow's shorter name (`tf.mod`). */
export const mod = floorMod;

/** Remainder with the sign of the dividend (`tf.truncatemod`). */
export function truncateMod(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('TruncateMod', [x, y], { name });
}

/** x to the power y (`tf.pow`). Integer powers wrap. */
export function pow(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Pow', [x, y], { name });
}

/** Elementwise maximum (`tf.maximum`). The gradient of a tie goes to x. */
export function maximum(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Maximum', [x, y], { name });
}

/** Elementwise minimum (`tf.minimum`). The gradient of a tie goes to x. */
export function minimum(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Minimum', [x, y], { name });
}

/** Elementwise (x - y)² (`tf.math.squared_difference`). */
export function squaredDifference(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('SquaredDifference', [x, y], { name });
}

/** The angle of the point (x, y), in (-π, π] (`tf.atan2`). */
export function atan2(y: TensorLike, x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Atan2', [y, x], { name });
}

/** x / y, 0 where x is 0 (`tf.math.xdivy`). */
export function xdivy(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Xdivy', [x, y], { name });
}

/** x log y, 0 where x is 0 (`tf.math.xlogy`). */
export function xlogy(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Xlogy', [x, y], { name });
}
