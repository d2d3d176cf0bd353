/**
 * Factors whose rows are pixels or filter taps of a convolution. Addresses are `u32` and wrap below
 * zero, so that one unsigned comparison tells whether a coordinate lies in the image; outside, zero
 * is used in place of what is loaded.
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

/** Splits row number `index` of `[batch, height, width]` into `<id>_n`, `<id>_v`, `<id>_u`. */
export function pixelOf(id: string, index: string, height: number, width: number): string {
  return [
    `let ${id}_p = ${index};`,
    `let ${id}_n = ${id}_p / ${height * width}u;`,
    `let ${id}_q = ${id}_p % ${height * width}u;`,
    `let ${id}_v = ${id}_q / ${width}u;`,
    `let ${id}_u = ${id}_q % ${width}u;`,
  ].join('\n');
}

/** `value` where `condition` (if any) holds, else zero. */
function masked(binding: ShaderBinding, width: Width, value: string, condition: string | null): string {
  if (condition === null) return value;
  return `select(${vectorType(storageType(binding.dtype), width)}(0), ${value}, ${condition})`;
}

/** Whether taps and channels of a filter line are one run in memory, for the input and the filter alike. */
export function runsAlongLines(g: ConvGeometry): boolean {
  return !g.channelsFirst && g.groups === 1 && (g.x.dilation === 1 || g.x.kernel === 1);
}

/**
 * Rows are output pixels, the inner run is a whole line of a filter, `(tap_x, channel)`, which lies
 * in one piece in the image; loop variable `tap_y`. Needs `runsAlongLines`.
 */
export function lineWindows(g: ConvGeometry, binding: ShaderBinding): Factor {
  const strides = inputStrides(g);
  const { x, y } = g;
  const inside = x.inside && y.inside;
  return {
    binding,
    contiguous: 'depth',
    vector: g.channels % 4 === 0,
    code: (width) => {
      const limit = (x.input * g.channels) / width;
      const along = (k: string): string => (width === 4 ? `(${k} >> 2u)` : k);
      return {
        start: (id, index) =>
          [
            pixelOf(id, index, y.output, x.output),
            `let ${id}_y = ${origin(`${id}_v`, y)};`,
            `let ${id}_x = (${origin(`${id}_u`, x)}) * ${g.channels / width}u;`,
            `let ${id}_image = ${times(`${id}_n`, strides.image / width)};`,
          ].join('\n'),
        step: (id) => {
          const at = `let ${id}_row = ${id}_y + ${times('tap_y', y.dilation)};`;
          const line = `let ${id}_line = ${id}_image + ${id}_row * ${strides.y / width}u + ${id}_x;`;
          const from = `let ${id}_from = ${y.inside ? `${id}_x` : `select(${OUTSIDE}, ${id}_x, ${id}_row < ${y.input}u)`};`;
          return [at, line, inside ? '' : from].filter((part) => part !== '').join('\n');
        },
        load: (id, k, offset) => {
          const value = `${binding.name}[${sum(`${id}_line`, along(k), offset / width)}]`;
          const position = sum(`${id}_from`, along(k), offset / width);
          return masked(binding, width, value, inside ? null : `${position} < ${limit}u`);
        },
      };
    },
  };
}

/** First input coordinate of the window at output coordinate `v`. */
function origin(v: string, axis: ConvAxis): string {
  const start = times(v, axis.stride);
  return axis.before === 0 ? start : `${start} - ${axis.before}u`;
}

/** Rows are output pixels, the inner run is the channels of a group; loop variables `tap_y`, `tap_x`. */
export function pointWindows(g: ConvGeometry, binding: ShaderBinding): Factor {
  const strides = inputStrides(g);
  const { x, y } = g;
  const inside = x.inside && y.inside;
  const groupChannels = g.channels / g.groups;
  return {
    binding,
    contiguous: g.channelsFirst ? 'free' : 'depth',
    vector: !g.channelsFirst && groupChannels % 4 === 0,
    code: (width) => ({
      start: (id, index) =>
        [
          pixelOf(id, index, y.output, x.output),
          `let ${id}_y = ${origin(`${id}_v`, y)};`,
          `let ${id}_x = ${origin(`${id}_u`, x)};`,
          `let ${id}_image = ${imageOffset(id, strides, groupChannels, width)};`,
        ].join('\n'),
      step: (id) =>
        [
          `let ${id}_row = ${id}_y + ${times('tap_y', y.dilation)};`,
          `let ${id}_col = ${id}_x + ${times('tap_x', x.dilation)};`,
          pixelAddress(id, strides, width),
          inside ? '' : `let ${id}_ok = ${id}_row < ${y.input}u && ${id}_col < ${x.input}u;`,
        ]
          .filter((part) => part !== '')
          .join('\n'),
      load: channelLoad(binding, strides, width, inside),
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

/** `<id>_base`: the first channel of the pixel at `<id>_row`, `<id>_col`. */
function pixelAddress(id: string, strides: ImageStrides, width: Width): string {
  const [row, col] = [times(`${id}_row`, strides.y / width), times(`${id}_col`, strides.x / width)];
  return `let ${id}_base = ${sum(`${id}_image`, row, col)};`;
}

/** Loads channel `k + offset` of the pixel at `<id>_base` if `<id>_ok`. */
function channelLoad(
  binding: ShaderBinding,
  strides: ImageStrides,
  width: Width,
  always: boolean,
): (id: string, k: string, offset: number) => string {
  return (id, k, offset) => {
    const along = width === 4 ? `(${k} >> 2u)` : times(k, strides.channel);
    const at = sum(`${id}_base`, along, (offset * strides.channel) / width);
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
 * Rows are input pixels (of phase `phase_y`, `phase_x`), the inner run is the filters of a group;
 * loop variables `turn_y`, `turn_x`. Reads the gradient of the output where the tap reaches it:
 * output = (input + before - tap * dilation) / stride.
 */
export function scatteredPixels(g: ConvGeometry, binding: ShaderBinding): Factor {
  const strides = outputStrides(g);
  const groupFilters = g.filters / g.groups;
  const [py, px] = [phaseAxis(g.y), phaseAxis(g.x)];
  return {
    binding,
    contiguous: g.channelsFirst ? 'free' : 'depth',
    vector: !g.channelsFirst && groupFilters % 4 === 0,
    code: (width) => ({
      start: (id, index) =>
        [
          pixelOf(id, index, py.size, px.size),
          `let ${id}_y = ${id}_v + shift_y;`,
          `let ${id}_x = ${id}_u + shift_x;`,
          `let ${id}_image = ${imageOffset(id, strides, groupFilters, width)};`,
        ].join('\n'),
      step: (id) =>
        [
          reached(id, 'row', 'y', g.y, py),
          reached(id, 'col', 'x', g.x, px),
          pixelAddress(id, strides, width),
          `let ${id}_ok = ${id}_row_ok && ${id}_col_ok;`,
        ].join('\n'),
      load: channelLoad(binding, strides, width, false),
    }),
  };
}

/** The output coordinate `<id>_row` or `<id>_col` that the current tap reaches, and whether there is one. */
function reached(id: string, name: string, axis: 'y' | 'x', a: ConvAxis, phase: PhaseAxis): string {
  const from = `${id}_${axis} - ${times(`turn_${axis}`, a.dilation)}`;
  if (!phase.tested) {
    return `let ${id}_${name} = ${from};\nlet ${id}_${name}_ok = ${id}_${name} < ${a.output}u;`;
  }
  const [raw, last] = [`${id}_${name}_raw`, (a.output - 1) * a.stride];
  return [
    `let ${raw} = ${from};`,
    `let ${id}_${name} = ${raw} / ${a.stride}u;`,
    `let ${id}_${name}_ok = ${raw} <= ${last}u && ${raw} % ${a.stride}u == 0u;`,
  ].join('\n');
}

/**
 * Rows are filter elements `(tap_y, tap_x, channel)`, the inner run is one line of output pixels;
 * the loop over lines provides `line_n` and `line_y`. Reads the input that the tap sees there.
 */
export function tapPixels(g: ConvGeometry, binding: ShaderBinding): Factor {
  const strides = inputStrides(g);
  const { x, y } = g;
  const inside = x.inside && y.inside;
  const groupChannels = g.channels / g.groups;
  return {
    binding,
    contiguous: g.channelsFirst ? 'depth' : 'free',
    vector: !g.channelsFirst && groupChannels % 4 === 0,
    code: (width) => ({
      start: (id, index) =>
        [
          `let ${id}_m = ${index};`,
          `let ${id}_tap = ${id}_m / ${groupChannels}u;`,
          `let ${id}_y = ${padded(`${id}_tap / ${x.kernel}u`, y)};`,
          `let ${id}_x = ${padded(`${id}_tap % ${x.kernel}u`, x)};`,
          `let ${id}_c = (${id}_m % ${groupChannels}u + group * ${groupChannels}u) * ${strides.channel}u / ${width}u;`,
        ].join('\n'),
      step: (id) =>
        [
          `let ${id}_row = line_y * ${y.stride}u + ${id}_y;`,
          `let ${id}_base = ${id}_c + ${sum(
            times('line_n', strides.image / width),
            times(`${id}_row`, strides.y / width),
            times(`${id}_x`, strides.x / width),
          )};`,
          inside ? '' : `let ${id}_from = select(${OUTSIDE}, ${id}_x, ${id}_row < ${y.input}u);`,
        ]
          .filter((part) => part !== '')
          .join('\n'),
      load: (id, k, offset) => {
        const stride = (x.stride * strides.x) / width;
        const value = `${binding.name}[${sum(`${id}_base`, times(k, stride), offset * stride)}]`;
        const column = sum(`${id}_from`, times(k, x.stride), offset * x.stride);
        return masked(binding, width, value, inside ? null : `${column} < ${x.input}u`);
      },
    }),
  };
}

/** Distance from the first pixel of an unpadded window to the one under `tap`. */
function padded(tap: string, axis: ConvAxis): string {
  const at = axis.dilation === 1 ? tap : `(${tap}) * ${axis.dilation}u`;
  return axis.before === 0 ? at : `${at} - ${axis.before}u`;
}
