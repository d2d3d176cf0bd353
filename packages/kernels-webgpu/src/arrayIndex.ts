/** Kernels of the array ops that find their elements by indices held in a tensor. */
import { sizeOf, stridesOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { storageType, vectorType, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** Vectors when the rows that are moved whole have a length divisible by 4. */
export function rowWidth(inner: number): Width {
  return inner % 4 === 0 ? 4 : 1;
}

function one(c: KernelContext, bindings: readonly ShaderBinding[], width: Width, body: string): Lowered {
  const elements = sizeOf(c.output(0).shape);
  if (elements === 0) return { dispatches: [] };
  const grid = gridFor(elements, width, c.adapter);
  const spec = { label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) };
  return { dispatches: [shader(spec, c.adapter)] };
}

/** out[b, o, i, n] = params[b, o, indices[b, i], n]; zeros for an index out of range. */
function lowerGather(c: KernelContext): Lowered {
  const [params, indices] = [c.input(0).shape, c.input(1).shape];
  const at = c.requireHost(2, 'axis').data[0] ?? 0;
  const given = c.attrs.int('batch_dims');
  return gathers(c, at < 0 ? at + params.length : at, given < 0 ? given + indices.length : given);
}

/** `lowerGather` along `axis`, with `batch` dimensions that params and indices share. */
export function gathers(c: KernelContext, axis: number, batch: number): Lowered {
  const [params, indices] = [c.input(0).shape, c.input(1).shape];
  const [outer, length] = [sizeOf(params.slice(batch, axis)), params[axis] ?? 1];
  const [inner, count] = [sizeOf(params.slice(axis + 1)), sizeOf(indices.slice(batch))];
  const width = sizeOf(params) % 4 === 0 ? rowWidth(inner) : 1;
  const { code, names } = unflatten('i', [sizeOf(params.slice(0, batch)), outer, count, inner / width]);
  const [b = '0u', o = '0u', k = '0u', n = '0u'] = names;
  const body = [
    code,
    `let index = indices[${b} * ${count}u + ${k}];`,
    `var value = ${vectorType(storageType(c.output(0).dtype), width)}();`,
    `if (index >= 0 && index < ${length}) {`,
    `value = params[((${b} * ${outer}u + ${o}) * ${length}u + u32(index)) * ${inner / width}u + ${n}];`,
    '}',
    'out[i] = value;',
  ].join('\n');
  const bindings = [
    inputBinding(c, 0, 'params', width),
    inputBinding(c, 1, 'indices'),
    outputBinding(c, 0, 'out', width),
  ];
  return one(c, bindings, width, body);
}

function lowerOneHot(c: KernelContext): Lowered {
  const { shape } = c.output(0);
  const at = c.attrs.int('axis');
  const axis = at < 0 ? shape.length - 1 : at;
  const inner = sizeOf(shape.slice(axis + 1));
  const { code, names } = unflatten('i', [sizeOf(shape.slice(0, axis)), shape[axis] ?? 1, inner]);
  const [o = '0u', d = '0u', n = '0u'] = names;
  const type = storageType(c.input(0).dtype);
  const body = [
    code,
    `let hit = indices[${o} * ${inner}u + ${n}] == ${type}(${d});`,
    'out[i] = select(off_value[0], on_value[0], hit);',
  ].join('\n');
  const bindings = [
    inputBinding(c, 0, 'indices'),
    inputBinding(c, 2, 'on_value'),
    inputBinding(c, 3, 'off_value'),
    outputBinding(c),
  ];
  return one(c, bindings, 1, body);
}

/**
 * WGSL that sets `row` to the row that index vector `k` of `depth` numbers names in a tensor whose first
 * dimensions are `dims`, and `inside` to whether every number is in range.
 */
export function rowOfVector(dims: readonly number[], k: string): string {
  const strides = stridesOf(dims);
  const lines = ['var row = 0u;', 'var inside = true;'];
  dims.forEach((dim, j) => {
    lines.push(`let index${j} = indices[${k} * ${dims.length}u + ${j}u];`);
    lines.push(`inside = inside && index${j} >= 0 && index${j} < ${dim};`);
    lines.push(`row += u32(index${j}) * ${strides[j] ?? 1}u;`);
  });
  return lines.join('\n');
}

export function lowerGatherNd(c: KernelContext): Lowered {
  const [params, indices] = [c.input(0).shape, c.input(1).shape];
  const depth = indices.at(-1) ?? 0;
  const inner = sizeOf(params.slice(depth));
  const width = sizeOf(params) % 4 === 0 ? rowWidth(inner) : 1;
  const { code, names } = unflatten('i', [sizeOf(indices.slice(0, -1)), inner / width]);
  const [k = '0u', n = '0u'] = names;
  const body = [
    code,
    rowOfVector(params.slice(0, depth), k),
    `var value = ${vectorType(storageType(c.output(0).dtype), width)}();`,
    `if (inside) {\nvalue = params[row * ${inner / width}u + ${n}];\n}`,
    'out[i] = value;',
  ].join('\n');
  const bindings = [
    inputBinding(c, 0, 'params', width),
    inputBinding(c, 1, 'indices'),
    outputBinding(c, 0, 'out', width),
  ];
  return one(c, bindings, width, body);
}

/** y[x[i]] = i. Positions that are no permutation's are left out. */
function lowerInvertPermutation(c: KernelContext): Lowered {
  const length = sizeOf(c.input(0).shape);
  const body = `let place = x[i];\nif (place >= 0 && place < ${length}) {\nout[u32(place)] = i32(i);\n}`;
  return one(c, [inputBinding(c, 0, 'x'), outputBinding(c)], 1, body);
}

/** Divides by the strides, which are made from the dims of every element anew: there are few. */
function lowerUnravelIndex(c: KernelContext): Lowered {
  const [count, rank] = [sizeOf(c.input(0).shape), sizeOf(c.input(1).shape)];
  const body = [
    `let d = i / ${count}u;`,
    `var rest = indices[i % ${count}u];`,
    `for (var below = ${rank - 1}u; below > d; below--) {\nrest /= max(dims[below], 1);\n}`,
    'out[i] = rest % max(dims[d], 1);',
  ].join('\n');
  return one(c, [inputBinding(c, 0, 'indices'), inputBinding(c, 1, 'dims'), outputBinding(c)], 1, body);
}

export const INDEX_KERNELS = {
  GatherV2: device(lowerGather, { work: 'pass' }),
  Gather: device((c) => gathers(c, 0, 0), { work: 'pass' }),
  GatherNd: device(lowerGatherNd, { work: 'pass' }),
  OneHot: device(lowerOneHot, { work: 'pass' }),
  InvertPermutation: device(lowerInvertPermutation),
  UnravelIndex: device(lowerUnravelIndex),
} satisfies Partial<Record<OpName, Kernel>>;
