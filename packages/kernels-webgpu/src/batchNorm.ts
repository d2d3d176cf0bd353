/** Kernels of fused batch normalization: statistics per channel first, then one pass over the elements. */
import { sizeOf } from '@forerun/graph';
import { channelSums, type ChannelSpace } from './channelSums.js';
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

/** Output `i`, as an earlier dispatch left it. */
function computed(c: KernelContext, i: number, name: string, width: Width = 1): ShaderBinding {
  return { ...outputBinding(c, i, name, width), access: 'read' };
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
    return { dispatches: [...given(c, space), ...normalize(c, space, false), ...third(c)] };
  }
  const mean = meanPasses(c, space);
  const variance = variancePasses(c, space, mean.scratch.length);
  return {
    dispatches: [...mean.dispatches, ...variance.dispatches, ...normalize(c, space, true), ...third(c)],
    scratch: [...mean.scratch, ...variance.scratch],
  };
}

/** The mean of the batch into output 3. Distances from the first element are added: large means stay precise. */
function meanPasses(c: KernelContext, space: ChannelSpace): ReturnType<typeof channelSums> {
  const count = space.outer * space.inner;
  const x = inputBinding(c, 0, 'x');
  const pivot = `x[channel * ${space.inner}u]`;
  return channelSums(c, {
    label: 'batchNorm.mean',
    space,
    vector: true,
    inputs: [x],
    prepare: 'let pivot = x[first];',
    terms: ['(x[at] - pivot)'],
    results: [...(count === 0 ? [] : [{ ...x, name: 'pivots' }]), outputBinding(c, 3, 'saved_mean')],
    finish:
      count === 0
        ? 'saved_mean[channel] = not_a_number();'
        : `saved_mean[channel] = ${pivot.replace('x[', 'pivots[')} + sum0 / ${literal(count, 'float32')};`,
    scratch: 0,
  });
}

/** The variances of the batch (output 4) and the averages that the caller sees (outputs 1 and 2). */
function variancePasses(
  c: KernelContext,
  space: ChannelSpace,
  scratch: number,
): ReturnType<typeof channelSums> {
  const count = space.outer * space.inner;
  const factor = c.attrs.float('exponential_avg_factor');
  const averaged = factor !== 1;
  const averages = averaged ? [inputBinding(c, 3, 'old_mean'), inputBinding(c, 4, 'old_variance')] : [];
  const [share, rest] = [literal(factor, 'float32'), literal(1 - factor, 'float32')];
  const blend = (old: string, value: string): string =>
    averaged ? `${old}[channel] * ${rest} + ${value} * ${share}` : value;
  const mean = computed(c, 3, 'saved_mean');
  const sample = literal(Math.max(count - 1, 1), 'float32');
  return channelSums(c, {
    label: 'batchNorm.variance',
    space,
    vector: true,
    inputs: [inputBinding(c, 0, 'x'), mean],
    prepare: 'let centre = saved_mean[channel];',
    terms: ['(x[at] - centre) * (x[at] - centre)'],
    results: [
      { ...mean, name: 'means' },
      ...averages,
      ...[1, 2, 4].map((i, k) => outputBinding(c, i, ['mean_out', 'variance_out', 'saved_variance'][k])),
    ],
    finish: `saved_variance[channel] = ${count === 0 ? 'not_a_number()' : `sum0 / ${literal(count, 'float32')}`};
mean_out[channel] = ${blend('old_mean', 'means[channel]')};
variance_out[channel] = ${blend('old_variance', count === 0 ? 'not_a_number()' : `(sum0 / ${sample})`)};`,
    scratch,
  });
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

function normalize(c: KernelContext, space: ChannelSpace, training: boolean): Dispatch[] {
  const elements = elementSpace(space);
  if (elements.items === 0) return [];
  const w = elements.vectorWidth;
  const bindings = [
    inputBinding(c, 0, 'x', elements.width),
    inputBinding(c, 1, 'scale', w),
    inputBinding(c, 2, 'offset', w),
    ...(training
      ? [computed(c, 3, 'mean', w), computed(c, 4, 'variance', w)]
      : [inputBinding(c, 3, 'mean', w), inputBinding(c, 4, 'variance', w)]),
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

/** dscale = sum(dy (x - mean)) r and doffset = sum(dy), r = 1 / sqrt(variance + epsilon); then dx from both. */
export function lowerBatchNormGrad(c: KernelContext): Lowered {
  const space = spaceOf(c, c.input(1).shape);
  if (space.channels === 0) return { dispatches: [] };
  const empty = space.outer * space.inner === 0;
  const mean = inputBinding(c, 3, 'mean');
  const sums = channelSums(c, {
    label: 'batchNormGrad.sums',
    space,
    vector: true,
    inputs: [inputBinding(c, 0, 'dy'), inputBinding(c, 1, 'x'), mean],
    prepare: 'let centre = mean[channel];',
    terms: ['dy[at]', 'dy[at] * (x[at] - centre)'],
    results: [
      inputBinding(c, 4, 'variance'),
      outputBinding(c, 1, 'scale_backprop'),
      outputBinding(c, 2, 'offset_backprop'),
    ],
    finish: `offset_backprop[channel] = sum0;
scale_backprop[channel] = ${empty ? '0.0' : `sum1 * ${inverse(c, 'variance[channel]')}`};`,
    scratch: 0,
  });
  return { dispatches: [...sums.dispatches, ...inputGradient(c, space)], scratch: sums.scratch };
}

/** dx = scale r dy, less in training its parts along 1 and x: scale r (dy - mean(dy) - (x - mean) r dscale / n). */
function inputGradient(c: KernelContext, space: ChannelSpace): Dispatch[] {
  const elements = elementSpace(space);
  if (elements.items === 0) return [];
  const w = elements.vectorWidth;
  const training = c.attrs.bool('is_training');
  const count = literal(space.outer * space.inner, 'float32');
  const bindings = [
    inputBinding(c, 0, 'dy', elements.width),
    ...(training ? [inputBinding(c, 1, 'x', elements.width)] : []),
    inputBinding(c, 2, 'scale', w),
    ...(training ? [inputBinding(c, 3, 'mean', w)] : []),
    inputBinding(c, 4, 'variance', w),
    ...(training ? [computed(c, 1, 'scale_backprop', w), computed(c, 2, 'offset_backprop', w)] : []),
    outputBinding(c, 0, 'out', elements.width),
  ];
  const r = `let r = ${inverse(c, 'variance[channel]')};\nlet factor = scale[channel] * r;`;
  const statistics = `let centre = mean[channel];
let along_one = offset_backprop[channel] / ${count};
let along_x = r * scale_backprop[channel] / ${count};`;
  const parts = training
    ? {
        prepare: `${r}\n${statistics}`,
        body: 'out[i] = factor * (dy[i] - (along_one + (x[i] - centre) * along_x));',
      }
    : { prepare: r, body: 'out[i] = factor * dy[i];' };
  return [overElements(c, 'batchNormGrad', elements, bindings, parts)];
}
