/** Kernels that cut images and volumes into patches: one copy per element, zeros where a window reaches outside. */
import { sizeOf, stridesOf, windowPadding, type OpName, type PaddingRule } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { storageType, vectorType, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride, unflatten } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

function lowerPatches(c: KernelContext): Lowered {
  const [from, to] = [c.input(0).shape, c.output(0).shape];
  if (sizeOf(to) === 0) return { dispatches: [] };
  const spatial = from.length - 2;
  const list = (name: string, d: number): number =>
    c.attrs.has(name) ? (c.attrs.ints(name)[d + 1] ?? 1) : 1;
  const channels = from[spatial + 1] ?? 1;
  const width: Width = channels % 4 === 0 ? 4 : 1;
  const sizes = Array.from({ length: spatial }, (_, d) => list('ksizes', d));
  const windows = to.slice(1, -1);
  // batch, windows, positions within the window, channel
  const space = [from[0] ?? 1, ...windows, ...sizes, channels / width];
  const { code, names } = unflatten('i', space);
  const strides = stridesOf([...from.slice(0, -1), channels / width]);
  const lines = [code, `var at = ${names[0] ?? '0u'} * ${strides[0] ?? 0}u + ${names.at(-1) ?? '0u'};`];
  const tests: string[] = [];
  for (let d = 0; d < spatial; d++) {
    const size = from[d + 1] ?? 1;
    const [stride, dilation] = [list('strides', d), list('rates', d)];
    const padding = c.attrs.string('padding') as PaddingRule;
    const [before] = windowPadding(size, { size: sizes[d] ?? 1, stride, dilation, padding });
    const [window, tap] = [names[1 + d] ?? '0u', names[1 + spatial + d] ?? '0u'];
    // positions before the start wrap to large numbers and fail the test
    lines.push(`let p${d} = ${window} * ${stride}u + ${tap} * ${dilation}u - ${before}u;`);
    lines.push(`at += p${d} * ${strides[d + 1] ?? 1}u;`);
    tests.push(`p${d} < ${size}u`);
  }
  const type = vectorType(storageType(c.output(0).dtype), width);
  lines.push(`var value = ${type}();`, `if (${tests.join(' && ')}) {\nvalue = x[at];\n}`, 'out[i] = value;');
  const grid = gridFor(sizeOf(space), 1, c.adapter);
  const spec = {
    label: spatial === 2 ? 'extractImagePatches' : 'extractVolumePatches',
    bindings: [inputBinding(c, 0, 'x', width), outputBinding(c, 0, 'out', width)],
    workgroups: grid.workgroups,
    body: gridStride(grid, lines.join('\n')),
  };
  return { dispatches: [shader(spec, c.adapter)] };
}

export const IMAGE_PATCHES_KERNELS = {
  ExtractImagePatches: device(lowerPatches),
  ExtractVolumePatches: device(lowerPatches),
} satisfies Partial<Record<OpName, Kernel>>;
