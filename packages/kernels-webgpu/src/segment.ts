/** Kernels of the family `segment`: rows that belong together are combined (rowCombine.ts). */
import { baseDType, sizeOf, type DType, type OpName } from '@forerun/graph';
import { rowWidth } from './arrayIndex.js';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { combineRows } from './rowCombine.js';
import { combinationOf, rowOfIndex, uniformInitial } from './scatter.js';
import { ScratchSpace } from './scratchSpace.js';
import { BUCKETIZE_KERNELS } from './bucketize.js';
import { COUNT_KERNELS } from './segmentCount.js';
import { averageRows, SPARSE_KERNELS } from './segmentSparse.js';
import { inputBinding, outputBinding } from './wgsl/shader.js';

type Rule = 'add' | 'mul' | 'min' | 'max';

const LIMITS: Partial<Record<DType, readonly [low: number, high: number]>> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
  uint16: [0, 65535],
  uint32: [0, 2 ** 32 - 1],
};
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;

/** What a segment without rows has. */
function emptySegment(rule: Rule, dtype: DType): number {
  if (rule === 'add' || rule === 'mul') return rule === 'add' ? 0 : 1;
  const [low, high] = LIMITS[baseDType(dtype)] ?? [-MAX_FLOAT, MAX_FLOAT];
  return rule === 'max' ? low : high;
}

function unsorted(rule: Rule): Kernel {
  return device((c) => lowerUnsorted(c, rule));
}

function lowerUnsorted(c: KernelContext, rule: Rule): Lowered {
  const { shape, dtype } = c.output(0);
  const ids = c.input(1).shape;
  const [rows = 0, inner] = [shape[0], sizeOf(shape.slice(1))];
  const width = rowWidth(inner);
  const space = new ScratchSpace();
  const dispatches = combineRows(
    {
      label: c.op,
      dtype,
      rows,
      inner,
      count: sizeOf(ids),
      width,
      combination: combinationOf(rule, dtype),
      targetRow: rowOfIndex(rows),
      rowBindings: [inputBinding(c, 1, 'indices')],
      value: (k, n) => `data[${k} * ${inner / width}u + ${n}]`,
      valueBindings: [inputBinding(c, 0, 'data', width)],
      out: outputBinding(c, 0, 'out', width),
      initial: uniformInitial(emptySegment(rule, dtype), dtype, width),
    },
    space,
    c.adapter,
  );
  return { dispatches, scratch: space.sizes };
}

/** Ascending ids: the updates are in order already. A segment without rows is 0, or 1 where rows are multiplied. */
function sorted(rule: Rule, average = false): Kernel {
  return device((c) => {
    const { shape, dtype } = c.output(0);
    const [rows = 0, inner] = [shape[0], sizeOf(shape.slice(1))];
    const width = rowWidth(inner);
    const space = new ScratchSpace();
    const combination = { ...combinationOf(rule, dtype), write: 'value' };
    const targetRow = rowOfIndex(rows);
    const rowBindings = [inputBinding(c, 1, 'indices')];
    const count = sizeOf(c.input(1).shape);
    const dispatches = combineRows(
      {
        label: c.op,
        dtype,
        rows,
        inner,
        count,
        width,
        combination,
        targetRow,
        rowBindings,
        value: (k, n) => `data[${k} * ${inner / width}u + ${n}]`,
        valueBindings: [inputBinding(c, 0, 'data', width)],
        out: outputBinding(c, 0, 'out', width),
        initial: uniformInitial(rule === 'mul' ? 1 : 0, dtype, width),
        sorted: true,
      },
      space,
      c.adapter,
    );
    if (average)
      dispatches.push(...averageRows(c, { rows, inner, count, targetRow, rowBindings }, 'mean', space));
    return { dispatches, scratch: space.sizes };
  });
}

export const SEGMENT_KERNELS = {
  UnsortedSegmentSum: unsorted('add'),
  UnsortedSegmentProd: unsorted('mul'),
  UnsortedSegmentMax: unsorted('max'),
  UnsortedSegmentMin: unsorted('min'),
  SegmentSum: sorted('add'),
  SegmentMean: sorted('add', true),
  SegmentProd: sorted('mul'),
  SegmentMax: sorted('max'),
  SegmentMin: sorted('min'),
  ...SPARSE_KERNELS,
  ...COUNT_KERNELS,
  ...BUCKETIZE_KERNELS,
} satisfies Partial<Record<OpName, Kernel>>;
