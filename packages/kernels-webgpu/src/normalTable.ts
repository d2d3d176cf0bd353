/**
 * The inverse of the normal distribution as a table for integer arithmetic, so that normal random
 * numbers have the same bits on every adapter.
 */

const A = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
];
const B = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const C = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
];
const D = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const E = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const F = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
];

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

/**
 * The z that a standard normal variable exceeds with probability `q` in (0, 0.5], to about 1e-16: Algorithm
 * AS 241 (Wichura, "The Percentage Points of the Normal Distribution", Applied Statistics 37, 1988).
 */
export function upperNormalQuantile(q: number): number {
  const centre = 0.5 - q;
  if (centre <= 0.425) {
    const r = 0.180625 - centre * centre;
    return (centre * polynomial(A, r)) / polynomial(B, r);
  }
  const r = Math.sqrt(-Math.log(q));
  if (r <= 5) return polynomial(C, r - 1.6) / polynomial(D, r - 1.6);
  return polynomial(E, r - 5) / polynomial(F, r - 5);
}

/** Cells per octave of the tail probability. */
export const NORMAL_CELLS = 64;
/** Fraction bits of the table's numbers. */
export const NORMAL_FRACTION_BITS = 28;
/** Octaves of a tail probability `t / 2^32` with t from 1 to 2^31 - 1. */
const OCTAVES = 31;

let table: Uint32Array | undefined;

/**
 * Entry `64 o + c` is the quantile of `q = 2^(o - 31) (1/2 + c/128)` in units of 2^-28. One entry more than
 * there are cells, so that the end of each cell is the next entry.
 */
export function normalTable(): Uint32Array {
  table ??= Uint32Array.from({ length: OCTAVES * NORMAL_CELLS + 1 }, (_, i) => {
    const octave = Math.floor(i / NORMAL_CELLS);
    const q = 2 ** (octave - OCTAVES) * (0.5 + (i % NORMAL_CELLS) / (2 * NORMAL_CELLS));
    return Math.round(upperNormalQuantile(q) * 2 ** NORMAL_FRACTION_BITS);
  });
  return table;
}

/** The chance of a standard normal variable above 2, in units of 2^-32. */
export const TAIL_BEYOND_TWO = 97711072;
