/**
 * The inverse of the normal distribution as a table for integer arithmetic, so that normal random
 * numbers have the same bits on every adapter.
 */

const A = [
  3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
  45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
];
const B = [
  1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
  39307.89580009271061, 28729.085735721942674, 5226.495278852854561,
];
const C = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
  1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 0.00077454501427834140764,
];
const D = [
  1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
  0.0151986665636164571966, 0.0005475938084995344946, 1.05075007164441684324e-9,
];
const E = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
  0.026532189526576123093, 0.0012426609473880784386, 0.0000271155556874348757815, 2.01033439929228813265e-7,
];
const F = [
  1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 0.0007868691311456132591,
  0.000018463183175100546818, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
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
