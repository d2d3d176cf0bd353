/**
 * Kernels that cut parts of one shape out of an array (slices, splits) as elementwise programs, so that the parts need not
 * be stored: what reads them reads the array where they lie.
 */
import { sizeOf } from '@forerun/graph';
import type { ElementwiseProgram } from './elementwiseProgram.js';
import type { KernelContext } from './kernel.js';
import type { BoundCopy, Walk } from './stridedCopy.js';

/**
 * The program with an input and an output for each of a kernel's `cuts`; `null` where they differ in shape, or have no
 * elements. Every input of the program is the kernel's input of the first cut.
 */
export function cutProgram(c: KernelContext, cuts: readonly BoundCopy[]): ElementwiseProgram | null {
  const [first] = cuts;
  if (first === undefined) return null;
  const { shape, dtype } = c.output(first.output);
  const array = c.input(first.input);
  const walks = cuts.map((cut, k) => {
    const own = c.output(k).shape;
    const same = cut.input === first.input && cut.output === k && own.join() === shape.join();
    return same ? walkOver(own, cut) : null;
  });
  if (sizeOf(shape) === 0 || walks.includes(null)) return null;
  return {
    label: c.op,
    shape,
    inputs: walks.flatMap((walk) =>
      walk === null ? [] : [{ dtype, shape, part: { ...walk, elements: sizeOf(array.shape) } }],
    ),
    steps: walks.map((_, index) => ({
      expression: 'x',
      operands: { x: { kind: 'input', index } },
      dtype,
    })),
    outputs: walks.map((_, k) => k),
  };
}

/** How a cut is read along the dimensions of `shape`; `null` unless these are its own, dimensions of size 1 aside. */
function walkOver(shape: readonly number[], { shape: dims, from }: BoundCopy): Walk | null {
  const long = dims.flatMap((dim, d) => (dim === 1 ? [] : [{ dim, stride: from.strides[d] ?? 0 }]));
  const wanted = shape.filter((dim) => dim !== 1);
  if (long.length !== wanted.length || long.some(({ dim }, k) => dim !== wanted[k])) return null;
  let next = 0;
  const strides = shape.map((dim) => (dim === 1 ? 0 : (long[next++]?.stride ?? 0)));
  return { offset: from.offset, strides };
}
