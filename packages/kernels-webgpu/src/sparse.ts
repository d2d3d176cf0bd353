/** Kernels of ops on sparse tensors. Elements are combined in a fixed order, by rowCombine.ts. */
import { sizeOf, stridesOf, type OpName } from '@forerun/graph';
import { rowWidth } from './arrayIndex.js';
import {
  composed,
  device,
  hostOp,
  type Dispatch,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { mergeSort } from './mergeSort.js';
import { combineRows } from './rowCombine.js';
import { combinationOf, uniformInitial } from './scatter.js';
import { ScratchSpace, type ScratchBuffer } from './scratchSpace.js';
import { storageType, vectorType } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** Element k of a adds a_values[k] times a row of b to a row of the product. */
function lowerDenseMatMul(c: KernelContext): Lowered {
  const { shape, dtype } = c.output(0);
  const [rows = 0, inner = 0] = shape;
  const [adjointA, adjointB] = [c.attrs.bool('adjoint_a'), c.attrs.bool('adjoint_b')];
  const shared = c.input(3).shape[adjointB ? 1 : 0] ?? 0;
  const width = adjointB ? 1 : rowWidth(inner);
  const type = vectorType(storageType(dtype), width);
  const [row, column] = adjointA ? [1, 0] : [0, 1];
  const value = (k: string, n: string): string => {
    const place = `a_indices[2u * ${k} + ${column}u]`;
    const clamped = `u32(clamp(${place}, 0, ${shared - 1}))`;
    const at = adjointB ? `${n} * ${shared}u + ${clamped}` : `${clamped} * ${inner / width}u + ${n}`;
    return `select(${type}(), a_values[${k}] * b[${at}], ${place} >= 0 && ${place} < ${shared})`;
  };
  const space = new ScratchSpace();
  const dispatches = combineRows(
    {
      label: c.op,
      dtype,
      rows,
      inner,
      count: shared === 0 ? 0 : (c.input(1).shape[0] ?? 0),
      width,
      combination: combinationOf('add', dtype),
      targetRow: `fn target_row(k: u32) -> u32 {
let index = a_indices[2u * k + ${row}u];
return select(${rows}u, u32(index), index >= 0 && index < ${rows});
}`,
      rowBindings: [inputBinding(c, 0, 'a_indices')],
      value,
      valueBindings: [
        inputBinding(c, 0, 'a_indices'),
        inputBinding(c, 1, 'a_values'),
        inputBinding(c, 3, 'b', width),
      ],
      out: outputBinding(c, 0, 'out', width),
      initial: uniformInitial(0, dtype, width),
    },
    space,
    c.adapter,
  );
  return { dispatches, scratch: space.sizes };
}

function lowerReduceSum(c: KernelContext): Lowered {
  const { shape, dtype } = c.output(0);
  const [count = 0, rank = 0] = c.input(0).shape;
  const axes = Array.from(c.requireHost(3, 'the axes').data, (axis) => (axis < 0 ? axis + rank : axis));
  const kept = Array.from({ length: rank }, (_, d) => d).filter((d) => !axes.includes(d));
  const dims = c.attrs.bool('keep_dims') ? kept.map((d) => shape[d] ?? 1) : shape;
  const strides = stridesOf(dims);
  const rows = sizeOf(dims);
  const steps = kept.map(
    (d, i) => `let c${d} = input_indices[k * ${rank}u + ${d}u];
inside = inside && c${d} >= 0 && c${d} < ${dims[i] ?? 1};
row += u32(c${d}) * ${strides[i] ?? 1}u;`,
  );
  const space = new ScratchSpace();
  const dispatches = combineRows(
    {
      label: c.op,
      dtype,
      rows,
      inner: 1,
      count,
      width: 1,
      combination: combinationOf('add', dtype),
      targetRow: `fn target_row(k: u32) -> u32 {
var inside = true;
var row = 0u;
${steps.join('\n')}
return select(${rows}u, row, inside);
}`,
      rowBindings: kept.length === 0 ? [] : [inputBinding(c, 0, 'input_indices')],
      value: (k) => `input_values[${k}]`,
      valueBindings: [inputBinding(c, 1, 'input_values')],
      out: outputBinding(c),
      initial: uniformInitial(0, dtype, 1),
      sorted: kept.length === 0,
    },
    space,
    c.adapter,
  );
  return { dispatches, scratch: space.sizes };
}

/** The order of the elements by one more coordinate, among equal ones as it was. */
function orderBy(
  c: KernelContext,
  d: number,
  before: ScratchBuffer | null,
  space: ScratchSpace,
): { dispatches: Dispatch[]; order: ScratchBuffer } {
  const [count = 0, rank = 0] = c.input(0).shape;
  const element = before === null ? 'at' : 'before[at]';
  const { dispatches, ids } = mergeSort(
    {
      label: c.op,
      lines: 1,
      count,
      key: `fn sort_key(line: u32, at: u32) -> u32 {
return u32(input_indices[${element} * ${rank}u + ${d}u]);
}`,
      bindings: [inputBinding(c, 0, 'input_indices'), ...(before === null ? [] : [before.read('before')])],
    },
    space,
    c.adapter,
  );
  if (before === null) return { dispatches: [...dispatches], order: ids };
  const order = space.add(count);
  const grid = gridFor(count, 1, c.adapter);
  const compose = shader(
    {
      label: `${c.op}.compose`,
      bindings: [before.read('before'), ids.read('ids'), order.write('order')],
      workgroups: grid.workgroups,
      body: gridStride(grid, 'order[i] = before[ids[i]];'),
    },
    c.adapter,
  );
  return { dispatches: [...dispatches, compose], order };
}

/** Sorts by the last coordinate first: sorting is stable. */
function lowerReorder(c: KernelContext): Lowered {
  const [count = 0, rank = 0] = c.input(0).shape;
  if (count === 0) return { dispatches: [] };
  const space = new ScratchSpace();
  const dispatches: Dispatch[] = [];
  let order: ScratchBuffer | null = null;
  for (let d = rank - 1; d >= 0; d--) {
    const step = orderBy(c, d, order, space);
    dispatches.push(...step.dispatches);
    order = step.order;
  }
  return { dispatches: [...dispatches, ...takeInOrder(c, order)], scratch: space.sizes };
}

function takeInOrder(c: KernelContext, order: ScratchBuffer | null): Dispatch[] {
  const [count = 0, rank = 0] = c.input(0).shape;
  const from = order === null ? [] : [order.read('order')];
  const taken = (input: number, width: number): Dispatch => {
    const grid = gridFor(count * width, 1, c.adapter);
    const element = order === null ? `i / ${width}u` : `order[i / ${width}u]`;
    return shader(
      {
        label: `${c.op}.take`,
        bindings: [...from, inputBinding(c, input, 'x'), outputBinding(c, input)],
        workgroups: grid.workgroups,
        body: gridStride(grid, `out[i] = x[${element} * ${width}u + i % ${width}u];`),
      },
      c.adapter,
    );
  };
  return [...(rank === 0 ? [] : [taken(0, rank)]), taken(1, 1)];
}

/** The elements that the map names, and the sum of all others. */
function lowerFillGrad(c: KernelContext): Lowered {
  const { dtype } = c.input(1);
  const [known = 0] = c.input(0).shape;
  const [count = 0] = c.input(1).shape;
  const space = new ScratchSpace();
  const marks = space.add(count);
  const step = (
    label: string,
    size: number,
    body: string,
    bindings: Parameters<typeof shader>[0]['bindings'],
  ) => {
    const grid = gridFor(size, 1, c.adapter);
    return shader(
      { label: `${c.op}.${label}`, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) },
      c.adapter,
    );
  };
  const map = inputBinding(c, 0, 'map');
  const grad = inputBinding(c, 1, 'grad');
  const taken = [
    step('mark', known, `let p = u32(map[i]);\nif (p < ${count}u) { marks[p] = 1u; }`, [
      map,
      marks.write('marks'),
    ]),
    step('take', known, 'out[i] = grad[u32(map[i])];', [map, grad, outputBinding(c, 0)]),
  ];
  const zero = `${storageType(dtype)}()`;
  const rest = combineRows(
    {
      label: c.op,
      dtype,
      rows: 1,
      inner: 1,
      count,
      width: 1,
      combination: combinationOf('add', dtype),
      targetRow: 'fn target_row(k: u32) -> u32 { return 0u; }',
      rowBindings: [],
      value: (k) => `select(grad[${k}], ${zero}, marks[${k}] == 1u)`,
      valueBindings: [grad, marks.read('marks')],
      out: outputBinding(c, 1),
      initial: uniformInitial(0, dtype, 1),
      sorted: true,
    },
    space,
    c.adapter,
  );
  const clear = count === 0 ? [] : [step('clear', count, 'marks[i] = 0u;', [marks.write('marks')])];
  return { dispatches: [...clear, ...(known * count === 0 ? [] : taken), ...rest], scratch: space.sizes };
}

export const SPARSE_TENSOR_KERNELS = {
  SparseReshape: composed,
  SparseSoftmax: composed,
  SparseDenseCwiseAdd: composed,
  SparseDenseCwiseMul: composed,
  SparseDenseCwiseDiv: composed,
  SparseTensorDenseMatMul: device(lowerDenseMatMul),
  SparseReorder: device(lowerReorder),
  SparseReduceSum: device(lowerReduceSum),
  SparseFillEmptyRows: hostOp(
    'how many elements it has depends on the indices: the session evaluates it between device work',
  ),
  SparseFillEmptyRowsGrad: device(lowerFillGrad),
} satisfies Partial<Record<OpName, Kernel>>;
