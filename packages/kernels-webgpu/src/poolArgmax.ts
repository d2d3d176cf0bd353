/** Kernels of max pooling with positions, which count all channels of an image and perhaps the whole batch. */
import type { KernelContext, Lowered } from './kernel.js';
import {
  forTaps,
  forWindows,
  pixelIndex,
  poolGeometry,
  windowIndex,
  type PoolGeometry,
} from './poolGeometry.js';
import { lowest, pixelCounts, poolDispatch, windowCounts, zero } from './poolShared.js';
import { outputBinding } from './wgsl/shader.js';

/** One channel at a time: positions differ from channel to channel. */
function geometryOf(c: KernelContext, pooled: readonly number[]): PoolGeometry {
  const g = poolGeometry(c, c.input(0).shape, pooled);
  return { ...g, channels: g.channels * g.width, width: 1 };
}

/** From an index into the whole tensor to a position as the op counts it: what to subtract. */
function imageOffset(c: KernelContext, { axes, channels }: PoolGeometry): string {
  if (c.attrs.bool('include_batch_in_index')) return '0u';
  return `image * ${axes.reduce((size, axis) => size * axis.size, channels)}u`;
}

export function maxPoolWithArgmax(c: KernelContext): Lowered {
  const g = geometryOf(c, c.output(0).shape);
  const isFloat = c.input(0).dtype === 'float32';
  const better = isFloat ? '(element > best || is_nan(element)) && !is_nan(best)' : 'element > best';
  const body = `var best = ${lowest(c, g)};
var position = 0xffffffffu;
${forTaps(
  g,
  `let at = ${pixelIndex(g, 'p')};
let element = x[at];
if (position == 0xffffffffu || (${better})) {
best = element;
position = at;
}`,
)}
out[item] = best;
argmax[item] = i32(position - ${imageOffset(c, g)});`;
  return poolDispatch(c, g, {
    label: 'maxPoolWithArgmax',
    inputs: [[0, 'x']],
    counts: windowCounts(g),
    body,
    outputs: [outputBinding(c, 0, 'out'), outputBinding(c, 1, 'argmax')],
  });
}

/** Every pixel takes the gradients of the windows around it whose position is its own. */
export function maxPoolGradWithArgmax(c: KernelContext): Lowered {
  const g = geometryOf(c, c.input(1).shape);
  const body = `let own = i32(item - ${imageOffset(c, g)});
var total = ${zero(c, g)};
${forWindows(
  g,
  `let at = ${windowIndex(g, 'o')};
if (argmax[at] == own) {
total += grad[at];
}`,
)}
out[item] = total;`;
  const inputs = [
    [1, 'grad'],
    [2, 'argmax'],
  ] as const;
  return poolDispatch(c, g, { label: 'maxPoolGradWithArgmax', inputs, counts: pixelCounts(g), body });
}

/** Every window takes the element of the gradient at its position; 0 for positions outside. */
export function maxPoolGradGradWithArgmax(c: KernelContext): Lowered {
  const g = geometryOf(c, c.output(0).shape);
  const size = g.images * g.channels * g.axes.reduce((product, axis) => product * axis.size, 1);
  const body = `let at = u32(argmax[item]) + ${imageOffset(c, g)};
var element = ${zero(c, g)};
if (at < ${size}u) {
element = grad[at];
}
out[item] = element;`;
  const inputs = [
    [1, 'grad'],
    [2, 'argmax'],
  ] as const;
  return poolDispatch(c, g, { label: 'maxPoolGradGradWithArgmax', inputs, counts: windowCounts(g), body });
}
