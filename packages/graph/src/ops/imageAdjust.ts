/** Brightness, contrast and colour of images, made of other ops. Integer images are taken as fractions of their range. */
import { apply, constant, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { concat } from './arrayJoin.js';
import { reshape } from './arrayView.js';
import { add, div, maximum, mul, pow, sub } from './binary.js';
import { convertImageDtype, onFloats } from './imageDtype.js';
import { matMul } from './matrix.js';
import { reduceMean, reduceProd, reduceSum } from './reduction.js';
import { shape as shapeOf } from './shape.js';
import { slice } from './arraySlice.js';
import { identity } from './source.js';
import { sqrt } from './transcendental.js';
import { cast, square } from './unary.js';

/** `image + delta` (`tf.image.adjust_brightness`); the result of integer images saturates. */
export function adjustBrightness(
  image: TensorLike,
  delta: TensorLike,
  { name = 'adjust_brightness' }: NameOptions = {},
): Tensor {
  return onFloats(image, name, { saturate: true }, (x) => add(x, asType(delta, x)));
}

const asType = (value: TensorLike, x: Tensor): Tensor => cast(convertToTensor(value), x.dtype);

/**
 * Every distance from the mean of image and channel multiplied by `contrastFactor`
 * (`tf.image.adjust_contrast`). `images` is `[..., height, width, channels]`.
 */
export function adjustContrast(
  images: TensorLike,
  contrastFactor: TensorLike,
  { name = 'adjust_contrast' }: NameOptions = {},
): Tensor {
  return onFloats(images, name, { saturate: true }, (x, scope) =>
    apply('AdjustContrastv2', [x, contrastFactor], { name: scope }),
  );
}

/** RGB images with their hue turned by `delta` of the colour wheel, between -1 and 1 (`tf.image.adjust_hue`). */
export function adjustHue(
  image: TensorLike,
  delta: TensorLike,
  { name = 'adjust_hue' }: NameOptions = {},
): Tensor {
  return onFloats(image, name, { saturate: false }, (x, scope) =>
    apply('AdjustHue', [x, delta], { name: scope }),
  );
}

/** RGB images with their saturation multiplied by `saturationFactor` (`tf.image.adjust_saturation`). */
export function adjustSaturation(
  image: TensorLike,
  saturationFactor: TensorLike,
  { name = 'adjust_saturation' }: NameOptions = {},
): Tensor {
  return onFloats(image, name, { saturate: false }, (x, scope) =>
    apply('AdjustSaturation', [x, saturationFactor], { name: scope }),
  );
}

export interface GammaOptions extends NameOptions {
  /** Default 1. Must not be negative. */
  readonly gamma?: number;
  /** Factor of the result; default 1. */
  readonly gain?: number;
}

/** `gain * image ^ gamma` (`tf.image.adjust_gamma`). Throws for a negative `gamma`. */
export function adjustGamma(
  image: TensorLike,
  { gamma = 1, gain = 1, name = 'adjust_gamma' }: GammaOptions = {},
): Tensor {
  if (gamma < 0) throw new InvalidArgumentError(`adjustGamma: gamma must not be negative, got ${gamma}`);
  return onFloats(image, name, { saturate: true }, (x) => mul(pow(x, gamma), gain));
}

/** Rejects images that are known not to have `channels` channels. */
function checkChannels(caller: string, image: Tensor, channels: number): void {
  const { rank } = image.shape;
  const last = rank === null || rank === 0 ? null : image.shape.dim(-1);
  if (rank === 0 || (last !== null && last !== channels)) {
    throw new InvalidArgumentError(
      `${caller}: images need ${channels} channels in the last dimension, got shape ${image.shape.toString()}`,
    );
  }
}

/** The luma of RGB images (`tf.image.rgb_to_grayscale`): one channel, in the images' dtype. */
export function rgbToGrayscale(images: TensorLike, { name = 'rgb_to_grayscale' }: NameOptions = {}): Tensor {
  const x = convertToTensor(images);
  checkChannels('rgbToGrayscale', x, 3);
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const weights = constant([0.2989, 0.587, 0.114]);
      const luma = reduceSum(mul(convertImageDtype(x, 'float32'), weights), { axis: -1, keepDims: true });
      return convertImageDtype(luma, x.dtype, { name: scope });
    }),
  );
}

/** Grey images, one channel, as RGB (`tf.image.grayscale_to_rgb`). */
export function grayscaleToRgb(images: TensorLike, { name = 'grayscale_to_rgb' }: NameOptions = {}): Tensor {
  const x = convertToTensor(images);
  checkChannels('grayscaleToRgb', x, 1);
  return withGraphOf(x, () => concat([x, x, x], -1, { name }));
}

type Matrix3 = readonly (readonly [number, number, number])[];

/** Colours as rows times a matrix. */
function colourMatrix(caller: string, images: TensorLike, matrix: Matrix3, name: string): Tensor {
  const x = convertToTensor(images);
  checkChannels(caller, x, 3);
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const kernel = cast(constant(matrix), x.dtype);
      return reshape(matMul(reshape(x, [-1, 3]), kernel), shapeOf(x), { name: scope });
    }),
  );
}

const RGB_TO_YUV: Matrix3 = [
  [0.299, -0.14714119, 0.61497538],
  [0.587, -0.28886916, -0.51496512],
  [0.114, 0.43601035, -0.10001026],
];
const YUV_TO_RGB: Matrix3 = [
  [1, 1, 1],
  [0, -0.394642334, 2.03206185],
  [1.13988303, -0.58062185, 0],
];
const RGB_TO_YIQ: Matrix3 = [
  [0.299, 0.59590059, 0.2115],
  [0.587, -0.27455667, -0.52273617],
  [0.114, -0.32134392, 0.31119955],
];
const YIQ_TO_RGB: Matrix3 = [
  [1, 1, 1],
  [0.95598634, -0.27201283, -1.10674021],
  [0.6208248, -0.64720424, 1.70423049],
];

/** RGB images, floats `[..., 3]`, as YUV (`tf.image.rgb_to_yuv`). */
export function rgbToYuv(images: TensorLike, { name = 'rgb_to_yuv' }: NameOptions = {}): Tensor {
  return colourMatrix('rgbToYuv', images, RGB_TO_YUV, name);
}

/** YUV images, floats `[..., 3]`, as RGB (`tf.image.yuv_to_rgb`). */
export function yuvToRgb(images: TensorLike, { name = 'yuv_to_rgb' }: NameOptions = {}): Tensor {
  return colourMatrix('yuvToRgb', images, YUV_TO_RGB, name);
}

/** RGB images, floats `[..., 3]`, as YIQ (`tf.image.rgb_to_yiq`). */
export function rgbToYiq(images: TensorLike, { name = 'rgb_to_yiq' }: NameOptions = {}): Tensor {
  return colourMatrix('rgbToYiq', images, RGB_TO_YIQ, name);
}

/** YIQ images, floats `[..., 3]`, as RGB (`tf.image.yiq_to_rgb`). */
export function yiqToRgb(images: TensorLike, { name = 'yiq_to_rgb' }: NameOptions = {}): Tensor {
  return colourMatrix('yiqToRgb', images, YIQ_TO_RGB, name);
}

/**
 * Each image with mean 0 and standard deviation 1 (`tf.image.per_image_standardization`), as float32. `image` is
 * `[..., height, width, channels]`. The deviation counts as 1 / sqrt(elements) at least, so that uniform images
 * become 0.
 */
export function perImageStandardization(
  image: TensorLike,
  { name = 'per_image_standardization' }: NameOptions = {},
): Tensor {
  const given = convertToTensor(image);
  const { rank } = given.shape;
  if (rank !== null && rank < 3) {
    throw new InvalidArgumentError(
      `perImageStandardization: an image has rank 3 or more, got shape ${given.shape.toString()}`,
    );
  }
  return withGraphOf(given, () =>
    nameScope(name, (scope) => {
      const x = given.dtype === 'float32' ? identity(given) : cast(given, 'float32');
      const axes = { axis: [-3, -2, -1], keepDims: true };
      const centred = sub(x, reduceMean(x, axes));
      const sizes = slice(shapeOf(x), [rank === null ? 0 : rank - 3], [3]);
      const least = div(1, cast(reduceProd(sizes), 'float32'));
      // the root of the larger one, not the larger root: its slope stays finite
      const deviation = sqrt(maximum(reduceMean(square(centred), axes), least));
      return div(centred, deviation, { name: scope });
    }),
  );
}
