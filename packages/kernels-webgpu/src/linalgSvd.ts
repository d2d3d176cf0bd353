/**
 * The kernel of singular value decompositions: Jacobi's rotations from one side (Hestenes, 1958), one workgroup per
 * matrix. Columns of the matrix (of its transpose, if that is the longer way) are turned in pairs until all are
 * orthogonal; their lengths are the singular values. Each round turns disjoint pairs, so that every invocation has
 * work; which ones is a round-robin tournament. The matrix is scaled by a power of two first: squares stay finite.
 */
import { sizeOf } from '@forerun/graph';
import { device, type KernelContext, type Lowered } from './kernel.js';
import { BARRIER, LANES, perMatrix, share } from './linalgWorkgroup.js';
import { inputBinding, outputBinding, scratchBinding, type ShaderBinding } from './wgsl/shader.js';

/** Convergence is quadratic: ten sweeps are many. */
const MOST_SWEEPS = 40;
/** Shorter columns, the largest element being 1, are not turned any more. */
const TINY = 1e-15;

interface Sizes {
  readonly rows: number;
  /** The smaller of the two sizes. */
  readonly columns: number;
  /** The input is the transpose of the matrix whose columns are turned. */
  readonly flipped: boolean;
  readonly vectors: boolean;
  /** Columns of the output of the longer vectors. */
  readonly inner: number;
}

/** Scales by a power of two and copies; \`top\` is the largest absolute value, \`unit\` the scale. */
function load({ rows, columns, flipped, vectors }: Sizes): string {
  const size = rows * columns;
  const from = flipped ? `(t % ${columns}u) * ${rows}u + t / ${columns}u` : 't';
  return `let base = matrix * ${size}u;
var own = 0.0;
${share(`${size}u`, 'own = nan_max(own, abs(input[base + t]));')}
pieces[local_index] = vec3<f32>(own, 0.0, 0.0);
workgroupBarrier();
var top = 0.0;
for (var i = 0u; i < ${LANES}u; i += 1u) { top = nan_max(top, pieces[i].x); }
let failed = !is_finite(top);
let exponent = clamp((bitcast<u32>(top) >> 23u) & 255u, 1u, 253u);
let unit = bitcast<f32>(exponent << 23u);
let inverse = bitcast<f32>((254u - exponent) << 23u);
${share(`${size}u`, `work[base + t] = select(input[base + ${from}] * inverse, 0.0, failed);`)}
${
  vectors
    ? `let turns = matrix * ${columns * columns}u;
${share(`${columns * columns}u`, `basis[turns + t] = select(0.0, 1.0, t % ${columns}u == t / ${columns}u);`)}`
    : ''
}
${BARRIER}`;
}

/** The columns that pair number `pair` of round `round` meets. */
function pairing(players: number): string {
  const ring = players - 1;
  return `let p = select((round + pair) % ${ring}u, ${ring}u, pair == 0u);
let q = (round + ${ring}u - pair) % ${ring}u;`;
}

const dots = (columns: number): string => `let wp = work[base + i * ${columns}u + p];
let wq = work[base + i * ${columns}u + q];
sums += vec3<f32>(wp * wp, wq * wq, wp * wq);`;

/**
 * Turns rows `first`, `first + step` … of columns p and q so that the columns become orthogonal; in Rutishauser's form
 * (1966), whose rounding errors are those of a small change where the angle is small.
 */
function turn({ rows, columns, vectors }: Sizes, first: string, step: number): string {
  const tolerance = 6e-8 * Math.sqrt(rows);
  const rotate = (array: string, at: string): string => `let at = ${at} + i * ${columns}u;
let xp = ${array}[at + p];
let xq = ${array}[at + q];
${array}[at + p] = xp - sine * (xq + bend * xp);
${array}[at + q] = xq + sine * (xp - bend * xq);`;
  const loop = (count: number, body: string): string =>
    `for (var i = ${first}; i < ${count}u; i += ${step}u) {\n${body}\n}`;
  return `let lengths = sqrt(sums.x) * sqrt(sums.y);
if (min(sums.x, sums.y) > ${TINY * TINY} && abs(sums.z) > ${tolerance} * lengths) {
turned = 1u;
let zeta = (sums.y - sums.x) / (2.0 * sums.z);
let size = min(abs(zeta), 1e15);
let root = size + sqrt(1.0 + size * size);
let tangent = select(1.0, -1.0, zeta < 0.0) / root;
let cosine = 1.0 / sqrt(1.0 + tangent * tangent);
let sine = tangent * cosine;
let bend = sine / (1.0 + cosine);
${loop(rows, rotate('work', 'base'))}
${vectors ? loop(columns, rotate('basis', 'turns')) : ''}
}`;
}

/** One round: all pairs at once, several invocations for each where there are enough. */
function round(sizes: Sizes): string {
  const { rows, columns } = sizes;
  const players = columns + (columns % 2);
  const pairs = players / 2;
  const parts = Math.max(1, Math.min(Math.floor(LANES / pairs), Math.ceil(rows / 4)));
  if (parts === 1) {
    return `for (var pair = local_index; pair < ${pairs}u; pair += ${LANES}u) {
${pairing(players)}
if (p < ${columns}u && q < ${columns}u) {
var sums = vec3<f32>(0.0);
for (var i = 0u; i < ${rows}u; i += 1u) {\n${dots(columns)}\n}
${turn(sizes, '0u', 1)}
}
}`;
  }
  return `let pair = local_index / ${parts}u;
let part = local_index % ${parts}u;
${pairing(players)}
let real = pair < ${pairs}u && p < ${columns}u && q < ${columns}u;
var sums = vec3<f32>(0.0);
if (real) {
for (var i = part; i < ${rows}u; i += ${parts}u) {\n${dots(columns)}\n}
}
pieces[local_index] = sums;
workgroupBarrier();
if (real) {
sums = vec3<f32>(0.0);
for (var k = 0u; k < ${parts}u; k += 1u) { sums += pieces[pair * ${parts}u + k]; }
${turn(sizes, 'part', parts)}
}`;
}

function sweeps(sizes: Sizes): string {
  const { columns } = sizes;
  if (columns < 2) return '';
  return `for (var sweep = 0u; sweep < ${MOST_SWEEPS}u; sweep += 1u) {
var turned = 0u;
for (var round = 0u; round < ${columns + (columns % 2) - 1}u; round += 1u) {
${round(sizes)}
${BARRIER}
}
flags[local_index] = turned;
workgroupBarrier();
if (local_index == 0u) {
var any_turned = 0u;
for (var i = 0u; i < ${LANES}u; i += 1u) { any_turned |= flags[i]; }
shared_count = any_turned;
}
if (workgroupUniformLoad(&shared_count) == 0u) { break; }
}`;
}

/** Singular values in falling order, and the vectors that go with them, but for those of the value 0. */
function sorted({ rows, columns, vectors, inner }: Sizes): string {
  const lengths = share(
    `${columns}u`,
    `var sum = 0.0;
for (var i = 0u; i < ${rows}u; i += 1u) {
let x = work[base + i * ${columns}u + t];
sum += x * x;
}
spare[room + t] = sqrt(sum);`,
  );
  const copy = `var largest = 0.0;
for (var i = 0u; i < ${columns}u; i += 1u) {
let x = basis[turns + i * ${columns}u + t];
largest = select(largest, x, abs(x) > abs(largest));
}
let sign = select(1.0, -1.0, largest < 0.0);
for (var i = 0u; i < ${columns}u; i += 1u) {
short[turns + i * ${columns}u + place] = sign * basis[turns + i * ${columns}u + t];
}
let factor = sign / select(value, 1.0, value == 0.0);
for (var i = 0u; i < ${rows}u; i += 1u) {
long[side + i * ${inner}u + place] = factor * work[base + i * ${columns}u + t];
}`;
  return `let room = matrix * ${2 * rows}u;
${vectors ? `let side = matrix * ${rows * inner}u;` : ''}
${lengths}
${BARRIER}
${share(
  `${columns}u`,
  `let value = spare[room + t];
var place = 0u;
for (var i = 0u; i < ${columns}u; i += 1u) {
let other = spare[room + i];
place += select(0u, 1u, other > value || (other == value && i < t));
}
s[matrix * ${columns}u + place] = value * unit;
${vectors ? copy : ''}`,
)}`;
}

/**
 * The vectors of singular values that are 0 to rounding and, of full matrices, the others: each from the unit vector that
 * is farthest from those before. What rounding left in such a column would depend on the order of operations.
 */
function completed({ rows, columns, inner }: Sizes): string {
  return `if (local_index == 0u) {
var filled = 0u;
var longest = 0.0;
for (var i = 0u; i < ${columns}u; i += 1u) { longest = max(longest, spare[room + i]); }
let least = max(longest * ${1.2e-7 * rows}, ${TINY});
for (var i = 0u; i < ${columns}u; i += 1u) { filled += select(0u, 1u, spare[room + i] > least); }
shared_count = filled;
}
for (var column = workgroupUniformLoad(&shared_count); column < ${inner}u; column += 1u) {
${BARRIER}
var best = vec3<f32>(-1.0, 0.0, 0.0);
${share(
  `${rows}u`,
  `var left = 1.0;
for (var j = 0u; j < column; j += 1u) {
let x = long[side + t * ${inner}u + j];
left -= x * x;
}
if (left > best.x + 1e-5) { best = vec3<f32>(left, f32(t), 0.0); }`,
)}
pieces[local_index] = best;
workgroupBarrier();
best = pieces[0];
for (var i = 1u; i < ${LANES}u; i += 1u) {
let other = pieces[i];
let level = abs(other.x - best.x) <= 1e-5;
if (select(other.x > best.x, other.y < best.y, level)) { best = other; }
}
let chosen = u32(best.y);
${share(
  `${rows}u`,
  `var x = select(0.0, 1.0, t == chosen);
for (var j = 0u; j < column; j += 1u) { x -= long[side + chosen * ${inner}u + j] * long[side + t * ${inner}u + j]; }
spare[room + t] = x;`,
)}
${BARRIER}
${share(
  'column',
  `var dot = 0.0;
for (var i = 0u; i < ${rows}u; i += 1u) { dot += long[side + i * ${inner}u + t] * spare[room + i]; }
spare[room + ${rows}u + t] = dot;`,
)}
${BARRIER}
${share(
  `${rows}u`,
  `var x = spare[room + t];
for (var j = 0u; j < column; j += 1u) { x -= spare[room + ${rows}u + j] * long[side + t * ${inner}u + j]; }
long[side + t * ${inner}u + column] = x;`,
)}
${BARRIER}
var squares = 0.0;
for (var i = 0u; i < ${rows}u; i += 1u) {
let x = long[side + i * ${inner}u + column];
squares += x * x;
}
${BARRIER}
${share(`${rows}u`, `long[side + t * ${inner}u + column] /= sqrt(squares);`)}
}`;
}

const filled = (size: number, array: string): string =>
  share(`${size}u`, `${array}[matrix * ${size}u + t] = not_a_number();`);

const DECLARATIONS = `var<workgroup> pieces: array<vec3<f32>, ${LANES}>;
var<workgroup> flags: array<u32, ${LANES}>;
var<workgroup> shared_count: u32;`;

export const svd = device((c) => {
  const [m = 0, n = 0] = c.input(0).shape.slice(-2);
  const batch = sizeOf(c.input(0).shape.slice(0, -2));
  const vectors = c.attrs.bool('compute_uv');
  if (m === 0 || n === 0) return vectors ? identities(c, batch) : { dispatches: [] };
  const outputs = ['s', 'u', 'v'].map((name, i) => (i === 0 || vectors ? outputBinding(c, i, name) : null));
  return lowerSvd(c, vectors, c.attrs.bool('full_matrices'), outputs);
});

/**
 * The decomposition of input 0, which must have elements, into the bindings s, u and v of `outputs`; without these into
 * the last three scratch buffers.
 */
export function lowerSvd(
  c: KernelContext,
  vectors = true,
  full = false,
  outputs: readonly (ShaderBinding | null)[] = [],
): Lowered {
  const [m = 0, n = 0] = c.input(0).shape.slice(-2);
  const batch = sizeOf(c.input(0).shape.slice(0, -2));
  const flipped = m < n;
  const [rows, columns] = flipped ? [n, m] : [m, n];
  const inner = full ? rows : columns;
  const sizes = { rows, columns, flipped, vectors, inner };
  const failed = [filled(columns, 's')];
  if (vectors) failed.push(filled(columns * columns, 'short'), filled(rows * inner, 'long'));
  const body = [
    load(sizes),
    sweeps(sizes),
    sorted(sizes),
    vectors ? completed(sizes) : '',
    `${BARRIER}\nif (failed) {\n${failed.join('\n')}\n}`,
  ].join('\n');
  const scratch = [rows * columns, 2 * rows, ...(vectors ? [columns * columns] : [])];
  const bindings: ShaderBinding[] = [
    inputBinding(c, 0, 'input'),
    ...['work', 'spare', 'basis']
      .slice(0, scratch.length)
      .map((name, i) => scratchBinding(i, name, 'float32')),
  ];
  const names = ['s', ...(flipped ? ['short', 'long'] : ['long', 'short'])].slice(0, vectors ? 3 : 1);
  const lengths = [columns, m * (flipped ? columns : inner), n * (flipped ? inner : columns)];
  names.forEach((name, i) => {
    const output = outputs[i] ?? scratchBinding(scratch.length, name, 'float32');
    if (output.source.kind === 'scratch') scratch.push(lengths[i] ?? 0);
    bindings.push({ ...output, name });
  });
  const bytes = scratch.map((size) => Math.max(4, batch * size * 4));
  return perMatrix(c, batch, { bindings, scratch: bytes, declarations: DECLARATIONS, body });
}

/** u and v of matrices without elements: identities, or nothing. */
function identities(c: KernelContext, batch: number): Lowered {
  const parts = [1, 2].map((i) => ({ i, side: c.output(i).shape.at(-1) ?? 0 }));
  const filledParts = parts.filter(({ side }) => side > 0);
  if (filledParts.length === 0) return { dispatches: [] };
  const body = filledParts.map(({ i, side }) =>
    share(
      `${side * side}u`,
      `vectors${i}[matrix * ${side * side}u + t] = select(0.0, 1.0, t % ${side}u == t / ${side}u);`,
    ),
  );
  const bindings = filledParts.map(({ i }) => outputBinding(c, i, `vectors${i}`));
  return perMatrix(c, batch, { bindings, body: body.join('\n') });
}
