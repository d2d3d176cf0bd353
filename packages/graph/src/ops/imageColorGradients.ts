/**
 * Gradients of the colour ops, in elementary ops so that they can be differentiated again. Which channel is
 * the largest and which the smallest counts as constant: at ties, where the derivative jumps, the first of the largest
 * and the last of the smallest in the order red, green, blue are taken, as in TensorFlow.
 */
import type { GradContext } from '../opDef.js';
import type { Tensor } from '../tensor.js';
import type { Ops } from './index.js';

type Pixels = readonly [h: Tensor, s: Tensor, v: Tensor];

const channel = (ops: Ops, pixels: Tensor, k: number): Tensor => ops.getItem(pixels, '...', [k, k + 1]);
const overChannels = (ops: Ops, x: Tensor): Tensor => ops.reduceSum(x, { axis: -1, keepDims: true });

/** The derivative of RGBToHSV at `rgb`, transposed and applied to the gradients of hue, saturation and value. */
function rgbFromHsvGrad(ops: Ops, rgb: Tensor, [dh, ds, dv]: Pixels): Tensor {
  const largest = ops.argMax(rgb, { axis: -1, outputType: 'int32' });
  const mask = (k: Tensor): Tensor => ops.oneHot(k, 3, { dtype: rgb.dtype });
  const smallest = ops.argMin(ops.reverse(rgb, [-1]), { axis: -1, outputType: 'int32' });
  const [max, min] = [mask(largest), mask(ops.sub(2, smallest))];
  const after = (n: number): Tensor => mask(ops.floorMod(ops.add(largest, n), 3));
  // h = offset + diff / (6 range), diff = next channel - the one after it
  const turn = ops.sub(after(1), after(2));
  const spread = ops.sub(max, min);
  const value = overChannels(ops, ops.mul(max, rgb));
  const range = overChannels(ops, ops.mul(spread, rgb));
  const diff = overChannels(ops, ops.mul(turn, rgb));
  const coloured = ops.greater(range, 0);
  const safeRange = ops.where(coloured, range, ops.onesLike(range));
  const lit = ops.greater(value, 0);
  const safeValue = ops.where(lit, value, ops.onesLike(value));
  const dDiff = ops.div(ops.mul(dh, ops.cast(coloured, rgb.dtype)), ops.mul(safeRange, 6));
  const dSaturation = ops.div(ops.mul(ds, ops.cast(lit, rgb.dtype)), safeValue);
  const dRange = ops.sub(dSaturation, ops.div(ops.mul(dDiff, diff), safeRange));
  const dValue = ops.sub(dv, ops.div(ops.mul(dSaturation, range), safeValue));
  return ops.addN([ops.mul(turn, dDiff), ops.mul(spread, dRange), ops.mul(max, dValue)]);
}

/** Red, green and blue of pure colours by hue, between 0 and 1, and their derivative. */
function pureColour(ops: Ops, hue: Tensor): { colour: Tensor; slope: Tensor } {
  const row = (...list: number[]): Tensor => ops.constant(list, { dtype: 'float32' });
  const [centre, sign, offset] = [row(3, 2, 4), row(1, -1, -1), row(-1, 2, 2)].map((x) =>
    ops.cast(x, hue.dtype),
  ) as [Tensor, Tensor, Tensor];
  const away = ops.sub(ops.mul(hue, 6), centre);
  const ramp = ops.add(ops.mul(sign, ops.abs(away)), offset);
  const inside = ops.logicalAnd(ops.greater(ramp, 0), ops.less(ramp, 1));
  const slope = ops.mul(ops.mul(sign, ops.sign(away)), ops.cast(inside, hue.dtype));
  return { colour: ops.clipByValue(ramp, 0, 1), slope: ops.stopGradient(ops.mul(slope, 6)) };
}

/** The derivative of HSVToRGB, transposed and applied to the gradient of the colours. */
function hsvFromRgbGrad(ops: Ops, [h, s, v]: Pixels, dy: Tensor): Pixels {
  const { colour, slope } = pureColour(ops, h);
  const paleness = ops.sub(colour, 1);
  // y = v (1 + s (colour - 1))
  return [
    ops.mul(overChannels(ops, ops.mul(dy, slope)), ops.mul(s, v)),
    ops.mul(overChannels(ops, ops.mul(dy, paleness)), v),
    overChannels(ops, ops.mul(dy, ops.add(ops.mul(s, paleness), 1))),
  ];
}

const channels = (ops: Ops, pixels: Tensor): Pixels => [
  channel(ops, pixels, 0),
  channel(ops, pixels, 1),
  channel(ops, pixels, 2),
];

export function rgbToHsvGrad({ ops, input, dy }: GradContext): Tensor[] {
  return [rgbFromHsvGrad(ops, input(0), channels(ops, dy))];
}

export function hsvToRgbGrad({ ops, input, dy }: GradContext): Tensor[] {
  return [ops.concat(hsvFromRgbGrad(ops, channels(ops, input(0)), dy), -1)];
}

/** y = HSVToRGB(h + delta, s, v) of the image's h, s, v. */
export function adjustHueGrad({ ops, input, dy }: GradContext): Tensor[] {
  const [image, delta] = [input(0), input(1)];
  const [h, s, v] = channels(ops, ops.rgbToHsv(image));
  const turned = ops.floorMod(ops.add(h, ops.cast(delta, image.dtype)), 1);
  const [dh, ds, dv] = hsvFromRgbGrad(ops, [turned, s, v], dy);
  return [rgbFromHsvGrad(ops, image, [dh, ds, dv]), ops.cast(ops.reduceSum(dh), delta.dtype)];
}

/** y = HSVToRGB(h, min(1, s scale), v) of the image's h, s, v; at the bound nothing flows. */
export function adjustSaturationGrad({ ops, input, dy }: GradContext): Tensor[] {
  const [image, scale] = [input(0), input(1)];
  const [h, s, v] = channels(ops, ops.rgbToHsv(image));
  const factor = ops.cast(scale, image.dtype);
  const raw = ops.mul(s, factor);
  const inside = ops.logicalAnd(ops.greaterEqual(raw, 0), ops.lessEqual(raw, 1));
  const [dh, dRaw, dv] = hsvFromRgbGrad(ops, [h, ops.clipByValue(raw, 0, 1), v], dy);
  const ds = ops.mul(dRaw, ops.cast(inside, image.dtype));
  const dImage = rgbFromHsvGrad(ops, image, [dh, ops.mul(ds, factor), dv]);
  return [dImage, ops.cast(ops.reduceSum(ops.mul(ds, s)), scale.dtype)];
}

/** y = mean + factor (x - mean): dx = factor dy + (1 - factor) mean(dy), dfactor = sum(dy (x - mean)). */
export function adjustContrastGrad({ ops, input, dy }: GradContext): Tensor[] {
  const [x, contrast] = [input(0), input(1)];
  const factor = ops.cast(contrast, x.dtype);
  const mean = (of: Tensor): Tensor => ops.reduceMean(of, { axis: [-3, -2], keepDims: true });
  const dx = ops.add(ops.mul(dy, factor), ops.mul(mean(dy), ops.sub(1, factor)));
  const dFactor = ops.reduceSum(ops.mul(dy, ops.sub(x, mean(x))));
  return [dx, ops.cast(dFactor, contrast.dtype)];
}
