/** Kernels of segment ops that pick their rows by indices, and what they share with means: the number of rows. */
import { baseDType, sizeOf, type DType, type OpName } from '@forerun/graph';
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
import { combineRows } from './rowCombine.js';
import { combinationOf, rowOfIndex, uniformInitial } from './scatter.js';
import { ScratchSpace, type ScratchBuffer } from './scratchSpace.js';
import { storageType, vectorType } from './wgsl/dtype.js';
import { gridFor, gridStride, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** What sums are divided by. */
export type Average = 'mean' | 'root';

export interface CountedRows {
  readonly rows: number;
  readonly count: number;
  /** WGSL that declares `fn target_row(k: u32) -> u32`, and the bindings that it reads. */
  readonly targetRow: string;
  readonly rowBindings: readonly ShaderBinding[];
}

/** Counts how many of the updates go to each row, in a new scratch buffer. Sums of integers have no order. */
export function countRows(
  c: KernelContext,
  { rows, count, targetRow, rowBindings }: CountedRows,
  space: ScratchSpace,
): { dispatches: Dispatch[]; counts: ScratchBuffer } {
  const counts = space.add(rows);
  const zeros = gridFor(rows, 1, c.adapter);
  const grid = gridFor(count, 1, c.adapter);
  const add = `let row = target_row(i);\nif (row < ${rows}u) {\natomicAdd(&counts[row], 1u);\n}`;
  const clear = shader(
    {
      label: `${c.op}.clear`,
      bindings: [counts.write('counts')],
      workgroups: zeros.workgroups,
      body: gridStride(zeros, 'counts[i] = 0u;'),
    },
    c.adapter,
  );
  if (count === 0) return { dispatches: [clear], counts };
  const tally = shader(
    {
      label: `${c.op}.count`,
      bindings: [...rowBindings, { ...counts.write('counts'), atomic: true }],
      workgroups: grid.workgroups,
      declarations: targetRow,
      body: gridStride(grid, add),
    },
    c.adapter,
  );
  return { dispatches: [clear, tally], counts };
}

/** Divides the rows of output 0 by the number of updates that they got, or by its root. */
export function averageRows(
  c: KernelContext,
  { inner, ...counted }: CountedRows & { readonly inner: number },
  average: Average,
  space: ScratchSpace,
): Dispatch[] {
  const { rows } = counted;
  if (rows * inner === 0) return [];
  const { dispatches, counts } = countRows(c, counted, space);
  const grid = gridFor(rows * inner, 1, c.adapter);
  const { code, names } = unflatten('i', [rows, inner]);
  const type = storageType(c.output(0).dtype);
  const number = average === 'root' ? 'sqrt(f32(count))' : `${type}(count)`;
  const body = `${code}
let count = counts[${names[0] ?? '0u'}];
if (count > 1u) {
out[i] = out[i] / ${number};
}`;
  const divide = shader(
    {
      label: `${c.op}.divide`,
      bindings: [counts.read('counts'), outputBinding(c)],
      workgroups: grid.workgroups,
      body: gridStride(grid, body),
    },
    c.adapter,
  );
  return [...dispatches, divide];
}

function refuseFloat64(c: KernelContext, dtype: DType): void {
  if (baseDType(dtype) === 'float64') c.unsupported('float64 is not computed with on the device');
}

/** Rows of data at the indices, combined by ascending ids. An index out of range stands for zeros. */
function picked(average?: Average): Kernel {
  return device((c): Lowered => {
    const { shape, dtype } = c.output(0);
    refuseFloat64(c, dtype);
    const [rows = 0, inner] = [shape[0], sizeOf(shape.slice(1))];
    const width = rowWidth(inner);
    const space = new ScratchSpace();
    const known = c.input(0).shape[0] ?? 0;
    const zero = `${vectorType(storageType(dtype), width)}()`;
    const counted = {
      rows,
      count: sizeOf(c.input(1).shape),
      targetRow: rowOfIndex(rows),
      rowBindings: [inputBinding(c, 2, 'indices')],
    };
    const dispatches = combineRows(
      {
        label: c.op,
        dtype,
        inner,
        width,
        ...counted,
        combination: combinationOf('add', dtype),
        value: (k, n) =>
          `select(${zero}, data[u32(picks[${k}]) * ${inner / width}u + ${n}], picks[${k}] >= 0 && picks[${k}] < ${known})`,
        valueBindings: [inputBinding(c, 1, 'picks'), inputBinding(c, 0, 'data', width)],
        out: outputBinding(c, 0, 'out', width),
        initial: uniformInitial(0, dtype, width),
        sorted: true,
      },
      space,
      c.adapter,
    );
    if (average !== undefined) dispatches.push(...averageRows(c, { ...counted, inner }, average, space));
    return { dispatches, scratch: space.sizes };
  });
}

/** Rows of grad, divided as the sums of their segments were, added up at the indices. */
function pickedGrad(average: Average): Kernel {
  return device((c): Lowered => {
    const { shape, dtype } = c.output(0);
    refuseFloat64(c, dtype);
    const [rows = 0, inner] = [shape[0], sizeOf(shape.slice(1))];
    const segments = c.input(0).shape[0] ?? 0;
    const space = new ScratchSpace();
    const count = sizeOf(c.input(1).shape);
    if (rows * inner === 0) return { dispatches: [] };
    const ids = inputBinding(c, 2, 'segment_ids');
    const counted = countRows(
      c,
      {
        rows: Math.max(1, segments),
        count,
        targetRow: rowOfIndex(segments),
        rowBindings: [{ ...ids, name: 'indices' }],
      },
      space,
    );
    const number = (k: string): string => {
      const rowsOfSegment = `f32(max(counts[u32(segment_ids[${k}])], 1u))`;
      return average === 'root' ? `sqrt(${rowsOfSegment})` : rowsOfSegment;
    };
    const dispatches = combineRows(
      {
        label: c.op,
        dtype,
        rows,
        inner,
        count,
        width: 1,
        combination: combinationOf('add', dtype),
        targetRow: rowOfIndex(rows),
        rowBindings: [inputBinding(c, 1, 'indices')],
        value: (k, n) => `(grad[u32(segment_ids[${k}]) * ${inner}u + ${n}] / ${number(k)})`,
        valueBindings: [ids, inputBinding(c, 0, 'grad'), counted.counts.read('counts')],
        out: outputBinding(c),
        initial: uniformInitial(0, dtype, 1),
      },
      space,
      c.adapter,
    );
    return { dispatches: [...counted.dispatches, ...dispatches], scratch: space.sizes };
  });
}

const onHost = hostOp('how many rows there are depends on the indices');

export const SPARSE_KERNELS = {
  SparseSegmentSum: picked(),
  SparseSegmentMean: picked('mean'),
  SparseSegmentSqrtN: picked('root'),
  SparseSegmentSumWithNumSegments: picked(),
  SparseSegmentMeanWithNumSegments: picked('mean'),
  SparseSegmentSqrtNWithNumSegments: picked('root'),
  SparseSegmentSumGrad: composed,
  SparseSegmentMeanGrad: pickedGrad('mean'),
  SparseSegmentSqrtNGrad: pickedGrad('root'),
  SparseSegmentSumGradV2: onHost,
  SparseSegmentMeanGradV2: onHost,
  SparseSegmentSqrtNGradV2: onHost,
} satisfies Partial<Record<OpName, Kernel>>;
