/**
 * The kernel of CTCLoss (Graves et al., "Connectionist Temporal Classification", ICML 2006, equations 7.9 to 7.13):
 * forward and backward sums in log space, one workgroup per item, whose invocations share the states. State 2k is the
 * blank before label k, state 2k + 1 is label k. The gradient's buffer holds log probabilities until their time
 * step is done. Every class is summed by one invocation, along the chain of its labels: no atomics.
 */
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

interface Sizes {
  readonly time: number;
  readonly batch: number;
  readonly classes: number;
  /** Labels of all items. */
  readonly labels: number;
}

const LANES = 64;

/** Where each item's labels begin, and how many it has: the first words of `links`, before the labels. */
function gatherLabels(c: KernelContext, { batch, classes, labels }: Sizes): Dispatch {
  const grid = gridFor(batch, 1, c.adapter);
  const collapse = c.attrs.bool('preprocess_collapse_repeated');
  const body = `let begin = row_start(b);
let end = row_start(b + 1u);
var count = 0u;
for (var p = begin; p < end; p++) {
let label = min(u32(labels_values[p]), ${classes - 1}u);
if (${collapse} && count > 0u && links[${2 * batch}u + begin + count - 1u] == label) { continue; }
links[${2 * batch}u + begin + count] = label;
count++;
}
links[b] = begin;
links[${batch}u + b] = count;`;
  return shader(
    {
      label: 'ctc.labels',
      bindings: [
        inputBinding(c, 1, 'labels_indices'),
        inputBinding(c, 2, 'labels_values'),
        scratchBinding(0, 'links', 'uint32'),
      ],
      workgroups: grid.workgroups,
      declarations: `fn row_start(row: u32) -> u32 {
  var low = 0u;
  var high = ${labels}u;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (u32(labels_indices[2u * middle]) >= row) { high = middle; } else { low = middle + 1u; }
  }
  return low;
}`,
      body: gridStride(grid, body, 'b'),
    },
    c.adapter,
  );
}

/** For each label of an item: the next one of the same class (0 for none), and whether it is the first. */
function chainLabels(c: KernelContext, { batch, labels }: Sizes): Dispatch {
  const grid = gridFor(labels, 1, c.adapter);
  const body = `let b = min(u32(labels_indices[2u * p]), ${batch - 1}u);
let begin = links[b];
let end = begin + links[${batch}u + b];
if (p >= begin && p < end) {
let label = links[${2 * batch}u + p];
var next = 0u;
for (var q = p + 1u; q < end; q++) {
if (links[${2 * batch}u + q] == label) {
next = q;
break;
}
}
var first = 1u;
for (var q = begin; q < p; q++) {
if (links[${2 * batch}u + q] == label) {
first = 0u;
break;
}
}
links[${2 * batch + labels}u + p] = next;
links[${2 * batch + 2 * labels}u + p] = first;
}`;
  return shader(
    {
      label: 'ctc.chains',
      bindings: [inputBinding(c, 1, 'labels_indices'), scratchBinding(0, 'links', 'uint32')],
      workgroups: grid.workgroups,
      body: gridStride(grid, body, 'p'),
    },
    c.adapter,
  );
}

const LOG_SPACE = `const LOG_ZERO = -1.0e30;
fn log_add(a: f32, b: f32) -> f32 {
  let high = max(a, b);
  if (high < -1.0e29) { return LOG_ZERO; }
  return high + log1p(exp(min(a, b) - high));
}`;

/** A loop of the workgroup's invocations over [0, count). */
const each = (index: string, count: string, body: string): string =>
  `for (var ${index} = local_index; ${index} < ${count}; ${index} += ${LANES}u) {\n${body}\n}`;
const BARRIER = 'workgroupBarrier();\nstorageBarrier();';

/** log softmax into `gradient`, zeros after the item's time. */
function logProbabilities({ time, batch, classes }: Sizes): string {
  return each(
    't',
    `${time}u`,
    `let row = (t * ${batch}u + b) * ${classes}u;
if (t >= steps) {
for (var k = 0u; k < ${classes}u; k++) { gradient[row + k] = 0.0; }
continue;
}
var high = inputs[row];
for (var k = 1u; k < ${classes}u; k++) { high = max(high, inputs[row + k]); }
var sum = 0.0;
for (var k = 0u; k < ${classes}u; k++) { sum += exp(inputs[row + k] - high); }
let shift = high + log(sum);
for (var k = 0u; k < ${classes}u; k++) { gradient[row + k] = inputs[row + k] - shift; }`,
  );
}

/** alpha(t, s): log probability of all prefixes that end in state s at time t. */
function forward(stride: number): string {
  return `${each('s', 'states', 'work[base + s] = select(LOG_ZERO, gradient[at(b, 0u) + class_of(b, s)], s < 2u);')}
${BARRIER}
for (var t = 1u; t < steps; t++) {
${each(
  's',
  'states',
  `let prior = (t - 1u) * ${stride}u + base + s;
var sum = LOG_ZERO;
if (may_stay(s)) { sum = work[prior]; }
if (s > 0u) { sum = log_add(sum, work[prior - 1u]); }
if (s > 1u && may_skip(b, s)) { sum = log_add(sum, work[prior - 2u]); }
work[t * ${stride}u + base + s] = max(sum + gradient[at(b, t) + class_of(b, s)], LOG_ZERO);`,
)}
${BARRIER}
}`;
}

/** beta(t, s): log probability of all that follows state s at time t; two time steps are kept, after the alphas. */
function backward(stride: number, rolling: number): string {
  return `for (var back = 0u; back < steps; back++) {
let t = steps - 1u - back;
let here = ${rolling}u + (t % 2u) * ${stride}u + base;
let later = ${rolling}u + ((t + 1u) % 2u) * ${stride}u + base;
${each(
  's',
  'states',
  `var sum = LOG_ZERO;
if (back == 0u) {
sum = select(LOG_ZERO, 0.0, s + 2u >= states);
} else {
let next = at(b, t + 1u);
if (may_stay(s)) { sum = work[later + s] + gradient[next + class_of(b, s)]; }
if (s + 1u < states) { sum = log_add(sum, work[later + s + 1u] + gradient[next + class_of(b, s + 1u)]); }
if (s + 2u < states && may_skip(b, s + 2u)) { sum = log_add(sum, work[later + s + 2u] + gradient[next + class_of(b, s + 2u)]); }
}
work[here + s] = max(sum, LOG_ZERO);`,
)}
${BARRIER}
if (back > 0u) {
finish(b, t + 1u, later, total, local_index);
}
${BARRIER}
}
finish(b, 0u, ${rolling}u + base, total, local_index);
${BARRIER}`;
}

/** Functions of the main dispatch. */
function declarations(c: KernelContext, sizes: Sizes, stride: number): string {
  const { batch, classes, labels } = sizes;
  const merge = c.attrs.bool('ctc_merge_repeated');
  return `${LOG_SPACE}
var<workgroup> blanks: array<f32, ${LANES}>;
fn at(b: u32, t: u32) -> u32 { return (t * ${batch}u + b) * ${classes}u; }
fn class_of(b: u32, s: u32) -> u32 {
  if (s % 2u == 0u) { return ${classes - 1}u; }
  return links[${2 * batch}u + links[b] + s / 2u];
}
fn may_stay(s: u32) -> bool { return ${merge} || s % 2u == 0u; }
fn may_skip(b: u32, s: u32) -> bool {
  return s % 2u == 1u && !(${merge} && class_of(b, s) == class_of(b, s - 2u));
}
// The share of paths that pass state s at time t.
fn share(b: u32, t: u32, s: u32, betas: u32, total: f32) -> f32 {
  let path = work[t * ${stride}u + 2u * links[b] + b + s] + work[betas + s];
  if (total < -1.0e29 || path < -1.0e29) { return 0.0; }
  return exp(path - total);
}
// Row t of the gradient: probabilities less the share of paths through each class.
fn finish(b: u32, t: u32, betas: u32, total: f32, local_index: u32) {
  let row = at(b, t);
  let begin = links[b];
  let count = links[${batch}u + b];
  ${each('k', `${classes}u`, 'gradient[row + k] = exp(gradient[row + k]);')}
  var sum = 0.0;
  ${each('k', 'count + 1u', 'sum += share(b, t, 2u * k, betas, total);')}
  blanks[local_index] = sum;
  ${BARRIER}
  ${each(
    'k',
    'count',
    `if (links[${2 * batch + 2 * labels}u + begin + k] == 1u) {
  var taken = 0.0;
  var p = begin + k;
  loop {
    taken += share(b, t, 2u * (p - begin) + 1u, betas, total);
    p = links[${2 * batch + labels}u + p];
    if (p == 0u) { break; }
  }
  let k_at = row + links[${2 * batch}u + begin + k];
  gradient[k_at] = gradient[k_at] - taken;
}`,
  )}
  ${BARRIER}
  if (local_index == 0u) {
    var all = 0.0;
    for (var k = 0u; k < ${LANES}u; k++) { all += blanks[k]; }
    gradient[row + ${classes - 1}u] = gradient[row + ${classes - 1}u] - all;
  }
}`;
}

function sums(c: KernelContext, sizes: Sizes): Dispatch {
  const { time, batch, classes, labels } = sizes;
  const stride = 2 * labels + batch;
  const groups = Math.min(batch, c.adapter.maxWorkgroups);
  const merge = c.attrs.bool('ctc_merge_repeated');
  const ignore = c.attrs.bool('ignore_longer_outputs_than_inputs');
  const zeros = each('i', `${time * classes}u`, `gradient[at(b, i / ${classes}u) + i % ${classes}u] = 0.0;`);
  const body = `for (var b = group_id.x; b < ${batch}u; b += ${groups}u) {
let steps = u32(clamp(sequence_length[b], 0, ${time}));
let count = links[${batch}u + b];
let states = 2u * count + 1u;
let base = 2u * links[b] + b;
var needed = count;
for (var k = 1u; k < count; k++) {
if (${merge} && class_of(b, 2u * k + 1u) == class_of(b, 2u * k - 1u)) { needed++; }
}
if (steps == 0u || (${ignore} && needed > steps)) {
${zeros}
if (local_index == 0u) { loss[b] = 0.0; }
} else {
${logProbabilities(sizes)}
${BARRIER}
${forward(stride)}
let last = (steps - 1u) * ${stride}u + base + states;
var total = work[last - 1u];
if (states > 1u) { total = log_add(total, work[last - 2u]); }
if (local_index == 0u) { loss[b] = select(-total, infinity(), total < -1.0e29); }
${backward(stride, time * stride)}
}
}`;
  return shader(
    {
      label: 'ctc.sums',
      bindings: [
        inputBinding(c, 0, 'inputs'),
        inputBinding(c, 3, 'sequence_length'),
        { ...scratchBinding(0, 'links', 'uint32'), access: 'read' },
        scratchBinding(1, 'work', 'float32'),
        outputBinding(c, 0, 'loss'),
        outputBinding(c, 1, 'gradient'),
      ],
      workgroups: [groups, 1, 1],
      workgroupSize: LANES,
      declarations: declarations(c, sizes, stride),
      body,
    },
    c.adapter,
  );
}

/** Zeros in a buffer called `zeros`. */
function filled(c: KernelContext, binding: ShaderBinding, size: number): Dispatch {
  const grid = gridFor(size, 1, c.adapter);
  const zero = binding.dtype === 'uint32' ? '0u' : '0.0';
  return shader(
    {
      label: 'ctc.zeros',
      bindings: [binding],
      workgroups: grid.workgroups,
      body: gridStride(grid, `zeros[i] = ${zero};`),
    },
    c.adapter,
  );
}

export function lowerCtcLoss(c: KernelContext): Lowered {
  const [time = 0, batch = 0, classes = 1] = c.input(0).shape;
  const [labels = 0] = c.input(2).shape;
  if (c.input(0).dtype !== 'float32') c.unsupported(`${c.input(0).dtype} logits are not computed with`);
  if (batch === 0) return { dispatches: [] };
  const sizes = { time, batch, classes, labels };
  const workBytes = 4 * (time + 2) * (2 * labels + batch);
  if (time === 0) return { dispatches: [filled(c, outputBinding(c, 0, 'zeros'), batch)] };
  const links =
    labels === 0
      ? [filled(c, scratchBinding(0, 'zeros', 'uint32'), 2 * batch)]
      : [gatherLabels(c, sizes), chainLabels(c, sizes)];
  return {
    dispatches: [...links, sums(c, sizes)],
    scratch: [4 * (2 * batch + 3 * labels + 1), workBytes],
  };
}
