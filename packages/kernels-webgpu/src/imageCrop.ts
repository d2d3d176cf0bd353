/**
 * Kernels of CropAndResize and its gradients. A crop position is a straight line through the image, so the
 * gradient of a pixel needs no atomics: of every box it visits the few positions next to it.
 */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { literal, vectorType, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride, WORKGROUP_SIZE } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/**
 * Position `k` of `count` between `low` and `high`, in an axis of `last + 1` pixels. The ends are exact, because
 * a rounding error there would put the border pixel outside of the image.
 */
const PLACE = `fn place(low: f32, high: f32, k: u32, count: u32, last: f32) -> f32 {
  if (count == 1u) {
    return 0.5 * (low + high) * last;
  }
  let inner = low * last + f32(k) * ((high - low) * last / f32(count - 1u));
  return select(select(inner, high * last, k == count - 1u), low * last, k == 0u);
}
fn is_inside(at: f32, last: f32) -> bool {
  return at >= 0.0 && at <= last;
}`;

/** Half away from zero, for positions that are not negative. */
const NEAREST = 'fn nearest(at: f32) -> f32 { return floor(at + 0.5); }';

/** What position \`k\` of a box gives to pixel \`pixel\`. */
const share = (
  method: string,
): string => `fn share(low: f32, high: f32, k: u32, count: u32, last: f32, pixel: f32) -> f32 {
  let at = place(low, high, k, count, last);
  if (!is_inside(at, last)) {
    return 0.0;
  }
  ${
    method === 'nearest'
      ? 'return select(0.0, 1.0, nearest(at) == pixel);'
      : 'return max(0.0, 1.0 - abs(at - pixel));'
  }
}`;

/** The positions of a box, first and end, that may lie within a pixel of \`pixel\`: never too few. */
const REACH = `fn reach(low: f32, high: f32, count: u32, last: f32, pixel: f32) -> vec2<u32> {
  if (count == 1u) {
    return vec2<u32>(0u, 1u);
  }
  let step = (high - low) * last / f32(count - 1u);
  if (!(abs(step) > 1e-5)) {
    return vec2<u32>(0u, count);
  }
  let a = (pixel - 1.01 - low * last) / step;
  let b = (pixel + 1.01 - low * last) / step;
  let first = clamp(floor(min(a, b)) - 1.0, 0.0, f32(count));
  let end = clamp(ceil(max(a, b)) + 2.0, 0.0, f32(count));
  return vec2<u32>(u32(first), u32(end));
}`;

function widthOf(channels: number): Width {
  return channels % 4 === 0 ? 4 : 1;
}

function lowerCrop(c: KernelContext): Lowered {
  const [batch = 1, height = 1, width = 1, channels = 1] = c.input(0).shape;
  const [boxes = 0, rows = 1, columns = 1] = c.output(0).shape;
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const lanes = widthOf(channels);
  const depth = channels / lanes;
  const type = vectorType('f32', lanes);
  const pixel = (y: string, x: string): string =>
    `${type}(image[((source * ${height}u + ${y}) * ${width}u + ${x}) * ${depth}u + channel])`;
  const bilinear = `let top = u32(floor(y));
let bottom = u32(ceil(y));
let left = u32(floor(x));
let right = u32(ceil(x));
let above = mix(${pixel('top', 'left')}, ${pixel('top', 'right')}, fract(x));
let below = mix(${pixel('bottom', 'left')}, ${pixel('bottom', 'right')}, fract(x));
value = mix(above, below, fract(y));`;
  const nearest = `value = ${pixel('u32(nearest(y))', 'u32(nearest(x))')};`;
  const isNearest = c.attrs.string('method') === 'nearest';
  const body = `let channel = i % ${depth}u;
let column = (i / ${depth}u) % ${columns}u;
let row = (i / ${depth * columns}u) % ${rows}u;
let box = i / ${depth * columns * rows}u;
let y = place(boxes[4u * box], boxes[4u * box + 2u], row, ${rows}u, ${height - 1}.0);
let x = place(boxes[4u * box + 1u], boxes[4u * box + 3u], column, ${columns}u, ${width - 1}.0);
let source = u32(box_ind[box]);
var value = ${type}(${literal(c.attrs.float('extrapolation_value'), 'float32')});
if (source < ${batch}u && is_inside(y, ${height - 1}.0) && is_inside(x, ${width - 1}.0)) {
${isNearest ? nearest : bilinear}
}
out[i] = value;`;
  const grid = gridFor(boxes * rows * columns * depth, 1, c.adapter);
  const spec = {
    label: isNearest ? 'cropAndResize.nearest' : 'cropAndResize',
    bindings: [
      inputBinding(c, 0, 'image', lanes),
      inputBinding(c, 1, 'boxes'),
      inputBinding(c, 2, 'box_ind'),
      outputBinding(c, 0, 'out', lanes),
    ],
    workgroups: grid.workgroups,
    declarations: isNearest ? `${PLACE}\n${NEAREST}` : PLACE,
    body: gridStride(grid, body),
  };
  return { dispatches: [shader(spec, c.adapter)] };
}

function lowerGradImage(c: KernelContext): Lowered {
  const [boxes = 0, rows = 1, columns = 1] = c.input(0).shape;
  const [batch = 1, height = 1, width = 1, channels = 1] = c.output(0).shape;
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const lanes = widthOf(channels);
  const depth = channels / lanes;
  const method = c.attrs.string('method');
  const [lastRow, lastColumn] = [`${height - 1}.0`, `${width - 1}.0`];
  const body = `let channel = i % ${depth}u;
let column = (i / ${depth}u) % ${width}u;
let row = (i / ${depth * width}u) % ${height}u;
let source = i32(i / ${depth * width * height}u);
var total = ${vectorType('f32', lanes)}();
for (var box = 0u; box < ${boxes}u; box += 1u) {
if (box_ind[box] == source) {
let y1 = boxes[4u * box];
let x1 = boxes[4u * box + 1u];
let y2 = boxes[4u * box + 2u];
let x2 = boxes[4u * box + 3u];
let ys = reach(y1, y2, ${rows}u, ${lastRow}, f32(row));
let xs = reach(x1, x2, ${columns}u, ${lastColumn}, f32(column));
for (var ky = ys.x; ky < ys.y; ky += 1u) {
let share_y = share(y1, y2, ky, ${rows}u, ${lastRow}, f32(row));
if (share_y > 0.0) {
for (var kx = xs.x; kx < xs.y; kx += 1u) {
let share_x = share(x1, x2, kx, ${columns}u, ${lastColumn}, f32(column));
total += share_y * share_x * grads[((box * ${rows}u + ky) * ${columns}u + kx) * ${depth}u + channel];
}
}
}
}
}
out[i] = total;`;
  const grid = gridFor(batch * height * width * depth, 1, c.adapter);
  const spec = {
    label: `cropAndResizeGradImage.${method}`,
    bindings: [
      inputBinding(c, 0, 'grads', lanes),
      inputBinding(c, 1, 'boxes'),
      inputBinding(c, 2, 'box_ind'),
      outputBinding(c, 0, 'out', lanes),
    ],
    workgroups: grid.workgroups,
    declarations: [PLACE, NEAREST, share(method), REACH].join('\n'),
    body: gridStride(grid, body),
  };
  return { dispatches: [shader(spec, c.adapter)] };
}

/** Adds up \`sums\` in a tree; all invocations of the workgroup come here together. */
const SUM_UP = `for (var half = ${WORKGROUP_SIZE / 2}u; half > 0u; half /= 2u) {
workgroupBarrier();
if (local_index < half) {
sums[local_index] += sums[local_index + half];
}
}`;

/** A workgroup adds up all that flows to one box, in the order of the box: y1, x1, y2, x2. */
function lowerGradBoxes(c: KernelContext): Lowered {
  const [boxes = 0, rows = 1, columns = 1, channels = 1] = c.input(0).shape;
  const [batch = 1, height = 1, width = 1] = c.input(1).shape;
  if (boxes === 0) return { dispatches: [] };
  const groups = Math.min(boxes, c.adapter.maxWorkgroups);
  const elements = rows * columns * channels;
  const pixel = (y: string, x: string): string =>
    `f32(image[((source * ${height}u + ${y}) * ${width}u + ${x}) * ${channels}u + channel])`;
  // how far the ends of a box move a position: the share of the high end
  const along = (k: string, count: number): string => (count === 1 ? '0.5' : `f32(${k}) / ${count - 1}.0`);
  const body = `for (var box = group_id.x; box < ${boxes}u; box += ${groups}u) {
let source = u32(box_ind[box]);
var sum = vec4<f32>();
for (var e = local_index; e < ${elements}u; e += ${WORKGROUP_SIZE}u) {
let channel = e % ${channels}u;
let column = (e / ${channels}u) % ${columns}u;
let row = e / ${channels * columns}u;
let y = place(boxes[4u * box], boxes[4u * box + 2u], row, ${rows}u, ${height - 1}.0);
let x = place(boxes[4u * box + 1u], boxes[4u * box + 3u], column, ${columns}u, ${width - 1}.0);
if (source < ${batch}u && is_inside(y, ${height - 1}.0) && is_inside(x, ${width - 1}.0)) {
let top = u32(floor(y));
let bottom = u32(ceil(y));
let left = u32(floor(x));
let right = u32(ceil(x));
let tl = ${pixel('top', 'left')};
let tr = ${pixel('top', 'right')};
let bl = ${pixel('bottom', 'left')};
let br = ${pixel('bottom', 'right')};
let grad = grads[box * ${elements}u + e];
let slope_y = mix(bl - tl, br - tr, fract(x)) * grad * ${height - 1}.0;
let slope_x = mix(tr - tl, br - bl, fract(y)) * grad * ${width - 1}.0;
let ty = ${along('row', rows)};
let tx = ${along('column', columns)};
sum += vec4<f32>(slope_y * (1.0 - ty), slope_x * (1.0 - tx), slope_y * ty, slope_x * tx);
}
}
sums[local_index] = sum;
${SUM_UP}
if (local_index == 0u) {
out[box] = sums[0];
}
workgroupBarrier();
}`;
  const spec = {
    label: 'cropAndResizeGradBoxes',
    bindings: [
      inputBinding(c, 0, 'grads'),
      inputBinding(c, 1, 'image'),
      inputBinding(c, 2, 'boxes'),
      inputBinding(c, 3, 'box_ind'),
      outputBinding(c, 0, 'out', 4),
    ],
    workgroups: [groups, 1, 1] as const,
    declarations: `${PLACE}\nvar<workgroup> sums: array<vec4<f32>, ${WORKGROUP_SIZE}>;`,
    body,
  };
  return { dispatches: [shader(spec, c.adapter)] };
}

export const IMAGE_CROP_KERNELS = {
  CropAndResize: device(lowerCrop),
  CropAndResizeGradImage: device(lowerGradImage),
  CropAndResizeGradBoxes: device(lowerGradBoxes),
} satisfies Partial<Record<OpName, Kernel>>;
