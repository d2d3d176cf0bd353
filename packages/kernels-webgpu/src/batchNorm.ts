/** Kernels of fused batch normalization: statistics per channel first, then one pass over the elements. */
import { sizeOf } from '@forerun/graph';
import {
  channelChunks,
  chunkedPasses,
  chunkStatistics,
  type ChannelChunks,
  type ChunkedPasses,
  type ChunkStatistics,
} from './channelChunks.js';
import type { ChannelSpace } from './channelSums.js';
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { literal, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride, type Grid } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

function spaceOf(c: KernelContext, shape: readonly number[]): ChannelSpace {
  const axis = c.attrs.string('data_format').startsWith('NC') ? 1 : shape.length - 1;
  return {
    outer: sizeOf(shape.slice(0, axis)),
    channels: shape[axis] ?? 1,
    inner: sizeOf(shape.slice(axis + 1)),
  };
}

function epsilon(c: KernelContext): string {
  return literal(c.attrs.float('epsilon'), 'float32');
}

/** 1 / sqrt(variance + epsilon) of what `variance` names. */
function inverse(c: KernelContext, variance: string): string {
  return `(1.0 / safe_sqrt(${variance} + ${epsilon(c)}))`;
}

/** How elements are addressed four at a time where that is possible: across channels or along a channel. */
interface ElementSpace {
  readonly width: Width;
  /** Width of the bindings of vectors with an element per channel. */
  readonly vectorWidth: Width;
  readonly items: number;
  /** The channel of item `i`, in units of `vectorWidth`. */
  readonly channel: string;
  /** Items that are so far apart, or a multiple of it, have one channel; 0: that is not said. */
  readonly period: number;
}

function elementSpace({ outer, channels, inner }: ChannelSpace): ElementSpace {
  const width: Width = (inner === 1 ? channels : inner) % 4 === 0 ? 4 : 1;
  const items = (outer * channels * inner) / width;
  if (inner === 1) {
    const period = channels / width;
    return { width, vectorWidth: width, items, channel: `i % ${period}u`, period };
  }
  return { width, vectorWidth: 1, items, channel: `(i / ${inner / width}u) % ${channels}u`, period: 0 };
}

/**
 * One pass over the elements; `prepare` uses `channel`, `body` also `i`, scalar WGSL that holds for `vec4`s. Where all
 * lanes belong to one channel its statistics stay scalars, which combine with vectors as they are. Where an invocation meets
 * one channel only, `prepare` goes before its loop.
 */
function overElements(
  c: KernelContext,
  label: string,
  space: ElementSpace,
  bindings: readonly ShaderBinding[],
  { prepare, body }: { readonly prepare: string; readonly body: string },
): Dispatch {
  const grid = gridFor(space.items, 1, c.adapter);
  const [before, inside] = [widen(prepare, space.vectorWidth), widen(body, space.vectorWidth)];
  const text =
    space.period > 0 && space.period <= grid.stride && space.items > grid.stride
      ? overRows(c, space, grid, `${before}\n`, inside)
      : gridStride(grid, `let channel = ${space.channel};\n${before}\n${inside}`);
  return shader({ label, bindings, workgroups: grid.workgroups, body: text }, c.adapter);
}

/** Each invocation takes one channel of some rows: of every so many, on a software adapter of a few in a row. */
function overRows(
  { adapter }: KernelContext,
  { items, period }: ElementSpace,
  grid: Grid,
  before: string,
  inside: string,
): string {
  const [workers, rows] = [Math.floor(grid.stride / period), items / period];
  const length = Math.ceil(rows / workers);
  const loop = adapter.software
    ? `var row = worker * ${length}u; row < min((worker + 1u) * ${length}u, ${rows}u); row++`
    : `var row = worker; row < ${rows}u; row += ${workers}u`;
  return `let channel = global_id.x % ${period}u;
let worker = global_id.x / ${period}u;
if (worker < ${workers}u) {
${before}for (${loop}) {
let i = row * ${period}u + channel;
${inside}
}
}`;
}

export function lowerBatchNorm(c: KernelContext): Lowered {
  const space = spaceOf(c, c.input(0).shape);
  if (space.channels === 0) return { dispatches: third(c) };
  if (!c.attrs.bool('is_training')) {
    return { dispatches: [...given(c, space), ...normalize(c, space), ...third(c)] };
  }
  if (space.outer * space.inner === 0) return { dispatches: [nothing(c, space), ...third(c)] };
  const chunks = channelChunks(c, space);
  const { dispatch, scratch } = chunkStatistics(c, chunks, moments(c));
  return { dispatches: [dispatch, ...normalizeChunks(c, space, chunks), ...third(c)], scratch };
}

/**
 * Mean and sum of squared distances from it, chunk by chunk, merged by the formula of Chan, Golub and LeVeque
 * (Algorithms for Computing the Sample Variance, 1983). Distances from what the mean is so far are added: large means stay
 * precise.
 */
function moments(c: KernelContext): ChunkStatistics {
  return {
    label: 'batchNorm',
    inputs: [inputBinding(c, 0, 'x')],
    state: ['mean', 'spread'],
    prepare: 'mean = select(f32(0.0), x[first], is_finite(x[first]));',
    each: 'let distance = x[at] - mean;\nsum0 += distance;\nsum1 += distance * distance;',
    close: `let shift = sum0 / f32(size);
let own_spread = sum1 - sum0 * shift;
spread += select(own_spread, f32(0.0), own_spread < f32(0.0)) + shift * shift * f32(seen * size / (seen + size));
mean += shift * f32(size / (seen + size));`,
    join: merged('other_mean', 'other_spread', 'other_seen', 'max(seen + other_seen, 1.0)'),
  };
}

/** Merges the moments of `size` elements into `mean` and `spread` of `seen` elements; `total` is both numbers together. */
function merged(mean: string, spread: string, size: string, total: string): string {
  return `let total = ${total};
let shift = ${mean} - mean;
spread += ${spread} + shift * shift * f32(seen * ${size} / total);
mean += shift * f32(${size} / total);`;
}

/** The second pass: the moments of the batch, what the caller sees of them, and the elements. */
function normalizeChunks(c: KernelContext, space: ChannelSpace, chunks: ChannelChunks): Dispatch[] {
  const elements = elementSpace(space);
  const count = space.outer * space.inner;
  const vectors = averages(c, count);
  const w = chunks.width;
  return chunkedPasses(c, chunks, {
    label: 'batchNorm',
    elementWidth: elements.width,
    state: ['mean', 'spread'],
    prepare: 'var seen = 0.0;\nvar mean = f32(0.0);\nvar spread = f32(0.0);',
    eachChunk: `${merged('part_mean', 'part_spread', 'size', 'seen + size')}
seen = total;`,
    vectors,
    elements: {
      bindings: [
        inputBinding(c, 0, 'x', elements.width),
        inputBinding(c, 1, 'scale', w),
        inputBinding(c, 2, 'offset', w),
        outputBinding(c, 0, 'out', elements.width),
      ],
      prepare: `let factor = ${inverse(c, `(spread / ${literal(count, 'float32')})`)} * scale[channel];
let shift = offset[channel];`,
      each: 'out[at] = (x[at] - mean) * factor + shift;',
    },
  });
}

/** The variances of the batch (output 4), its means (3), and the averages that the caller sees (1 and 2). */
function averages(c: KernelContext, count: number): ChunkedPasses['vectors'] {
  const factor = c.attrs.float('exponential_avg_factor');
  const averaged = factor !== 1;
  const [share, rest] = [literal(factor, 'float32'), literal(1 - factor, 'float32')];
  const blend = (old: string, value: string): string =>
    averaged ? `${old}[channel] * ${rest} + ${value} * ${share}` : value;
  const old = averaged ? [inputBinding(c, 3, 'old_mean'), inputBinding(c, 4, 'old_variance')] : [];
  const names = ['mean_out', 'variance_out', 'saved_mean', 'saved_variance'];
  return {
    bindings: [...old, ...names.map((name, k) => outputBinding(c, k + 1, name))],
    once: `saved_mean[channel] = mean;
saved_variance[channel] = spread / ${literal(count, 'float32')};
mean_out[channel] = ${blend('old_mean', 'mean')};
variance_out[channel] = ${blend('old_variance', `(spread / ${literal(Math.max(count - 1, 1), 'float32')})`)};`,
  };
}

/** The moments of no elements at all are no numbers. */
function nothing(c: KernelContext, { channels }: ChannelSpace): Dispatch {
  const grid = gridFor(channels, 1, c.adapter);
  const names = ['mean_out', 'variance_out', 'saved_mean', 'saved_variance'];
  const body = names.map((name) => `${name}[i] = not_a_number();`).join('\n');
  const bindings = names.map((name, k) => outputBinding(c, k + 1, name));
  return shader(
    { label: 'batchNorm.empty', bindings, workgroups: grid.workgroups, body: gridStride(grid, body) },
    c.adapter,
  );
}

/** Without training all four statistics are those that were given. */
function given(c: KernelContext, { channels }: ChannelSpace): Dispatch[] {
  const grid = gridFor(channels, 1, c.adapter);
  const names = ['mean_out', 'variance_out', 'saved_mean', 'saved_variance'];
  const body = names.map((name, k) => `${name}[i] = ${k % 2 === 0 ? 'mean' : 'variance'}[i];`).join('\n');
  const bindings = [
    inputBinding(c, 3, 'mean'),
    inputBinding(c, 4, 'variance'),
    ...names.map((name, k) => outputBinding(c, k + 1, name)),
  ];
  const label = 'batchNorm.given';
  return [shader({ label, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) }, c.adapter)];
}

function normalize(c: KernelContext, space: ChannelSpace): Dispatch[] {
  const elements = elementSpace(space);
  if (elements.items === 0) return [];
  const w = elements.vectorWidth;
  const bindings = [
    inputBinding(c, 0, 'x', elements.width),
    ...['scale', 'offset', 'mean', 'variance'].map((name, k) => inputBinding(c, k + 1, name, w)),
    outputBinding(c, 0, 'out', elements.width),
  ];
  const prepare = `let centre = mean[channel];
let factor = ${inverse(c, 'variance[channel]')} * scale[channel];
let shift = offset[channel];`;
  const body = 'out[i] = (x[i] - centre) * factor + shift;';
  return [overElements(c, 'batchNorm', elements, bindings, { prepare, body })];
}

/** The third reserved output, which only other devices use: a zero. */
function third(c: KernelContext): Dispatch[] {
  if (c.outputs.length < 6) return [];
  const bindings = [outputBinding(c, 5, 'reserved')];
  const body = 'if (global_id.x == 0u) {\nreserved[0] = 0.0;\n}';
  return [shader({ label: 'batchNorm.reserved', bindings, workgroups: [1, 1, 1], body }, c.adapter)];
}

/**
 * With r = 1 / sqrt(variance + epsilon): dscale = r sum(dy (x - mean)), doffset = sum(dy), and dx = scale r dy, less in
 * training its parts along 1 and x: scale r (dy - mean(dy) - (x - mean) r dscale / n).
 */
export function lowerBatchNormGrad(c: KernelContext): Lowered {
  const space = spaceOf(c, c.input(1).shape);
  if (space.channels === 0) return { dispatches: [] };
  if (space.outer * space.inner === 0) return { dispatches: [noGradient(c, space)] };
  const chunks = channelChunks(c, space);
  const { dispatch, scratch } = chunkStatistics(c, chunks, {
    label: 'batchNormGrad',
    inputs: [inputBinding(c, 0, 'dy'), inputBinding(c, 1, 'x'), inputBinding(c, 3, 'mean')],
    state: ['along_one', 'along_x'],
    prepare: 'let centre = mean[channel];',
    each: 'let gradient = dy[at];\nsum0 += gradient;\nsum1 += gradient * (x[at] - centre);',
    close: 'along_one += sum0;\nalong_x += sum1;',
    join: 'along_one += other_along_one;\nalong_x += other_along_x;',
  });
  return { dispatches: [dispatch, ...inputGradient(c, space, chunks)], scratch };
}

function inputGradient(c: KernelContext, space: ChannelSpace, chunks: ChannelChunks): Dispatch[] {
  const { width } = elementSpace(space);
  const w = chunks.width;
  const training = c.attrs.bool('is_training');
  const count = literal(space.outer * space.inner, 'float32');
  const variance = inputBinding(c, 4, 'variance', w);
  const r = `let r = ${inverse(c, 'variance[channel]')};`;
  return chunkedPasses(c, chunks, {
    label: 'batchNormGrad',
    elementWidth: width,
    state: ['along_one', 'along_x'],
    prepare: 'var along_one = f32(0.0);\nvar along_x = f32(0.0);',
    eachChunk: 'along_one += part_along_one;\nalong_x += part_along_x;',
    vectors: {
      bindings: [
        variance,
        outputBinding(c, 1, 'scale_backprop', w),
        outputBinding(c, 2, 'offset_backprop', w),
      ],
      once: `offset_backprop[channel] = along_one;
scale_backprop[channel] = along_x * ${inverse(c, 'variance[channel]')};`,
    },
    elements: {
      bindings: [
        variance,
        inputBinding(c, 0, 'dy', width),
        ...(training ? [inputBinding(c, 1, 'x', width)] : []),
        inputBinding(c, 2, 'scale', w),
        ...(training ? [inputBinding(c, 3, 'mean', w)] : []),
        outputBinding(c, 0, 'out', width),
      ],
      prepare: training
        ? `${r}
let factor = scale[channel] * r;
let centre = mean[channel];
let mean_gradient = along_one / ${count};
let slope = r * r * along_x / ${count};`
        : `${r}\nlet factor = scale[channel] * r;`,
      each: training
        ? 'out[at] = factor * (dy[at] - (mean_gradient + (x[at] - centre) * slope));'
        : 'out[at] = factor * dy[at];',
    },
  });
}

/** The gradients of scale and offset where there are no elements. */
function noGradient(c: KernelContext, { channels }: ChannelSpace): Dispatch {
  const grid = gridFor(channels, 1, c.adapter);
  const names = ['scale_backprop', 'offset_backprop'];
  return shader(
    {
      label: 'batchNormGrad.empty',
      bindings: names.map((name, k) => outputBinding(c, k + 1, name)),
      workgroups: grid.workgroups,
      body: gridStride(grid, names.map((name) => `${name}[i] = 0.0;`).join('\n')),
    },
    c.adapter,
  );
}
