/**
 * Factors whose rows are pixels or filter taps of a convolution. Addresses are `u32` and wrap below
 * zero, so that one unsigned comparison tells whether a coordinate lies in the image; outside, zero
 * is used in place of what is loaded. Variables of the image axes end in the axis's name: `<id>_at_y`.
 */
import type { ShaderBinding } from '../wgsl/shader.js';
import { storageType, vectorType, type Width } from '../wgsl/dtype.js';
import { sum, times, type Factor } from './contraction.js';
import {
  inputStrides,
  outputStrides,
  type ConvAxis,
  type ConvGeometry,
  type ImageStrides,
} from './geometry.js';

/** A coordinate that is outside of every image and stays there when an offset is added. */
const OUTSIDE = '0x80000000u';

/** Splits row number `index` of `[batch, ...sizes]` into `<id>_n` and `<id>_u_<axis>`. */
export function pixelOf(
  id: string,
  index: string,
  axes: readonly ConvAxis[],
  size: (axis: ConvAxis) => number,
): string {
  const lines = [`let ${id}_p = ${index};`];
  let rest = `${id}_p`;
  [...axes].reverse().forEach((axis, i) => {
    const next = i === axes.length - 1 ? `${id}_n` : `${id}_q${i}`;
    lines.push(
      `let ${id}_u_${axis.name} = ${rest} % ${size(axis)}u;`,
      `let ${next} = ${rest} / ${size(axis)}u;`,
    );
    rest = next;
  });
  return lines.join('\n');
}

/** `value` where `condition` (if any) holds, else zero. */
function masked(binding: ShaderBinding, width: Width, value: string, condition: string | null): string {
  if (condition === null) return value;
  return `select(${vectorType(storageType(binding.dtype), width)}(0), ${value}, ${condition})`;
}

/** Lines that say something. */
function statements(...lines: readonly string[]): string {
  return lines.filter((line) => line !== '').join('\n');
}

/** Whether taps and channels of a filter line are one run in memory, for the input and the filter alike. */
export function runsAlongLines(g: ConvGeometry): boolean {
  return !g.channelsFirst && g.groups === 1 && (g.x.dilation === 1 || g.x.kernel === 1);
}

/** `<id>_<axis>`: the first input coordinate of a window, from output coordinate `<id>_u_<axis>`. */
function origins(id: string, axes: readonly ConvAxis[]): string {
  return axes.map((axis) => `let ${id}_${axis.name} = ${origin(`${id}_u_${axis.name}`, axis)};`).join('\n');
}

function origin(v: string, axis: ConvAxis): string {
  const start = times(v, axis.stride);
  return axis.before === 0 ? start : `${start} - ${axis.before}u`;
}

/** `<id>_at_<axis>`: where the current tap of the window at `<id>_<axis>` looks. */
function tapped(id: string, axes: readonly ConvAxis[]): string {
  return axes
    .map(({ name, dilation }) => `let ${id}_at_${name} = ${id}_${name} + ${times(`tap_${name}`, dilation)};`)
    .join('\n');
}

/** The condition that all of `<id>_at_<axis>` lie in the image; axes that windows never leave drop out. */
function within(id: string, axes: readonly ConvAxis[]): string | null {
  const tests = axes.flatMap(({ name, inside, input }) => (inside ? [] : [`${id}_at_${name} < ${input}u`]));
  return tests.length === 0 ? null : tests.join(' && ');
}

/** `at_<axis> * stride` of the axes, in units of the width. */
function along(id: string, axes: readonly ConvAxis[], strides: ImageStrides, width: Width): string[] {
  return axes.map(({ name }) => times(`${id}_at_${name}`, (strides.along[name] ?? 0) / width));
}

/**
 * Rows are output pixels, the inner run is a whole line of a filter, `(tap_x, channel)`, which lies
 * in one piece in the image; the loops run over the taps of the outer axes. Needs `runsAlongLines`.
 */
export function lineWindows(g: ConvGeometry, binding: ShaderBinding): Factor {
  const strides = inputStrides(g);
  const inside = g.axes.every((axis) => axis.inside);
  return {
    binding,
    contiguous: 'depth',
    vector: g.channels % 4 === 0,
    code: (width) => {
      const limit = (g.x.input * g.channels) / width;
      const run = (k: string): string => (width === 4 ? `(${k} >> 2u)` : k);
      return {
        start: (id, index) =>
          statements(
            pixelOf(id, index, g.axes, (axis) => axis.output),
            origins(id, g.outer),
            `let ${id}_x = (${origin(`${id}_u_x`, g.x)}) * ${g.channels / width}u;`,
            `let ${id}_image = ${times(`${id}_n`, strides.image / width)};`,
          ),
        step: (id) => {
          const rows = within(id, g.outer);
          const from = rows === null ? `${id}_x` : `select(${OUTSIDE}, ${id}_x, ${rows})`;
          const line = sum(`${id}_image`, ...along(id, g.outer, strides, width), `${id}_x`);
          return statements(
            tapped(id, g.outer),
            `let ${id}_line = ${line};`,
            inside ? '' : `let ${id}_from = ${from};`,
          );
        },
        load: (id, k, offset) => {
          const value = `${binding.name}[${sum(`${id}_line`, run(k), offset / width)}]`;
          const position = sum(`${id}_from`, run(k), offset / width);
          return masked(binding, width, value, inside ? null : `${position} < ${limit}u`);
        },
      };
    },
  };
}

/** Rows are output pixels, the inner run is the channels of a group; the loops run over all taps. */
export function pointWindows(g: ConvGeometry, binding: ShaderBinding): Factor {
  const strides = inputStrides(g);
  const groupChannels = g.channels / g.groups;
  return {
    binding,
    contiguous: g.channelsFirst ? 'free' : 'depth',
    vector: !g.channelsFirst && groupChannels % 4 === 0,
    code: (width) => ({
      start: (id, index) =>
        statements(
          pixelOf(id, index, g.axes, (axis) => axis.output),
          origins(id, g.axes),
          `let ${id}_image = ${imageOffset(id, strides, groupChannels, width)};`,
        ),
      step: (id) => {
        const inside = within(id, g.axes);
        return statements(
          tapped(id, g.axes),
          pixelAddress(id, g.axes, strides, width),
          inside === null ? '' : `let ${id}_ok = ${inside};`,
        );
      },
      load: channelLoad(
        binding,
        strides,
        width,
        g.axes.every((axis) => axis.inside),
      ),
    }),
  };
}

/** Address of image `<id>_n` and of the channels of group `batch`. */
function imageOffset(id: string, strides: ImageStrides, groupChannels: number, width: Width): string {
  return sum(
    times(`${id}_n`, strides.image / width),
    times('group', (groupChannels * strides.channel) / width),
  );
}

/** `<id>_base`: the first channel of the pixel at `<id>_at_<axis>`. */
function pixelAddress(id: string, axes: readonly ConvAxis[], strides: ImageStrides, width: Width): string {
  return `let ${id}_base = ${sum(`${id}_image`, ...along(id, axes, strides, width))};`;
}

/** Loads channel `k + offset` of the pixel at `<id>_base` if `<id>_ok`. */
function channelLoad(
  binding: ShaderBinding,
  strides: ImageStrides,
  width: Width,
  always: boolean,
): (id: string, k: string, offset: number) => string {
  return (id, k, offset) => {
    const run = width === 4 ? `(${k} >> 2u)` : times(k, strides.channel);
    const at = sum(`${id}_base`, run, (offset * strides.channel) / width);
    return masked(binding, width, `${binding.name}[${at}]`, always ? null : `${id}_ok`);
  };
}

/** How input pixels are taken apart for the gradient of the input along one axis. */
export interface PhaseAxis {
  /** Pixels whose coordinates have the same rest by `phases` see the same taps; 1: one set for all. */
  readonly phases: number;
  /** Pixels of one phase. */
  readonly size: number;
  /** Taps are tested for divisibility by the stride one by one. */
  readonly tested: boolean;
}

/** Phases along an axis: with a dilation besides the stride every tap is tested instead. */
export function phaseAxis(axis: ConvAxis): PhaseAxis {
  const tested = axis.stride > 1 && axis.dilation > 1;
  const phases = tested ? 1 : axis.stride;
  return { phases, size: Math.ceil(axis.input / phases), tested };
}

/**
 * Rows are input pixels (of phase `phase_<axis>`), the inner run is the filters of a group; the loops
 * `turn_<axis>` run over the taps of the phase. Reads the gradient of the output where the tap reaches
 * it: output = (input + before - tap * dilation) / stride.
 */
export function scatteredPixels(g: ConvGeometry, binding: ShaderBinding): Factor {
  const strides = outputStrides(g);
  const groupFilters = g.filters / g.groups;
  return {
    binding,
    contiguous: g.channelsFirst ? 'free' : 'depth',
    vector: !g.channelsFirst && groupFilters % 4 === 0,
    code: (width) => ({
      start: (id, index) =>
        statements(
          pixelOf(id, index, g.axes, (axis) => phaseAxis(axis).size),
          ...g.axes.map(({ name }) => `let ${id}_${name} = ${id}_u_${name} + shift_${name};`),
          `let ${id}_image = ${imageOffset(id, strides, groupFilters, width)};`,
        ),
      step: (id) =>
        statements(
          ...g.axes.map((axis) => reached(id, axis)),
          pixelAddress(id, g.axes, strides, width),
          `let ${id}_ok = ${g.axes.map(({ name }) => `${id}_${name}_ok`).join(' && ')};`,
        ),
      load: channelLoad(binding, strides, width, false),
    }),
  };
}

/** The output coordinate `<id>_at_<axis>` that the current tap reaches, and whether there is one. */
function reached(id: string, axis: ConvAxis): string {
  const { name } = axis;
  const from = `${id}_${name} - ${times(`turn_${name}`, axis.dilation)}`;
  if (!phaseAxis(axis).tested) {
    return `let ${id}_at_${name} = ${from};\nlet ${id}_${name}_ok = ${id}_at_${name} < ${axis.output}u;`;
  }
  const [raw, last] = [`${id}_${name}_raw`, (axis.output - 1) * axis.stride];
  return [
    `let ${raw} = ${from};`,
    `let ${id}_at_${name} = ${raw} / ${axis.stride}u;`,
    `let ${id}_${name}_ok = ${raw} <= ${last}u && ${raw} % ${axis.stride}u == 0u;`,
  ].join('\n');
}

/**
 * Rows are filter elements `(...taps, channel)`, the inner run is one line of output pixels; the loop
 * over lines provides `line_n` and `line_<axis>` of the outer axes. Reads the input that the tap sees there.
 */
export function tapPixels(g: ConvGeometry, binding: ShaderBinding): Factor {
  const strides = inputStrides(g);
  const { x, outer } = g;
  const inside = g.axes.every((axis) => axis.inside);
  const groupChannels = g.channels / g.groups;
  return {
    binding,
    contiguous: g.channelsFirst ? 'depth' : 'free',
    vector: !g.channelsFirst && groupChannels % 4 === 0,
    code: (width) => ({
      start: (id, index) =>
        statements(
          `let ${id}_m = ${index};`,
          tapsOf(id, `${id}_m / ${groupChannels}u`, g.axes),
          `let ${id}_c = (${id}_m % ${groupChannels}u + group * ${groupChannels}u) * ${strides.channel}u / ${width}u;`,
        ),
      step: (id) => {
        const rows = within(id, outer);
        const from = rows === null ? `${id}_x` : `select(${OUTSIDE}, ${id}_x, ${rows})`;
        const base = sum(
          `${id}_c`,
          times('line_n', strides.image / width),
          ...along(id, outer, strides, width),
          times(`${id}_x`, (strides.along.x ?? 0) / width),
        );
        return statements(
          ...outer.map(
            ({ name, stride }) => `let ${id}_at_${name} = ${times(`line_${name}`, stride)} + ${id}_${name};`,
          ),
          `let ${id}_base = ${base};`,
          inside ? '' : `let ${id}_from = ${from};`,
        );
      },
      load: (id, k, offset) => {
        const stride = (x.stride * (strides.along.x ?? 0)) / width;
        const value = `${binding.name}[${sum(`${id}_base`, times(k, stride), offset * stride)}]`;
        const column = sum(`${id}_from`, times(k, x.stride), offset * x.stride);
        return masked(binding, width, value, inside ? null : `${column} < ${x.input}u`);
      },
    }),
  };
}

/** `<id>_<axis>`: distance from the first pixel of an unpadded window to the one under tap number `tap`. */
function tapsOf(id: string, tap: string, axes: readonly ConvAxis[]): string {
  const lines = [`let ${id}_tap = ${tap};`];
  let rest = `${id}_tap`;
  [...axes].reverse().forEach(({ name, kernel, dilation, before }, i) => {
    const at = `(${rest} % ${kernel}u)${dilation === 1 ? '' : ` * ${dilation}u`}`;
    lines.push(`let ${id}_${name} = ${before === 0 ? at : `${at} - ${before}u`};`);
    if (i === axes.length - 1) return;
    lines.push(`let ${id}_t${i} = ${rest} / ${kernel}u;`);
    rest = `${id}_t${i}`;
  });
  return lines.join('\n');
}
