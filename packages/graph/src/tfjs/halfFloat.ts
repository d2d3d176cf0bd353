/** A table of half precision: weights have millions of elements. */
import { float16Value } from '../value.js';

let table: Float32Array | undefined;

/** The number with the half-precision pattern `bits`. */
export function halfToNumber(bits: number): number {
  table ??= Float32Array.from({ length: 65536 }, (_, pattern) => float16Value(pattern));
  return table[bits] ?? NaN;
}
