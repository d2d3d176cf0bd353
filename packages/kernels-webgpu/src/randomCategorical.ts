/**
 * Class numbers with probabilities in proportion to exp(logits). Weights exp(logit - largest) are whole
 * numbers of 2^-31, their running sums have 64 bits, and a draw of 64 bits is scaled to the sum of
 * the row and looked up: integers throughout (softFloat.ts), the same on every adapter.
 */
import { sizeOf } from '@forerun/graph';
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { PHILOX, type RandomStream } from './randomStream.js';
import { SOFT_FLOAT, softTables } from './softFloat.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader } from './wgsl/shader.js';

/** Numbers of 64 bits as (high, low). */
export const WIDE = `fn add_wide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.y + b.y;
  return vec2<u32>(a.x + b.x + select(0u, 1u, low < a.y), low);
}
fn multiply_wide(a: u32, b: u32) -> vec2<u32> { return vec2<u32>(mul_high(a, b), a * b); }
// floor(a * b / 2^64)
fn scale_wide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let first = add_wide(multiply_wide(a.x, b.y), vec2<u32>(0u, mul_high(a.y, b.y)));
  let second = add_wide(multiply_wide(a.y, b.x), vec2<u32>(0u, first.y));
  return add_wide(multiply_wide(a.x, b.x), add_wide(vec2<u32>(0u, first.x), vec2<u32>(0u, second.x)));
}
fn above_wide(a: vec2<u32>, b: vec2<u32>) -> bool { return a.x > b.x || (a.x == b.x && a.y > b.y); }`;

/** Floats in the order of unsigned numbers; those that are not finite come first. */
const ORDER = `fn order_of(bits: u32) -> u32 {
  if ((bits & 0x7f800000u) == 0x7f800000u) { return 0u; }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}
fn weight_of(bits: u32, largest: u32) -> u32 {
  if ((bits & 0x7f800000u) == 0x7f800000u) { return 0u; }
  let top = select(~largest, largest & 0x7fffffffu, largest >= 0x80000000u);
  let weight = soft_exp(soft_sub(soft_of_bits(bits), soft_of_bits(top)));
  return soft_whole(Soft(weight.m, weight.e + 31, false));
}`;

/** Leaves the running sums of each row's weights in scratch 0, two words per class. */
function runningSums(c: KernelContext, rows: number, classes: number): Dispatch {
  const size = Math.min(256, c.adapter.maxInvocations, Math.max(1, 2 ** Math.ceil(Math.log2(classes))));
  const groups = Math.min(rows, c.adapter.maxWorkgroups);
  const share = Math.ceil(classes / size);
  const body = `for (var row = group_id.x; row < ${rows}u; row += ${groups}u) {
let base = row * ${classes}u;
let begin = min(local_index * ${share}u, ${classes}u);
let end = min(begin + ${share}u, ${classes}u);
var largest = 0u;
for (var k = begin; k < end; k++) { largest = max(largest, order_of(logits[base + k])); }
parts[local_index] = vec2<u32>(largest, 0u);
workgroupBarrier();
for (var k = 0u; k < ${size}u; k++) { largest = max(largest, parts[k].x); }
workgroupBarrier();
var sum = vec2<u32>(0u, 0u);
for (var k = begin; k < end; k++) {
let weight = weight_of(logits[base + k], largest);
sums[2u * (base + k)] = weight;
sum = add_wide(sum, vec2<u32>(0u, weight));
}
parts[local_index] = sum;
workgroupBarrier();
sum = vec2<u32>(0u, 0u);
for (var k = 0u; k < local_index; k++) { sum = add_wide(sum, parts[k]); }
for (var k = begin; k < end; k++) {
sum = add_wide(sum, vec2<u32>(0u, sums[2u * (base + k)]));
sums[2u * (base + k)] = sum.x;
sums[2u * (base + k) + 1u] = sum.y;
}
workgroupBarrier();
}`;
  return shader(
    {
      label: `${c.op}.sums`,
      bindings: [
        ...softTables(),
        { ...inputBinding(c, 0, 'logits'), dtype: 'uint32' },
        scratchBinding(0, 'sums', 'uint32'),
      ],
      workgroups: [groups, 1, 1],
      workgroupSize: size,
      declarations: `${SOFT_FLOAT}\n${WIDE}\n${ORDER}\nvar<workgroup> parts: array<vec2<u32>, ${size}>;`,
      body,
    },
    c.adapter,
  );
}

/** The first class whose running sum is above the draw; the number of classes where all weights are 0. */
function lookups(c: KernelContext, stream: RandomStream, classes: number): Dispatch {
  const [, samples = 1] = c.output(0).shape;
  const grid = gridFor(sizeOf(c.output(0).shape), 1, c.adapter);
  const body = `let base = (i / ${samples}u) * ${classes}u;
let bits = ${stream.draw('i', '0u')};
let last = 2u * (base + ${classes - 1}u);
let place = scale_wide(bits.xy, vec2<u32>(sums[last], sums[last + 1u]));
var low = 0u;
var high = ${classes}u;
while (low < high) {
let middle = (low + high) / 2u;
let at = 2u * (base + middle);
if (above_wide(vec2<u32>(sums[at], sums[at + 1u]), place)) { high = middle; } else { low = middle + 1u; }
}
out[i] = i32(low);`;
  return shader(
    {
      label: `${c.op}.lookup`,
      bindings: [
        ...stream.bindings,
        { ...scratchBinding(0, 'sums', 'uint32'), access: 'read' },
        outputBinding(c),
      ],
      workgroups: grid.workgroups,
      declarations: `${PHILOX}\n${WIDE}`,
      body: gridStride(grid, body),
    },
    c.adapter,
  );
}

export function lowerCategorical(c: KernelContext, stream: RandomStream): Lowered {
  const { dtype, shape } = c.input(0);
  const [rows = 0, classes = 0] = shape;
  if (dtype !== 'float32') c.unsupported(`${dtype} logits are not drawn from`);
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const bytes = 8 * rows * classes;
  return { dispatches: [runningSums(c, rows, classes), lookups(c, stream, classes)], scratch: [bytes] };
}
