/**
 * The kernel of SampleDistortedBoundingBox and its second version: a workgroup tries many parts at once, each attempt from a block of
 * random words of its own, and the first that covers a box is taken, whoever found it.
 */
import { floatRange, sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { PHILOX, seededStream } from './randomStream.js';
import { literal, storageType, wrapped } from './wgsl/dtype.js';
import { WORKGROUP_SIZE } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** y, x, height and width of attempt `attempt`; height 0 when it gives no part of the image. */
function attemptText(c: KernelContext, draw: string): string {
  const f32 = (x: number): string => literal(x, 'float32');
  const [lowRatio, highRatio] = floatRange(c.attrs, 'aspect_ratio_range');
  const [lowArea, highArea] = floatRange(c.attrs, 'area_range');
  return `fn try_part(attempt: u32, rows: i32, columns: i32) -> vec4<i32> {
  let bits = ${draw};
  let unit = f32(bits.x >> 8u) * 5.9604644775390625e-8;
  let ratio = unit * (${f32(highRatio)} - ${f32(lowRatio)}) + ${f32(lowRatio)};
  let least = ${f32(lowArea)} * f32(columns) * f32(rows);
  let most = ${f32(highArea)} * f32(columns) * f32(rows);
  var height = i32(round(sqrt(least / ratio)));
  var limit = i32(round(sqrt(most / ratio)));
  if (i32(round(f32(limit) * ratio)) > columns) {
    limit = i32((f32(columns) + 0.5 - 1e-7) / ratio);
    limit -= select(0, 1, i32(round(f32(limit) * ratio)) > columns);
  }
  limit = min(limit, rows);
  height = min(height, limit);
  height += i32(bits.y % u32(max(limit - height + 1, 1)));
  if (height * i32(round(f32(height) * ratio)) < i32(ceil(least))) {
    height += 1;
  }
  if (height * i32(round(f32(height) * ratio)) > i32(floor(most))) {
    height -= 1;
  }
  let width = i32(round(f32(height) * ratio));
  let area = f32(width * height);
  if (area < least || area > most || width > columns || height > rows || width <= 0 || height <= 0) {
    return vec4<i32>();
  }
  let y = i32(bits.z % u32(max(rows - height, 1)));
  let x = i32(bits.w % u32(max(columns - width, 1)));
  return vec4<i32>(y, x, height, width);
}`;
}

/** Whether a part covers enough of any box; boxes of less than a pixel do not count. */
function coverText(boxes: number, least: string): string {
  const edge = (k: number, size: string): string => `i32(bounding_boxes[4u * b + ${k}u] * f32(${size}))`;
  const box =
    boxes === 0
      ? 'let box = vec4<i32>(0, 0, rows, columns);'
      : `let box = vec4<i32>(${edge(0, 'rows')}, ${edge(1, 'columns')}, ${edge(2, 'rows')}, ${edge(3, 'columns')});`;
  return `fn covers(part: vec4<i32>, rows: i32, columns: i32) -> bool {
  for (var b = 0u; b < ${Math.max(boxes, 1)}u; b += 1u) {
    ${box}
    let overlap = max(min(part.xy + part.zw, box.zw) - max(part.xy, box.xy), vec2<i32>(0));
    let own = (box.z - box.x) * (box.w - box.y);
    if (own >= 1 && f32(overlap.x * overlap.y) / f32(own) >= ${least}) {
      return true;
    }
  }
  return false;
}`;
}

function lowerSample(c: KernelContext): Lowered {
  const stream = seededStream(c);
  const attempts = c.attrs.int('max_attempts');
  const { dtype } = c.output(0);
  const type = storageType(dtype);
  const isInput = c.inputs.length > 2;
  const least = isInput ? 'min_object_covered[0]' : literal(c.attrs.float('min_object_covered'), 'float32');
  const body = `let rows = i32(image_size[0]);
let columns = i32(image_size[1]);
if (local_index == 0u) {
atomicStore(&first, ${attempts}u);
}
workgroupBarrier();
for (var a = local_index; a < ${attempts}u; a += ${WORKGROUP_SIZE}u) {
let part = try_part(a, rows, columns);
if (part.z > 0 && covers(part, rows, columns)) {
atomicMin(&first, a);
break;
}
}
workgroupBarrier();
if (local_index == 0u) {
let found = atomicLoad(&first);
var part = vec4<i32>(0, 0, rows, columns);
if (found < ${attempts}u) {
part = try_part(found, rows, columns);
}
begin[0] = ${type}(part.x);
begin[1] = ${type}(part.y);
begin[2] = ${type}(0);
size[0] = ${type}(part.z);
size[1] = ${type}(part.w);
size[2] = ${wrapped(type === 'u32' ? '0xffffffffu' : 'i32(-1)', dtype)};
bboxes[0] = f32(part.x) / f32(rows);
bboxes[1] = f32(part.y) / f32(columns);
bboxes[2] = f32(part.x + part.z) / f32(rows);
bboxes[3] = f32(part.y + part.w) / f32(columns);
}`;
  const spec = {
    label: 'sampleDistortedBoundingBox',
    bindings: [
      inputBinding(c, 0, 'image_size'),
      inputBinding(c, 1, 'bounding_boxes'),
      ...(isInput ? [inputBinding(c, 2, 'min_object_covered')] : []),
      ...stream.bindings,
      outputBinding(c, 0, 'begin'),
      outputBinding(c, 1, 'size'),
      outputBinding(c, 2, 'bboxes'),
    ],
    workgroups: [1, 1, 1] as const,
    declarations: [
      PHILOX,
      attemptText(c, stream.draw('0u', 'attempt')),
      coverText(sizeOf(c.input(1).shape) / 4, least),
      'var<workgroup> first: atomic<u32>;',
    ].join('\n'),
    body,
  };
  return { dispatches: [shader(spec, c.adapter)] };
}

export const IMAGE_SAMPLE_KERNELS = {
  SampleDistortedBoundingBox: device(lowerSample),
  SampleDistortedBoundingBoxV2: device(lowerSample),
} satisfies Partial<Record<OpName, Kernel>>;
