/**
 * Kernels of dense linear algebra: one workgroup per matrix, whose invocations share every step of the elimination.
 * The matrices lie in storage buffers, so that their size is not limited. A factorization that fails writes NaN.
 */
import { sizeOf, type OpName } from '@forerun/graph';
import { composed, device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { selfAdjointEig } from './linalgEig.js';
import { PIVOT, backSubstitution, elimination } from './linalgElimination.js';
import { LINALG_FUNCTION_KERNELS } from './linalgFunctions.js';
import { lu, tridiagonalSolve } from './linalgLu.js';
import { svd } from './linalgSvd.js';
import { BARRIER, perMatrix, share } from './linalgWorkgroup.js';
import { broadcastIndex, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, type ShaderBinding } from './wgsl/shader.js';

const cholesky = device((c) => {
  const { shape } = c.output(0);
  const n = shape.at(-1) ?? 0;
  if (n === 0) return { dispatches: [] };
  const body = `let base = matrix * ${n * n}u;
var failed = false;
${share(`${n * n}u`, `out[base + t] = select(0.0, input[base + t], t % ${n}u <= t / ${n}u);`)}
for (var k = 0u; k < ${n}u; k += 1u) {
${BARRIER}
let pivot = out[base + k * ${n + 1}u];
failed = failed || !(pivot > 0.0) || !is_finite(pivot);
let root = sqrt(max(pivot, 0.0));
${BARRIER}
${share(
  `${n}u - k`,
  `let at = base + (k + t) * ${n}u + k;
out[at] = select(out[at] / root, root, t == 0u);`,
)}
${BARRIER}
let rest = ${n - 1}u - k;
${share(
  'rest * rest',
  `let row = k + 1u + t / rest;
let column = k + 1u + t % rest;
if (column <= row) {
out[base + row * ${n}u + column] -= out[base + row * ${n}u + k] * out[base + column * ${n}u + k];
}`,
)}
}
${BARRIER}
if (failed) {
${share(`${n * n}u`, 'out[base + t] = not_a_number();')}
}`;
  const batch = sizeOf(shape.slice(0, -2));
  return perMatrix(c, batch, { bindings: [inputBinding(c, 0, 'input'), outputBinding(c)], body });
});

const triangularSolve = device((c) => {
  const { shape } = c.output(0);
  const [n = 0, columns = 0] = shape.slice(-2);
  if (n * columns === 0) return { dispatches: [] };
  const [lower, adjoint] = [c.attrs.bool('lower'), c.attrs.bool('adjoint')];
  const outer = shape.slice(0, -2);
  const coordinates = unflatten('matrix', outer, 'b');
  const place = (i: number): string =>
    `(${broadcastIndex(coordinates.names, c.input(i).shape.slice(0, -2), outer)})`;
  const forward = lower !== adjoint;
  const factor = adjoint ? `a + k * ${n}u + row` : `a + row * ${n}u + k`;
  const body = `${coordinates.code}
let a = ${place(0)} * ${n * n}u;
let b = ${place(1)} * ${n * columns}u;
let base = matrix * ${n * columns}u;
${share(`${n * columns}u`, 'out[base + t] = rhs[b + t];')}
for (var step = 0u; step < ${n}u; step += 1u) {
let k = ${forward ? 'step' : `${n - 1}u - step`};
${BARRIER}
${share(`${columns}u`, `out[base + k * ${columns}u + t] /= system[a + k * ${n + 1}u];`)}
${BARRIER}
${share(
  `(${n - 1}u - step) * ${columns}u`,
  `let row = ${forward ? 'k + 1u + ' : ''}t / ${columns}u;
let column = t % ${columns}u;
out[base + row * ${columns}u + column] -= system[${factor}] * out[base + k * ${columns}u + column];`,
)}
}`;
  const bindings = [inputBinding(c, 0, 'system'), inputBinding(c, 1, 'rhs'), outputBinding(c)];
  return perMatrix(c, sizeOf(outer), { bindings, body });
});

/** Copies the matrix, or its transpose, to `lu`. */
function loadMatrix(n: number, transposed: boolean): string {
  const from = transposed ? `(t % ${n}u) * ${n}u + t / ${n}u` : 't';
  return `let base = matrix * ${n * n}u;\n${share(`${n * n}u`, `lu[base + t] = system[base + ${from}];`)}`;
}

/** Solves for right-hand sides that `load` puts into \`out\`. */
function lowerSolve(c: KernelContext, load: string, inputs: readonly ShaderBinding[]): Lowered {
  const { shape } = c.output(0);
  const [n = 0, columns = 0] = shape.slice(-2);
  if (n * columns === 0) return { dispatches: [] };
  const batch = sizeOf(shape.slice(0, -2));
  const body = [
    loadMatrix(n, c.attrs.bool('adjoint')),
    `let rhs = matrix * ${n * columns}u;`,
    share(`${n * columns}u`, `out[rhs + t] = ${load};`),
    elimination(n, columns),
    backSubstitution(n, columns),
  ].join('\n');
  const scratch = [Math.max(4, batch * n * n * 4)];
  const bindings = [...inputs, scratchBinding(0, 'lu', 'float32'), outputBinding(c)];
  return perMatrix(c, batch, { bindings, scratch, declarations: PIVOT, body });
}

const solve = device((c) =>
  lowerSolve(c, 'right[rhs + t]', [inputBinding(c, 0, 'system'), inputBinding(c, 1, 'right')]),
);
const inverse = device((c) => {
  const n = Math.max(1, c.output(0).shape.at(-1) ?? 1);
  return lowerSolve(c, `select(0.0, 1.0, t % ${n}u == t / ${n}u)`, [inputBinding(c, 0, 'system')]);
});

/** Multiplies (or adds the logarithms of) the pivots; \`finish\` writes the outputs from \`sign\` and \`total\`. */
function determinant(start: string, step: string, finish: string): Kernel {
  return device((c) => {
    const n = c.input(0).shape.at(-1) ?? 0;
    const batch = sizeOf(c.output(0).shape);
    const outputs = c.outputs.map((_, i) => outputBinding(c, i, i === 0 ? 'out' : 'out1'));
    const empty = `var sign = 1.0;\nvar total = ${start};`;
    const pivots = `for (var k = 0u; k < ${n}u; k += 1u) {
let pivot = lu[base + k * ${n + 1}u];
sign = select(sign, -sign, pivot < 0.0);
sign = keep_nan(select(sign, 0.0, pivot == 0.0), pivot);
${step}
}`;
    const body = [
      ...(n === 0 ? [] : [loadMatrix(n, false), elimination(n, 0)]),
      'if (local_index == 0u) {',
      empty,
      ...(n === 0 ? [] : ['sign = select(1.0, -1.0, (swaps & 1u) != 0u);', pivots]),
      finish,
      '}',
    ].join('\n');
    if (n === 0) return perMatrix(c, batch, { bindings: outputs, body });
    const bindings = [inputBinding(c, 0, 'system'), scratchBinding(0, 'lu', 'float32'), ...outputs];
    return perMatrix(c, batch, {
      bindings,
      scratch: [Math.max(4, batch * n * n * 4)],
      declarations: PIVOT,
      body,
    });
  });
}

const VALUE = 'var<workgroup> reflection: vec3<f32>;';

/**
 * Householder's reflections: column k of `work` becomes (x, beta, 0 ...), where the vector v = (1, tail / (alpha -
 * beta)) and tau = (beta - alpha) / beta reflect it; all later columns and `q`, which begins as the identity,
 * are reflected too. `rows` by `columns`, q keeps `inner` columns.
 */
const qr = device((c) => {
  const [rows = 0, columns = 0] = c.input(0).shape.slice(-2);
  const inner = c.output(0).shape.at(-1) ?? 0;
  const batch = sizeOf(c.input(0).shape.slice(0, -2));
  const steps = Math.min(rows, columns);
  if (rows === 0 || batch === 0) return { dispatches: [] };
  const size = rows * columns;
  const dot = (row: string, from: string): string =>
    `var dot = 0.0;
for (var i = k; i < ${rows}u; i += 1u) {
let v = select(work[base + i * ${columns}u + k] * scale, 1.0, i == k);
dot += v * ${from};
}
dot *= tau;
for (var i = k; i < ${rows}u; i += 1u) {
let v = select(work[base + i * ${columns}u + k] * scale, 1.0, i == k);
${row} -= dot * v;
}`;
  const q = (i: string, j: string): string => `turn[whole + (${i}) * ${rows}u + ${j}]`;
  const body = `let base = matrix * ${size}u;
let whole = matrix * ${rows * rows}u;
${share(`${Math.max(size, 1)}u`, size === 0 ? '' : 'work[base + t] = input[base + t];')}
${share(`${rows * rows}u`, `turn[whole + t] = select(0.0, 1.0, t % ${rows}u == t / ${rows}u);`)}
for (var k = 0u; k < ${steps}u; k += 1u) {
${BARRIER}
if (local_index == 0u) {
let alpha = work[base + k * ${columns}u + k];
var largest = 0.0;
for (var i = k + 1u; i < ${rows}u; i += 1u) { largest = nan_max(largest, abs(work[base + i * ${columns}u + k])); }
let unit = nan_max(largest, abs(alpha));
var squares = 0.0;
for (var i = k; i < ${rows}u; i += 1u) {
let part = work[base + i * ${columns}u + k] / unit;
squares += part * part;
}
let norm = unit * sqrt(squares);
let beta = select(norm, -norm, alpha >= 0.0);
reflection = select(vec3<f32>((beta - alpha) / beta, 1.0 / (alpha - beta), beta), vec3<f32>(0.0, 0.0, alpha), largest == 0.0);
}
${BARRIER}
let tau = reflection.x;
let scale = reflection.y;
let beta = reflection.z;
let later = ${columns - 1}u - k;
${share(
  `later + ${rows}u`,
  `if (t < later) {
let j = k + 1u + t;
${dot(`work[base + i * ${columns}u + j]`, `work[base + i * ${columns}u + j]`)}
} else {
let j = t - later;
${dot(q('j', 'i'), q('j', 'i'))}
}`,
)}
${BARRIER}
${share(`${rows}u - k`, `work[base + (k + t) * ${columns}u + k] = select(0.0, beta, t == 0u);`)}
}
${BARRIER}
${share(`${rows * inner}u`, `q[matrix * ${rows * inner}u + t] = ${q(`t / ${Math.max(inner, 1)}u`, `t % ${Math.max(inner, 1)}u`)};`)}
${share(`${inner * columns}u`, `out[matrix * ${inner * columns}u + t] = work[base + t];`)}`;
  const bindings = [
    inputBinding(c, 0, 'input'),
    scratchBinding(0, 'work', 'float32'),
    scratchBinding(1, 'turn', 'float32'),
    outputBinding(c, 0, 'q'),
    outputBinding(c, 1, 'out'),
  ];
  const scratch = [Math.max(4, batch * size * 4), batch * rows * rows * 4];
  if (size === 0) return identities(c, batch, rows, inner);
  return perMatrix(c, batch, { bindings, scratch, declarations: VALUE, body });
});

/** q of matrices without columns: an identity, or nothing. */
function identities(c: KernelContext, batch: number, rows: number, inner: number): Lowered {
  if (inner === 0) return { dispatches: [] };
  const body = share(
    `${rows * inner}u`,
    `q[matrix * ${rows * inner}u + t] = select(0.0, 1.0, t % ${inner}u == t / ${inner}u);`,
  );
  return perMatrix(c, batch, { bindings: [outputBinding(c, 0, 'q')], body });
}

/**
 * Factorizations keep what they work on where their results go. Rounded to float16 in every step it would lose more digits than
 * there are; TensorFlow has no kernels of these for it either.
 */
function refusingHalf<T extends string>(kernels: Readonly<Record<T, Kernel>>): Readonly<Record<T, Kernel>> {
  const refusing = Object.entries<Kernel>(kernels).map(([op, kernel]): [string, Kernel] => {
    if (kernel.kind !== 'device') return [op, kernel];
    const { lower } = kernel;
    return [op, { ...kernel, lower: (c) => (isHalf(c) ? c.unsupported(REFUSED) : lower(c)) }];
  });
  return Object.fromEntries(refusing) as Record<T, Kernel>;
}

const REFUSED = 'float16 matrices are not factorized: cast them to float32';

function isHalf({ attrs }: KernelContext): boolean {
  return attrs.has('T') && attrs.type('T') === 'float16';
}

export const LINALG_KERNELS = refusingHalf({
  ...LINALG_FUNCTION_KERNELS,
  Cholesky: cholesky,
  MatrixTriangularSolve: triangularSolve,
  MatrixSolve: solve,
  MatrixInverse: inverse,
  MatrixDeterminant: determinant('1.0', 'total *= abs(pivot);', 'out[matrix] = sign * total;'),
  LogMatrixDeterminant: determinant(
    '0.0',
    'total += safe_log(abs(pivot));',
    'out[matrix] = sign;\nout1[matrix] = total;',
  ),
  Qr: qr,
  SelfAdjointEigV2: selfAdjointEig,
  Svd: svd,
  Lu: lu,
  TridiagonalSolve: tridiagonalSolve,
  TridiagonalMatMul: composed,
} satisfies Partial<Record<OpName, Kernel>>);
