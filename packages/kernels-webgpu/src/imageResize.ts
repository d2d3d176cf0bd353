/**
 * Kernels of resizing and its gradients. All of them are products with two sparse matrices, one for rows and
 * one for columns of pixels (imageAxes.ts), which reach the device as tables. A pixel that is made of few
 * others is computed at once; else rows and columns follow each other, so that the work is the sum and not the
 * product of what they take.
 */
import { sizeOf, type OpName } from '@forerun/graph';
import { resizeTaps, transposedTaps, type ResizeMethod, type Sampling, type Taps } from './imageAxes.js';
import {
  device,
  type DeviceKernel,
  type Dispatch,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { float32Bits, storageType, vectorType, wrapped, type Width } from './wgsl/dtype.js';
import { widen } from './wgsl/library.js';
import { bytesOf, gridFor, gridStride } from './wgsl/indexing.js';
import {
  dataBinding,
  inputBinding,
  outputBinding,
  scratchBinding,
  shader,
  type ShaderBinding,
} from './wgsl/shader.js';

/** Up to so many source pixels a result pixel is computed in one dispatch. */
const MAX_TAPS_AT_ONCE = 16;

/** A table on the device: `taps.length + 1` offsets, then index and weight of each tap. */
function tapWords(taps: Taps): Uint32Array {
  const flat = taps.flat();
  const words = new Uint32Array(taps.length + 1 + 2 * flat.length);
  let next = 0;
  taps.forEach((row, i) => {
    words[i] = next;
    next += row.length;
  });
  words[taps.length] = next;
  flat.forEach(({ index, weight }, k) => {
    words.set([index, float32Bits(weight)], taps.length + 1 + 2 * k);
  });
  return words;
}

/** Loops over the taps of `position` in the table `name`, giving `${name}_at` and `${name}_weight`. */
function forTaps(name: string, taps: Taps, position: string, body: string): string {
  const first = taps.length + 1;
  return `for (var k_${name} = ${name}[${position}]; k_${name} < ${name}[${position} + 1u]; k_${name} += 1u) {
let ${name}_at = ${name}[${first}u + 2u * k_${name}];
let ${name}_weight = bitcast<f32>(${name}[${first + 1}u + 2u * k_${name}]);
${body}
}`;
}

const mostTaps = (taps: Taps): number => taps.reduce((most, row) => Math.max(most, row.length), 0);

interface Resizing {
  readonly c: KernelContext;
  readonly label: string;
  /** Size of the source: batch, height, width, channels in units of `width`. */
  readonly source: readonly [number, number, number, number];
  readonly y: Taps;
  readonly x: Taps;
  readonly width: Width;
  /** Element type of sums, and whether taps are weighted: nearest pixels are only added up. */
  readonly type: string;
  readonly weighted: boolean;
}

/** What the element at `at` adds to the total. */
function term({ type, weighted }: Resizing, at: string, weight: string): string {
  return `total += ${weighted ? `${weight} * ` : ''}${type}(x[${at}]);`;
}

/** The total, brought back into the range of a narrow integer. */
function result({ c, width, weighted }: Resizing): string {
  return weighted ? 'total' : widen(wrapped('total', c.output(0).dtype), width);
}

function atOnce(r: Resizing): Lowered {
  const [images, rows, columns, channels] = r.source;
  const [outRows, outColumns] = [r.y.length, r.x.length];
  const grid = gridFor(images * outRows * outColumns * channels, 1, r.c.adapter);
  const at = `((image * ${rows}u + rows_at) * ${columns}u + columns_at) * ${channels}u + channel`;
  const across = forTaps('columns', r.x, 'column', term(r, at, 'rows_weight * columns_weight'));
  const body = `let channel = i % ${channels}u;
let column = (i / ${channels}u) % ${outColumns}u;
let row = (i / ${channels * outColumns}u) % ${outRows}u;
let image = i / ${channels * outColumns * outRows}u;
var total = ${r.type}();
${forTaps('rows', r.y, 'row', across)}
out[i] = ${result(r)};`;
  const bindings = [
    inputBinding(r.c, 0, 'x', r.width),
    dataBinding(tapWords(r.y), 'rows'),
    dataBinding(tapWords(r.x), 'columns'),
    outputBinding(r.c, 0, 'out', r.width),
  ];
  const spec = { label: r.label, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) };
  return { dispatches: [shader(spec, r.c.adapter)] };
}

/** out[o, k, n] = the sum over the taps of k of in[o, tap, n]. */
function alongAxis(
  r: Resizing,
  axis: { outer: number; size: number; inner: number; taps: Taps },
  from: ShaderBinding,
  to: ShaderBinding,
): Dispatch {
  const { outer, size, inner, taps } = axis;
  const grid = gridFor(outer * taps.length * inner, 1, r.c.adapter);
  const body = `let n = i % ${inner}u;
let position = (i / ${inner}u) % ${taps.length}u;
let o = i / ${inner * taps.length}u;
var total = ${r.type}();
${forTaps('taps', taps, 'position', term(r, `(o * ${size}u + taps_at) * ${inner}u + n`, 'taps_weight'))}
out[i] = ${result(r)};`;
  const bindings = [from, dataBinding(tapWords(taps), 'taps'), to];
  return shader(
    { label: `${r.label}.axis`, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) },
    r.c.adapter,
  );
}

function inTurn(r: Resizing): Lowered {
  const [images, rows, columns, channels] = r.source;
  const [outRows, outColumns] = [r.y.length, r.x.length];
  const dtype = r.weighted ? 'float32' : r.c.output(0).dtype;
  const [input, output] = [inputBinding(r.c, 0, 'x', r.width), outputBinding(r.c, 0, 'out', r.width)];
  const between = (name: string): ShaderBinding => scratchBinding(0, name, dtype, r.width);
  const rowsFirst = outRows * columns <= rows * outColumns;
  const passes = rowsFirst
    ? [
        { outer: images, size: rows, inner: columns * channels, taps: r.y },
        { outer: images * outRows, size: columns, inner: channels, taps: r.x },
      ]
    : [
        { outer: images * rows, size: columns, inner: channels, taps: r.x },
        { outer: images, size: rows, inner: outColumns * channels, taps: r.y },
      ];
  const middle = rowsFirst ? outRows * columns : rows * outColumns;
  const dispatches = passes.map((axis, k) =>
    alongAxis(r, axis, k === 0 ? input : between('x'), k === 0 ? between('out') : output),
  );
  return { dispatches, scratch: [bytesOf([images, middle, channels * r.width])] };
}

/** The images of input 0 under the taps of both axes. */
export function lowerTaps(c: KernelContext, y: Taps, x: Taps, weighted = true): Lowered {
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const [batch = 1, rows = 1, columns = 1, channels = 1] = c.input(0).shape;
  const width: Width = channels % 4 === 0 ? 4 : 1;
  const type = vectorType(weighted ? 'f32' : storageType(c.output(0).dtype), width);
  const label = c.op.charAt(0).toLowerCase() + c.op.slice(1);
  const source = [batch, rows, columns, channels / width] as const;
  const r: Resizing = { c, label, source, y, x, width, type, weighted };
  return mostTaps(y) * mostTaps(x) <= MAX_TAPS_AT_ONCE ? atOnce(r) : inTurn(r);
}

function samplingOf({ attrs }: KernelContext): Sampling {
  const halfPixelCenters = attrs.has('half_pixel_centers') && attrs.bool('half_pixel_centers');
  return { alignCorners: attrs.bool('align_corners'), halfPixelCenters };
}

function resizing(method: ResizeMethod): DeviceKernel {
  return device((c) => {
    const [from, to] = [c.input(0).shape, c.output(0).shape];
    const taps = (axis: number): Taps => resizeTaps(method, from[axis] ?? 1, to[axis] ?? 1, samplingOf(c));
    return lowerTaps(c, taps(1), taps(2), method !== 'nearest');
  });
}

/** The gradient goes from the resized images (input 0) back to images of the output's size. */
function resizingGrad(method: ResizeMethod): DeviceKernel {
  return device((c) => {
    const [resized, images] = [c.input(0).shape, c.output(0).shape];
    const taps = (axis: number): Taps => {
      const size = images[axis] ?? 1;
      return transposedTaps(resizeTaps(method, size, resized[axis] ?? 1, samplingOf(c)), size);
    };
    return lowerTaps(c, taps(1), taps(2), method !== 'nearest');
  });
}

export const IMAGE_RESIZE_KERNELS = {
  ResizeBilinear: resizing('bilinear'),
  ResizeBilinearGrad: resizingGrad('bilinear'),
  ResizeBicubic: resizing('bicubic'),
  ResizeBicubicGrad: resizingGrad('bicubic'),
  ResizeNearestNeighbor: resizing('nearest'),
  ResizeNearestNeighborGrad: resizingGrad('nearest'),
  ResizeArea: resizing('area'),
} satisfies Partial<Record<OpName, Kernel>>;
