/** Kernels of the factorization into triangles, one workgroup per matrix, and of tridiagonal systems, one invocation per column. */
import { sizeOf } from '@forerun/graph';
import { device } from './kernel.js';
import { PIVOT } from './linalgElimination.js';
import { BARRIER, perMatrix, share } from './linalgWorkgroup.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader } from './wgsl/shader.js';

/** Row k is exchanged with that of the largest element at or below the diagonal; multipliers stay below it. */
export const lu = device((c) => {
  const { shape } = c.output(0);
  const n = shape.at(-1) ?? 0;
  if (n === 0) return { dispatches: [] };
  const batch = sizeOf(shape.slice(0, -2));
  const body = `let base = matrix * ${n * n}u;
let rows = matrix * ${n}u;
var singular = false;
${share(`${n * n}u`, 'out[base + t] = input[base + t];')}
${share(`${n}u`, 'order[rows + t] = i32(t);')}
for (var k = 0u; k < ${n}u; k += 1u) {
${BARRIER}
if (local_index == 0u) {
var best = abs(out[base + k * ${n + 1}u]);
pivot_row = k;
for (var row = k + 1u; row < ${n}u; row += 1u) {
let size = abs(out[base + row * ${n}u + k]);
if (size > best) {
best = size;
pivot_row = row;
}
}
let other = order[rows + pivot_row];
order[rows + pivot_row] = order[rows + k];
order[rows + k] = other;
}
${BARRIER}
let chosen = pivot_row;
if (chosen != k) {
${share(
  `${n}u`,
  `let kept = out[base + k * ${n}u + t];
out[base + k * ${n}u + t] = out[base + chosen * ${n}u + t];
out[base + chosen * ${n}u + t] = kept;`,
)}
}
${BARRIER}
let pivot = out[base + k * ${n + 1}u];
singular = singular || pivot == 0.0;
let rest = ${n - 1}u - k;
${share('rest', `out[base + (k + 1u + t) * ${n}u + k] /= pivot;`)}
${BARRIER}
${share(
  'rest * rest',
  `let row = k + 1u + t / rest;
let column = k + 1u + t % rest;
out[base + row * ${n}u + column] -= out[base + row * ${n}u + k] * out[base + k * ${n}u + column];`,
)}
}
${BARRIER}
if (singular) {
${share(`${n * n}u`, 'out[base + t] = not_a_number();')}
}`;
  const bindings = [inputBinding(c, 0, 'input'), outputBinding(c, 0, 'out'), outputBinding(c, 1, 'order')];
  return perMatrix(c, batch, { bindings, declarations: PIVOT, body });
});

/**
 * Elimination down the diagonals and substitution back up. With pivoting a row may be exchanged with the next, which gives a
 * second superdiagonal. The work is kept in \`scratch\`: main, first and second superdiagonal of every column.
 */
export const tridiagonalSolve = device((c) => {
  const { shape } = c.output(0);
  const [n = 0, columns = 0] = shape.slice(-2);
  const count = sizeOf(shape.slice(0, -2)) * columns;
  if (n * count === 0) return { dispatches: [] };
  const pivoting = c.attrs.bool('partial_pivoting');
  const grid = gridFor(count, 1, c.adapter);
  const at = (band: string, row: string): string => `work[own + ${band} + ${row}]`;
  const [main, above, second] = ['0u', `${n}u`, `${2 * n}u`] as const;
  const x = (row: string): string => `out[rhs + (${row}) * ${columns}u]`;
  const body = `let own = item * ${3 * n}u;
let band = (item / ${columns}u) * ${3 * n}u;
let rhs = (item / ${columns}u) * ${n * columns}u + item % ${columns}u;
for (var i = 0u; i < ${n}u; i += 1u) {
${at(main, 'i')} = diagonals[band + ${n}u + i];
${at(above, 'i')} = select(0.0, diagonals[band + i], i + 1u < ${n}u);
${at(second, 'i')} = 0.0;
${x('i')} = right[rhs + i * ${columns}u];
}
for (var i = 0u; i + 1u < ${n}u; i += 1u) {
let below = diagonals[band + ${2 * n}u + i + 1u];
let pivot = ${at(main, 'i')};
let own_right = ${x('i')};
let next_right = ${x('i + 1u')};
if (${pivoting ? 'abs(pivot) < abs(below)' : 'false'}) {
let factor = pivot / below;
let first = ${at(above, 'i')};
let next = ${at(above, 'i + 1u')};
${at(main, 'i')} = below;
${at(above, 'i')} = ${at(main, 'i + 1u')};
${at(second, 'i')} = next;
${at(main, 'i + 1u')} = first - factor * ${at(above, 'i')};
${at(above, 'i + 1u')} = -factor * next;
${x('i')} = next_right;
${x('i + 1u')} = own_right - factor * next_right;
} else {
let factor = below / pivot;
${at(main, 'i + 1u')} -= factor * ${at(above, 'i')};
${x('i + 1u')} = next_right - factor * own_right;
}
}
for (var step = 0u; step < ${n}u; step += 1u) {
let i = ${n - 1}u - step;
var sum = ${x('i')};
if (step > 0u) { sum -= ${at(above, 'i')} * ${x('i + 1u')}; }
if (step > 1u) { sum -= ${at(second, 'i')} * ${x('i + 2u')}; }
${x('i')} = sum / ${at(main, 'i')};
}`;
  const bindings = [
    inputBinding(c, 0, 'diagonals'),
    inputBinding(c, 1, 'right'),
    scratchBinding(0, 'work', 'float32'),
    outputBinding(c),
  ];
  const spec = { label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body, 'item') };
  return { dispatches: [shader(spec, c.adapter)], scratch: [count * 3 * n * 4] };
});
