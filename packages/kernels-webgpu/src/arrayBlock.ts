/**
 * Kernels of ops that move blocks of pixels into channels or batch and back. The first are transpositions
 * of a box with more dimensions; the others read each output element from where it was.
 */
import { sizeOf, stridesOf, type OpName } from '@forerun/graph';
import { MOVES_ONCE, device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { lowerCopies } from './stridedCopy.js';
import { storageType, vectorType, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride, linearIndex, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** Input 0 seen as `box`, with its dimensions in the order `perm`. */
function lowerTransposed(c: KernelContext, box: readonly number[], perm: readonly number[]): Lowered {
  const strides = stridesOf(box);
  const shape = perm.map((axis) => box[axis] ?? 1);
  const from = { offset: 0, strides: perm.map((axis) => strides[axis] ?? 0) };
  return lowerCopies(c, [{ input: 0, output: 0, shape, from, to: { offset: 0, strides: stridesOf(shape) } }]);
}

function lowerSpaceToDepth(c: KernelContext): Lowered {
  const b = c.attrs.int('block_size');
  const [n = 0, d1 = 0, d2 = 0, d3 = 0] = c.input(0).shape;
  return c.attrs.string('data_format') === 'NCHW'
    ? lowerTransposed(c, [n, d1, d2 / b, b, d3 / b, b], [0, 3, 5, 1, 2, 4])
    : lowerTransposed(c, [n, d1 / b, b, d2 / b, b, d3], [0, 1, 3, 2, 4, 5]);
}

function lowerDepthToSpace(c: KernelContext): Lowered {
  const b = c.attrs.int('block_size');
  const [n = 0, d1 = 0, d2 = 0, d3 = 0] = c.input(0).shape;
  return c.attrs.string('data_format') === 'NCHW'
    ? lowerTransposed(c, [n, b, b, d1 / (b * b), d2, d3], [0, 3, 4, 1, 5, 2])
    : lowerTransposed(c, [n, d1, d2, b, b, d3 / (b * b)], [0, 1, 3, 2, 4, 5]);
}

/** Block sizes, and what is padded or cropped in front, of each spatial dimension. */
interface Blocks {
  readonly sizes: readonly number[];
  readonly before: readonly number[];
}

function blocksOf(c: KernelContext, borders: string): Blocks {
  const sizes = [...c.requireHost(1, 'block_shape').data];
  const { data } = c.requireHost(2, borders);
  return { sizes, before: sizes.map((_, d) => data[2 * d] ?? 0) };
}

function squareBlocks(c: KernelContext, borders: string): Blocks {
  const size = c.attrs.int('block_size');
  const { data } = c.requireHost(1, borders);
  return { sizes: [size, size], before: [data[0] ?? 0, data[2] ?? 0] };
}

/** Statements that read `source` for one output element, whose dimensions after the spatial ones are one. */
type Reader = (width: Width) => { code: string; read: string; inside: readonly string[] };

function lowerRead(c: KernelContext, inner: number, reader: Reader): Lowered {
  const elements = sizeOf(c.output(0).shape);
  if (elements === 0) return { dispatches: [] };
  const width: Width = inner % 4 === 0 ? 4 : 1;
  const { code, read, inside } = reader(width);
  const load = `value = source[${read}];`;
  const body = [
    code,
    `var value = ${vectorType(storageType(c.output(0).dtype), width)}();`,
    inside.length === 0 ? load : `if (${inside.join(' && ')}) {\n${load}\n}`,
    'out[i] = value;',
  ].join('\n');
  const grid = gridFor(elements, width, c.adapter);
  const bindings = [inputBinding(c, 0, 'source', width), outputBinding(c, 0, 'out', width)];
  return {
    dispatches: [
      shader({ label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) }, c.adapter),
    ],
  };
}

/** Output batch = place in the block · n + batch; what lies in the padding is 0. */
function lowerToBatch(c: KernelContext, { sizes, before }: Blocks): Lowered {
  const [input, output] = [c.input(0).shape, c.output(0).shape];
  const spatial = sizes.map((_, d) => output[d + 1] ?? 1);
  const inner = sizeOf(input.slice(1 + sizes.length));
  return lowerRead(c, inner, (width) => {
    const { code, names } = unflatten('i', [...sizes, input[0] ?? 1, ...spatial, inner / width]);
    const lines = [code];
    const inside: string[] = [];
    const places = sizes.map((size, d) => {
      const [dim, skip] = [input[d + 1] ?? 1, before[d] ?? 0];
      const [offset, cell] = [names[d] ?? '0u', names[sizes.length + 1 + d] ?? '0u'];
      lines.push(`let p${d} = i32(${cell} * ${size}u + ${offset}) - ${skip};`);
      inside.push(`p${d} >= 0 && p${d} < ${dim}`);
      return `u32(p${d})`;
    });
    const dims = [...input.slice(0, 1 + sizes.length), inner / width];
    const at = [names[sizes.length] ?? '0u', ...places, names.at(-1) ?? '0u'];
    return { code: lines.join('\n'), read: linearIndex(at, stridesOf(dims)), inside };
  });
}

function lowerFromBatch(c: KernelContext, { sizes, before }: Blocks): Lowered {
  const [input, output] = [c.input(0).shape, c.output(0).shape];
  const inner = sizeOf(input.slice(1 + sizes.length));
  return lowerRead(c, inner, (width) => {
    const { code, names } = unflatten('i', [...output.slice(0, 1 + sizes.length), inner / width]);
    const lines = [code];
    sizes.forEach((_, d) => lines.push(`let q${d} = ${names[d + 1] ?? '0u'} + ${before[d] ?? 0}u;`));
    const offsets = sizes.map((size, d) => `(q${d} % ${size}u)`);
    const cells = sizes.map((size, d) => `(q${d} / ${size}u)`);
    const dims = [...sizes, output[0] ?? 1, ...input.slice(1, 1 + sizes.length), inner / width];
    const at = [...offsets, names[0] ?? '0u', ...cells, names.at(-1) ?? '0u'];
    return { code: lines.join('\n'), read: linearIndex(at, stridesOf(dims)), inside: [] };
  });
}

export const BLOCK_KERNELS = {
  SpaceToDepth: device(lowerSpaceToDepth, MOVES_ONCE),
  DepthToSpace: device(lowerDepthToSpace, MOVES_ONCE),
  SpaceToBatchND: device((c) => lowerToBatch(c, blocksOf(c, 'paddings')), { work: 'pass' }),
  BatchToSpaceND: device((c) => lowerFromBatch(c, blocksOf(c, 'crops')), { work: 'pass' }),
  SpaceToBatch: device((c) => lowerToBatch(c, squareBlocks(c, 'paddings')), { work: 'pass' }),
  BatchToSpace: device((c) => lowerFromBatch(c, squareBlocks(c, 'crops')), { work: 'pass' }),
} satisfies Partial<Record<OpName, Kernel>>;
