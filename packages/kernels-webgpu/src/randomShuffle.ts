/**
 * Random permutations of the first dimension. Up to 1,024 slices are sorted by random keys of 64 bits, so that every
 * order is equally likely. More take their places from a keyed one-to-one function of the position: a Feistel
 * network over the next power of 4, walked until it stays inside (compare Mitchell et al., "Bandwidth-Optimal Random
 * Shuffling for GPUs", 2022). Both are integer arithmetic, the same on every adapter.
 */
import { sizeOf } from '@forerun/graph';
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { PHILOX, seededStream } from './randomStream.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

const MOST_SORTED = 1024;
/** Rounds of the network; four take their keys from one block. */
const ROUNDS = 12;

/** Leaves the order in scratch 0: position -> slice. Bitonic, by (key, slice), in one workgroup. */
function sortedOrder(c: KernelContext, count: number): Dispatch {
  const stream = seededStream(c);
  const size = 2 ** Math.ceil(Math.log2(count));
  const lanes = Math.min(size, 256, c.adapter.maxInvocations);
  const each = (index: string, body: string, limit = size): string =>
    `for (var ${index} = local_index; ${index} < ${limit}u; ${index} += ${lanes}u) {\n${body}\n}`;
  const body = `${each(
    'i',
    `let bits = ${stream.draw('i', '0u')};
keys[i] = select(vec3<u32>(0xffffffffu, 0xffffffffu, i), vec3<u32>(bits.xy, i), i < ${count}u);`,
  )}
workgroupBarrier();
for (var block = 2u; block <= ${size}u; block *= 2u) {
for (var distance = block / 2u; distance > 0u; distance /= 2u) {
${each(
  'i',
  `let j = i ^ distance;
if (j > i && is_above(keys[i], keys[j]) == ((i & block) == 0u)) {
let swapped = keys[i];
keys[i] = keys[j];
keys[j] = swapped;
}`,
)}
workgroupBarrier();
}
}
${each('i', 'order[i] = keys[i].z;', count)}`;
  return shader(
    {
      label: 'shuffle.sort',
      bindings: [...stream.bindings, scratchBinding(0, 'order', 'uint32')],
      workgroups: [1, 1, 1],
      workgroupSize: lanes,
      declarations: `${PHILOX}
var<workgroup> keys: array<vec3<u32>, ${size}>;
fn is_above(a: vec3<u32>, b: vec3<u32>) -> bool {
  if (a.x != b.x) { return a.x > b.x; }
  if (a.y != b.y) { return a.y > b.y; }
  return a.z > b.z;
}`,
      body,
    },
    c.adapter,
  );
}

/** The keyed one-to-one function on [0, count). */
function network(count: number, draw: (element: string, attempt: string) => string): string {
  const half = Math.ceil(Math.ceil(Math.log2(count)) / 2);
  const mask = 2 ** half - 1;
  const blocks = Array.from({ length: ROUNDS / 4 }, (_, b) => draw(`${b}u`, '1u'));
  return `fn mix(x: u32, key: u32) -> u32 {
  var h = (x * 0x9e3779b1u) ^ key;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}
fn place_of(position: u32) -> u32 {
  var rounds = array<vec4<u32>, ${ROUNDS / 4}>(${blocks.join(', ')});
  var x = position;
  loop {
    var left = x >> ${half}u;
    var right = x & ${mask}u;
    for (var r = 0u; r < ${ROUNDS}u; r++) {
      let next = left ^ (mix(right, rounds[r / 4u][r % 4u]) & ${mask}u);
      left = right;
      right = next;
    }
    x = (left << ${half}u) | right;
    if (x < ${count}u) { break; }
  }
  return x;
}`;
}

/** Copies slices of `inner` elements, each from the slice that `place` names. */
function gatherSlices(
  c: KernelContext,
  inner: number,
  place: string,
  { bindings, declarations }: { bindings: readonly ShaderBinding[]; declarations: string },
): Dispatch {
  const grid = gridFor(sizeOf(c.output(0).shape), 1, c.adapter);
  const body = `let place = ${place};\nout[i] = value[place * ${inner}u + i % ${inner}u];`;
  return shader(
    {
      label: 'shuffle.copy',
      bindings: [...bindings, inputBinding(c, 0, 'value'), outputBinding(c)],
      workgroups: grid.workgroups,
      declarations,
      body: gridStride(grid, body),
    },
    c.adapter,
  );
}

export function lowerShuffle(c: KernelContext): Lowered {
  const { shape } = c.output(0);
  const total = sizeOf(shape);
  if (total === 0) return { dispatches: [] };
  const [count = 1] = shape;
  const inner = total / count;
  if (count <= MOST_SORTED) {
    const order: ShaderBinding = { ...scratchBinding(0, 'order', 'uint32'), access: 'read' };
    const copy = gatherSlices(c, inner, `order[i / ${inner}u]`, { bindings: [order], declarations: '' });
    return { dispatches: [sortedOrder(c, count), copy], scratch: [4 * count] };
  }
  const { bindings, draw } = seededStream(c);
  const declarations = `${PHILOX}\n${network(count, draw)}`;
  return { dispatches: [gatherSlices(c, inner, `place_of(i / ${inner}u)`, { bindings, declarations })] };
}
