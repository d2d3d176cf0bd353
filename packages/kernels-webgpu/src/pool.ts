/** Kernels of pooling and its gradients. No atomics: whoever writes an element gathers what belongs to it. */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { forTaps, forWindows, pixelIndex, poolGeometry, splitItem, windowIndex } from './poolGeometry.js';
import type { PoolGeometry } from './poolGeometry.js';
import { literal } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** One dispatch over `rows` by `columns` of all images; `names` are the WGSL names of the inputs by position. */
function dispatchOver(
  c: KernelContext,
  g: PoolGeometry,
  label: string,
  names: readonly (readonly [position: number, name: string])[],
  [rows, columns]: readonly [number, number],
  body: string,
): Lowered {
  const items = g.images * rows * columns * g.channels;
  if (items === 0 || sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const grid = gridFor(items, 1, c.adapter);
  const dispatch = shader(
    {
      label,
      bindings: [
        ...names.map(([i, name]) => inputBinding(c, i, name, g.width)),
        outputBinding(c, 0, 'out', g.width),
      ],
      workgroups: grid.workgroups,
      body: gridStride(grid, `${splitItem(g, rows, columns)}\n${body}`, 'item'),
    },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

/** What every element beats. */
function lowest(c: KernelContext, { width }: PoolGeometry): string {
  const { dtype } = c.input(0);
  if (dtype === 'float32') return widen(literal(-Infinity, dtype), width);
  return widen(literal(dtype.startsWith('u') ? 0 : -(2 ** 31), dtype), width);
}

function zero(c: KernelContext, { width }: PoolGeometry): string {
  return widen(literal(0, c.output(0).dtype), width);
}

/** The number of a tap, for every lane. */
function tapNumber(number: number, { width }: PoolGeometry): string {
  return widen(`u32(${number}u)`, width);
}

function maxPool(c: KernelContext): Lowered {
  const g = poolGeometry(c, c.input(0).shape, c.output(0).shape);
  const combine = c.input(0).dtype === 'float32' ? widen('nan_max', g.width) : 'max';
  const body = `var best = ${lowest(c, g)};
${forTaps(g, `best = ${combine}(best, x[${pixelIndex(g, 'py', 'px')}]);`)}
out[item] = best;`;
  return dispatchOver(c, g, 'maxPool', [[0, 'x']], [g.y.windows, g.x.windows], body);
}

/** Every window takes the element of `grad` at its first largest element. */
function maxPoolGradGrad(c: KernelContext): Lowered {
  const g = poolGeometry(c, c.input(0).shape, c.output(0).shape);
  const at = pixelIndex(g, 'py', 'px');
  const body = `var best = ${lowest(c, g)};
var found = ${zero(c, g)};
${forTaps(
  g,
  `let element = x[${at}];
found = select(found, grad[${at}], element > best);
best = max(best, element);`,
)}
out[item] = found;`;
  const inputs = [
    [0, 'x'],
    [2, 'grad'],
  ] as const;
  return dispatchOver(c, g, 'maxPoolGradGrad', inputs, [g.y.windows, g.x.windows], body);
}

function maxPoolGrad(c: KernelContext): Lowered {
  const g = poolGeometry(c, c.input(0).shape, c.input(1).shape);
  const separate = g.y.stride >= g.y.window && g.x.stride >= g.x.window;
  const block = g.y.stride * g.x.stride;
  return separate && block <= 16 ? maxPoolGradSeparate(c, g) : maxPoolGradOverlapping(c, g);
}

/** Windows do not overlap: one invocation finds a window's first largest element and writes its whole block. */
function maxPoolGradSeparate(c: KernelContext, g: PoolGeometry): Lowered {
  const blocks = [
    Math.ceil((g.y.size + g.y.before) / g.y.stride),
    Math.ceil((g.x.size + g.x.before) / g.x.stride),
  ] as const;
  const lines = [`var best = ${lowest(c, g)};`, `var place = ${tapNumber(0, g)};`, 'var top = grad[0];'];
  const isWindow = `row < ${g.y.windows}u && column < ${g.x.windows}u`;
  lines.push(`if (${isWindow}) {\ntop = grad[${windowIndex(g, 'row', 'column')}];\n}`);
  const tap = (ky: number, kx: number, inner: string): string => `{
let py = row * ${g.y.stride}u + ${ky}u - ${g.y.before}u;
let px = column * ${g.x.stride}u + ${kx}u - ${g.x.before}u;
if (py < ${g.y.size}u && px < ${g.x.size}u) {
${inner}
}
}`;
  for (let ky = 0; ky < g.y.window; ky++) {
    for (let kx = 0; kx < g.x.window; kx++) {
      const number = ky * g.x.stride + kx + 1;
      const element = `let element = x[${pixelIndex(g, 'py', 'px')}];`;
      const update = `place = select(place, ${tapNumber(number, g)}, element > best);\nbest = max(best, element);`;
      lines.push(tap(ky, kx, `${element}\n${update}`));
    }
  }
  lines.push(`if (!(${isWindow})) {\nplace = ${tapNumber(0, g)};\n}`);
  for (let ky = 0; ky < g.y.stride; ky++) {
    for (let kx = 0; kx < g.x.stride; kx++) {
      const number = ky * g.x.stride + kx + 1;
      const value = `select(${zero(c, g)}, top, place == ${tapNumber(number, g)})`;
      lines.push(tap(ky, kx, `out[${pixelIndex(g, 'py', 'px')}] = ${value};`));
    }
  }
  const inputs = [
    [0, 'x'],
    [2, 'grad'],
  ] as const;
  return dispatchOver(c, g, 'maxPoolGrad.separate', inputs, blocks, lines.join('\n'));
}

/** One invocation per pixel: takes the gradient of every window of which it is the first largest element. */
function maxPoolGradOverlapping(c: KernelContext, g: PoolGeometry): Lowered {
  const own = pixelIndex(g, 'row', 'column');
  const earlier = `let py = oy * ${g.y.stride}u + ky - ${g.y.before}u;
let px = ox * ${g.x.stride}u + kx - ${g.x.before}u;
if (py < ${g.y.size}u && px < ${g.x.size}u) {
hit = hit & (x[${pixelIndex(g, 'py', 'px')}] != top);
}`;
  const body = `let element = x[${own}];
var total = ${zero(c, g)};
${forWindows(
  g,
  `let top = y[${windowIndex(g, 'oy', 'ox')}];
var hit = element == top;
if (any(hit)) {
let own_tap = (row + ${g.y.before}u - oy * ${g.y.stride}u) * ${g.x.window}u + column + ${g.x.before}u - ox * ${g.x.stride}u;
for (var tap = 0u; tap < own_tap; tap += 1u) {
let ky = tap / ${g.x.window}u;
let kx = tap % ${g.x.window}u;
${earlier}
}
total += select(${zero(c, g)}, grad[${windowIndex(g, 'oy', 'ox')}], hit);
}`,
)}
out[item] = total;`;
  const inputs = [
    [0, 'x'],
    [1, 'y'],
    [2, 'grad'],
  ] as const;
  return dispatchOver(c, g, 'maxPoolGrad.overlapping', inputs, [g.y.size, g.x.size], body);
}

/** Number of pixels of window `oy`, `ox`, as f32. */
function windowPixels({ y, x }: PoolGeometry, oy: string, ox: string): string {
  if (y.inside && x.inside) return `f32(${y.window * x.window}.0)`;
  const extent = (o: string, { size, window, stride, before }: PoolGeometry['y']): string => {
    const end = `min(${o} * ${stride}u + ${window}u, ${size + before}u)`;
    return before === 0 ? `(${end} - ${o} * ${stride}u)` : `(${end} - max(${o} * ${stride}u, ${before}u))`;
  };
  return `f32(${extent(oy, y)} * ${extent(ox, x)})`;
}

function avgPool(c: KernelContext): Lowered {
  const g = poolGeometry(c, c.input(0).shape, c.output(0).shape);
  const body = `var total = ${zero(c, g)};
${forTaps(g, `total += x[${pixelIndex(g, 'py', 'px')}];`)}
out[item] = total / ${windowPixels(g, 'row', 'column')};`;
  return dispatchOver(c, g, 'avgPool', [[0, 'x']], [g.y.windows, g.x.windows], body);
}

function avgPoolGrad(c: KernelContext): Lowered {
  const g = poolGeometry(c, c.output(0).shape, c.input(1).shape);
  const share = `grad[${windowIndex(g, 'oy', 'ox')}] / ${windowPixels(g, 'oy', 'ox')}`;
  const body = `var total = ${zero(c, g)};\n${forWindows(g, `total += ${share};`)}\nout[item] = total;`;
  return dispatchOver(c, g, 'avgPoolGrad', [[1, 'grad']], [g.y.size, g.x.size], body);
}

export const POOL_KERNELS = {
  MaxPool: device(maxPool),
  MaxPoolGrad: device(maxPoolGrad),
  MaxPoolGradGrad: device(maxPoolGradGrad),
  AvgPool: device(avgPool),
  AvgPoolGrad: device(avgPoolGrad),
} satisfies Partial<Record<OpName, Kernel>>;
