/** Elementwise ops on the bits of integers: connectives, shifts, the number of ones. */
import { apply, type NameOptions } from '../apply.js';
import { baseDType, type DType } from '../dtype.js';
import { broadcastShape, sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type OpDef } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { mapElements, zipElements } from './hostMath.js';

const INTEGERS = 'T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}';
const integral = notDifferentiable('it works on integers');

/** A broadcasting op of two integers, computed exactly on the host. */
function bits(summary: string, f: (x: bigint, y: bigint, dtype: DType) => bigint): OpDef {
  return op({
    summary,
    inputs: ['x: T', 'y: T'],
    outputs: ['z: T'],
    attrs: [INTEGERS],
    infer: broadcastShape,
    grad: integral,
    evaluate: zipElements((x, y, dtype) => Number(f(BigInt(x), BigInt(y), dtype))),
  });
}

function bitCount(dtype: DType): number {
  return Number(baseDType(dtype).replace(/\D/g, ''));
}

/** The distance of a shift, limited to what the dtype has: below 0 none, too far as far as possible. */
function distance(y: bigint, dtype: DType): bigint {
  const most = BigInt(bitCount(dtype) - 1);
  return y < 0n ? 0n : y > most ? most : y;
}

function onesIn(x: number, dtype: DType): number {
  return BigInt.asUintN(bitCount(dtype), BigInt(x)).toString(2).replaceAll('0', '').length;
}

export const BITWISE = {
  BitwiseAnd: bits('Bits that are set in both x and y.', (x, y) => x & y),
  BitwiseOr: bits('Bits that are set in x or y.', (x, y) => x | y),
  BitwiseXor: bits('Bits that are set in one of x and y.', (x, y) => x ^ y),
  LeftShift: bits('The bits of x moved y places up; zeros come in.', (x, y, dtype) =>
    BigInt.asIntN(64, x << distance(y, dtype)),
  ),
  RightShift: bits(
    'The bits of x moved y places down; the sign comes in where there is one.',
    (x, y, dtype) => x >> distance(y, dtype),
  ),
};

export const BIT_COUNTS = {
  PopulationCount: op({
    summary: 'The number of bits that are set.',
    inputs: ['x: T'],
    outputs: ['y: uint8'],
    attrs: [INTEGERS],
    infer: sameShape,
    grad: integral,
    evaluate: mapElements((x, c) => onesIn(x, c.value(0)?.dtype ?? 'int32')),
  }),
};

/** Bits set in both, with broadcasting (`tf.bitwise.bitwise_and`); integers of one dtype. */
export function bitwiseAnd(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('BitwiseAnd', [x, y], { name });
}

/** Bits set in either, with broadcasting (`tf.bitwise.bitwise_or`); integers of one dtype. */
export function bitwiseOr(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('BitwiseOr', [x, y], { name });
}

/** Bits set in one of both, with broadcasting (`tf.bitwise.bitwise_xor`); integers of one dtype. */
export function bitwiseXor(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('BitwiseXor', [x, y], { name });
}

/**
 * x with its bits moved `y` places up (`tf.bitwise.left_shift`). A negative distance is 0, one beyond the
 * dtype's bits is their number less 1.
 */
export function leftShift(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('LeftShift', [x, y], { name });
}

/** x with its bits moved `y` places down (`tf.bitwise.right_shift`), keeping the sign; distances as in `leftShift`. */
export function rightShift(x: TensorLike, y: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('RightShift', [x, y], { name });
}

/** How many bits of each integer are set, uint8 (`tf.raw_ops.PopulationCount`). */
export function populationCount(x: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('PopulationCount', [x], { name });
}
