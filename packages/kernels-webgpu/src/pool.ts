/** Kernels of pooling and its gradients. No atomics: whoever writes an element gathers what belongs to it. */
import { poolingOf, sizeOf, type OpName, type Pooling } from '@forerun/graph';
import {
  composed,
  device,
  type DeviceKernel,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { maxPoolGradGradWithArgmax, maxPoolGradWithArgmax, maxPoolWithArgmax } from './poolArgmax.js';
import {
  allTaps,
  forTaps,
  forWindows,
  pixelIndex,
  poolGeometry,
  tapIndex,
  windowIndex,
  type PoolAxis,
  type PoolGeometry,
} from './poolGeometry.js';
import { lowest, pixelCounts, poolDispatch, windowCounts, zero } from './poolShared.js';
import { widen } from './wgsl/library.js';

/** Where a kernel's windows come from. */
type Windows = (c: KernelContext) => Pooling;

const fromAttrs: Windows = (c) => poolingOf(c.attrs);

/** The windows of a V2 op, whose sizes and steps are inputs `first` and the next. */
function fromInputs(first: number): Windows {
  return (c) => {
    const ksize = [...c.requireHost(first, 'the window sizes').data];
    const strides = [...c.requireHost(first + 1, 'the steps between windows').data];
    return poolingOf(c.attrs, { ksize, strides });
  };
}

/** The number of a tap, for every lane. */
function tapNumber(number: number, { width }: PoolGeometry): string {
  return widen(`u32(${number}u)`, width);
}

function maxPool(c: KernelContext, windows: Windows): Lowered {
  const g = poolGeometry(c, c.input(0).shape, c.output(0).shape, windows(c));
  const combine = c.input(0).dtype === 'float32' ? widen('nan_max', g.width) : 'max';
  const body = `var best = ${lowest(c, g)};
${forTaps(g, `best = ${combine}(best, x[${pixelIndex(g, 'p')}]);`)}
out[item] = best;`;
  return poolDispatch(c, g, { label: 'maxPool', inputs: [[0, 'x']], counts: windowCounts(g), body });
}

const X_AND_GRAD = [
  [0, 'x'],
  [2, 'grad'],
] as const;

/** Every window takes the element of `grad` at its first largest element. */
function maxPoolGradGrad(c: KernelContext, windows: Windows): Lowered {
  const g = poolGeometry(c, c.input(0).shape, c.output(0).shape, windows(c));
  const at = pixelIndex(g, 'p');
  const body = `var best = ${lowest(c, g)};
var found = ${zero(c, g)};
${forTaps(
  g,
  `let element = x[${at}];
found = select(found, grad[${at}], element > best);
best = max(best, element);`,
)}
out[item] = found;`;
  const counts = windowCounts(g);
  return poolDispatch(c, g, { label: 'maxPoolGradGrad', inputs: X_AND_GRAD, counts, body });
}

function maxPoolGrad(c: KernelContext, windows: Windows): Lowered {
  const g = poolGeometry(c, c.input(0).shape, c.input(1).shape, windows(c));
  const separate = g.axes.every(({ stride, window }) => stride >= window);
  const block = sizeOf(g.axes.map(({ stride }) => stride));
  return separate && block <= 16 ? maxPoolGradSeparate(c, g) : maxPoolGradOverlapping(c, g);
}

/** Windows do not overlap: one invocation finds a window's first largest element and writes its whole block. */
function maxPoolGradSeparate(c: KernelContext, g: PoolGeometry): Lowered {
  const lines = [`var best = ${lowest(c, g)};`, `var place = ${tapNumber(0, g)};`, 'var top = grad[0];'];
  const isWindow = g.axes.map(({ windows }, i) => `c${i} < ${windows}u`).join(' && ');
  lines.push(`if (${isWindow}) {\ntop = grad[${windowIndex(g, 'c')}];\n}`);
  const strides = g.axes.map(({ stride }) => stride);
  const numberOf = (tap: readonly number[]): string =>
    tapNumber(tap.reduce((number, k, i) => number * (strides[i] ?? 1) + k, 0) + 1, g);
  for (const tap of allTaps(g.axes.map(({ window }) => window))) {
    const element = `let element = x[${pixelIndex(g, 'p')}];`;
    const update = `place = select(place, ${numberOf(tap)}, element > best);\nbest = max(best, element);`;
    lines.push(atTap(g, tap, `${element}\n${update}`));
  }
  lines.push(`if (!(${isWindow})) {\nplace = ${tapNumber(0, g)};\n}`);
  for (const tap of allTaps(strides)) {
    const value = `select(${zero(c, g)}, top, place == ${numberOf(tap)})`;
    lines.push(atTap(g, tap, `out[${pixelIndex(g, 'p')}] = ${value};`));
  }
  return poolDispatch(c, g, {
    label: 'maxPoolGrad.separate',
    inputs: X_AND_GRAD,
    counts: g.axes.map(({ size, before, stride }) => Math.ceil((size + before) / stride)),
    body: lines.join('\n'),
  });
}

/** Runs `body` with the pixel `p{i}` that lies `tap` from the beginning of the window at `c{i}`, if it is inside. */
function atTap({ axes }: PoolGeometry, tap: readonly number[], body: string): string {
  const positions = axes.map(
    ({ stride, before }, i) => `let p${i} = c${i} * ${stride}u + ${tap[i] ?? 0}u - ${before}u;`,
  );
  const inside = axes.map(({ size }, i) => `p${i} < ${size}u`).join(' && ');
  return `{\n${positions.join('\n')}\nif (${inside}) {\n${body}\n}\n}`;
}

/** One invocation per pixel: takes the gradient of every window of which it is the first largest element. */
function maxPoolGradOverlapping(c: KernelContext, g: PoolGeometry): Lowered {
  const ownOffsets = g.axes.map(({ before, stride }, i) => `(c${i} + ${before}u - o${i} * ${stride}u)`);
  const body = `let element = x[${pixelIndex(g, 'c')}];
var total = ${zero(c, g)};
${forWindows(
  g,
  `let top = y[${windowIndex(g, 'o')}];
var hit = element == top;
if (any(hit)) {
let own_tap = ${tapIndex(g, ownOffsets)};
for (var tap = 0u; tap < own_tap; tap += 1u) {
${unlessEarlier(g)}
}
total += select(${zero(c, g)}, grad[${windowIndex(g, 'o')}], hit);
}`,
)}
out[item] = total;`;
  const inputs = [
    [0, 'x'],
    [1, 'y'],
    [2, 'grad'],
  ] as const;
  return poolDispatch(c, g, { label: 'maxPoolGrad.overlapping', inputs, counts: pixelCounts(g), body });
}

/** Takes back `hit` where tap number `tap` of the window at `o{i}` is as large. */
function unlessEarlier(g: PoolGeometry): string {
  const { axes } = g;
  const positions = axes.map(({ window, stride, before }, i) => {
    const inner = sizeOf(axes.slice(i + 1).map((axis) => axis.window));
    return `let p${i} = o${i} * ${stride}u + (tap / ${inner}u) % ${window}u - ${before}u;`;
  });
  const inside = axes.map(({ size }, i) => `p${i} < ${size}u`).join(' && ');
  return `${positions.join('\n')}
if (${inside}) {
hit = hit & (x[${pixelIndex(g, 'p')}] != top);
}`;
}

/** Number of pixels of the window whose coordinates have the letter, as f32. */
function windowPixels({ axes }: PoolGeometry, letter: string): string {
  if (axes.every(({ inside }) => inside)) return `f32(${sizeOf(axes.map(({ window }) => window))}.0)`;
  const extent = ({ size, window, stride, before }: PoolAxis, i: number): string => {
    const o = `${letter}${i}`;
    const end = `min(${o} * ${stride}u + ${window}u, ${size + before}u)`;
    return before === 0 ? `(${end} - ${o} * ${stride}u)` : `(${end} - max(${o} * ${stride}u, ${before}u))`;
  };
  return `f32(${axes.map(extent).join(' * ')})`;
}

function avgPool(c: KernelContext): Lowered {
  const g = poolGeometry(c, c.input(0).shape, c.output(0).shape);
  const body = `var total = ${zero(c, g)};
${forTaps(g, `total += x[${pixelIndex(g, 'p')}];`)}
out[item] = total / ${windowPixels(g, 'c')};`;
  return poolDispatch(c, g, { label: 'avgPool', inputs: [[0, 'x']], counts: windowCounts(g), body });
}

function avgPoolGrad(c: KernelContext): Lowered {
  const g = poolGeometry(c, c.output(0).shape, c.input(1).shape);
  const share = `grad[${windowIndex(g, 'o')}] / ${windowPixels(g, 'o')}`;
  const body = `var total = ${zero(c, g)};\n${forWindows(g, `total += ${share};`)}\nout[item] = total;`;
  return poolDispatch(c, g, { label: 'avgPoolGrad', inputs: [[1, 'grad']], counts: pixelCounts(g), body });
}

function pool(lower: DeviceKernel['lower']): Kernel {
  return device(lower, { work: 'pass' });
}

export const POOL_KERNELS = {
  FractionalAvgPool: composed,
  FractionalMaxPool: composed,
  FractionalAvgPoolGrad: composed,
  FractionalMaxPoolGrad: composed,
  MaxPool: pool((c) => maxPool(c, fromAttrs)),
  MaxPoolGrad: pool((c) => maxPoolGrad(c, fromAttrs)),
  MaxPoolGradGrad: pool((c) => maxPoolGradGrad(c, fromAttrs)),
  AvgPool: pool(avgPool),
  AvgPoolGrad: pool(avgPoolGrad),
  MaxPool3D: pool((c) => maxPool(c, fromAttrs)),
  MaxPool3DGrad: pool((c) => maxPoolGrad(c, fromAttrs)),
  MaxPool3DGradGrad: pool((c) => maxPoolGradGrad(c, fromAttrs)),
  AvgPool3D: pool(avgPool),
  AvgPool3DGrad: pool(avgPoolGrad),
  MaxPoolV2: pool((c) => maxPool(c, fromInputs(1))),
  MaxPoolGradV2: pool((c) => maxPoolGrad(c, fromInputs(3))),
  MaxPoolGradGradV2: pool((c) => maxPoolGradGrad(c, fromInputs(3))),
  MaxPoolWithArgmax: pool(maxPoolWithArgmax),
  MaxPoolGradWithArgmax: pool(maxPoolGradWithArgmax),
  MaxPoolGradGradWithArgmax: pool(maxPoolGradGradWithArgmax),
} satisfies Partial<Record<OpName, Kernel>>;
