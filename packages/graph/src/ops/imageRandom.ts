/** Random changes of images. Each draws its own number; the same `seed` gives the same sequence of them. */
import { convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { gather } from './arrayIndex.js';
import { getItem } from './arrayItem.js';
import { reverse } from './arrayMove.js';
import { add, floorMod } from './binary.js';
import { greater, less } from './comparison.js';
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from './imageAdjust.js';
import { onImage, sizes, type Size } from './imageGeometry.js';
import { range } from './fill.js';
import { randomUniform } from './random.js';
import { where } from './selection.js';
import { shape as shapeOf } from './shape.js';
import { identity } from './source.js';

/** What the random changes take last. */
export interface RandomImageOptions extends NameOptions {
  /** The seed of this op; see `getSeed`. */
  readonly seed?: number;
}

/** Each image of a batch is mirrored along `axis` or not, with equal chance. */
function randomFlip(x: Tensor, axis: number, seed: number | undefined, name: string): Tensor {
  const mirrored = reverse(x, [axis]);
  if (x.shape.rank !== 4) return where(less(randomUniform([], { seed }), 0.5), mirrored, x, { name });
  const draws = randomUniform([x.shape.dim(0) ?? getItem(shapeOf(x), 0)], { seed });
  return where(greater(draws, 0.5), mirrored, x, { name });
}

/**
 * Mirrors left and right with a chance of one half (`tf.image.random_flip_left_right`) an image
 * `[height, width, channels]`, or each image of a batch by itself.
 */
export function randomFlipLeftRight(
  image: TensorLike,
  { seed, name = 'random_flip_left_right' }: RandomImageOptions = {},
): Tensor {
  return onImage('randomFlipLeftRight', image, name, (x, scope) => randomFlip(x, -2, seed, scope));
}

/** Mirrors up and down with a chance of one half (`tf.image.random_flip_up_down`); see `randomFlipLeftRight`. */
export function randomFlipUpDown(
  image: TensorLike,
  { seed, name = 'random_flip_up_down' }: RandomImageOptions = {},
): Tensor {
  return onImage('randomFlipUpDown', image, name, (x, scope) => randomFlip(x, -3, seed, scope));
}

type Adjust = (image: Tensor, by: Tensor) => Tensor;

/** Adjusts by a number drawn between `low` and `high`. */
function drawn(
  image: TensorLike,
  [low, high]: readonly [number, number],
  { seed, name }: RandomImageOptions & { readonly name: string },
  adjust: Adjust,
): Tensor {
  const x = convertToTensor(image);
  return withGraphOf(x, () =>
    nameScope(name, () => adjust(x, randomUniform([], { minval: low, maxval: high, seed }))),
  );
}

/**
 * Adds a number between `-maxDelta` and `maxDelta` to every pixel (`tf.image.random_brightness`). Throws for a
 * negative `maxDelta`.
 */
export function randomBrightness(
  image: TensorLike,
  maxDelta: number,
  { seed, name = 'random_brightness' }: RandomImageOptions = {},
): Tensor {
  if (!(maxDelta >= 0)) {
    throw new InvalidArgumentError(`randomBrightness: maxDelta must not be negative, got ${maxDelta}`);
  }
  return drawn(image, [-maxDelta, maxDelta], { ...given(seed), name }, adjustBrightness);
}

const given = (seed: number | undefined): { seed?: number } => (seed === undefined ? {} : { seed });

function checkFactors(caller: string, lower: number, upper: number): void {
  if (!(upper > lower)) {
    throw new InvalidArgumentError(`${caller}: upper must be above lower, got ${upper} and ${lower}`);
  }
  if (!(lower >= 0)) throw new InvalidArgumentError(`${caller}: lower must not be negative, got ${lower}`);
}

/** `adjustContrast` by a factor between `lower` and `upper` (`tf.image.random_contrast`). */
export function randomContrast(
  image: TensorLike,
  lower: number,
  upper: number,
  { seed, name = 'random_contrast' }: RandomImageOptions = {},
): Tensor {
  checkFactors('randomContrast', lower, upper);
  return drawn(image, [lower, upper], { ...given(seed), name }, adjustContrast);
}

/** `adjustSaturation` by a factor between `lower` and `upper` (`tf.image.random_saturation`). */
export function randomSaturation(
  image: TensorLike,
  lower: number,
  upper: number,
  { seed, name = 'random_saturation' }: RandomImageOptions = {},
): Tensor {
  checkFactors('randomSaturation', lower, upper);
  return drawn(image, [lower, upper], { ...given(seed), name }, adjustSaturation);
}

/** `adjustHue` by a part of the colour wheel up to `maxDelta`, at most 0.5, either way (`tf.image.random_hue`). */
export function randomHue(
  image: TensorLike,
  maxDelta: number,
  { seed, name = 'random_hue' }: RandomImageOptions = {},
): Tensor {
  if (!(maxDelta >= 0 && maxDelta <= 0.5)) {
    throw new InvalidArgumentError(`randomHue: maxDelta must be between 0 and 0.5, got ${maxDelta}`);
  }
  return drawn(image, [-maxDelta, maxDelta], { ...given(seed), name }, adjustHue);
}

const MAX_INT32 = 2 ** 31 - 1;

/**
 * A part of `value` of the given `size`, one number for each dimension, at a random place (`tf.random_crop`).
 * Elements are gathered, so that the place is never needed on the host and one plan serves all runs. Throws where
 * sizes are known and the part is larger than `value`.
 */
export function randomCrop(
  value: TensorLike,
  size: readonly Size[],
  { seed, name = 'random_crop' }: RandomImageOptions = {},
): Tensor {
  const x = convertToTensor(value);
  const { rank } = x.shape;
  if (rank !== null && rank !== size.length) {
    throw new InvalidArgumentError(
      `randomCrop: size has ${size.length} numbers for a value of shape ${x.shape.toString()}`,
    );
  }
  size.forEach((length, axis) => {
    const dim = rank === null ? null : x.shape.dim(axis);
    if (typeof length !== 'number' || (length >= 0 && (dim === null || length <= dim))) return;
    throw new InvalidArgumentError(
      `randomCrop: a part of size ${length} does not fit dimension ${axis} of shape ${x.shape.toString()}`,
    );
  });
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const draws = randomUniform([size.length], { dtype: 'int32', maxval: MAX_INT32, seed });
      const part = size.reduce<Tensor>((cropped, length, axis) => {
        const dim = rank === null ? null : x.shape.dim(axis);
        if (length === dim) return cropped;
        const rest = sizes.sub(dim ?? getItem(shapeOf(x), axis), length);
        const places = typeof rest === 'number' ? rest + 1 : add(rest, 1);
        const offset = floorMod(getItem(draws, axis), places);
        return gather(cropped, add(range(0, length, { dtype: 'int32' }), offset), { axis });
      }, x);
      return identity(part, { name: scope });
    }),
  );
}
