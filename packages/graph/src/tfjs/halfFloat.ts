/** A table of half precision: weights have millions of elements. */

let table: Float32Array | undefined;

/** The numbers by their half-precision patterns. */
export function halfTable(): Float32Array {
  table ??= makeTable();
  return table;
}

/** The number with the half-precision pattern `bits`. */
export function halfToNumber(bits: number): number {
  return halfTable()[bits] ?? NaN;
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
