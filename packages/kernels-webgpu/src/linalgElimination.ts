/** WGSL of Gauss's elimination with partial pivoting, carried out by one workgroup. */
import { BARRIER, share } from './linalgWorkgroup.js';

export const PIVOT = 'var<workgroup> pivot_row: u32;';

/**
 * Elimination with partial pivoting of the matrix at `lu[base ...]`, of side n, and of `columns` right-hand sides at
 * `out[rhs ...]` with it. \`swaps\` counts exchanged rows, \`singular\` tells of a pivot of 0.
 */
export function elimination(n: number, columns: number): string {
  const width = n + columns;
  return `var swaps = 0u;
var singular = false;
for (var k = 0u; k < ${n}u; k += 1u) {
${BARRIER}
if (local_index == 0u) {
var best = abs(lu[base + k * ${n + 1}u]);
pivot_row = k;
for (var row = k + 1u; row < ${n}u; row += 1u) {
let size = abs(lu[base + row * ${n}u + k]);
if (size > best) {
best = size;
pivot_row = row;
}
}
}
${BARRIER}
let chosen = pivot_row;
swaps += select(0u, 1u, chosen != k);
if (chosen != k) {
${share(
  `${width}u`,
  `if (t < ${n}u) {
let kept = lu[base + k * ${n}u + t];
lu[base + k * ${n}u + t] = lu[base + chosen * ${n}u + t];
lu[base + chosen * ${n}u + t] = kept;
}${
    columns === 0
      ? ''
      : ` else {
let column = t - ${n}u;
let kept = out[rhs + k * ${columns}u + column];
out[rhs + k * ${columns}u + column] = out[rhs + chosen * ${columns}u + column];
out[rhs + chosen * ${columns}u + column] = kept;
}`
  }`,
)}
}
${BARRIER}
let pivot = lu[base + k * ${n + 1}u];
singular = singular || pivot == 0.0;
let rest = ${n - 1}u - k;
${share(
  `rest * (rest + ${columns}u)`,
  `let row = k + 1u + t / (rest + ${columns}u);
let place = t % (rest + ${columns}u);
let share_of_pivot = select(lu[base + row * ${n}u + k] / pivot, 0.0, pivot == 0.0);
if (place < rest) {
let column = k + 1u + place;
lu[base + row * ${n}u + column] -= share_of_pivot * lu[base + k * ${n}u + column];
}${
    columns === 0
      ? ''
      : ` else {
let column = place - rest;
out[rhs + row * ${columns}u + column] -= share_of_pivot * out[rhs + k * ${columns}u + column];
}`
  }`,
)}
}
${BARRIER}`;
}

export function backSubstitution(n: number, columns: number): string {
  return `for (var step = 0u; step < ${n}u; step += 1u) {
let k = ${n - 1}u - step;
${share(`${columns}u`, `out[rhs + k * ${columns}u + t] /= lu[base + k * ${n + 1}u];`)}
${BARRIER}
${share(
  `k * ${columns}u`,
  `let row = t / ${columns}u;
let column = t % ${columns}u;
out[rhs + row * ${columns}u + column] -= lu[base + row * ${n}u + k] * out[rhs + k * ${columns}u + column];`,
)}
${BARRIER}
}
if (singular) {
${share(`${n * columns}u`, 'out[rhs + t] = not_a_number();')}
}`;
}
