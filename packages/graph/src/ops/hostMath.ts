/** Host evaluation of elementwise ops: maps and broadcasts values, keeping unknown integer elements unknown. */
import { baseDType, isFloating, isInteger, type DType } from '../dtype.js';
import type { EvaluateContext } from '../opDef.js';
import { broadcastShapes, sizeOf, stridesOf, TensorShape } from '../shape.js';
import type { HostValue } from '../value.js';

const BITS: Readonly<Record<string, readonly [bits: number, signed: boolean]>> = {
  int8: [8, true],
  int16: [16, true],
  int32: [32, true],
  int64: [64, true],
  uint8: [8, false],
  uint16: [16, false],
  uint32: [32, false],
  uint64: [64, false],
};

/** `x` as an element of `dtype`: integers truncate and wrap, bool tests for non-zero, NaN stays. */
export function wrapElement(x: number, dtype: DType): number {
  if (Number.isNaN(x)) return x;
  const base = baseDType(dtype);
  if (base === 'bool') return x === 0 ? 0 : 1;
  const [bits, signed] = BITS[base] ?? [];
  if (bits === undefined || signed === undefined) return x;
  const limit = signed ? 2 ** (bits - 1) : 2 ** bits;
  const whole = Math.trunc(x);
  if (whole < limit && whole >= (signed ? -limit : 0)) return whole + 0;
  if (!Number.isFinite(whole)) return signed ? -limit : 0;
  return Number(signed ? BigInt.asIntN(bits, BigInt(whole)) : BigInt.asUintN(bits, BigInt(whole)));
}

/** An `evaluate` that maps each element by `f`. Unknown integer elements are not passed to `f`. */
export function mapElements(f: (x: number, c: EvaluateContext) => number) {
  return (c: EvaluateContext): readonly HostValue[] | null => {
    const x = c.value(0);
    const [dtype] = c.outputs;
    if (x === null || dtype === undefined) return null;
    const data = x.data.map((element) =>
      isUnknown(element, x.dtype) ? NaN : wrapElement(f(element, c), dtype),
    );
    return [{ dtype, shape: x.shape, data }];
  };
}

/** An `evaluate` that combines broadcast elements of inputs 0 and 1 by `f`; see `mapElements`. */
export function zipElements(f: (x: number, y: number, dtype: DType) => number) {
  return (c: EvaluateContext): readonly HostValue[] | null => {
    const [x, y] = [c.value(0), c.value(1)];
    const [dtype] = c.outputs;
    if (x === null || y === null || dtype === undefined) return null;
    const shape = broadcastShapes(new TensorShape(x.shape), new TensorShape(y.shape))?.toStatic();
    if (shape === undefined) return null;
    const [px, py] = [positions(x.shape, shape), positions(y.shape, shape)];
    const data = new Float64Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) {
      const [a, b] = [x.data[px(i)] ?? NaN, y.data[py(i)] ?? NaN];
      const unknown = isUnknown(a, x.dtype) || isUnknown(b, y.dtype);
      data[i] = unknown ? NaN : wrapElement(f(a, b, x.dtype), dtype);
    }
    return [{ dtype, shape, data }];
  };
}

/** The position in an operand of shape `own` of element `i` of the shape it broadcasts to. */
export function positions(own: readonly number[], shape: readonly number[]): (i: number) => number {
  const [strides, outer] = [stridesOf(own), stridesOf(shape)];
  const offset = shape.length - own.length;
  return (i) => {
    let position = 0;
    own.forEach((dim, d) => {
      if (dim === 1) return;
      const coordinate = Math.floor(i / (outer[d + offset] ?? 1)) % dim;
      position += coordinate * (strides[d] ?? 1);
    });
    return position;
  };
}

/** An element of an integer or bool value that is not known while the graph is built. */
export function isUnknown(element: number, dtype: DType): boolean {
  return Number.isNaN(element) && !isFloating(dtype);
}

/**
 * `evaluate` of casts. Floats convert toward zero and saturate at 32 bits before they are cut to
 * narrower integers; a NaN that would become an integer is left to the device.
 */
export function castElements(c: EvaluateContext): readonly HostValue[] | null {
  const x = c.value(0);
  const [dtype] = c.outputs;
  if (x === null || dtype === undefined) return null;
  const narrows = isFloating(x.dtype) && isInteger(dtype);
  if (isFloating(x.dtype) && !isFloating(dtype) && x.data.some(Number.isNaN)) return null;
  const [low, high] = dtype === 'uint32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  const data = x.data.map((element) =>
    wrapElement(narrows ? Math.min(Math.max(element, low), high) : element, dtype),
  );
  return [{ dtype, shape: x.shape, data }];
}

/** Remainder with the sign of the divisor; integers and floats. */
export function floorRemainder(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
}

/** The product of two elements of `dtype`, exact for integers before it wraps. */
export function integerProduct(x: number, y: number, dtype: DType): number {
  const product = x * y;
  if (!isInteger(dtype) || Number.isSafeInteger(product)) return product;
  const [bits, signed] = BITS[baseDType(dtype)] ?? [64, true];
  const exact = BigInt(x) * BigInt(y);
  return Number(signed ? BigInt.asIntN(bits, exact) : BigInt.asUintN(bits, exact));
}

/** Rounds half to even. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
