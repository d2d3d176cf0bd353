/** IEEE half precision and bfloat16 as bit patterns, which is how arrays hold them. */

/** IEEE half-precision bits of `value`, rounded to nearest even. */
export function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const abs = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (abs >= 65520) return sign | 0x7c00;
  if (abs < 2 ** -14) return sign | roundHalfEven(abs * 2 ** 24);
  const exponent = Math.floor(Math.log2(abs));
  const scaled = roundHalfEven(abs * 2 ** (10 - exponent));
  return sign | ((exponent + 15) * 1024 + scaled - 1024);
}

/** The value of IEEE half-precision bits. */
export function float16Value(bits: number): number {
  return halfTable()[bits] ?? NaN;
}

/** The float16 that is nearest to a number. */
export function roundToHalf(value: number): number {
  return float16Value(float16Bits(value));
}

/** Bits of the bfloat16 that is nearest to `value`: the upper half of a float32, rounded to nearest even. */
export function bfloat16Bits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return Number.isNaN(value) ? 0x7fc0 : ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The value of bfloat16 bits. */
export function bfloat16Value(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** Made when it is first needed. */
let table: Float32Array | undefined;

/** The numbers by their half-precision patterns. */
export function halfTable(): Float32Array {
  table ??= makeTable();
  return table;
}

/** Exponent and fraction are moved to their places in float32; numbers below 2^-14 are multiples of 2^-24. */
function makeTable(): Float32Array {
  const numbers = new Float32Array(65536);
  const words = new Uint32Array(numbers.buffer);
  const step = 2 ** -24;
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = (bits & 0x8000) << 16;
    if (exponent === 0) numbers[bits] = (sign === 0 ? fraction : -fraction) * step;
    else words[bits] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return numbers;
}
