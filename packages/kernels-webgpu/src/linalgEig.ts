/**
 * The kernel of symmetric eigenvalue problems: cyclic Jacobi rotations (Golub and Van Loan, "Matrix Computations",
 * 8.5), each carried out by one workgroup. Sweeps end when no element is left to rotate.
 */
import { sizeOf } from '@forerun/graph';
import { device } from './kernel.js';
import { BARRIER, perMatrix, share } from './linalgWorkgroup.js';
import { inputBinding, outputBinding, scratchBinding } from './wgsl/shader.js';

/** Convergence is quadratic: ten sweeps are many. */
const MOST_SWEEPS = 40;

/** One rotation of rows and columns p and q, that makes element (p, q) zero. */
function rotation(n: number): string {
  return `let app = work[base + p * ${n + 1}u];
let aqq = work[base + q * ${n + 1}u];
let apq = work[base + p * ${n}u + q];
let needed = abs(apq) > 1e-36 && abs(apq) > 3e-8 * sqrt(abs(app)) * sqrt(abs(aqq));
turned = turned || needed;
let theta = (aqq - app) / (2.0 * select(1.0, apq, needed));
let root = abs(theta) + sqrt(1.0 + theta * theta);
let tangent = select(0.0, select(1.0, -1.0, theta < 0.0) / root, needed);
let cosine = 1.0 / sqrt(1.0 + tangent * tangent);
let sine = tangent * cosine;
${BARRIER}
${share(
  `${n}u`,
  `let vp = basis[base + t * ${n}u + p];
let vq = basis[base + t * ${n}u + q];
basis[base + t * ${n}u + p] = cosine * vp - sine * vq;
basis[base + t * ${n}u + q] = sine * vp + cosine * vq;
if (t != p && t != q) {
let ap = work[base + t * ${n}u + p];
let aq = work[base + t * ${n}u + q];
let new_p = cosine * ap - sine * aq;
let new_q = sine * ap + cosine * aq;
work[base + t * ${n}u + p] = new_p;
work[base + p * ${n}u + t] = new_p;
work[base + t * ${n}u + q] = new_q;
work[base + q * ${n}u + t] = new_q;
}`,
)}
if (local_index == 0u && needed) {
work[base + p * ${n + 1}u] = app - tangent * apq;
work[base + q * ${n + 1}u] = aqq + tangent * apq;
work[base + p * ${n}u + q] = 0.0;
work[base + q * ${n}u + p] = 0.0;
}
${BARRIER}`;
}

/** Column t goes where its eigenvalue stands in rising order, its largest element made positive. */
function sorted(n: number, vectors: boolean): string {
  const column = `var largest = 0.0;
for (var i = 0u; i < ${n}u; i += 1u) {
let element = basis[base + i * ${n}u + t];
largest = select(largest, element, abs(element) > abs(largest));
}
for (var i = 0u; i < ${n}u; i += 1u) {
let element = basis[base + i * ${n}u + t];
v[base + i * ${n}u + place] = select(element, -element, largest < 0.0);
}`;
  return share(
    `${n}u`,
    `let value = work[base + t * ${n + 1}u];
var place = 0u;
for (var i = 0u; i < ${n}u; i += 1u) {
let other = work[base + i * ${n + 1}u];
place += select(0u, 1u, other < value || (!(value < other) && i < t));
}
e[matrix * ${n}u + place] = value;
${vectors ? column : ''}`,
  );
}

export const selfAdjointEig = device((c) => {
  const { shape } = c.input(0);
  const n = shape.at(-1) ?? 0;
  const batch = sizeOf(shape.slice(0, -2));
  if (n === 0) return { dispatches: [] };
  const vectors = c.attrs.bool('compute_v');
  const body = `let base = matrix * ${n * n}u;
${share(
  `${n * n}u`,
  `let row = t / ${n}u;
let column = t % ${n}u;
work[base + t] = input[base + max(row, column) * ${n}u + min(row, column)];
basis[base + t] = select(0.0, 1.0, row == column);`,
)}
for (var sweep = 0u; sweep < ${MOST_SWEEPS}u; sweep += 1u) {
var turned = false;
${BARRIER}
for (var p = 0u; p < ${n - 1}u; p += 1u) {
for (var q = p + 1u; q < ${n}u; q += 1u) {
${rotation(n)}
}
}
if (local_index == 0u) { busy = select(0u, 1u, turned); }
if (workgroupUniformLoad(&busy) == 0u) { break; }
}
${BARRIER}
${sorted(n, vectors)}`;
  const bytes = batch * n * n * 4;
  const bindings = [
    inputBinding(c, 0, 'input'),
    scratchBinding(0, 'work', 'float32'),
    scratchBinding(1, 'basis', 'float32'),
    outputBinding(c, 0, 'e'),
    ...(vectors ? [outputBinding(c, 1, 'v')] : []),
  ];
  return perMatrix(c, batch, {
    bindings,
    scratch: [bytes, bytes],
    declarations: 'var<workgroup> busy: u32;',
    body,
  });
});
