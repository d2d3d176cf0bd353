/** Kernels of functions of matrices, of least squares and of the gradient of Cholesky's factorization. */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { PIVOT, backSubstitution, elimination } from './linalgElimination.js';
import { lowerSvd } from './linalgSvd.js';
import { BARRIER, LANES, perMatrix, share } from './linalgWorkgroup.js';
import { literal } from './wgsl/dtype.js';
import { inputBinding, outputBinding, scratchBinding } from './wgsl/shader.js';

/** Statements that add up, or find the largest of, what the invocations have in `own`, as `name`. */
function gather(name: string, combine: (a: string, b: string) => string): string {
  return `pieces[local_index] = own;
workgroupBarrier();
var ${name} = 0.0;
for (var i = 0u; i < ${LANES}u; i += 1u) { ${name} = ${combine(name, 'pieces[i]')}; }
workgroupBarrier();`;
}

/** The product of the n by n matrices at `left[base ...]` and `right[base ...]`: its element at `t`. */
function product(n: number, left: string, right: string): string {
  return `var sum = 0.0;
let row = base + (t / ${n}u) * ${n}u;
let column = base + t % ${n}u;
for (var k = 0u; k < ${n}u; k += 1u) { sum += ${left}[row + k] * ${right}[column + k * ${n}u]; }`;
}

const unit = (n: number): string => `select(0.0, 1.0, t % ${n}u == t / ${n}u)`;

const SHARED = `var<workgroup> pieces: array<f32, ${LANES}>;\nvar<workgroup> shared_word: u32;`;

/** Terms of the series of exp: the error is below 1 / 13! for norms of at most 1. */
const TERMS = 12;

/**
 * exp(a) = exp(a / 2^s)^(2^s), s making the largest sum of a column at most 1; the series by Horner's rule. Each product
 * is made beside the last one and copied.
 */
const exponential = device((c) => {
  const { shape } = c.output(0);
  const n = shape.at(-1) ?? 0;
  if (n === 0) return { dispatches: [] };
  const size = n * n;
  const batch = sizeOf(shape.slice(0, -2));
  const copy = share(`${size}u`, 'out[base + t] = next[base + t];');
  const body = `let base = matrix * ${size}u;
var own = 0.0;
${share(
  `${n}u`,
  `var sum = 0.0;
for (var i = 0u; i < ${n}u; i += 1u) { sum += abs(input[base + i * ${n}u + t]); }
own = nan_max(own, sum);`,
)}
${gather('norm', (a, b) => `nan_max(${a}, ${b})`)}
let failed = !is_finite(norm);
if (local_index == 0u) {
let exponent = (bitcast<u32>(norm) >> 23u) & 255u;
shared_word = select(0u, min(max(exponent, 126u) - 126u, 126u), !failed);
}
let squarings = workgroupUniformLoad(&shared_word);
let shrink = bitcast<f32>((127u - squarings) << 23u);
${share(`${size}u`, `out[base + t] = ${unit(n)};`)}
${BARRIER}
for (var term = ${TERMS}u; term > 0u; term -= 1u) {
${share(`${size}u`, `${product(n, 'input', 'out')}\nnext[base + t] = sum * shrink / f32(term) + ${unit(n)};`)}
${BARRIER}
${copy}
${BARRIER}
}
for (var step = 0u; step < squarings; step += 1u) {
${share(`${size}u`, `${product(n, 'out', 'out')}\nnext[base + t] = sum;`)}
${BARRIER}
${copy}
${BARRIER}
}
if (failed) {
${share(`${size}u`, 'out[base + t] = not_a_number();')}
}`;
  const bindings = [inputBinding(c, 0, 'input'), scratchBinding(0, 'next', 'float32'), outputBinding(c)];
  return perMatrix(c, batch, { bindings, scratch: [batch * size * 4], declarations: SHARED, body });
});

const MOST_ITERATIONS = 30;

/**
 * m and x begin as a; m ← (1 + (g² m + m⁻¹ / g²) / 2) / 2 goes to 1 and x ← g x (1 + m⁻¹ / g²) / 2 to the root, where
 * g = |det m|^(-1/2n) makes the first steps long. \`lu\` and \`out\` are what the elimination works on.
 */
const squareRoot = device((c) => {
  const { shape } = c.output(0);
  const n = shape.at(-1) ?? 0;
  if (n === 0) return { dispatches: [] };
  const size = n * n;
  const batch = sizeOf(shape.slice(0, -2));
  const body = `let base = matrix * ${size}u;
let rhs = base;
${share(`${size}u`, 'm[base + t] = input[base + t];\nroot[base + t] = input[base + t];')}
var distance = 1e30;
var scaling = true;
for (var iteration = 0u; iteration < ${MOST_ITERATIONS}u; iteration += 1u) {
${BARRIER}
${share(`${size}u`, `lu[base + t] = m[base + t];\nout[base + t] = ${unit(n)};`)}
${elimination(n, n)}
var logarithm = 0.0;
for (var k = 0u; k < ${n}u; k += 1u) { logarithm += safe_log(abs(lu[base + k * ${n + 1}u])); }
let g = select(1.0, exp(logarithm * ${literal(-0.5 / n, 'float32')}), scaling && !singular);
${backSubstitution(n, n)}
${BARRIER}
${share(
  `${size}u`,
  `${product(n, 'root', 'out')}
lu[base + t] = 0.5 * (g * root[base + t] + sum / g);`,
)}
${BARRIER}
var own = 0.0;
${share(
  `${size}u`,
  `root[base + t] = lu[base + t];
let next = 0.5 * (${unit(n)} + 0.5 * (g * g * m[base + t] + out[base + t] / (g * g)));
m[base + t] = next;
own = nan_max(own, abs(next - ${unit(n)}));`,
)}
${gather('off', (a, b) => `nan_max(${a}, ${b})`)}
if (local_index == 0u) { shared_word = select(0u, 1u, off < 2e-6 || !is_finite(off) || (off < 1e-3 && off >= distance)); }
distance = off;
scaling = scaling && off > 1e-2;
if (workgroupUniformLoad(&shared_word) == 1u) { break; }
}
${BARRIER}
let converged = distance < 1e-3;
${share(`${size}u`, 'result[base + t] = select(not_a_number(), root[base + t], converged);')}`;
  const names = ['m', 'root', 'lu', 'out'];
  const bindings = [
    inputBinding(c, 0, 'input'),
    ...names.map((name, i) => scratchBinding(i, name, 'float32')),
    outputBinding(c, 0, 'result'),
  ];
  const scratch = names.map(() => batch * size * 4);
  return perMatrix(c, batch, { bindings, scratch, declarations: `${PIVOT}\n${SHARED}`, body });
});

/** Φ(lᵀ dl), then l⁻ᵀ from the left and l⁻¹ from the right, in `work`; the output is the symmetric part. */
const choleskyGrad = device((c) => {
  const { shape } = c.output(0);
  const n = shape.at(-1) ?? 0;
  if (n === 0) return { dispatches: [] };
  const size = n * n;
  const batch = sizeOf(shape.slice(0, -2));
  const at = (i: string, j: string): string => `base + (${i}) * ${n}u + ${j}`;
  const body = `let base = matrix * ${size}u;
${share(
  `${size}u`,
  `let i = t / ${n}u;
let j = t % ${n}u;
var sum = 0.0;
for (var k = i; k < ${n}u; k += 1u) { sum += l[${at('k', 'i')}] * grad[${at('k', 'j')}]; }
work[base + t] = select(select(0.0, sum, i > j), 0.5 * sum, i == j);`,
)}
for (var step = 0u; step < ${n}u; step += 1u) {
let k = ${n - 1}u - step;
${BARRIER}
${share(`${n}u`, `work[${at('k', 't')}] /= l[${at('k', 'k')}];`)}
${BARRIER}
${share(`k * ${n}u`, `work[base + t] -= l[${at('k', `t / ${n}u`)}] * work[${at('k', `t % ${n}u`)}];`)}
}
for (var step = 0u; step < ${n}u; step += 1u) {
let k = ${n - 1}u - step;
${BARRIER}
${share(`${n}u`, `work[${at('t', 'k')}] /= l[${at('k', 'k')}];`)}
${BARRIER}
${share(`k * ${n}u`, `work[${at('t / k', 't % k')}] -= work[${at('t / k', 'k')}] * l[${at('k', 't % k')}];`)}
}
${BARRIER}
${share(`${size}u`, `out[base + t] = 0.5 * (work[base + t] + work[${at(`t % ${n}u`, `t / ${n}u`)}]);`)}`;
  const bindings = [
    inputBinding(c, 0, 'l'),
    inputBinding(c, 1, 'grad'),
    scratchBinding(0, 'work', 'float32'),
    outputBinding(c),
  ];
  return perMatrix(c, batch, { bindings, scratch: [batch * size * 4], body });
});

interface Sizes {
  readonly rows: number;
  readonly columns: number;
  readonly solutions: number;
  readonly batch: number;
}

/**
 * The normal equations: with the smaller of aᵀ a + λ and a aᵀ + λ = l lᵀ in `gram`, which l replaces, a⁺ b in `out`.
 * `side` holds aᵀ b, or b, and then the solution.
 */
function lowerNormal(c: KernelContext, { rows, columns, solutions, batch }: Sizes, l2: number): Lowered {
  const deep = rows >= columns;
  const [n, long] = deep ? [columns, rows] : [rows, columns];
  const k = solutions;
  const element = (i: string, j: string): string =>
    deep ? `a + (${j}) * ${columns}u + ${i}` : `a + (${i}) * ${columns}u + ${j}`;
  const load = deep
    ? `var sum = 0.0;
for (var i = 0u; i < ${rows}u; i += 1u) { sum += system[a + i * ${columns}u + t / ${k}u] * right[b + i * ${k}u + t % ${k}u]; }
side[z + t] = sum;`
    : 'side[z + t] = right[b + t];';
  const store = deep
    ? 'out[solution + t] = side[z + t];'
    : `var sum = 0.0;
for (var i = 0u; i < ${rows}u; i += 1u) { sum += system[a + i * ${columns}u + t / ${k}u] * side[z + i * ${k}u + t % ${k}u]; }
out[solution + t] = sum;`;
  const body = `let a = matrix * ${rows * columns}u;
let b = matrix * ${rows * k}u;
let g = matrix * ${n * n}u;
let z = matrix * ${n * k}u;
let solution = matrix * ${columns * k}u;
var failed = false;
${share(
  `${n * n}u`,
  `var sum = select(0.0, ${literal(l2, 'float32')}, t / ${n}u == t % ${n}u);
for (var i = 0u; i < ${long}u; i += 1u) { sum += system[${element(`t / ${n}u`, 'i')}] * system[${element(`t % ${n}u`, 'i')}]; }
gram[g + t] = sum;`,
)}
${share(`${n * k}u`, load)}
for (var step = 0u; step < ${n}u; step += 1u) {
${BARRIER}
let pivot = gram[g + step * ${n + 1}u];
failed = failed || !(pivot > 0.0) || !is_finite(pivot);
let root = sqrt(max(pivot, 1e-38));
${BARRIER}
${share(`${n}u - step`, `let at = g + (step + t) * ${n}u + step;\ngram[at] = select(gram[at] / root, root, t == 0u);`)}
${share(`${k}u`, `side[z + step * ${k}u + t] /= root;`)}
${BARRIER}
let rest = ${n - 1}u - step;
${share(
  `rest * (rest + ${k}u)`,
  `let row = step + 1u + t / (rest + ${k}u);
let place = t % (rest + ${k}u);
let factor = gram[g + row * ${n}u + step];
if (place < rest) {
gram[g + row * ${n}u + step + 1u + place] -= factor * gram[g + (step + 1u + place) * ${n}u + step];
} else {
side[z + row * ${k}u + place - rest] -= factor * side[z + step * ${k}u + place - rest];
}`,
)}
}
for (var back = 0u; back < ${n}u; back += 1u) {
let step = ${n - 1}u - back;
${BARRIER}
${share(`${k}u`, `side[z + step * ${k}u + t] /= gram[g + step * ${n + 1}u];`)}
${BARRIER}
${share(
  `step * ${k}u`,
  `side[z + t] -= gram[g + step * ${n}u + t / ${k}u] * side[z + step * ${k}u + t % ${k}u];`,
)}
}
${BARRIER}
${share(`${columns * k}u`, store)}
if (failed) {
${share(`${columns * k}u`, 'out[solution + t] = not_a_number();')}
}`;
  const bindings = [
    inputBinding(c, 0, 'system'),
    inputBinding(c, 1, 'right'),
    scratchBinding(0, 'gram', 'float32'),
    scratchBinding(1, 'side', 'float32'),
    outputBinding(c),
  ];
  return perMatrix(c, batch, { bindings, scratch: [batch * n * n * 4, batch * n * k * 4], body });
}

/** v s⁻¹ uᵀ b, without the singular values that are 0 to rounding. */
function lowerBySvd(c: KernelContext, { rows, columns, solutions, batch }: Sizes): Lowered {
  const inner = Math.min(rows, columns);
  const k = solutions;
  const svd = lowerSvd(c);
  const scratch = svd.scratch ?? [];
  const [s, u, v] = [scratch.length - 3, scratch.length - 2, scratch.length - 1];
  const body = `let b = matrix * ${rows * k}u;
let z = matrix * ${inner * k}u;
let solution = matrix * ${columns * k}u;
let least = s[matrix * ${inner}u] * ${1.2e-7 * Math.max(rows, columns)};
${share(
  `${inner * k}u`,
  `let value = s[matrix * ${inner}u + t / ${k}u];
var sum = 0.0;
for (var i = 0u; i < ${rows}u; i += 1u) {
sum += u[(matrix * ${rows}u + i) * ${inner}u + t / ${k}u] * right[b + i * ${k}u + t % ${k}u];
}
side[z + t] = select(keep_nan(0.0, value), sum / value, value > least);`,
)}
${BARRIER}
${share(
  `${columns * k}u`,
  `var sum = 0.0;
for (var j = 0u; j < ${inner}u; j += 1u) {
sum += v[(matrix * ${columns}u + t / ${k}u) * ${inner}u + j] * side[z + j * ${k}u + t % ${k}u];
}
out[solution + t] = sum;`,
)}`;
  const bindings = [
    inputBinding(c, 1, 'right'),
    ...[['s', s] as const, ['u', u] as const, ['v', v] as const].map(([name, index]) => ({
      ...scratchBinding(index, name, 'float32'),
      access: 'read' as const,
    })),
    scratchBinding(scratch.length, 'side', 'float32'),
    outputBinding(c),
  ];
  const solve = perMatrix(c, batch, { bindings, body });
  return {
    dispatches: [...svd.dispatches, ...solve.dispatches],
    scratch: [...scratch, Math.max(4, batch * inner * k * 4)],
  };
}

function leastSquares(c: KernelContext): Lowered {
  const [rows = 0, columns = 0] = c.input(0).shape.slice(-2);
  const solutions = c.output(0).shape.at(-1) ?? 0;
  const batch = sizeOf(c.output(0).shape.slice(0, -2));
  if (columns * solutions * batch === 0) return { dispatches: [] };
  const sizes = { rows, columns, solutions, batch };
  if (rows === 0) {
    const body = share(`${columns * solutions}u`, `out[matrix * ${columns * solutions}u + t] = 0.0;`);
    return perMatrix(c, batch, { bindings: [outputBinding(c)], body });
  }
  if (!c.attrs.bool('fast')) return lowerBySvd(c, sizes);
  return lowerNormal(c, sizes, c.requireHost(2, 'l2_regularizer').data[0] ?? 0);
}

export const LINALG_FUNCTION_KERNELS = {
  MatrixExponential: exponential,
  MatrixSquareRoot: squareRoot,
  CholeskyGrad: choleskyGrad,
  MatrixSolveLs: device(leastSquares),
} satisfies Partial<Record<OpName, Kernel>>;
