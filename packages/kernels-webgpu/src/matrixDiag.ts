/** Kernels of diagonals and bands of matrices in the last two dimensions. */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { storageType } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** A band of diagonals and how short ones lie in their rows. */
interface Band {
  readonly low: number;
  readonly high: number;
  /** Length of the rows of the diagonals tensor. */
  readonly length: number;
  readonly align: string;
}

const MAIN = { low: 0, high: 0, align: 'LEFT_LEFT' };

/** One invocation per output element; `body` may use `i` and writes `out[i]`. */
function perElement(c: KernelContext, bindings: readonly ShaderBinding[], body: string): Lowered {
  const elements = sizeOf(c.output(0).shape);
  if (elements === 0) return { dispatches: [] };
  const grid = gridFor(elements, 1, c.adapter);
  const spec = { label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) };
  return { dispatches: [shader(spec, c.adapter)] };
}

function bandOf(c: KernelContext, k: number | null, diagonal: readonly number[]): Band {
  const length = diagonal.at(-1) ?? 1;
  if (k === null) return { ...MAIN, length };
  const [low = 0, high = low] = c.requireHost(k, 'the diagonals k').data;
  const align = c.op.endsWith('V3') ? c.attrs.string('align') : 'LEFT_LEFT';
  return { low, high, length, align };
}

/** `offset`: where diagonal `k` (an i32) of matrices of `rows` by `columns` begins in its row. */
function offsetCode({ length, align }: Band, rows: number, columns: number): string {
  const left = [
    ...(align.startsWith('LEFT') ? ['k >= 0'] : []),
    ...(align.endsWith('_LEFT') ? ['k <= 0'] : []),
  ].join(' || ');
  const rest = `${length} - min(${rows} + min(k, 0), ${columns} - max(k, 0))`;
  return `let offset = select(${rest}, 0, ${left === '' ? 'false' : left});`;
}

/** The coordinates `row` and `column` (i32) of element `i` of a matrix, and the number `matrix` of it. */
function matrixCode(rows: number, columns: number): string {
  return `let matrix = i / ${rows * columns}u;
let row = i32((i / ${columns}u) % ${rows}u);
let column = i32(i % ${columns}u);`;
}

function lowerPart(c: KernelContext, k: number | null): Lowered {
  const x = c.input(0).shape;
  const [rows = 1, columns = 1] = x.slice(-2);
  const band = bandOf(c, k, c.output(0).shape);
  const count = band.high - band.low + 1;
  const padding = k === null ? `${storageType(c.output(0).dtype)}(0)` : 'padding_value[0]';
  const body = `let matrix = i / ${count * band.length}u;
let k = ${band.high} - i32((i / ${band.length}u) % ${count}u);
${offsetCode(band, rows, columns)}
let n = i32(i % ${band.length}u) - offset;
let row = n - min(k, 0);
let column = n + max(k, 0);
var element = ${padding};
if (n >= 0 && row < ${rows} && column < ${columns}) {
element = input[(matrix * ${rows}u + u32(row)) * ${columns}u + u32(column)];
}
out[i] = element;`;
  const padded = k === null ? [] : [inputBinding(c, 2, 'padding_value')];
  return perElement(c, [inputBinding(c, 0, 'input'), ...padded, outputBinding(c)], body);
}

/** Matrices with `diagonal` (input `source`) on the band and `elsewhere` (an expression of `i`) beside it. */
function lowerOntoBand(
  c: KernelContext,
  source: number,
  k: number | null,
  elsewhere: string,
  bindings: readonly ShaderBinding[],
): Lowered {
  const [rows = 1, columns = 1] = c.output(0).shape.slice(-2);
  const band = bandOf(c, k, c.input(source).shape);
  const count = band.high - band.low + 1;
  const body = `${matrixCode(rows, columns)}
let k = column - row;
var element = ${elsewhere};
if (k >= ${band.low} && k <= ${band.high}) {
${offsetCode(band, rows, columns)}
let n = u32(min(row, column) + offset);
element = diagonal[(matrix * ${count}u + u32(${band.high} - k)) * ${band.length}u + n];
}
out[i] = element;`;
  return perElement(c, [...bindings, inputBinding(c, source, 'diagonal'), outputBinding(c)], body);
}

function diag(k: number | null): Kernel {
  return device((c) => {
    if (k === null) return lowerOntoBand(c, 0, k, `${storageType(c.output(0).dtype)}(0)`, []);
    return lowerOntoBand(c, 0, k, 'padding_value[0]', [inputBinding(c, 4, 'padding_value')]);
  });
}

function setDiag(k: number | null): Kernel {
  return device((c) => lowerOntoBand(c, 1, k, 'input[i]', [inputBinding(c, 0, 'input')]));
}

const part = (k: number | null): Kernel => device((c) => lowerPart(c, k));

function lowerBand(c: KernelContext): Lowered {
  const [rows = 1, columns = 1] = c.output(0).shape.slice(-2);
  const body = `${matrixCode(rows, columns)}
let lower = num_lower[0];
let upper = num_upper[0];
let inside = (lower < 0 || row - column <= lower) && (upper < 0 || column - row <= upper) && matrix >= 0u;
out[i] = select(${storageType(c.output(0).dtype)}(0), input[i], inside);`;
  const bindings = [
    inputBinding(c, 0, 'input'),
    inputBinding(c, 1, 'num_lower'),
    inputBinding(c, 2, 'num_upper'),
    outputBinding(c),
  ];
  return perElement(c, bindings, body);
}

/** A tensor on the diagonal of one of twice its rank, and back. */
const tensorDiag = device((c) => {
  const size = Math.max(sizeOf(c.input(0).shape), 1);
  const zero = `${storageType(c.output(0).dtype)}(0)`;
  const body = `let row = i / ${size}u;\nout[i] = select(${zero}, diagonal[row], row == i % ${size}u);`;
  return perElement(c, [inputBinding(c, 0, 'diagonal'), outputBinding(c)], body);
});
const tensorDiagPart = device((c) => {
  const size = sizeOf(c.output(0).shape);
  return perElement(c, [inputBinding(c, 0, 'input'), outputBinding(c)], `out[i] = input[i * ${size + 1}u];`);
});

const cross = device((c) => {
  const body = `let at = i % 3u;
let start = i - at;
let next = start + (at + 1u) % 3u;
let after = start + (at + 2u) % 3u;
out[i] = a[next] * b[after] - a[after] * b[next];`;
  return perElement(c, [inputBinding(c, 0, 'a'), inputBinding(c, 1, 'b'), outputBinding(c)], body);
});

export const MATRIX_DIAG_KERNELS = {
  MatrixDiag: diag(null),
  MatrixDiagV2: diag(1),
  MatrixDiagV3: diag(1),
  MatrixDiagPart: part(null),
  MatrixDiagPartV2: part(1),
  MatrixDiagPartV3: part(1),
  MatrixSetDiag: setDiag(null),
  MatrixSetDiagV2: setDiag(2),
  MatrixSetDiagV3: setDiag(2),
  MatrixBandPart: device(lowerBand),
  Diag: tensorDiag,
  DiagPart: tensorDiagPart,
  Cross: cross,
} satisfies Partial<Record<OpName, Kernel>>;
