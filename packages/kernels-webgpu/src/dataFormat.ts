/** Kernels of axes and shape vectors in another layout; mostly the host has known them when the plan was made. */
import { formatPositions, formatSources, type OpName } from '@forerun/graph';
import { device, elementwise, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { lowerCopies, type BoundCopy } from './stridedCopy.js';

/** A chain of choices by the axis. */
function mapAxis(c: KernelContext): string {
  const table = formatPositions(c.attrs);
  const axis = `select(x, x + i32(${table.length}), x < i32(0))`;
  const choice = (otherwise: string, to: number, from: number): string =>
    `select(${otherwise}, i32(${to}), ${axis} == i32(${from}))`;
  return table.reduce(choice, 'i32(0)');
}

function lowerPermute(c: KernelContext): Lowered {
  const { shape } = c.input(0);
  const width = shape.length === 2 ? 2 : 1;
  const copies = formatSources(c.attrs).map((from, to): BoundCopy => ({
    input: 0,
    output: 0,
    shape: [width],
    from: { offset: from * width, strides: [1] },
    to: { offset: to * width, strides: [1] },
  }));
  return lowerCopies(c, copies);
}

export const DATA_FORMAT_KERNELS = {
  DataFormatDimMap: elementwise(mapAxis),
  DataFormatVecPermute: device(lowerPermute),
} satisfies Partial<Record<OpName, Kernel>>;
