/** Kernels of the colour ops: an invocation per pixel, and for the contrast the mean of each channel before. */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, type Kernel, type KernelContext, type Lowered, type Operand } from './kernel.js';
import { lowerReduction } from './reduce.js';
import { MEAN } from './reduction.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, rebound, scratchBinding, shader } from './wgsl/shader.js';

/** Hue between 0 and 1, smallest channel, range. */
const HUE = `fn hue_and_range(rgb: vec3<f32>) -> vec3<f32> {
  let high = max(max(rgb.x, rgb.y), rgb.z);
  let low = min(min(rgb.x, rgb.y), rgb.z);
  let range = high - low;
  if (!(range > 0.0)) {
    return vec3<f32>(0.0, low, 0.0);
  }
  var sector = 4.0 + (rgb.x - rgb.y) / range;
  if (rgb.y == high) {
    sector = 2.0 + (rgb.z - rgb.x) / range;
  }
  if (rgb.x == high) {
    sector = (rgb.y - rgb.z) / range;
  }
  let hue = sector / 6.0;
  return vec3<f32>(select(hue, hue + 1.0, hue < 0.0), low, range);
}
fn to_hsv(rgb: vec3<f32>) -> vec3<f32> {
  let found = hue_and_range(rgb);
  let high = max(max(rgb.x, rgb.y), rgb.z);
  return vec3<f32>(found.x, select(0.0, found.z / high, high > 0.0), high);
}`;

/** The pure colour of a hue. */
const COLOUR = `fn pure_colour(hue: f32) -> vec3<f32> {
  let h = hue * 6.0;
  let ramps = vec3<f32>(abs(h - 3.0) - 1.0, 2.0 - abs(h - 2.0), 2.0 - abs(h - 4.0));
  return clamp(ramps, vec3<f32>(0.0), vec3<f32>(1.0));
}
fn to_rgb(hsv: vec3<f32>) -> vec3<f32> {
  return hsv.z * ((1.0 - hsv.y) + hsv.y * pure_colour(hsv.x));
}`;

/** Every pixel by an expression of \`p\`; \`parameter\` is the name of input 1, a scalar. */
function perPixel(label: string, expression: string, parameter?: string): Kernel {
  return device((c) => {
    const pixels = sizeOf(c.output(0).shape) / 3;
    if (pixels === 0) return { dispatches: [] };
    const grid = gridFor(pixels, 1, c.adapter);
    const body = `let p = vec3<f32>(images[3u * i], images[3u * i + 1u], images[3u * i + 2u]);
let q = ${expression};
out[3u * i] = q.x;
out[3u * i + 1u] = q.y;
out[3u * i + 2u] = q.z;`;
    const spec = {
      label,
      bindings: [
        inputBinding(c, 0, 'images'),
        ...(parameter === undefined ? [] : [inputBinding(c, 1, parameter)]),
        outputBinding(c),
      ],
      workgroups: grid.workgroups,
      declarations: [HUE, COLOUR, TURN, SATURATE].join('\n'),
      body: gridStride(grid, body),
    };
    return { dispatches: [shader(spec, c.adapter)] };
  });
}

/** Turning keeps smallest channel and range, so that it also holds for negative channels. */
const TURN = `fn turned(rgb: vec3<f32>, delta: f32) -> vec3<f32> {
  let found = hue_and_range(rgb);
  return found.y + found.z * pure_colour(fract(found.x + delta));
}`;

const SATURATE = `fn saturated(rgb: vec3<f32>, scale: f32) -> vec3<f32> {
  let hsv = to_hsv(rgb);
  return to_rgb(vec3<f32>(hsv.x, clamp(hsv.y * scale, 0.0, 1.0), hsv.z));
}`;

/** The means go to a scratch buffer after those of the reduction. */
function lowerContrast(c: KernelContext): Lowered {
  const { shape, dtype } = c.input(0);
  if (sizeOf(shape) === 0) return { dispatches: [] };
  const rank = shape.length;
  const [channels, pixels] = [shape[rank - 1] ?? 1, sizeOf(shape.slice(-3, -1))];
  const means: Operand = { dtype, shape: [...shape.slice(0, -3), channels] };
  const ofMeans: KernelContext = { ...c, outputs: [means], output: () => means };
  const reduced = lowerReduction(ofMeans, MEAN, [rank - 3, rank - 2]);
  const scratch = [...(reduced.scratch ?? []), 4 * sizeOf(means.shape)];
  const index = scratch.length - 1;
  const reductions = reduced.dispatches.map((dispatch) =>
    rebound(dispatch, (source) => (source.kind === 'output' ? { kind: 'scratch', index } : source)),
  );
  const grid = gridFor(sizeOf(shape), 1, c.adapter);
  const body = `let mean = means[(i / ${pixels * channels}u) * ${channels}u + i % ${channels}u];
out[i] = mean + (images[i] - mean) * contrast_factor[0];`;
  const spec = {
    label: 'adjustContrast',
    bindings: [
      inputBinding(c, 0, 'images'),
      inputBinding(c, 1, 'contrast_factor'),
      scratchBinding(index, 'means', dtype),
      outputBinding(c),
    ],
    workgroups: grid.workgroups,
    body: gridStride(grid, body),
  };
  return { dispatches: [...reductions, shader(spec, c.adapter)], scratch };
}

export const IMAGE_COLOR_KERNELS = {
  RGBToHSV: perPixel('rgbToHsv', 'to_hsv(p)'),
  HSVToRGB: perPixel('hsvToRgb', 'to_rgb(p)'),
  AdjustHue: perPixel('adjustHue', 'turned(p, delta[0])', 'delta'),
  AdjustSaturation: perPixel('adjustSaturation', 'saturated(p, scale[0])', 'scale'),
  AdjustContrastv2: device(lowerContrast),
} satisfies Partial<Record<OpName, Kernel>>;
