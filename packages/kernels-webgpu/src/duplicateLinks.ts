/**
 * Which indices of a vector name the same row: for kernels that must treat duplicates in order and
 * without atomics. A dispatch of its own finds, for every index, whether it is the first of its
 * row and where the row's next index is; the kernel then lets the first one walk along these links.
 */
import { sizeOf } from '@forerun/graph';
import type { Dispatch, KernelContext } from './kernel.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

export interface Links {
  readonly dispatch: Dispatch;
  /** For the kernel, which reads the links under the name `links`. */
  readonly binding: ShaderBinding;
  /** Size of the scratch buffer. */
  readonly bytes: number;
  /** WGSL: index `k` is in range and the first that names its row. */
  isFirst(k: string): string;
  /** WGSL that runs `body` for `j` = `k` and all later indices of its row, in order. */
  forEach(k: string, j: string, body: string): string;
}

export interface LinkOptions {
  /** The input that holds the indices. */
  readonly input: number;
  /** Indices outside [0, rows) are linked to nothing. */
  readonly rows: number;
  /** The scratch buffer to use. */
  readonly scratch: number;
}

/** The mark of an index that is not the first of its row. */
const LATER = '0xffffffffu';

/** The links of input `input`. A link is the position of the row's next index, the number of indices at the end. */
export function duplicateLinks(c: KernelContext, { input, rows, scratch }: LinkOptions): Links {
  const count = sizeOf(c.input(input).shape);
  const grid = gridFor(count, 1, c.adapter);
  const body = `let row = indices[k];
var first = row >= 0 && row < ${rows};
for (var j = k; first && j > 0u; j--) {
if (indices[j - 1u] == row) { first = false; }
}
var next = k + 1u;
while (next < ${count}u && indices[next] != row) { next++; }
links[2u * k] = select(${LATER}, k, first);
links[2u * k + 1u] = next;`;
  const dispatch = shader(
    {
      label: `${c.op}.links`,
      bindings: [inputBinding(c, input, 'indices'), scratchBinding(scratch, 'links', 'uint32')],
      workgroups: grid.workgroups,
      body: gridStride(grid, body, 'k'),
    },
    c.adapter,
  );
  return {
    dispatch,
    binding: { ...scratchBinding(scratch, 'links', 'uint32'), access: 'read' },
    bytes: count * 8,
    isFirst: (k) => `links[2u * ${k}] != ${LATER}`,
    forEach: (k, j, text) =>
      `for (var ${j} = ${k}; ${j} < ${count}u; ${j} = links[2u * ${j} + 1u]) {\n${text}\n}`,
  };
}
