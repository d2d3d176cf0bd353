/** The gradient of the filter of a depthwise convolution. */
import { addParts } from './contraction/lower.js';
import { at, depthwise, layout, type Depthwise } from './depthwiseGeometry.js';
import type { KernelContext, Lowered } from './kernel.js';
import { vectorType } from './wgsl/dtype.js';
import { gridFor, gridStride, WORKGROUP_SIZE } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader } from './wgsl/shader.js';

/** Invocations that keep an adapter busy, and the most parts into which a sum is cut. */
const SOFTWARE_ITEMS = 4096;
const GPU_ITEMS = 65_536;
const MOST_PARTS = 256;

/** Columns of the filter whose sums an invocation holds. */
const TAPS_PER_ITEM = 8;

/**
 * The gradient of the filter: few results, each a sum over all pixels. An invocation adds the lines of
 * one part for a row of the filter, reading every gradient once for several taps; parts are added in order.
 */
export function lowerBackpropFilter(c: KernelContext): Lowered {
  const d = depthwise(c, c.input(0).shape, c.output(0).shape, c.input(2).shape);
  const { g, x, y, width } = d;
  const size = y.kernel * x.kernel * g.filters;
  if (size === 0) return { dispatches: [] };
  const filters = g.filters / width;
  const chunks = Math.ceil(x.kernel / TAPS_PER_ITEM);
  const perPart = filters * chunks * y.kernel;
  const lines = g.batch * y.output;
  const wanted = Math.ceil((c.adapter.software ? SOFTWARE_ITEMS : GPU_ITEMS) / perPart);
  const parts = Math.max(1, Math.min(wanted, lines, MOST_PARTS));
  const grid = gridFor(perPart * parts, 1, c.adapter, WORKGROUP_SIZE);
  const target = outputBinding(c, 0, 'out', width);
  const sums = shader(
    {
      label: `${c.op}.parts${parts}x${width}`,
      bindings: [
        inputBinding(c, 0, 'source', width),
        inputBinding(c, 2, 'grad', width),
        parts === 1 ? target : scratchBinding(0, 'out', c.output(0).dtype, width),
      ],
      workgroups: grid.workgroups,
      body: gridStride(grid, filterSums(d, { filters, chunks, lines, parts }), 'item'),
    },
    c.adapter,
  );
  if (parts === 1) return { dispatches: [sums] };
  const { dtype } = c.output(0);
  const all = { label: c.op, dtype, columns: g.filters, output: { binding: outputBinding(c) } };
  return { dispatches: [sums, addParts(c, all, size, parts)], scratch: [size * parts * 4] };
}

interface FilterParts {
  readonly filters: number;
  readonly chunks: number;
  readonly lines: number;
  readonly parts: number;
}

function filterSums(d: Depthwise, { filters, chunks, lines, parts }: FilterParts): string {
  const { x, y, width, multiplier } = d;
  const taps = Math.min(x.kernel, TAPS_PER_ITEM);
  const [from, grad] = [layout(d, 'input'), layout(d, 'output')];
  const type = vectorType('f32', width);
  const each = (text: (tap: number) => string): string =>
    Array.from({ length: taps }, (_, tap) => text(tap)).join('\n');
  const column = (tap: number): string => `first + column * ${x.stride}u + ${tap * x.dilation}u`;
  const load = (tap: number): string => `source[line_at + (${column(tap)}) * ${from.along.x ?? 0}u]`;
  const store = (tap: number): string => {
    const line = `out[to + ${tap * filters}u] = total${tap};`;
    return x.kernel % taps === 0 ? line : `if (chunk * ${taps}u + ${tap}u < ${x.kernel}u) { ${line} }`;
  };
  return `let channel = item % ${filters}u;
let chunk = item / ${filters}u % ${chunks}u;
let tap_y = item / ${filters * chunks}u % ${y.kernel}u;
let part = item / ${filters * chunks * y.kernel}u;
let from_channel = channel / ${multiplier}u;
let first = chunk * ${taps * x.dilation}u - ${x.before}u;
${each((tap) => `var total${tap} = ${type}(0);`)}
for (var line = part * ${lines}u / ${parts}u; line < (part + 1u) * ${lines}u / ${parts}u; line++) {
let n = line / ${Math.max(y.output, 1)}u;
let y = line % ${Math.max(y.output, 1)}u;
let row = y * ${y.stride}u + tap_y * ${y.dilation}u - ${y.before}u;
if (row < ${y.input}u) {
let line_at = ${at(from, 'n', 'from_channel', 'row')};
let grad_at = ${at(grad, 'n', 'channel', 'y')};
for (var column = 0u; column < ${x.output}u; column++) {
let dy = grad[grad_at + column * ${grad.along.x ?? 0}u];
${each((tap) => `total${tap} += select(${type}(0), ${load(tap)}, ${column(tap)} < ${x.input}u) * dy;`)}
}
}
}
let to = ((part * ${y.kernel}u + tap_y) * ${x.kernel}u + chunk * ${taps}u) * ${filters}u + channel;
${each(store)}`;
}
