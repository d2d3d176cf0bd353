/**
 * Structural similarity of images (Wang et al., "Image quality assessment: from error visibility to structural
 * similarity", 2004), at one scale and at several (Wang et al., "Multiscale structural similarity", 2003).
 */
import { constant, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope, withGraphOf } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { concat, stack } from './arrayJoin.js';
import { pad } from './arrayPad.js';
import { slice } from './arraySlice.js';
import { reshape } from './arrayView.js';
import { relu } from './activation.js';
import { add, div, mul, pow, sub } from './binary.js';
import { conv2d } from './conv.js';
import { imageSizes, sizeList, sizes, type Size } from './imageGeometry.js';
import { asFloats, checkPair, planesOf } from './imageMeasure.js';
import { avgPool } from './pool.js';
import { reduceMean, reduceProd } from './reduction.js';
import { shape as shapeOf } from './shape.js';
import { getItem } from './arrayItem.js';
import { square } from './unary.js';

export interface SimilarityOptions extends NameOptions {
  /** Side of the Gaussian window; default 11. */
  readonly filterSize?: number;
  /** Its deviation; default 1.5. */
  readonly filterSigma?: number;
  /** Default 0.01. */
  readonly k1?: number;
  /** Default 0.03. */
  readonly k2?: number;
}

interface Window {
  readonly weights: readonly number[];
  /** What is added to the parts of both quotients. */
  readonly c1: number;
  readonly c2: number;
}

function windowOf(caller: string, maxVal: number, options: SimilarityOptions): Window {
  const { filterSize = 11, filterSigma = 1.5, k1 = 0.01, k2 = 0.03 } = options;
  if (!Number.isInteger(filterSize) || filterSize < 1) {
    throw new InvalidArgumentError(`${caller}: filterSize must be a positive integer, got ${filterSize}`);
  }
  if (!(filterSigma > 0)) {
    throw new InvalidArgumentError(`${caller}: filterSigma must be positive, got ${filterSigma}`);
  }
  const bell = Array.from({ length: filterSize }, (_, i) =>
    Math.exp(-0.5 * ((i - (filterSize - 1) / 2) / filterSigma) ** 2),
  );
  const total = bell.reduce((sum, weight) => sum + weight, 0);
  return { weights: bell.map((weight) => weight / total), c1: (k1 * maxVal) ** 2, c2: (k2 * maxVal) ** 2 };
}

/** Weighted means of planes around every pixel: the Gaussian is the product of one for rows and one for columns. */
function blur(planes: Tensor, weights: readonly number[]): Tensor {
  const filter = (shape: readonly number[]): Tensor => constant([...weights], { dtype: 'float32', shape });
  const options = { strides: 1, padding: 'VALID' } as const;
  const n = weights.length;
  return conv2d(conv2d(planes, filter([n, 1, 1, 1]), options), filter([1, n, 1, 1]), options);
}

/** Means over each plane of the similarity, and of its contrast and structure without the luminance. */
function similarity(x: Tensor, y: Tensor, { weights, c1, c2 }: Window): [ssim: Tensor, contrast: Tensor] {
  const [mx, my] = [blur(x, weights), blur(y, weights)];
  const product = mul(mul(mx, my), 2);
  const squares = add(square(mx), square(my));
  const luminance = div(add(product, c1), add(squares, c1));
  const both = mul(blur(mul(x, y), weights), 2);
  const each = blur(add(square(x), square(y)), weights);
  const contrast = div(add(sub(both, product), c2), add(sub(each, squares), c2));
  const mean = (values: Tensor): Tensor => reduceMean(values, { axis: [-3, -2, -1] });
  return [mean(mul(luminance, contrast)), mean(contrast)];
}

/** A number for each plane as one for each image: `[..., depth]` and then the mean over the depth. */
function perImage(values: Tensor, image: Tensor, name: string): Tensor {
  const { dims, rank } = image.shape;
  const depth = dims?.at(-1) ?? getItem(shapeOf(image), -1);
  const lead = rank === null ? null : image.shape.slice(0, -3);
  const batch =
    lead?.isFullyDefined === true ? sizeList(lead.toStatic()) : slice(shapeOf(image), [0], [(rank ?? 3) - 3]);
  const split = reshape(values, concat([batch, sizeList([depth])], 0));
  return reduceMean(split, { axis: -1, name });
}

/** Images of any rank as planes. */
function toPlanes(image: Tensor): Tensor {
  if (image.shape.rank === 4) return planesOf(image);
  const size = (axis: number): Tensor => getItem(shapeOf(image), axis);
  return planesOf(reshape(image, [-1, size(-3), size(-2), size(-1)]));
}

function compared(
  caller: string,
  [img1, img2]: readonly [TensorLike, TensorLike],
  maxVal: number,
  options: SimilarityOptions & { readonly name: string },
  build: (x: Tensor, y: Tensor, window: Window) => Tensor,
): Tensor {
  const [a, b] = [convertToTensor(img1), convertToTensor(img2)];
  checkPair(caller, a, b);
  if (a.shape.rank === null) {
    throw new InvalidArgumentError(`${caller}: the rank of the images must be known`);
  }
  return withGraphOf(a, () =>
    nameScope(options.name, (scope) => {
      const [x, y, peak] = asFloats(a, b, maxVal);
      const values = build(toPlanes(x), toPlanes(y), windowOf(caller, peak, options));
      return perImage(values, a, scope);
    }),
  );
}

/**
 * Structural similarity of two images or batches `[..., height, width, depth]` (`tf.image.ssim`): at most 1, one
 * number for each pair of images. `maxVal` is the distance between the smallest and the largest value that pixels
 * can have. Images must be as large as the filter.
 */
export function ssim(
  img1: TensorLike,
  img2: TensorLike,
  maxVal: number,
  options: SimilarityOptions = {},
): Tensor {
  const named = { ...options, name: options.name ?? 'SSIM' };
  return compared('ssim', [img1, img2], maxVal, named, (x, y, window) => similarity(x, y, window)[0]);
}

/** Planes of half the size; an odd row or column is repeated first. */
function halved(planes: Tensor): Tensor {
  const larger = imageSizes(planes).map((size): Size => sizes.sub(size, sizes.floorDiv(size, 2)));
  const [rows = 0, columns = 0] = imageSizes(planes).map((size, i) =>
    sizes.sub(larger[i] ?? 0, sizes.floorDiv(size, 2)),
  );
  const pool = (even: Tensor): Tensor => avgPool(even, { ksize: 2, strides: 2, padding: 'VALID' });
  if (rows === 0 && columns === 0) return pool(planes);
  const paddings = [sizeList([0, 0]), sizeList([0, rows]), sizeList([0, columns]), sizeList([0, 0])];
  return pool(pad(planes, stack(paddings), { mode: 'SYMMETRIC' }));
}

const SCALE_WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/**
 * Structural similarity over several scales, each half of the one before (`tf.image.ssim_multiscale`); arguments as
 * in `ssim`. `powerFactors` are the weights of the scales, the finest first. The images must be as large as the
 * filter at the coarsest scale.
 */
export function ssimMultiscale(
  img1: TensorLike,
  img2: TensorLike,
  maxVal: number,
  options: SimilarityOptions & { readonly powerFactors?: readonly number[] } = {},
): Tensor {
  const { powerFactors = SCALE_WEIGHTS } = options;
  if (powerFactors.length === 0) throw new InvalidArgumentError('ssimMultiscale: powerFactors is empty');
  const named = { ...options, name: options.name ?? 'MS-SSIM' };
  return compared('ssimMultiscale', [img1, img2], maxVal, named, (x, y, window) => {
    let planes: [Tensor, Tensor] = [x, y];
    const parts = powerFactors.map((_, k) => {
      if (k > 0) planes = [halved(planes[0]), halved(planes[1])];
      const [whole, contrast] = similarity(...planes, window);
      return relu(k === powerFactors.length - 1 ? whole : contrast);
    });
    return reduceProd(pow(stack(parts, { axis: -1 }), constant([...powerFactors])), { axis: -1 });
  });
}
