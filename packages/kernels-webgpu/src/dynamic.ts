/** Kernels of the family `dynamic`. Most results are as large as values tell, which only the host can know in time. */
import { sizeOf, type OpName } from '@forerun/graph';
import { rowWidth } from './arrayIndex.js';
import { device, hostOp, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { combineRows } from './rowCombine.js';
import { combinationOf, rowOfIndex, uniformInitial } from './scatter.js';
import { ScratchSpace } from './scratchSpace.js';
import { inputBinding, outputBinding } from './wgsl/shader.js';

const SIZED_BY_VALUES = hostOp(
  'the size of its result depends on values: the session evaluates it between device work',
);

/** One part after the other, so that later rows replace earlier ones. Rows that no part has are zero. */
function lowerStitch(c: KernelContext): Lowered {
  const { shape, dtype } = c.output(0);
  const [rows = 0, inner] = [shape[0], sizeOf(shape.slice(1))];
  const width = rowWidth(inner);
  const parts = c.inputs.length / 2;
  const space = new ScratchSpace();
  const dispatches = Array.from({ length: parts }, (_, i) =>
    combineRows(
      {
        label: c.op,
        dtype,
        rows,
        inner,
        count: sizeOf(c.input(i).shape),
        width,
        combination: combinationOf('update', dtype),
        targetRow: rowOfIndex(rows),
        rowBindings: [inputBinding(c, i, 'indices')],
        value: (k, n) => `data[${k} * ${inner / width}u + ${n}]`,
        valueBindings: [inputBinding(c, parts + i, 'data', width)],
        out: outputBinding(c, 0, 'out', width),
        initial: i === 0 ? uniformInitial(0, dtype, width) : undefined,
      },
      space,
      c.adapter,
    ),
  ).flat();
  return { dispatches, scratch: space.sizes };
}

export const DYNAMIC_KERNELS = {
  Where: SIZED_BY_VALUES,
  Unique: SIZED_BY_VALUES,
  UniqueV2: SIZED_BY_VALUES,
  UniqueWithCounts: SIZED_BY_VALUES,
  UniqueWithCountsV2: SIZED_BY_VALUES,
  ListDiff: SIZED_BY_VALUES,
  DynamicPartition: SIZED_BY_VALUES,
  RaggedTensorToTensor: SIZED_BY_VALUES,
  DynamicStitch: device(lowerStitch),
  ParallelDynamicStitch: device(lowerStitch),
} satisfies Partial<Record<OpName, Kernel>>;
