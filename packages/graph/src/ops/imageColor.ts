/**
 * Records of the colour ops: conversions between RGB and HSV, and the adjustments of contrast, hue and
 * saturation. TensorFlow has gradients of none of them; here they have, as they are smooth almost everywhere.
 */
import { apply, type NameOptions } from '../apply.js';
import { withRankAtLeast } from '../inferHelpers.js';
import { op, type InferContext, type OpDef, type OpSpec } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import {
  adjustContrastGrad,
  adjustHueGrad,
  adjustSaturationGrad,
  hsvToRgbGrad,
  rgbToHsvGrad,
} from './imageColorGradients.js';

/** Rejects images whose last dimension is not 3. */
function colourImages(c: InferContext, rank: number): TensorShape[] {
  const images = withRankAtLeast(c, 0, rank, 'images');
  const channels = images.dim(-1);
  if (channels !== null && channels !== 3) {
    c.fail(`images must have 3 channels in the last dimension, got shape ${images.toString()}`);
  }
  return [images];
}

function scalarInput(c: InferContext, i: number, name: string): void {
  const { rank } = c.shape(i);
  if (rank !== null && rank !== 0) c.fail(`${name} must be a scalar, got shape ${c.shape(i).toString()}`);
}

function conversion(spec: Pick<OpSpec, 'summary' | 'grad'>): OpDef {
  return op({
    inputs: ['images: T'],
    outputs: ['output: T'],
    attrs: ['T: {float16, bfloat16, float32, float64} = float32'],
    infer: (c) => colourImages(c, 1),
    ...spec,
  });
}

function adjustment(parameter: string, coloured: boolean, spec: Pick<OpSpec, 'summary' | 'grad'>): OpDef {
  return op({
    inputs: ['images: T', `${parameter}: float32`],
    outputs: ['output: T'],
    attrs: ['T: {float16, float32} = float32'],
    infer: (c) => {
      scalarInput(c, 1, parameter);
      return coloured ? colourImages(c, 3) : [withRankAtLeast(c, 0, 3, 'images')];
    },
    ...spec,
  });
}

export const IMAGE_COLOR = {
  RGBToHSV: conversion({
    summary: 'Red, green and blue as hue, saturation and value.',
    grad: rgbToHsvGrad,
  }),
  HSVToRGB: conversion({
    summary: 'Hue, saturation and value as red, green and blue.',
    grad: hsvToRgbGrad,
  }),
  AdjustContrastv2: adjustment('contrast_factor', false, {
    summary: 'Images with every distance from the mean of image and channel multiplied by a factor.',
    grad: adjustContrastGrad,
  }),
  AdjustHue: adjustment('delta', true, {
    summary: 'RGB images with their hue turned.',
    grad: adjustHueGrad,
  }),
  AdjustSaturation: adjustment('scale', true, {
    summary: 'RGB images with their saturation multiplied by a factor.',
    grad: adjustSaturationGrad,
  }),
} satisfies Record<string, OpDef>;

/**
 * RGB images as HSV (`tf.image.rgb_to_hsv`): `images` `[..., 3]` of floats, all between 0 and 1. Where two
 * channels tie for the largest, the gradient is that of the first.
 */
export function rgbToHsv(images: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('RGBToHSV', [images], { name });
}

/** HSV images as RGB (`tf.image.hsv_to_rgb`): `images` `[..., 3]` of floats, all between 0 and 1. */
export function hsvToRgb(images: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('HSVToRGB', [images], { name });
}
