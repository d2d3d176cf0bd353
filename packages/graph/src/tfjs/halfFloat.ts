/** IEEE half precision, as files hold it, to and from numbers. */

const BITS = new DataView(new ArrayBuffer(4));

let table: Float32Array | undefined;

/** The number with the half-precision pattern `bits`. */
export function halfToNumber(bits: number): number {
  table ??= Float32Array.from({ length: 65536 }, (_, pattern) => numberOf(pattern));
  return table[bits] ?? NaN;
}

function numberOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The pattern of the half-precision number nearest to `value`, ties to even; beyond 65504 infinity. */
export function numberToHalf(value: number): number {
  BITS.setFloat32(0, value);
  const sign = (BITS.getUint32(0) >>> 31) << 15;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // Steps of the binade; below 2^-14 those of subnormal numbers.
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const step = 2 ** (exponent - 10);
  const count = roundEven(size / step);
  return sign | (count + (exponent + 14) * 1024);
}

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
