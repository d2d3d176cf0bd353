/** Kernels of the family `sort`: all sort by mergeSort.ts; searching is binary. */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { mergeSort, orderKey, type Sorted } from './mergeSort.js';
import { ScratchSpace } from './scratchSpace.js';
import { gridFor, gridStride, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

interface Rows {
  readonly lines: number;
  readonly length: number;
}

function rowsOf(c: KernelContext): Rows {
  const { shape } = c.input(0);
  return { lines: sizeOf(shape.slice(0, -1)), length: shape.at(-1) ?? 1 };
}

/** The first `limit` elements of each row of input 0 in order. */
function sortRows(c: KernelContext, space: ScratchSpace, limit: number, descending: boolean): Sorted {
  const { lines, length } = rowsOf(c);
  const key = `fn sort_key(line: u32, at: u32) -> u32 {
let x = source[line * ${length}u + at];
return ${orderKey('x', c.input(0).dtype, descending)};
}`;
  const bindings = [inputBinding(c, 0, 'source')];
  return mergeSort({ label: c.op, lines, count: length, limit, key, bindings }, space, c.adapter);
}

function lowerTopK(c: KernelContext, k: number): Lowered {
  const { lines, length } = rowsOf(c);
  if (lines * k === 0) return { dispatches: [] };
  const space = new ScratchSpace();
  const { dispatches, ids, stride } = sortRows(c, space, k, true);
  const grid = gridFor(lines * k, 1, c.adapter);
  const { code, names } = unflatten('i', [lines, k]);
  const [line = '0u', p = '0u'] = names;
  const body = `${code}
let id = ids[${line} * ${stride}u + ${p}];
values[i] = source[${line} * ${length}u + id];
indices[i] = i32(id);`;
  const bindings = [
    ids.read('ids'),
    inputBinding(c, 0, 'source'),
    outputBinding(c, 0, 'values'),
    outputBinding(c, 1, 'indices'),
  ];
  const last = shader(
    { label: `${c.op}.take`, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) },
    c.adapter,
  );
  return { dispatches: [...dispatches, last], scratch: space.sizes };
}

function lowerNthElement(c: KernelContext): Lowered {
  const { lines, length } = rowsOf(c);
  if (lines === 0) return { dispatches: [] };
  const n = c.requireHost(1, 'n').data[0] ?? 0;
  const space = new ScratchSpace();
  const { dispatches, ids, stride } = sortRows(c, space, n + 1, c.attrs.bool('reverse'));
  const grid = gridFor(lines, 1, c.adapter);
  const body = `out[i] = source[i * ${length}u + ids[i * ${stride}u + ${n}u]];`;
  const bindings = [ids.read('ids'), inputBinding(c, 0, 'source'), outputBinding(c)];
  const last = shader(
    { label: `${c.op}.take`, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) },
    c.adapter,
  );
  return { dispatches: [...dispatches, last], scratch: space.sizes };
}

/** For each value the number of elements of its row for which `element <comparison> value` holds. */
function lowerBound(c: KernelContext, comparison: '<' | '<='): Lowered {
  const { shape, dtype } = c.output(0);
  const elements = sizeOf(shape);
  if (elements === 0) return { dispatches: [] };
  const length = c.input(0).shape[1] ?? 0;
  const { code, names } = unflatten('i', shape);
  const body = `${code}
let value = ${orderKey('values[i]', c.input(1).dtype)};
var low = 0u;
var high = ${length}u;
while (low < high) {
let middle = (low + high) / 2u;
let element = sorted_inputs[${names[0] ?? '0u'} * ${length}u + middle];
if (${orderKey('element', c.input(0).dtype)} ${comparison} value) {
low = middle + 1u;
} else {
high = middle;
}
}
out[i] = ${dtype.startsWith('u') ? 'low' : 'i32(low)'};`;
  const grid = gridFor(elements, 1, c.adapter);
  const bindings = [inputBinding(c, 0, 'sorted_inputs'), inputBinding(c, 1, 'values'), outputBinding(c)];
  return {
    dispatches: [
      shader({ label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) }, c.adapter),
    ],
  };
}

export const SORT_KERNELS = {
  TopK: device((c) => lowerTopK(c, c.attrs.int('k'))),
  TopKV2: device((c) => lowerTopK(c, c.output(0).shape.at(-1) ?? 0)),
  NthElement: device(lowerNthElement),
  LowerBound: device((c) => lowerBound(c, '<')),
  UpperBound: device((c) => lowerBound(c, '<=')),
} satisfies Partial<Record<OpName, Kernel>>;
