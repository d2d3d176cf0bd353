/** Turning, mirroring, cropping and padding of images, made of array ops. Images have rank 3, batches rank 4. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toTensorValue } from '../value.js';
import { getItem } from './arrayItem.js';
import { reverse, transpose } from './arrayMove.js';
import { pad } from './arrayPad.js';
import { slice } from './arraySlice.js';
import { squeeze, expandDims } from './arrayView.js';
import { floorDiv, maximum, minimum, mul, sub } from './binary.js';
import { shape as shapeOf } from './shape.js';
import { identity } from './source.js';
import { cast } from './unary.js';

/** A size that is a number where it is known while the graph is built, else an int32 scalar. */
export type Size = number | Tensor;

/** Arithmetic on sizes: at once where both are numbers, by ops else. */
export const sizes = {
  sub: combined((a, b) => a - b, sub),
  max: combined(Math.max, maximum),
  min: combined(Math.min, minimum),
  floorDiv: combined((a, b) => Math.floor(a / b), floorDiv),
};

function combined(
  ofNumbers: (a: number, b: number) => number,
  ofTensors: (a: TensorLike, b: TensorLike) => Tensor,
): (a: Size, b: Size) => Size {
  return (a, b) => (typeof a === 'number' && typeof b === 'number' ? ofNumbers(a, b) : ofTensors(a, b));
}

/** A list of sizes for ops that take int32 vectors. */
export function sizeList(list: readonly Size[]): TensorLike {
  const numbers = list.filter((size) => typeof size === 'number');
  return numbers.length === list.length ? toTensorValue(numbers, 'int32') : list;
}

/** Height and width of images whose rank is 3 or 4. */
export function imageSizes(image: Tensor): [height: Size, width: Size] {
  const rank = image.shape.rank ?? 3;
  const size = (axis: number): Size => image.shape.dim(axis) ?? getItem(shapeOf(image), axis);
  return [size(rank - 3), size(rank - 2)];
}

/** Throws unless `image` has rank 3 or 4; an unknown rank is taken for 3, as in TensorFlow. */
export function checkImageRank(caller: string, image: Tensor): void {
  const { rank } = image.shape;
  if (rank === null || rank === 3 || rank === 4) return;
  throw new InvalidArgumentError(
    `${caller}: an image has 3 dimensions and a batch 4, got shape ${image.shape.toString()}`,
  );
}

/** Runs `build` in a name scope on an image that was checked. */
export function onImage(
  caller: string,
  image: TensorLike,
  name: string,
  build: (x: Tensor, scope: string) => Tensor,
): Tensor {
  const x = convertToTensor(image);
  checkImageRank(caller, x);
  return withGraphOf(x, () => nameScope(name, (scope) => build(x, scope)));
}

/** As `onImage`; `build` gets a batch, and an image of its own is one of 1. */
export function onBatch(
  caller: string,
  image: TensorLike,
  name: string,
  build: (batch: Tensor) => Tensor,
): Tensor {
  return onImage(caller, image, name, (x, scope) => {
    if (x.shape.rank === 4) return build(x);
    return squeeze(build(expandDims(x, 0)), { axis: [0], name: scope });
  });
}

/** Mirrors left and right (`tf.image.flip_left_right`) an image `[height, width, channels]` or a batch. */
export function flipLeftRight(image: TensorLike, { name = 'flip_left_right' }: NameOptions = {}): Tensor {
  return onImage('flipLeftRight', image, name, (x, scope) => reverse(x, [-2], { name: scope }));
}

/** Mirrors up and down (`tf.image.flip_up_down`) an image or a batch. */
export function flipUpDown(image: TensorLike, { name = 'flip_up_down' }: NameOptions = {}): Tensor {
  return onImage('flipUpDown', image, name, (x, scope) => reverse(x, [-3], { name: scope }));
}

const transposed = (x: Tensor): Tensor =>
  transpose(x, { perm: toTensorValue(x.shape.rank === 4 ? [0, 2, 1, 3] : [1, 0, 2], 'int32') });

/** Exchanges rows and columns (`tf.image.transpose_image`) of an image or a batch. */
export function transposeImage(image: TensorLike, { name = 'transpose_image' }: NameOptions = {}): Tensor {
  return onImage('transposeImage', image, name, transposed);
}

/** Turns counter-clockwise by `k` (1) times 90 degrees (`tf.image.rot90`); `k` may be negative. */
export function rot90(
  image: TensorLike,
  { k = 1, name = 'rot90' }: NameOptions & { readonly k?: number } = {},
): Tensor {
  if (!Number.isInteger(k)) throw new InvalidArgumentError(`rot90: k must be an integer, got ${k}`);
  return onImage('rot90', image, name, (x, scope) => {
    switch (((k % 4) + 4) % 4) {
      case 1:
        return transposed(reverse(x, [-2]));
      case 2:
        return reverse(x, [-3, -2], { name: scope });
      case 3:
        return reverse(transposed(x), [-2], { name: scope });
      default:
        return identity(x, { name: scope });
    }
  });
}

/** `[begin, size]` of the central `fraction` of an axis. */
function centre(size: Size, fraction: number): [Size, Size] {
  if (typeof size === 'number') {
    const begin = Math.trunc((size - size * fraction) / 2);
    return [begin, size - 2 * begin];
  }
  const exact = cast(size, 'float32');
  const begin = cast(mul(sub(exact, mul(exact, fraction)), 0.5), 'int32');
  return [begin, sub(size, mul(begin, 2))];
}

/**
 * The central part of an image or a batch (`tf.image.central_crop`), `centralFraction` of its height and width.
 * Throws unless 0 < `centralFraction` <= 1.
 */
export function centralCrop(
  image: TensorLike,
  centralFraction: number,
  { name = 'central_crop' }: NameOptions = {},
): Tensor {
  if (!(centralFraction > 0 && centralFraction <= 1)) {
    throw new InvalidArgumentError(
      `centralCrop: the fraction must be above 0 and at most 1, got ${centralFraction}`,
    );
  }
  return onImage('centralCrop', image, name, (x, scope) => {
    if (centralFraction === 1) return identity(x, { name: scope });
    const [rows, columns] = imageSizes(x).map((size) => centre(size, centralFraction)) as [
      [Size, Size],
      [Size, Size],
    ];
    return cut(x, [rows[0], columns[0]], [rows[1], columns[1]], scope);
  });
}

/** A part of images of rank 3 or 4. */
function cut(
  x: Tensor,
  [top, left]: readonly [Size, Size],
  [h, w]: readonly [Size, Size],
  name: string,
): Tensor {
  const batch = x.shape.rank === 4;
  const begin = [...(batch ? [0] : []), top, left, 0];
  const size = [...(batch ? [-1] : []), h, w, -1];
  return slice(x, sizeList(begin), sizeList(size), { name });
}

/** Throws when a rule on sizes that are known is broken. */
function demand(
  caller: string,
  rule: string,
  left: Size,
  right: Size,
  holds: (l: number, r: number) => boolean,
): void {
  if (typeof left !== 'number' || typeof right !== 'number' || holds(left, right)) return;
  throw new InvalidArgumentError(`${caller}: ${rule}, got ${left} and ${right}`);
}

const atMost = (l: number, r: number): boolean => l <= r;

function demandBox(caller: string, offsets: readonly Size[], targets: readonly Size[]): void {
  offsets.forEach((offset) => {
    demand(caller, 'offsets must be 0 or more', 0, offset, atMost);
  });
  targets.forEach((target) => {
    demand(caller, 'target height and width must be positive', 1, target, atMost);
  });
}

/**
 * A part of an image or a batch (`tf.image.crop_to_bounding_box`). Numbers or int32 scalars. Throws where sizes
 * are known and the part does not lie within the image.
 */
export function cropToBoundingBox(
  image: TensorLike,
  offsetHeight: Size,
  offsetWidth: Size,
  targetHeight: Size,
  targetWidth: Size,
  { name = 'crop_to_bounding_box' }: NameOptions = {},
): Tensor {
  return onImage('cropToBoundingBox', image, name, (x, scope) => {
    const [height, width] = imageSizes(x);
    demandBox('cropToBoundingBox', [offsetHeight, offsetWidth], [targetHeight, targetWidth]);
    const caller = 'cropToBoundingBox';
    demand(
      caller,
      'target height must be at most height - offset',
      targetHeight,
      sizes.sub(height, offsetHeight),
      atMost,
    );
    demand(
      caller,
      'target width must be at most width - offset',
      targetWidth,
      sizes.sub(width, offsetWidth),
      atMost,
    );
    return cut(x, [offsetHeight, offsetWidth], [targetHeight, targetWidth], scope);
  });
}

/**
 * An image or a batch with zeros around (`tf.image.pad_to_bounding_box`): `offsetHeight` rows above and
 * `offsetWidth` columns to the left, and as many after as the target asks for. Throws where sizes are known and
 * the image does not fit.
 */
export function padToBoundingBox(
  image: TensorLike,
  offsetHeight: Size,
  offsetWidth: Size,
  targetHeight: Size,
  targetWidth: Size,
  { name = 'pad_to_bounding_box' }: NameOptions = {},
): Tensor {
  return onImage('padToBoundingBox', image, name, (x, scope) => {
    const [height, width] = imageSizes(x);
    demandBox('padToBoundingBox', [offsetHeight, offsetWidth], [targetHeight, targetWidth]);
    const [below, right] = [
      sizes.sub(sizes.sub(targetHeight, offsetHeight), height),
      sizes.sub(sizes.sub(targetWidth, offsetWidth), width),
    ];
    demand('padToBoundingBox', 'height must be at most target - offset: rows missing', 0, below, atMost);
    demand('padToBoundingBox', 'width must be at most target - offset: columns missing', 0, right, atMost);
    const rows = [...(x.shape.rank === 4 ? [0, 0] : []), offsetHeight, below, offsetWidth, right, 0, 0];
    const paddings = rows.flatMap((size, i) => (i % 2 === 0 ? [[size, rows[i + 1] ?? 0]] : []));
    const known = paddings.map((pair) => sizeList(pair));
    const isKnown = rows.every((size) => typeof size === 'number');
    return pad(x, isKnown ? toTensorValue(paddings as number[][], 'int32') : (known as Tensor[]), {
      name: scope,
    });
  });
}

/**
 * An image or a batch of the target size (`tf.image.resize_with_crop_or_pad`): what is too large is cut off
 * evenly on both sides, what is too small gets zeros there.
 */
export function resizeImageWithCropOrPad(
  image: TensorLike,
  targetHeight: Size,
  targetWidth: Size,
  { name = 'resize_image_with_crop_or_pad' }: NameOptions = {},
): Tensor {
  return onImage('resizeImageWithCropOrPad', image, name, (x) => {
    const targets = [targetHeight, targetWidth] as const;
    demandBox('resizeImageWithCropOrPad', [], targets);
    const own = imageSizes(x);
    const half = (more: Size, less: Size): Size => sizes.max(sizes.floorDiv(sizes.sub(more, less), 2), 0);
    const cropped = cropToBoundingBox(
      x,
      half(own[0], targets[0]),
      half(own[1], targets[1]),
      sizes.min(targets[0], own[0]),
      sizes.min(targets[1], own[1]),
    );
    return padToBoundingBox(cropped, half(targets[0], own[0]), half(targets[1], own[1]), ...targets);
  });
}
