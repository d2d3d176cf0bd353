/** `tf.image.resize`: resizing by any method, with the shape of the image kept or not. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { getItem } from './arrayItem.js';
import { div, maximum, minimum, mul, sub } from './binary.js';
import { imageSizes, onBatch, padToBoundingBox, sizeList, type Size } from './imageGeometry.js';
import { resizeArea, resizeBicubic, resizeBilinear, resizeNearestNeighbor } from './imageResize.js';
import { identity } from './source.js';
import { cast, floor, round } from './unary.js';

/** How `resizeImages` finds new pixels (`tf.image.ResizeMethod`). */
export const ResizeMethod = { BILINEAR: 0, NEAREST_NEIGHBOR: 1, BICUBIC: 2, AREA: 3 } as const;
export type ResizeMethod = (typeof ResizeMethod)[keyof typeof ResizeMethod];

export interface ResizeImagesOptions extends NameOptions {
  /** Default `ResizeMethod.BILINEAR`. */
  readonly method?: ResizeMethod;
  /** The centres of the corner pixels coincide. */
  readonly alignCorners?: boolean;
  /** The result is the largest of the image's own proportions that fits `size`. */
  readonly preserveAspectRatio?: boolean;
}

type Resize = (images: Tensor, size: TensorLike, options: { alignCorners: boolean }) => Tensor;

const METHODS: Readonly<Record<ResizeMethod, Resize>> = {
  [ResizeMethod.BILINEAR]: resizeBilinear,
  [ResizeMethod.NEAREST_NEIGHBOR]: resizeNearestNeighbor,
  [ResizeMethod.BICUBIC]: resizeBicubic,
  [ResizeMethod.AREA]: resizeArea,
};

/** `[height, width]` from a list or an int32 vector. */
function sizePair(size: TensorLike): [Size, Size] {
  const rule = 'resizeImages: size must be [height, width]';
  if (Array.isArray(size)) {
    if (size.length !== 2) throw new InvalidArgumentError(`${rule}, got ${size.length} elements`);
    return size as [Size, Size];
  }
  const vector = convertToTensor(size);
  if (vector.shape.rank !== null && (vector.shape.rank !== 1 || ![2, null].includes(vector.shape.dim(0)))) {
    throw new InvalidArgumentError(`${rule}, got shape ${vector.shape.toString()}`);
  }
  return [getItem(vector, 0), getItem(vector, 1)];
}

function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** The largest size of the proportions of `own` within `target`. */
function keepProportions(own: readonly [Size, Size], target: readonly [Size, Size]): [Size, Size] {
  const [[h, w], [th, tw]] = [own, target];
  const known = [h, w, th, tw].filter((size) => typeof size === 'number');
  if (known.length === 4) {
    const [a = 1, b = 1, ta = 1, tb = 1] = known;
    const scale = Math.min(ta / a, tb / b);
    return [roundHalfEven(scale * a), roundHalfEven(scale * b)];
  }
  const real = (size: Size): Tensor => cast(convertSize(size), 'float32');
  const scale = minimum(div(real(th), real(h)), div(real(tw), real(w)));
  return [cast(round(mul(scale, real(h))), 'int32'), cast(round(mul(scale, real(w))), 'int32')];
}

const convertSize = (size: Size): Tensor =>
  typeof size === 'number' ? convertToTensor(size, { dtype: 'int32' }) : size;

/**
 * An image or a batch in another size (`tf.image.resize`, `tf.image.resize_images`): `size` is
 * `[height, width]`. float32, except that nearest neighbours keep the dtype, and an image that is known to have
 * the size already is returned as it is. Throws for images not of rank 3 or 4 and for unknown methods.
 */
export function resizeImages(
  images: TensorLike,
  size: TensorLike,
  {
    method = ResizeMethod.BILINEAR,
    alignCorners = false,
    preserveAspectRatio = false,
    name = 'resize',
  }: ResizeImagesOptions = {},
): Tensor {
  const methods: Readonly<Partial<Record<number, Resize>>> = METHODS;
  const resize = methods[method];
  if (resize === undefined) {
    throw new InvalidArgumentError(`resizeImages: ${String(method)} is not one of ResizeMethod`);
  }
  return onBatch('resizeImages', images, name, (batch) => {
    const own = imageSizes(batch);
    const target = preserveAspectRatio ? keepProportions(own, sizePair(size)) : sizePair(size);
    if (own.every((dim, i) => typeof dim === 'number' && dim === target[i])) return identity(batch);
    return resize(batch, sizeList(target), { alignCorners });
  });
}

/** What resizing to proportions within a target leaves: the size, and the rows or columns before it. */
function fitted(own: readonly [Size, Size], target: readonly [Size, Size]): [Size, Size][] {
  const known = [...own, ...target].filter((size) => typeof size === 'number');
  if (known.length === 4) {
    const [h = 1, w = 1, th = 1, tw = 1] = known;
    const ratio = Math.max(w / tw, h / th);
    const axis = (size: number, to: number): [Size, Size] => {
      return [Math.floor(size / ratio), Math.max(0, Math.floor((to - size / ratio) / 2))];
    };
    return [axis(h, th), axis(w, tw)];
  }
  const real = (size: Size): Tensor => cast(convertSize(size), 'float32');
  const [h, w, th, tw] = [...own, ...target].map(real) as [Tensor, Tensor, Tensor, Tensor];
  const ratio = maximum(div(w, tw), div(h, th));
  const axis = (size: Tensor, to: Tensor): [Size, Size] => {
    const fits = div(size, ratio);
    const before = maximum(floor(div(sub(to, fits), 2)), 0);
    return [cast(floor(fits), 'int32'), cast(before, 'int32')];
  };
  return [axis(h, th), axis(w, tw)];
}

/**
 * An image or a batch resized to the largest of its proportions within the target, with zeros around it
 * (`tf.image.resize_image_with_pad`).
 */
export function resizeImageWithPad(
  image: TensorLike,
  targetHeight: Size,
  targetWidth: Size,
  {
    method = ResizeMethod.BILINEAR,
    alignCorners = false,
    name = 'resize_image_with_pad',
  }: Omit<ResizeImagesOptions, 'preserveAspectRatio'> = {},
): Tensor {
  for (const target of [targetHeight, targetWidth]) {
    if (typeof target === 'number' && !(target > 0)) {
      throw new InvalidArgumentError(`resizeImageWithPad: target sizes must be positive, got ${target}`);
    }
  }
  return onBatch('resizeImageWithPad', image, name, (batch) => {
    const [rows = [1, 0], columns = [1, 0]] = fitted(imageSizes(batch), [targetHeight, targetWidth]);
    const resized = resizeImages(batch, [rows[0], columns[0]], { method, alignCorners });
    return padToBoundingBox(resized, rows[1], columns[1], targetHeight, targetWidth);
  });
}
