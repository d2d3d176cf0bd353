/** Measures of images: slopes, edges, and how alike two images are. */
import { constant, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toTensorValue } from '../value.js';
import { getItem } from './arrayItem.js';
import { transpose } from './arrayMove.js';
import { pad } from './arrayPad.js';
import { reshape } from './arrayView.js';
import { add, mul, squaredDifference, sub } from './binary.js';
import { conv2d } from './conv.js';
import { convertImageDtype } from './imageDtype.js';
import { checkImageRank } from './imageGeometry.js';
import { reduceMean, reduceSum } from './reduction.js';
import { shape as shapeOf } from './shape.js';
import { log } from './transcendental.js';
import { abs } from './unary.js';

/** x[k + 1] - x[k] along the rows (-3) or the columns (-2) of images. */
function steps(x: Tensor, axis: -3 | -2): Tensor {
  const all = ':' as const;
  const [later, earlier] = [
    [1, null],
    [0, -1],
  ] as const;
  if (axis === -3) return sub(getItem(x, '...', later, all, all), getItem(x, '...', earlier, all, all));
  return sub(getItem(x, '...', later, all), getItem(x, '...', earlier, all));
}

/**
 * The sum of the distances between neighbouring pixels (`tf.image.total_variation`): a scalar for an image, one
 * number for each image of a batch.
 */
export function totalVariation(images: TensorLike, { name = 'total_variation' }: NameOptions = {}): Tensor {
  const x = convertToTensor(images);
  checkImageRank('totalVariation', x);
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const axis = [-3, -2, -1];
      const [rows, columns] = [steps(x, -3), steps(x, -2)].map((each) => reduceSum(abs(each), { axis }));
      return add(rows ?? 0, columns ?? 0, { name: scope });
    }),
  );
}

function checkBatch(caller: string, image: Tensor): void {
  if (image.shape.rank === 4) return;
  throw new InvalidArgumentError(
    `${caller}: images must be [batch, height, width, depth], got shape ${image.shape.toString()}`,
  );
}

/**
 * The slopes `[dy, dx]` of a batch of images (`tf.image.image_gradients`): the step to the next row and to the next
 * column, 0 in the last.
 */
export function imageGradients(
  image: TensorLike,
  { name = 'image_gradients' }: NameOptions = {},
): [dy: Tensor, dx: Tensor] {
  const x = convertToTensor(image);
  checkBatch('imageGradients', x);
  const after = (axis: number): number[][] => [0, 1, 2, 3].map((k) => [0, k === axis ? 1 : 0]);
  return withGraphOf(x, () =>
    nameScope(name, () => [
      pad(steps(x, -3), toTensorValue(after(1), 'int32')),
      pad(steps(x, -2), toTensorValue(after(2), 'int32')),
    ]),
  );
}

/** A batch with a plane for each channel, `[batch * depth, height, width, 1]`, for filters of one channel. */
export function planesOf(x: Tensor): Tensor {
  if (x.shape.rank === 4 && x.shape.dim(3) === 1) return x;
  const size = (axis: number): Tensor => getItem(shapeOf(x), axis);
  const apart = transpose(x, { perm: toTensorValue([0, 3, 1, 2], 'int32') });
  return reshape(apart, [-1, size(1), size(2), 1]);
}

/**
 * Edges by Sobel's filters (`tf.image.sobel_edges`): `[batch, height, width, depth, 2]`, down and to the right.
 * Borders are mirrored.
 */
export function sobelEdges(image: TensorLike, { name = 'sobel_edges' }: NameOptions = {}): Tensor {
  const x = convertToTensor(image);
  checkBatch('sobelEdges', x);
  return withGraphOf(x, () =>
    nameScope(name, (scope) => {
      const down = [-1, -2, -1, 0, 0, 0, 1, 2, 1];
      const right = [-1, 0, 1, -2, 0, 2, -1, 0, 1];
      const filters = constant(
        down.flatMap((weight, i) => [weight, right[i] ?? 0]),
        { dtype: 'float32', shape: [3, 3, 1, 2] },
      );
      const borders = toTensorValue([[0, 0], [1, 1], [1, 1], [0, 0]], 'int32'); // prettier-ignore
      const mirrored = pad(planesOf(x), borders, { mode: 'REFLECT' });
      const edges = conv2d(mirrored, filters, { strides: 1, padding: 'VALID' });
      const size = (axis: number): Tensor => getItem(shapeOf(x), axis);
      const apart = reshape(edges, [size(0), size(3), size(1), size(2), 2]);
      return transpose(apart, { perm: toTensorValue([0, 2, 3, 1, 4], 'int32'), name: scope });
    }),
  );
}

/** Rejects a pair of images whose shapes cannot be compared. */
export function checkPair(caller: string, a: Tensor, b: Tensor): void {
  const ranks = [a, b].map((image) => image.shape.rank);
  if (
    ranks.some((rank) => rank !== null && rank < 3) ||
    !a.shape.slice(-3).isCompatibleWith(b.shape.slice(-3))
  ) {
    throw new InvalidArgumentError(
      `${caller}: images must be [..., height, width, depth] of one size, got ` +
        `${a.shape.toString()} and ${b.shape.toString()}`,
    );
  }
}

/** Both images as floats, and the largest value in the same scale. */
export function asFloats(a: Tensor, b: Tensor, maxVal: number): [Tensor, Tensor, number] {
  const scale = a.dtype.startsWith('float') ? 1 : maxOf(a);
  return [convertImageDtype(a, 'float32'), convertImageDtype(b, 'float32'), maxVal / scale];
}

function maxOf({ dtype }: Tensor): number {
  const bits = Number(/\d+$/.exec(dtype)?.[0] ?? 0);
  return 2 ** (dtype.startsWith('u') ? bits : bits - 1) - 1;
}

/**
 * Peak signal-to-noise ratio of two images or batches `[..., height, width, depth]`, in decibels
 * (`tf.image.psnr`). `maxVal` is the distance between the smallest and the largest value that pixels can have.
 */
export function psnr(
  a: TensorLike,
  b: TensorLike,
  maxVal: number,
  { name = 'PSNR' }: NameOptions = {},
): Tensor {
  const [first, second] = [convertToTensor(a), convertToTensor(b)];
  checkPair('psnr', first, second);
  return withGraphOf(first, () =>
    nameScope(name, (scope) => {
      const [x, y, peak] = asFloats(first, second, maxVal);
      const error = reduceMean(squaredDifference(x, y), { axis: [-3, -2, -1] });
      return sub(20 * Math.log10(peak), mul(log(error), 10 / Math.LN10), { name: scope });
    }),
  );
}
