/** The record and builder that draw a random part of an image which still shows an object. */
import type { Attrs } from '../attr.js';
import { applyOp, type NameOptions } from '../apply.js';
import { withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { SEEDS, seedAttrs } from './randomSeeds.js';

/** Two bounds of a float list attribute. */
export function floatRange(attrs: Attrs, name: string): readonly [low: number, high: number] {
  const attr = attrs.get(name);
  const [low = NaN, high = NaN, ...rest] = attr.kind === 'list(float)' ? attr.value : [];
  return rest.length > 0 ? [NaN, NaN] : [low, high];
}

function inferSample(c: InferContext): TensorShape[] {
  const [size, boxes] = [withRank(c, 0, 1, 'image_size'), withRank(c, 1, 3, 'bounding_boxes')];
  if (size.dim(0) !== null && size.dim(0) !== 3) {
    c.fail(`image_size must be [height, width, channels], got shape ${size.toString()}`);
  }
  if (boxes.dim(2) !== null && boxes.dim(2) !== 4) {
    c.fail(`bounding_boxes must be rows [y1, x1, y2, x2], got shape ${boxes.toString()}`);
  }
  const covered = c.shapes[2] ?? TensorShape.SCALAR;
  if (covered.rank !== null && covered.rank !== 0) {
    c.fail(`min_object_covered must be a scalar, got shape ${covered.toString()}`);
  }
  if (boxes.size === 0 && !c.attrs.bool('use_image_if_no_bounding_boxes')) {
    c.fail('there are no bounding boxes; use_image_if_no_bounding_boxes would take the whole image');
  }
  const [ratios, areas] = [floatRange(c.attrs, 'aspect_ratio_range'), floatRange(c.attrs, 'area_range')];
  if (!(ratios[0] > 0 && ratios[1] >= ratios[0])) {
    c.fail(`aspect_ratio_range must be two ascending positive numbers, got [${ratios.join(',')}]`);
  }
  if (!(areas[0] >= 0 && areas[1] >= areas[0] && areas[1] > 0 && areas[1] <= 1)) {
    c.fail(`area_range must be two ascending numbers in [0, 1], got [${areas.join(',')}]`);
  }
  if (c.attrs.int('max_attempts') < 1) {
    c.fail(`max_attempts must be positive, got ${c.attrs.int('max_attempts')}`);
  }
  return [new TensorShape([3]), new TensorShape([3]), new TensorShape([1, 1, 4])];
}

const OUTPUTS = ['begin: T', 'size: T', 'bboxes: float32'] as const;
const TYPE = 'T: {uint8, int8, int16, int32, int64}';
const LIMITS = [
  'aspect_ratio_range: list(float) = [0.75, 1.33]',
  'area_range: list(float) = [0.05, 1.0]',
  'max_attempts: int = 100',
  'use_image_if_no_bounding_boxes: bool = false',
] as const;
const noGradient = notDifferentiable('it draws at random, and its values are whole pixels');

export const IMAGE_SAMPLE = {
  SampleDistortedBoundingBox: op({
    summary: 'A random part of an image that covers enough of one of its boxes, with a fixed minimum.',
    inputs: ['image_size: T', 'bounding_boxes: float32'],
    outputs: OUTPUTS,
    attrs: [TYPE, ...SEEDS, 'min_object_covered: float = 0.1', ...LIMITS],
    infer: inferSample,
    grad: noGradient,
    stateful: true,
  }),

  SampleDistortedBoundingBoxV2: op({
    summary: 'A random part of an image that covers enough of one of its boxes.',
    inputs: ['image_size: T', 'bounding_boxes: float32', 'min_object_covered: float32'],
    outputs: OUTPUTS,
    attrs: [TYPE, ...SEEDS, ...LIMITS],
    infer: inferSample,
    grad: noGradient,
    stateful: true,
  }),
} satisfies Record<string, OpDef>;

export interface SampleBoxOptions extends NameOptions {
  /** The seed of this op; see `getSeed`. */
  readonly seed?: number;
  /** The part of a box that has to be covered; default 0.1. */
  readonly minObjectCovered?: TensorLike;
  /** Bounds of width / height; default `[0.75, 1.33]`. */
  readonly aspectRatioRange?: readonly [number, number];
  /** Bounds of the part's area as a fraction of the image; default `[0.05, 1]`. */
  readonly areaRange?: readonly [number, number];
  /** After so many attempts the whole image is taken; default 100. */
  readonly maxAttempts?: number;
  /** Without boxes the whole image counts as one; else that is an error. */
  readonly useImageIfNoBoundingBoxes?: boolean;
}

/**
 * A random part of an image (`tf.image.sample_distorted_bounding_box`), as Szegedy et al., "Going deeper with
 * convolutions" (2014) train with. `imageSize` is `[height, width, channels]`, `boundingBoxes` `[batch, boxes, 4]`,
 * rows `[y1, x1, y2, x2]` as fractions. Returns `begin` and `size` for `slice`, and the part as a box
 * `[1, 1, 4]`. Slicing by them makes the shape of the result depend on the draw; `cropAndResize` by the box does not.
 */
export function sampleDistortedBoundingBox(
  imageSize: TensorLike,
  boundingBoxes: TensorLike,
  {
    seed,
    minObjectCovered = 0.1,
    aspectRatioRange = [0.75, 1.33],
    areaRange = [0.05, 1],
    maxAttempts = 100,
    useImageIfNoBoundingBoxes = false,
    name,
  }: SampleBoxOptions = {},
): [begin: Tensor, size: Tensor, bboxes: Tensor] {
  const attrs = {
    ...seedAttrs(seed),
    aspect_ratio_range: aspectRatioRange,
    area_range: areaRange,
    max_attempts: maxAttempts,
    use_image_if_no_bounding_boxes: useImageIfNoBoundingBoxes,
    ...(Array.isArray(imageSize) ? { T: 'int32' } : {}),
  };
  const node = applyOp('SampleDistortedBoundingBoxV2', [imageSize, boundingBoxes, minObjectCovered], {
    name: name ?? 'sample_distorted_bounding_box',
    attrs,
  });
  return [node.output(0), node.output(1), node.output(2)];
}
