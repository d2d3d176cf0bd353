/** Kernels of ops that count. Counts are sums of integers, so atomics give the same in every run. */
import { sizeOf, type OpName } from '@forerun/graph';
import { composed, device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { combineRows } from './rowCombine.js';
import { combinationOf, rowOfIndex, uniformInitial } from './scatter.js';
import { ScratchSpace } from './scratchSpace.js';
import { countRows, type CountedRows } from './segmentSparse.js';
import { storageType } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** Output 0 = how many go to each row. */
function lowerCounts(c: KernelContext, counted: CountedRows): Lowered {
  if (counted.rows === 0) return { dispatches: [] };
  const space = new ScratchSpace();
  const { dispatches, counts } = countRows(c, counted, space);
  const grid = gridFor(counted.rows, 1, c.adapter);
  const body = gridStride(grid, `out[i] = ${storageType(c.output(0).dtype)}(counts[i]);`);
  const bindings = [counts.read('counts'), outputBinding(c)];
  const convert = shader(
    { label: `${c.op}.convert`, bindings, workgroups: grid.workgroups, body },
    c.adapter,
  );
  return { dispatches: [...dispatches, convert], scratch: space.sizes };
}

function lowerBincount(c: KernelContext): Lowered {
  const rows = c.output(0).shape[0] ?? 0;
  const counted = {
    rows,
    count: sizeOf(c.input(0).shape),
    targetRow: rowOfIndex(rows),
    rowBindings: [inputBinding(c, 0, 'indices')],
  };
  if (sizeOf(c.input(2).shape) === 0) return lowerCounts(c, counted);
  const { dtype } = c.output(0);
  const space = new ScratchSpace();
  const dispatches = combineRows(
    {
      label: c.op,
      dtype,
      inner: 1,
      width: 1,
      ...counted,
      combination: combinationOf('add', dtype),
      value: (k) => `weights[${k}]`,
      valueBindings: [inputBinding(c, 2, 'weights')],
      out: outputBinding(c),
      initial: uniformInitial(0, dtype, 1),
    },
    space,
    c.adapter,
  );
  return { dispatches, scratch: space.sizes };
}

/** Bin floor(bins · (x - low) / (high - low)), values outside in the first or last. */
function lowerHistogram(c: KernelContext): Lowered {
  const rows = c.output(0).shape[0] ?? 0;
  const targetRow = `fn target_row(k: u32) -> u32 {
let low = f32(value_range[0]);
let high = f32(value_range[1]);
let place = floor((f32(values[k]) - low) / (high - low) * f32(${rows}));
return u32(clamp(place, 0.0, f32(${rows - 1})));
}`;
  return lowerCounts(c, {
    rows,
    count: sizeOf(c.input(0).shape),
    targetRow,
    rowBindings: [inputBinding(c, 0, 'values'), inputBinding(c, 1, 'value_range')],
  });
}

export const COUNT_KERNELS = {
  Bincount: device(lowerBincount),
  DenseBincount: composed,
  SparseBincount: composed,
  RaggedBincount: composed,
  HistogramFixedWidth: device(lowerHistogram),
} satisfies Partial<Record<OpName, Kernel>>;
