/** Kernels of the family `scatter`: rows at indices, into new tensors and into variables. */
import { baseDType, sizeOf, type DType, type OpName } from '@forerun/graph';
import { gathers, lowerGatherNd, rowOfVector, rowWidth } from './arrayIndex.js';
import { lowerSparseToDense } from './sparseDense.js';
import { composed, device, hostOp, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { combineRows, type Combination, type InitialRows, type RowUpdates } from './rowCombine.js';
import { ScratchSpace } from './scratchSpace.js';
import { literal, storageType, vectorType } from './wgsl/dtype.js';
import { inputBinding, outputBinding, type ShaderBinding } from './wgsl/shader.js';

const BY_REFERENCE = hostOp('executed by the session as resource variables');

type Rule = 'update' | 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max';

/** How rows combine. Updates of one row combine first; sums of bools are their union. */
export function combinationOf(rule: Rule, dtype: DType): Combination {
  const type = baseDType(dtype);
  const prefix = type === 'float32' ? 'nan_' : '';
  if (type === 'bool' && rule === 'add') return { combine: '(a | b)', write: '(old | value)' };
  switch (rule) {
    case 'update':
      return { combine: 'b', write: 'value' };
    case 'add':
      return { combine: '(a + b)', write: '(old + value)', identity: 0 };
    case 'sub':
      return { combine: '(a + b)', write: '(old - value)', identity: 0 };
    case 'mul':
      return { combine: '(a * b)', write: '(old * value)', identity: 1 };
    case 'div':
      return { combine: '(a * b)', write: '(old / value)', identity: 1 };
    case 'min':
      return { combine: `${prefix}min(a, b)`, write: `${prefix}min(old, value)` };
    case 'max':
      return { combine: `${prefix}max(a, b)`, write: `${prefix}max(old, value)` };
  }
}

/** Where an op has its indices, updates and target. */
interface Places {
  readonly indices: number;
  readonly updates: number;
  readonly target: readonly number[];
  readonly out: (name: string, width: 1 | 4) => ShaderBinding;
  readonly initial?: (width: 1 | 4) => InitialRows;
}

function lowered(c: KernelContext, updates: RowUpdates): Lowered {
  const space = new ScratchSpace();
  const dispatches = combineRows(updates, space, c.adapter);
  return { dispatches, scratch: space.sizes };
}

/** Index vectors: each names a part of the target. */
function lowerVectors(
  c: KernelContext,
  rule: Rule,
  { indices, updates, target, out, initial }: Places,
): Lowered {
  const { shape } = c.input(indices);
  const depth = shape.at(-1) ?? 0;
  const rows = sizeOf(target.slice(0, depth));
  const inner = sizeOf(target.slice(depth));
  const width = rowWidth(inner);
  const { dtype } = c.input(updates);
  const targetRow = `fn target_row(k: u32) -> u32 {
${rowOfVector(target.slice(0, depth), 'k')}
return select(${rows}u, row, inside);
}`;
  return lowered(c, {
    label: c.op,
    dtype,
    rows,
    inner,
    count: sizeOf(shape.slice(0, -1)),
    width,
    combination: combinationOf(rule, dtype),
    targetRow,
    rowBindings: depth === 0 ? [] : [inputBinding(c, indices, 'indices')],
    value: (k, n) => `updates[${k} * ${inner / width}u + ${n}]`,
    valueBindings: [inputBinding(c, updates, 'updates', width)],
    out: out('out', width),
    initial: initial?.(width),
  });
}

function lowerScatterNd(c: KernelContext): Lowered {
  const { shape, dtype } = c.output(0);
  const zero = (width: 1 | 4): string => `${vectorType(storageType(dtype), width)}()`;
  return lowerVectors(c, 'add', {
    indices: 0,
    updates: 1,
    target: shape,
    out: (name, width) => outputBinding(c, 0, name, width),
    initial: (width) => ({ element: zero(width), bindings: [] }),
  });
}

function tensorScatter(rule: Rule): Kernel {
  return device((c) =>
    lowerVectors(c, rule, {
      indices: 1,
      updates: 2,
      target: c.output(0).shape,
      out: (name, width) => outputBinding(c, 0, name, width),
      initial: (width) => ({ element: 'tensor[i]', bindings: [inputBinding(c, 0, 'tensor', width)] }),
    }),
  );
}

/** The variable behind input 0, to be changed in place. */
function variableBinding(c: KernelContext, name: string, width: 1 | 4): ShaderBinding {
  return { ...inputBinding(c, 0, name, width), access: 'read_write' };
}

function variableVectors(rule: Rule): Kernel {
  return device((c) =>
    lowerVectors(c, rule, {
      indices: 1,
      updates: 2,
      target: c.input(0).shape,
      out: (name, width) => variableBinding(c, name, width),
    }),
  );
}

/** Rows along the first dimension of a variable; the updates may be one number for all. */
function variableRows(rule: Rule): Kernel {
  return device((c) => {
    const { shape, dtype } = c.input(0);
    const [rows = 0, inner] = [shape[0], sizeOf(shape.slice(1))];
    const width = rowWidth(inner);
    const isScalar = c.input(2).shape.length === 0;
    const type = vectorType(storageType(dtype), width);
    return lowered(c, {
      label: c.op,
      dtype,
      rows,
      inner,
      count: sizeOf(c.input(1).shape),
      width,
      combination: combinationOf(rule, dtype),
      targetRow: rowOfIndex(rows),
      rowBindings: [inputBinding(c, 1, 'indices')],
      value: (k, n) => (isScalar ? `${type}(updates[0])` : `updates[${k} * ${inner / width}u + ${n}]`),
      valueBindings: [inputBinding(c, 2, 'updates', isScalar ? 1 : width)],
      out: variableBinding(c, 'out', width),
    });
  });
}

/** `target_row` from a list of row numbers called `indices`. */
export function rowOfIndex(rows: number): string {
  return `fn target_row(k: u32) -> u32 {
let index = indices[k];
return select(${rows}u, u32(index), index >= 0 && index < ${rows});
}`;
}

/** The initial value of a target that is one number everywhere. */
export function uniformInitial(value: number, dtype: DType, width: 1 | 4): InitialRows {
  const type = storageType(dtype);
  const number = literal(value, type === 'u32' ? 'uint32' : dtype);
  return { element: `${vectorType(type, width)}(${number})`, bindings: [] };
}

export const SCATTER_KERNELS = {
  InplaceUpdate: composed,
  InplaceAdd: composed,
  InplaceSub: composed,
  SparseToDense: device(lowerSparseToDense),
  ScatterNd: device(lowerScatterNd),
  TensorScatterUpdate: tensorScatter('update'),
  TensorScatterAdd: tensorScatter('add'),
  TensorScatterSub: tensorScatter('sub'),
  TensorScatterMax: tensorScatter('max'),
  TensorScatterMin: tensorScatter('min'),
  ScatterNdNonAliasingAdd: tensorScatter('add'),

  ResourceScatterUpdate: variableRows('update'),
  ResourceScatterAdd: variableRows('add'),
  ResourceScatterSub: variableRows('sub'),
  ResourceScatterMul: variableRows('mul'),
  ResourceScatterDiv: variableRows('div'),
  ResourceScatterMin: variableRows('min'),
  ResourceScatterMax: variableRows('max'),
  ResourceScatterNdUpdate: variableVectors('update'),
  ResourceScatterNdAdd: variableVectors('add'),
  ResourceScatterNdSub: variableVectors('sub'),
  ResourceGather: device((c) => {
    const given = c.attrs.int('batch_dims');
    const batch = given < 0 ? given + c.input(1).shape.length : given;
    return gathers(c, batch, batch);
  }),
  ResourceGatherNd: device(lowerGatherNd),

  ScatterUpdate: BY_REFERENCE,
  ScatterAdd: BY_REFERENCE,
  ScatterSub: BY_REFERENCE,
  ScatterMul: BY_REFERENCE,
  ScatterDiv: BY_REFERENCE,
  ScatterMin: BY_REFERENCE,
  ScatterMax: BY_REFERENCE,
  ScatterNdUpdate: BY_REFERENCE,
  ScatterNdAdd: BY_REFERENCE,
  ScatterNdSub: BY_REFERENCE,
} satisfies Partial<Record<OpName, Kernel>>;
